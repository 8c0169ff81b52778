"""What is asked of people before a pool's recommendation is accepted: who may, and when a second one must. Pure."""

import re
from collections.abc import Iterable

import msgspec

from bot.pool_names import PoolName, pool_pattern
from bot.recommendations import plan_of
from bot.rendering import limits
from bot.rendering.escape import clean
from bot.rendering.numbers import finite, gib
from bot.rendering.words import counted
from tgc.models import Recommendation

EVERYONE = "*"
"""Among the names of approvers: every full member."""
ENOUGH = 2
"""So many approvers are enough for anything."""
_MAX_PATTERN = 200
_MAX_BRANCHES = 5


class Approvers(msgspec.Struct, frozen=True, kw_only=True):
    """Who may act; without a name here and without `everyone`, nobody may."""

    everyone: bool = False
    user_ids: frozenset[str] = frozenset()
    group_ids: frozenset[str] = frozenset()

    @property
    def nobody(self) -> bool:
        return not (self.everyone or self.user_ids or self.group_ids)


def parse_approvers(names: Iterable[str]) -> Approvers:
    """Raises ValueError that says what to give instead."""
    given = frozenset(names)
    users = frozenset(name for name in given if re.fullmatch(r"[UW][A-Z0-9]+", name))
    groups = frozenset(name for name in given if re.fullmatch(r"S[A-Z0-9]+", name))
    if given - users - groups - {EVERYONE}:
        raise ValueError(
            "give ids of people (U… or W…) and of user groups (S…) with commas between them, or * for everybody;"
            " Slack shows an id in the menu of a profile or group as Copy member ID or Copy group ID"
        )
    return Approvers(everyone=EVERYONE in given, user_ids=users, group_ids=groups)


class SecondApprover(msgspec.Struct, frozen=True, kw_only=True):
    """When two people must accept: where any of these is so."""

    always: bool = False
    protection_loss: bool = False
    """VMs would lose replication."""
    moves: int | None = None
    """So many VMs move, or more."""
    gib: float | None = None
    """So many GiB move, or more."""

    @property
    def asks(self) -> bool:
        """Whether it ever asks for a second person."""
        return self != SecondApprover()

    @property
    def terms(self) -> tuple[str, ...]:
        """When it asks for a second person, each to follow "Two people must accept"."""
        if self.always:
            return ("everything",)
        asked = (
            "what would take replication from VMs" if self.protection_loss else None,
            None if self.moves is None else f"what moves {counted(self.moves, 'VM', 'VMs')} or more",
            None if self.gib is None else f"what moves {gib(self.gib)} or more, or nobody knows how much",
        )
        return tuple(filter(None, asked))

    def reason(self, recommendation: Recommendation) -> str | None:
        """Why a second person must accept this one, to follow "because"; None where one is enough."""
        plan = plan_of(recommendation)
        moves = sum(len(group) for group in plan.groups)
        if self.always:
            return "this pool always asks for two"
        if self.protection_loss and loses_replication(recommendation):
            return "VMs would lose replication"
        if self.moves is not None and moves >= self.moves:
            return f"{counted(moves, 'VM moves', 'VMs move')}, and this pool asks for two from {self.moves:,} on"
        return None if self.gib is None else _reason_by_size(self.gib, gib_moved(recommendation))


def loses_replication(recommendation: Recommendation) -> bool:
    """Also where the TGC says so in words only: what it means is for two people to judge."""
    parts = [part for outcome in recommendation.expected_outcomes if (part := outcome.protection_info)]
    return any(part.vm_tintri_uuids or part.summary for part in parts)


def _reason_by_size(limit_gib: float, moved_gib: float | None) -> str | None:
    if moved_gib is None:
        return "the TGC does not say how many GiB move"
    if moved_gib < limit_gib:
        return None
    return f"{gib(moved_gib)} move, and this pool asks for two from {gib(limit_gib)} on"


def gib_moved(recommendation: Recommendation) -> float | None:
    """How much the moves take off their VMstores; None where that cannot be told.

    The TGC gives no sizes of VMs, only by how much each VMstore changes (negative is freed, as far as anybody knows,
    so the larger of both sums counts). A VMstore that gives and takes hides what it gives.
    """
    actions = [action for group in recommendation.action_groups for action in group.actions]
    sources = {action.source_datastore_tintri_uuid for action in actions}
    changes = {
        outcome.vm_store_id: change
        for outcome in recommendation.expected_outcomes
        if outcome.space_info and (change := finite(outcome.space_info.space_changed_physical_gib)) is not None
    }
    destinations = {action.destination_datastore_tintri_uuid for action in actions}
    is_known = sources and None not in sources and sources <= changes.keys()
    if not is_known or sources & destinations:
        return None
    gained = sum(change for change in changes.values() if change > 0)
    freed = -sum(change for change in changes.values() if change < 0)
    return max(gained, freed)


class TicketRule(msgspec.Struct, frozen=True, kw_only=True):
    """That whoever accepts must give a ticket."""

    pattern: str = ""
    """A regular expression for the whole of it; empty where any will do."""

    def refusal(self, ticket: str | None) -> str | None:
        """Why this ticket will not do, one sentence."""
        if not ticket or not clean(ticket):
            return "This pool asks for a ticket with each accept: give its number."
        if len(ticket) > limits.TICKET:
            return f"A ticket has {limits.TICKET} characters at most."
        if self.pattern and not re.fullmatch(self.pattern, ticket):
            return f"This pool asks for a ticket that matches {self.pattern}."
        return None


def parse_ticket_rule(value: str) -> TicketRule:
    """`required`, or a regular expression. Raises ValueError that says what to give instead."""
    if value == "required":
        return TicketRule()
    if not 0 < len(value) <= _MAX_PATTERN:
        raise ValueError(f'give "required" or a regular expression of {_MAX_PATTERN} characters at most')
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f'give "required" or a regular expression ({error})') from None
    if not _is_quick(value):
        raise ValueError(
            f"give a regular expression with {_MAX_BRANCHES} of *, +, ?, {{m,n}} and | at most, no repeated group"
            " and no (?…) but (?:…), because others can take hours to match"
        )
    return TicketRule(pattern=value)


def _is_quick(pattern: str) -> bool:
    """Whether matching a ticket certainly ends soon: a group that repeats, and many ways to go on, need not."""
    simple = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern).replace("(?:", "(")
    branches = re.findall(r"[*+?|]|\{\d*,\d*\}", simple)
    return len(branches) <= _MAX_BRANCHES and not re.search(r"\)[*+{]|\(\?", simple)


class PoolRule(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a pool."""

    name: str
    """`RECO_APPROVERS`, or the section of the configuration file."""
    named_in: str
    """Where an operator finds who its approvers are."""
    approvers: Approvers
    second_approver: SecondApprover = SecondApprover()
    ticket: TicketRule | None = None
    """None where none is asked for."""

    def ticket_refusal(self, ticket: str | None) -> str | None:
        """Why nothing can be accepted with this ticket, or without one."""
        return self.ticket.refusal(ticket) if self.ticket else None


class PoolRules(msgspec.Struct, kw_only=True):
    """The rule of each pool.

    Shared by all who ask it: a reload of the settings changes it in place (bot/reload.py).
    """

    default: PoolRule
    by_pool: tuple[tuple[str, PoolRule], ...] = ()
    """By a pool's name or a glob, in the order of the configuration file."""
    tgc_keys: frozenset[str] = frozenset()
    """What may stand before the `/` of `tgc/pool` there."""

    def of(self, pool: PoolName) -> PoolRule:
        """The rule of that very name, `tgc/pool` before `pool`, else of the first glob matching, else the default."""
        patterns = [(pool_pattern(pattern, self.tgc_keys), rule) for pattern, rule in self.by_pool]
        by_name = [(pattern, rule) for pattern, rule in patterns if pattern.is_name_of(pool)]
        at_its_tgc = (rule for pattern, rule in by_name if pattern.tgc_key is not None)
        matching = (rule for pattern, rule in patterns if pattern.matches(pool))
        return next(at_its_tgc, None) or next((rule for _, rule in by_name), None) or next(matching, self.default)

    def named(self, name: str) -> PoolRule | None:
        return next((rule for rule in self.all if rule.name == name), None)

    @property
    def all(self) -> tuple[PoolRule, ...]:
        return (self.default, *(rule for _, rule in self.by_pool))

    def idle(self, pools: Iterable[PoolName]) -> list[str]:
        """Names of the rules that no pool is subject to: maybe misspelt, and then another one holds in their place."""
        used = {self.of(pool).name for pool in pools}
        return [rule.name for _, rule in self.by_pool if rule.name not in used]


def nobody_named(rule: PoolRule) -> str | None:
    """Why nobody at all may act by this rule."""
    if not rule.approvers.nobody:
        return None
    return (
        f"Nobody may act on it here: {rule.named_in} is empty, so this bot only reads. Its operator can name approvers."
    )


def nobody_able(rule: PoolRule, able: int | None) -> str | None:
    """The same where some are named. `able`: how many of them Slack says may act, as far as that is known."""
    if able != 0:
        return None
    return (
        f"Nobody can act on it here: none of those that {rule.named_in} names is an active full member of this "
        "workspace whom the bot can check. Its operator can name others."
    )


def one_alone(rule: PoolRule, able: int | None) -> str | None:
    """Why what two people must accept cannot be accepted."""
    if able is None or able >= ENOUGH:
        return None
    return (
        f"It cannot be accepted here: two people must accept it, and {rule.named_in} names only one who can. "
        "Its operator can name more."
    )


def no_way(rule: PoolRule, able: int | None) -> str | None:
    """Why accepts by this rule come to nothing, whoever presses."""
    return (
        nobody_named(rule) or nobody_able(rule, able) or (one_alone(rule, able) if rule.second_approver.asks else None)
    )
