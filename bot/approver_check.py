"""Looks ahead whether the approvers that are named can do what is asked of them, before somebody needs it at night.

An empty group, a deactivated account or a missing scope would else show only when nobody can accept.
"""

from collections.abc import Mapping

import structlog

from bot.access import Access
from bot.metrics import RULES_WITHOUT_APPROVERS
from bot.pool_rules import ENOUGH, PoolRules, no_way
from bot.rendering.words import counted
from bot.slack import SlackError
from bot.storage import approver_checks, cards
from bot.storage.database import Database
from bot.storage.leases import Leases
from bot.tgcs import Tgcs
from tgc.errors import TGCError

_log = structlog.get_logger(__name__)


class ApproverCheck:
    """Looks at every rule, and keeps what it found where cards and /readyz see it."""

    def __init__(self, *, database: Database, leases: Leases, access: Access, tgcs: Tgcs) -> None:
        self._database = database
        self._leases = leases
        self._access = access
        self._tgcs = tgcs
        self._said: set[str] = set()
        self.state = "not known yet"
        """For /readyz: names no rule, for a rule may name a pool."""

    async def run(self) -> None:
        """Look once. What Slack does not tell now stays as it was known."""
        async with self._leases.named("approvers") as is_ours:
            if is_ours:
                await self._look()
        async with self._database.read() as connection:
            able = await approver_checks.by_rule(connection)
        problems = self._problems(able)
        RULES_WITHOUT_APPROVERS.set(len(problems))
        self.state = _state(problems, self._access.rules)
        self._say([*problems.values(), *await self._idle()])

    async def _look(self) -> None:
        async with self._database.read() as connection:
            before = await approver_checks.by_rule(connection)
        able = {}
        for rule in self._access.rules.all:
            try:
                able[rule.name] = await self._access.able(rule, ENOUGH)
            except SlackError as error:
                _log.warning("approvers could not be looked up", rule=rule.name, reason=str(error))
                if rule.name in before:
                    able[rule.name] = before[rule.name]
        if able != before:
            async with self._database.write() as connection:
                await approver_checks.replace(connection, able)
                if self._problems(able) != self._problems(before):
                    await cards.mark_all_dirty(connection)

    def _problems(self, able: Mapping[str, int]) -> dict[str, str]:
        """By the names of rules."""
        rules = self._access.rules.all
        return {rule.name: problem for rule in rules if (problem := no_way(rule, able.get(rule.name)))}

    async def _idle(self) -> list[str]:
        try:
            listed = await self._tgcs.pools()
        except TGCError:
            return []  # the sweeps tell of it
        if listed.unread:
            return []
        return [
            f"{rule} holds for no pool: correct its name, or take it out."
            for rule in self._access.rules.idle(pool.name for pool in listed.pools)
        ]

    def _say(self, problems: list[str]) -> None:
        """In the log, each once for as long as it lasts."""
        for problem in problems:
            if problem not in self._said:
                _log.warning("an approval rule cannot work", problem=problem)
        self._said = set(problems)


def _state(problems: Mapping[str, str], rules: PoolRules) -> str:
    """The default rule names no pool; the others may."""
    if not problems:
        return "ok"
    by = f"{len(problems)} of {counted(len(rules.all), 'rule', 'rules')}"
    return problems.get(rules.default.name) or f"too few people can approve by {by}; the log names them"
