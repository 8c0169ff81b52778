"""The approvers: do those who are named exist, and can enough of them act."""

from functools import partial

from bot.access import Access
from bot.clock import Clock
from bot.doctor.checks import error, made, named, ok, warning
from bot.pool_rules import ENOUGH, PoolRule, PoolRules
from bot.rendering.views import Finding
from bot.rendering.words import counted
from bot.slack import Identity, Slack, SlackError, SlackRefusedError
from bot.tasks import together

_NAME = "approvers"


class PeopleChecks:
    def __init__(self, slack: Slack, identity: Identity, rules: PoolRules, clock: Clock) -> None:
        self._slack = slack
        self._access = Access(slack, identity, rules, clock)

    async def findings(self) -> list[Finding]:
        rules = self._access.rules.all
        user_ids = {user_id for rule in rules for user_id in rule.approvers.user_ids}
        group_ids = {group_id for rule in rules for group_id in rule.approvers.group_ids}
        by_rule = await together(made(_NAME, partial(self._by_rule, rule)) for rule in rules)
        doubts = await together(
            (*map(self._doubt_about, sorted(user_ids)), *map(self._doubt_about_group, sorted(group_ids)))
        )
        return [
            *by_rule,
            *(named(_NAME, warning(doubt, "Correct the id, or take it out.")) for doubt in doubts if doubt),
        ]

    async def _by_rule(self, rule: PoolRule) -> Finding:
        if rule.approvers.nobody:
            return warning(
                f"{rule.named_in} is empty: nobody may act, and the bot only reads.", "Name approvers there."
            )
        if rule.approvers.everyone:
            return ok(f"{rule.named_in} lets every full member act.")
        able = await self._access.able(rule, ENOUGH)
        if able == 0:
            return error(
                f"Nobody can act: none of those that {rule.named_in} names is an active full member of this workspace "
                "whom the bot can check.",
                "Name others there.",
            )
        if able < ENOUGH and rule.second_approver.asks:
            return error(f"Two people must accept, and {rule.named_in} names only one who can.", "Name more there.")
        many = "two people or more" if able >= ENOUGH else counted(able, "person", "people")
        return ok(f"{rule.named_in} names {many} who can act.")

    async def _doubt_about(self, user_id: str) -> str | None:
        """None also where Slack does not tell: the rule's own line says that."""
        try:
            person = await self._slack.person(user_id)
        except SlackError as failure:
            return _unknown(user_id, failure)
        if self._access.is_able(person):
            return None
        return f"{person.real_name or person.name or user_id} ({user_id}) is no active full member of this workspace."

    async def _doubt_about_group(self, group_id: str) -> str | None:
        try:
            members = await self._slack.group_members(group_id)
        except SlackError as failure:
            return _unknown(group_id, failure)
        return None if members else f"The user group {group_id} has no members, or is switched off."


def _unknown(name: str, failure: SlackError) -> str | None:
    if not isinstance(failure, SlackRefusedError) or failure.needed_scope is not None:
        return None
    return f"Slack knows no {name} here ({failure.code})."
