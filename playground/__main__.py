"""`python -m playground`: the stand-in for Slack and its page alone, for any Bolt app."""

import argparse
import asyncio
import signal

from playground.page import PREFERRED_PORT, Page
from playground.slack import Slack


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m playground", description="A local stand-in for Slack, with a page."
    )
    parser.add_argument("--port", type=int, default=PREFERRED_PORT, help="of the page; another where it is taken")
    parser.add_argument("--slack-port", type=int, default=0, help="of the Web API; any free one without this")
    parser.add_argument("--request-url", help="where the app listens for signed requests; without this, Socket Mode")
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.slack_port, given.request_url))


async def _serve(port: int, slack_port: int, request_url: str | None) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    slack = Slack(port=slack_port)
    slack.request_url = request_url
    async with slack.serve(), Page(slack, port=port).serve() as address:
        for line in _settings(slack, address):
            print(line, flush=True)  # noqa: T201 - this is what the command is for
        await told_to_stop.wait()


def _settings(slack: Slack, address: str) -> list[str]:
    """What to start the app with; the tokens are made up and let nobody in anywhere else."""
    return [
        f"The page: {address}",
        "Start the app with these, and give its client the API URL as base_url:",
        f"SLACK_API_URL={slack.api_url}",
        f"SLACK_BOT_TOKEN={slack.bot_token}",
        f"SLACK_APP_TOKEN={slack.app_token}"
        if slack.request_url is None
        else f"SLACK_SIGNING_SECRET={slack.signing_secret}",
        "Ctrl-C ends it.",
    ]


if __name__ == "__main__":
    main()
