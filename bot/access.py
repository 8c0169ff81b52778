"""Who may read and who may act. Every doubt refuses; a missing scope never widens rights."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import msgspec
import structlog

from bot.clock import Clock
from bot.settings import Approvers
from bot.slack import Identity, Person, Slack, SlackError, SlackRefusedError

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_REMEMBERED_FOR = timedelta(seconds=60)

NO_APPROVERS = (
    "Nobody may act on it here: RECO_APPROVERS is empty, so this bot only reads. Its operator can name approvers."
)


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever sent a command or pressed a button, as Slack's payload names them."""

    team_id: str
    user_id: str
    name: str


class Access:
    """Answers with the reason for a refusal, one sentence, or with None where the person may."""

    def __init__(self, slack: Slack, identity: Identity, approvers: Approvers, clock: Clock) -> None:
        self._identity = identity
        self._approvers = approvers
        self._people = _Remembered(slack.person, clock)
        self._groups = _Remembered(slack.group_members, clock)
        self._warned: set[str] = set()

    @property
    def _nobody(self) -> bool:
        return not (self._approvers.everyone or self._approvers.user_ids or self._approvers.group_ids)

    @property
    def hindrance(self) -> str | None:
        """Why nobody at all may act."""
        return NO_APPROVERS if self._nobody else None

    async def refusal_to_read(self, actor: Actor) -> str | None:
        if actor.team_id != self._identity.team_id:
            return "This bot answers only members of its own workspace, and you are from another one."
        try:
            person = await self._people.get(actor.user_id)
        except SlackError as error:
            self._warn_of_scope(error)
            return f"I could not check who you are, so I did nothing: {error}"
        return self._refusal_of(person)

    async def refusal_to_act(self, actor: Actor) -> str | None:
        """Why this person may not accept, dismiss, reopen, cancel, pause or resume."""
        if self._nobody:
            return NO_APPROVERS
        refusal = await self.refusal_to_read(actor)
        if refusal is not None:
            return refusal
        if self._approvers.everyone or actor.user_id in self._approvers.user_ids:
            return None
        return await self._refusal_by_groups(actor)

    async def _refusal_by_groups(self, actor: Actor) -> str | None:
        problem: SlackError | None = None
        for group_id in sorted(self._approvers.group_ids):
            try:
                if actor.user_id in await self._groups.get(group_id):
                    return None
            except SlackError as error:
                self._warn_of_scope(error)
                problem = error
        if problem is not None:
            return f"I could not check whether you are an approver, so I did nothing: {problem}"
        return "You are not an approver of this pool, so nothing was done; RECO_APPROVERS names who is."

    async def approver_ids(self) -> frozenset[str]:
        """Return everybody who is named as an approver, for messages that all of them must see."""
        members = set(self._approvers.user_ids)
        for group_id in self._approvers.group_ids:
            try:
                members |= await self._groups.get(group_id)
            except SlackError as error:
                self._warn_of_scope(error)
        return frozenset(members)

    def _refusal_of(self, person: Person) -> str | None:
        if person.team_id != self._identity.team_id or person.is_stranger:
            return "This bot answers only members of its own workspace, and you are from another one."
        if person.deleted or person.is_bot or person.is_app_user:
            return "This bot answers only people with an active account."
        if person.is_guest:
            return "This bot answers only full members of the workspace, and you are a guest."
        return None

    def _warn_of_scope(self, error: SlackError) -> None:
        if not isinstance(error, SlackRefusedError) or error.needed_scope is None or error.needed_scope in self._warned:
            return
        self._warned.add(error.needed_scope)
        _log.warning(
            "a Slack scope is missing: whoever cannot be checked may not act; add it and install the app again",
            scope=error.needed_scope,
        )


class _Remembered(Generic[T]):
    """Slack's answers, each kept for a minute. Failures are not kept."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._answers: dict[str, tuple[datetime, T]] = {}

    async def get(self, name: str) -> T:
        now = self._clock.now()
        self._answers = {known: kept for known, kept in self._answers.items() if kept[0] > now}
        if name not in self._answers:
            self._answers[name] = (now + _REMEMBERED_FOR, await self._ask(name))
        return self._answers[name][1]
