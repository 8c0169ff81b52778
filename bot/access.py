"""Who may read and who may act. Every doubt refuses; a missing scope never widens rights."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import msgspec
import structlog

from bot.clock import Clock, uptime
from bot.pool_names import PoolName
from bot.pool_rules import EVERYONE, Approvers, PoolRule, PoolRules, nobody_named
from bot.rendering.escape import is_system_user_id
from bot.slack import Identity, Person, Slack, SlackError, SlackRefusedError

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_REMEMBERED_FOR = timedelta(seconds=60)
_NAMES_SHOWN = 5


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever sent a command or pressed a button, as Slack's payload names them; or bot.system_user."""

    team_id: str
    user_id: str
    name: str


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody may act by a rule."""

    refusal: str | None = None
    """Why not, one sentence; None where they may."""
    named_as: str | None = None
    """Where they may, what of the rule's approvers they are: `*`, their own id, or that of a user group."""


class Authority(Protocol):
    """What a decision asks about people: answered by Slack and the settings, or at the command line."""

    @property
    def rules(self) -> PoolRules: ...

    def hindrance(self, pool: PoolName) -> str | None: ...

    async def refusal_to_act(self, actor: Actor, pool: PoolName) -> str | None: ...

    async def still_may_act(self, actor: Actor, pool: PoolName) -> bool: ...


class Access:
    """Answers with the reason for a refusal, one sentence, or with None where the person may."""

    def __init__(self, slack: Slack, identity: Identity, rules: PoolRules, clock: Clock) -> None:
        self.rules = rules
        self._identity = identity
        self._slack = slack
        self._people = _Remembered(slack.person, clock)
        self._groups = _Remembered(slack.group_members, clock)
        self._warned: set[str] = set()

    def hindrance(self, pool: PoolName) -> str | None:
        """Why nobody at all may act in this pool."""
        return nobody_named(self.rules.of(pool))

    async def refusal_to_read(self, actor: Actor) -> str | None:
        try:
            return await self.refusal_as_member(actor)
        except SlackError as error:
            return f"I could not check who you are, so I did nothing: {error}"

    async def refusal_to_act(self, actor: Actor, pool: PoolName) -> str | None:
        """Why this person may not accept, dismiss, reopen, cancel, pause or resume in this pool."""
        return (await self.right_by(self.rules.of(pool), actor)).refusal

    async def right_by(self, rule: PoolRule, actor: Actor, where: str = "of this pool") -> Right:
        """Whether this person may act in the pools of a rule, and by what."""
        nobody = nobody_named(rule)
        if nobody is not None:
            return Right(refusal=nobody)
        refusal = await self.refusal_to_read(actor)
        if refusal is not None:
            return Right(refusal=refusal)
        try:
            named_as = await self._named_as(rule.approvers, actor.user_id)
        except SlackError as error:
            return Right(refusal=f"I could not check whether you are an approver, so I did nothing: {error}")
        if named_as is not None:
            return Right(named_as=named_as)
        names = await self._names(rule)
        return Right(
            refusal=f"You are not an approver {where}, so nothing was done; {rule.named_in} names {names}.",
        )

    async def refusal_anywhere(self, actor: Actor) -> str | None:
        """Why this person may not act in any pool."""
        refusals = [(await self.right_by(rule, actor, "of any pool")).refusal for rule in self.rules.all]
        return None if None in refusals else refusals[0]

    async def refusal_everywhere(self, actor: Actor) -> str | None:
        """Why this person may not act in every pool where anybody may."""
        named = [rule for rule in self.rules.all if not rule.approvers.nobody]
        refusals = [(await self.right_by(rule, actor, "of every pool")).refusal for rule in named or self.rules.all]
        return next(filter(None, refusals), None)

    async def still_may_act(self, actor: Actor, pool: PoolName) -> bool:
        """Whether somebody who acted before might do so again. Raises SlackError where that cannot be told.

        Whom the operating system let act at the command line nobody can ask about again.
        """
        if is_system_user_id(actor.user_id):
            return True
        rule = self.rules.of(pool)
        if await self.refusal_as_member(actor) is not None:
            return False
        return await self._named_as(rule.approvers, actor.user_id) is not None

    async def able(self, rule: PoolRule, enough: int) -> int:
        """How many people may act by this rule; counted no further than `enough`.

        Asked anew, past what is remembered for presses. Raises SlackError where that cannot be told.
        """
        if rule.approvers.everyone:
            return enough
        return len(await self._able(rule, enough, self._slack.group_members, self._slack.person))

    def is_able(self, person: Person) -> bool:
        """Whether Slack says of this person what it must say of everybody who acts."""
        return self._refusal_of(person) is None

    async def zone_of(self, actor: Actor) -> str | None:
        """Their time zone in words, as they set it at Slack; None where that cannot be told."""
        try:
            person = await self._person(actor.user_id)
        except SlackError:
            return None
        return " ".join(filter(None, (person.tz_label, f"({person.tz})" if person.tz else None))) or None

    async def approver_ids(self) -> frozenset[str]:
        """Return everybody who is named as an approver, for messages that all of them must see."""
        members: set[str] = set()
        for rule in self.rules.all:
            members |= rule.approvers.user_ids
            for group_id in rule.approvers.group_ids:
                with suppress(SlackError):
                    members |= await self._members(group_id)
        return frozenset(members)

    async def refusal_as_member(self, actor: Actor) -> str | None:
        """Why this bot does not answer this person. Raises SlackError where that cannot be told."""
        if actor.team_id != self._identity.team_id:
            return "This bot answers only members of its own workspace, and you are from another one."
        return self._refusal_of(await self._person(actor.user_id))

    async def _able(
        self,
        rule: PoolRule,
        enough: int,
        members: Callable[[str], Awaitable[frozenset[str]]],
        person: Callable[[str], Awaitable[Person]],
    ) -> list[Person]:
        """Those whom the rule names and who may act, no more than `enough`. Raises SlackError."""
        named = set(rule.approvers.user_ids)
        for group_id in rule.approvers.group_ids:
            with suppress(SlackRefusedError):
                named |= await self._asked(members(group_id))
        able: list[Person] = []
        for user_id in sorted(named):
            if len(able) == enough:
                break
            with suppress(SlackRefusedError):  # unknown, or a scope is missing: whoever cannot be checked may not act
                found = await self._asked(person(user_id))
                if self._refusal_of(found) is None:
                    able.append(found)
        return able

    async def _names(self, rule: PoolRule) -> str:
        """Those whom somebody who may not act can ask, as far as Slack tells."""
        try:
            able = await self._able(rule, _NAMES_SHOWN + 1, self._groups.get, self._people.get)
        except SlackError:
            able = []
        names = [person.real_name or person.name or person.id for person in able]
        if not names:
            return "who is"
        return ", ".join(names[:_NAMES_SHOWN]) + (" and others" if len(names) > _NAMES_SHOWN else "")

    async def _named_as(self, approvers: Approvers, user_id: str) -> str | None:
        """What of these the person is, as `Right` says it; None where nothing.

        Raises SlackError where no group that can be read has this person, and another cannot be read.
        """
        if approvers.everyone:
            return EVERYONE
        if user_id in approvers.user_ids:
            return user_id
        problem: SlackError | None = None
        for group_id in sorted(approvers.group_ids):
            try:
                if user_id in await self._members(group_id):
                    return group_id
            except SlackError as error:
                problem = error
        if problem is not None:
            raise problem
        return None

    async def _person(self, user_id: str) -> Person:
        return await self._asked(self._people.get(user_id))

    async def _members(self, group_id: str) -> frozenset[str]:
        return await self._asked(self._groups.get(group_id))

    async def _asked(self, answer: Awaitable[T]) -> T:
        """Slack's answer; a scope that is missing is warned of once."""
        try:
            return await answer
        except SlackRefusedError as error:
            if error.needed_scope is not None and error.needed_scope not in self._warned:
                self._warned.add(error.needed_scope)
                _log.warning(
                    "a Slack scope is missing: whoever cannot be checked may not act; add it and install the app again",
                    scope=error.needed_scope,
                )
            raise

    def _refusal_of(self, person: Person) -> str | None:
        if person.team_id != self._identity.team_id or person.is_stranger:
            return "This bot answers only members of its own workspace, and you are from another one."
        if person.deleted or person.is_bot or person.is_app_user:
            return "This bot answers only people with an active account."
        if person.is_guest:
            return "This bot answers only full members of the workspace, and you are a guest."
        return None


class _Remembered(Generic[T]):
    """Slack's answers, each kept for a minute. Failures are not kept."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._answers: dict[str, tuple[timedelta, T]] = {}

    async def get(self, name: str) -> T:
        now = uptime(self._clock)
        self._answers = {known: kept for known, kept in self._answers.items() if kept[0] > now}
        if name not in self._answers:
            self._answers[name] = (now + _REMEMBERED_FOR, await self._ask(name))
        return self._answers[name][1]
