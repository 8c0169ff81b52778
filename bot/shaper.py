"""How the decision protocol has the TGC change a recommendation before it is accepted: asked once, then kept."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.rendering.shapes import ChooseIssues, LeaveOut, SetRule
from bot.rule_asking import RuleAsking
from bot.storage import replacements
from bot.storage.decisions import Outcome
from bot.storage.leases import Leases
from bot.storage.replacements import Replacement
from bot.tgcs import Tgcs
from bot.verdicts import Answer, Attempt, RuleAnswers
from tgc.models import IssueSelection, Recommendation


class Shaper:
    """Asks the TGC for what a form wants. Judging what it makes of that is the protocol's."""

    def __init__(self, *, tgcs: Tgcs, leases: Leases, clock: Clock, rules: RuleAsking) -> None:
        self._tgcs = tgcs
        self._leases = leases
        self._clock = clock
        self._rules = rules

    async def ask(self, attempt: Attempt, seen: Recommendation) -> None:
        """Ask once. `seen`: the recommendation as just read. Raises TGCError."""
        match attempt.press.shape:
            case LeaveOut() as shape:
                await self._leave_out(attempt, shape, seen)
            case ChooseIssues() as shape:
                await self._choose_issues(attempt, shape)
            case SetRule() as shape:
                await self._rules.ask_all(attempt, shape, self._leases.may_send)

    async def rule_answers(self, attempt: Attempt, shape: SetRule) -> RuleAnswers:
        return await self._rules.answers(attempt, shape)

    async def settle(self, connection: AsyncConnection, attempt: Attempt, answer: Answer) -> None:
        """Have what replaces the recommendation awaited."""
        if answer.outcome is Outcome.DONE and isinstance(attempt.press.shape, ChooseIssues):
            replacement = Replacement(
                recommendation=attempt.stored.row_id, user_id=attempt.press.user_id, asked_at=self._clock.now()
            )
            await replacements.add(connection, replacement)

    async def _leave_out(self, attempt: Attempt, shape: LeaveOut, seen: Recommendation) -> None:
        """The list is set as a whole: who was on it stays."""
        asked = (vm.id for vm in shape.vms)
        key = attempt.stored.key
        await self._tgcs.tgc(key.tgc_key).client.set_not_now(
            key.pool_uuid,
            key.recommendation_id,
            list(dict.fromkeys((*seen.vm_affinity_not_now_tintri_uuids, *asked))),
            keep_current=True,
            may_send=self._leases.may_send,
        )

    async def _choose_issues(self, attempt: Attempt, shape: ChooseIssues) -> None:
        key = attempt.stored.key
        selections = [IssueSelection(vmstore_id=one.vm_store.id, issue_types=one.issue_types) for one in shape.issues]
        await self._tgcs.tgc(key.tgc_key).client.select_issues(
            key.pool_uuid, key.recommendation_id, selections, may_send=self._leases.may_send
        )
