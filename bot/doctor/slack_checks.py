"""Slack: is it reached, does it take the tokens, what may the bot do, and is it in its channels."""

from functools import partial

from bot.clock import Clock
from bot.doctor.checks import NotMadeError, error, in_turn, made, named, not_made, ok, warning
from bot.doctor.people_checks import PeopleChecks
from bot.manifest import SCOPES
from bot.rendering.escape import is_group_id
from bot.rendering.phrase import HERE
from bot.rendering.views import Finding
from bot.settings import Settings
from bot.slack import Identity, Slack, SlackAwayError, SlackRefusedError, SlackUnsureError
from bot.tasks import together

_NEEDED = frozenset({"commands", "chat:write", "users:read"})
"""Without these the bot is of no use; without the others it does less."""


class SlackChecks:
    """`is_asked_there`: whether somebody asks in Slack, so that Slack's requests certainly come in."""

    def __init__(self, slack: Slack, settings: Settings, clock: Clock, *, is_asked_there: bool) -> None:
        self._slack = slack
        self._settings = settings
        self._clock = clock
        self._is_asked_there = is_asked_there
        self._identity: Identity | None = None
        self._refusal: SlackRefusedError | None = None

    async def findings(self) -> list[Finding]:
        account, requests = await together((self._of_account(), self._of_requests()))
        return [*account, *requests]

    async def _of_requests(self) -> list[Finding]:
        """How what people press and type comes in."""
        if self._settings.slack_app_token is not None:
            return [await made("app token", self._socket_mode)]
        return [await made("HTTP mode", self._http_mode)]

    async def _of_account(self) -> list[Finding]:
        reached = await in_turn((("Slack", self._reach), ("bot token", self._token)))
        if self._identity is None:
            return [*reached, *not_made(("scopes", "channel", "approvers"), "“bot token” above is not settled")]
        people = PeopleChecks(self._slack, self._identity, self._settings.pool_rules, self._clock)
        channels, mentions, approvers = await together((self._of_channels(), self._of_mentions(), people.findings()))
        return [*reached, *_of_scopes(self._identity), *channels, *mentions, *approvers]

    async def _of_channels(self) -> list[Finding]:
        main = self._settings.reco_channel
        others = [channel_id for channel_id in self._settings.routes.channels if channel_id != main]
        return await together(
            made("channel", partial(self._channel, channel_id, is_routed=number > 0))
            for number, channel_id in enumerate((main, *others))
        )

    async def _of_mentions(self) -> list[Finding]:
        """Of those that routes mention."""
        named = {name for route in self._settings.routes.by_match for name in route.mentions} - {HERE}
        return await together(made("mentions", partial(self._mention, name)) for name in sorted(named))

    async def _mention(self, name: str) -> Finding:
        try:
            if is_group_id(name):
                nobody = not await self._slack.group_members(name)
            else:
                nobody = (await self._slack.person(name)).deleted
        except SlackRefusedError as refusal:
            if refusal.needed_scope is not None:
                raise NotMadeError(f"the scope {refusal.needed_scope} is missing") from refusal
            return warning(f"Slack knows no {name} here ({refusal.code}).", "Correct the id in its route.")
        if nobody:
            return warning(f"Nobody is reached by {name} any more.", "Name others in its route.")
        return ok(f"{name} can be mentioned.")

    async def _reach(self) -> Finding:
        if self._settings.slack_bot_token is None:
            raise NotMadeError("SLACK_BOT_TOKEN is missing")
        try:
            self._identity = await self._slack.identify()
        except SlackRefusedError as refusal:
            self._refusal = refusal
        except (SlackAwayError, SlackUnsureError):
            return error(
                f"Slack gives no answer at {self._settings.slack_api_url}.", "Check SLACK_API_URL and the network."
            )
        return ok("Slack is reached.")

    async def _token(self) -> Finding:
        if self._identity is None:
            code = self._refusal.code if self._refusal else "nothing said"
            return error(
                f"Slack refuses SLACK_BOT_TOKEN ({code}).",
                "Copy the Bot User OAuth Token from the app's page OAuth & Permissions.",
            )
        return ok(f"Slack takes it, for the bot {self._identity.user_id} of the workspace {self._identity.team_id}.")

    async def _channel(self, channel_id: str | None, *, is_routed: bool) -> Finding:
        if channel_id is None:
            raise NotMadeError("RECO_CHANNEL is missing")
        named_in = f"the route to it in {self._settings.config.file}" if is_routed else "RECO_CHANNEL"
        invite = f"Type /invite @tintri in it, or correct {named_in}."
        try:
            await self._slack.read_channel(channel_id)
        except SlackRefusedError as refusal:
            match refusal.code:
                case "not_in_channel":
                    return error(f"The bot is not in the channel {channel_id}.", invite)
                case "channel_not_found":
                    return error(f"Slack shows the bot no channel {channel_id}.", invite)
                case "missing_scope":
                    return warning(
                        f"Whether the bot is in {channel_id} cannot be told without the scope {refusal.needed_scope}.",
                        "Add the scope, and install the app again.",
                    )
                case _:
                    raise
        return ok(f"The bot is in {channel_id} and reads it.")

    async def _socket_mode(self) -> Finding:
        """Asks for a connection and opens none, so that nothing is sent here that a running bot waits for."""
        token = self._settings.slack_app_token
        try:
            await self._slack.open_socket(token.reveal() if token else "")
        except SlackRefusedError as refusal:
            return error(
                f"Slack refuses SLACK_APP_TOKEN ({refusal.code}).",
                "Generate one with connections:write on the app's page Basic Information, and turn Socket Mode on.",
            )
        return ok("Slack takes it and offers a Socket Mode connection; none was opened.")

    async def _http_mode(self) -> Finding:
        if self._is_asked_there:
            return ok("Slack's requests come in: this was one.")
        if self._settings.slack_signing_secret is None:
            raise NotMadeError("SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both missing")
        return warning(
            "Whether Slack's requests come in at /slack/events cannot be told from here.",
            "Start the bot, and type /tintri doctor in Slack.",
        )


def _of_scopes(identity: Identity) -> list[Finding]:
    if not identity.scopes:
        return [named("scopes", warning("Slack does not tell which the token has."))]
    missing = [scope for scope in SCOPES if scope not in identity.scopes]
    if not missing:
        return [named("scopes", ok(f"All {len(SCOPES)} are there."))]
    fix = "Add it on the app's page OAuth & Permissions, and install the app again."
    return [
        named(
            "scopes",
            (error if scope in _NEEDED else warning)(f"{scope} is missing; it is for {SCOPES[scope]}.", fix),
        )
        for scope in missing
    ]
