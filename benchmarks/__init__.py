"""What the bot costs, measured beside a peer or a limit in the same run: `make bench`. See docs/performance.md."""
