"""What Prometheus may read at /metrics. No names of pools, VMs or people: anybody who reaches the port can read it."""

from prometheus_client import Counter, Gauge

POSTED = Counter("tintri_bot_messages_posted", "Messages posted to Slack.", ["kind"])
UNPOSTED = Gauge("tintri_bot_messages_waiting", "Messages that wait to be posted, cards not counted.")
MAILS_WAITING = Gauge("tintri_bot_mails_waiting", "Mails that wait to be sent, or to be tried again.")
EDITED = Counter("tintri_bot_cards_edited", "Cards edited in Slack.")
DECISIONS = Counter("tintri_bot_decisions", "Decisions and refusals.", ["action", "outcome"])
SWEEPS = Counter("tintri_bot_sweeps", "Sweeps over all pools of a TGC.", ["tgc", "result"])
TGC_UP = Gauge("tintri_bot_tgc_up", "1 where the newest sweep of the TGC succeeded, else 0.", ["tgc"])
SLACK_UP = Gauge("tintri_bot_slack_up", "1 while Slack can reach the bot and takes its token, else 0.")
SLACK_CONNECTIONS = Gauge("tintri_bot_slack_connections", "Socket Mode connections by which Slack can reach the bot.")
LOOP_STUCK = Gauge(
    "tintri_bot_loop_stuck", "1 where a part of the bot's work has not come round for longer than it may.", ["loop"]
)
DATABASE_UP = Gauge("tintri_bot_database_up", "1 where the database could be written to at the newest look, else 0.")
CANNOT_POST = Gauge("tintri_bot_cannot_post", "1 while a channel that cards go to refuses the bot's messages, else 0.")
RULES_WITHOUT_APPROVERS = Gauge(
    "tintri_bot_rules_without_approvers", "Rules by which nobody can approve, or too few people."
)
