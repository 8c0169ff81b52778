"""Who may act at the command line: whoever the operating system lets read the settings and write the database."""

from bot.access import Access, Actor
from bot.clock import Clock
from bot.pool_names import PoolName
from bot.rendering.escape import is_system_user_id
from bot.settings import Settings
from bot.slack import Slack, SlackError, slack_session
from tgc.sending import always


class TerminalAccess:
    """RECO_APPROVERS and Slack have no say here, except about people of Slack on whom an accept would rest."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.rules = settings.pool_rules
        self._settings = settings
        self._clock = clock

    def hindrance(self, pool: PoolName) -> str | None:  # noqa: ARG002 - it is the same for every pool
        return None

    async def refusal_to_act(self, actor: Actor, pool: PoolName) -> str | None:
        """Also for what a pool asks of people and the command line cannot give."""
        if not is_system_user_id(actor.user_id):
            return "Only the bot itself acts for people of Slack."
        is_asked = self.rules.of(pool).ticket is not None
        return (
            "This pool asks for a ticket with each accept: accept it in Slack, where a form takes it."
            if is_asked
            else None
        )

    async def still_may_act(self, actor: Actor, pool: PoolName) -> bool:
        """Ask Slack about the first of two people. Raises SlackError where that is not possible."""
        if self._settings.slack_bot_token is None:
            raise SlackError("the command line has no SLACK_BOT_TOKEN to ask Slack with.")
        async with slack_session(always) as session:
            token = self._settings.slack_bot_token.reveal()
            slack = Slack(token, base_url=self._settings.slack_api_url, session=session)
            access = Access(slack, await slack.identify(), self.rules, self._clock)
            return await access.still_may_act(actor, pool)
