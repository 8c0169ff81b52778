"""Permanent rules of VMs, as the TGC is asked for them: one request a VM, each kept before it leaves."""

from datetime import datetime

import structlog

from bot import verdicts
from bot.clock import Clock
from bot.rendering.shapes import Chosen, SetRule
from bot.storage import vm_rules
from bot.storage.database import Database
from bot.storage.vm_rules import RuleState, VmRule, rule_id
from bot.tgcs import Tgcs, UnknownTgcError
from bot.verdicts import Attempt, RuleAnswers
from tgc.errors import (
    TGCCertificateError,
    TGCError,
    TGCForbiddenError,
    TGCLoginError,
    TGCNotFoundError,
    TGCSessionError,
    TGCUnsupportedError,
    TGCWithheldError,
    TGCWrongStateError,
)
from tgc.models import AffinityRule
from tgc.sending import MaySend

_log = structlog.get_logger(__name__)

CERTAINLY_NOT_DONE = (
    TGCForbiddenError,
    TGCNotFoundError,
    TGCLoginError,
    TGCSessionError,
    TGCCertificateError,
    TGCUnsupportedError,
    UnknownTgcError,
)
_REFUSED = (*CERTAINLY_NOT_DONE, TGCWithheldError, TGCWrongStateError)


class RuleAsking:
    """Asks TGCs for rules, each at most once, and keeps what it answered."""

    def __init__(self, *, database: Database, tgcs: Tgcs, clock: Clock) -> None:
        self._database = database
        self._tgcs = tgcs
        self._clock = clock

    async def ask_all(self, attempt: Attempt, shape: SetRule, may_send: MaySend) -> None:
        """Ask for one VM after the other; after an answer that was lost for no more. The answers are kept.

        Raises TGCError where nothing was done for any of them.
        """
        refusal: TGCError | None = None
        is_any_taken = False
        for vm in shape.vms:
            async with self._database.write() as connection:
                rule = _asked(attempt, shape, vm, self._clock.now())
                is_new = await vm_rules.add(connection, rule)
            if not is_new:
                continue
            try:
                await self.ask(rule, may_send, for_recommendation=attempt.stored.key.recommendation_id)
                is_any_taken = True
            except _REFUSED as error:
                refusal = error
            except TGCError as error:
                _log.warning("the TGC's answer about a rule was lost", reason=str(error), request=error.where)
                return
        if refusal is not None and not is_any_taken:
            raise refusal

    async def ask(self, rule: VmRule, may_send: MaySend, *, for_recommendation: str | None) -> None:
        """Ask once for what was written down, and keep the answer. Raises TGCError."""
        wanted = AffinityRule(
            rule_type=None if rule.clears else rule.rule_type,
            vmstore_tintri_uuids=() if rule.clears else tuple(one.id for one in rule.vm_stores),
            recommendation_uuid=for_recommendation,
        )
        try:
            await self._tgcs.tgc(rule.tgc_key).client.set_affinity(rule.vm.id, wanted, may_send=may_send)
        except _REFUSED:
            await self._settle(rule, RuleState.REFUSED)
            raise
        await self._settle(rule, RuleState.TAKEN)

    async def answers(self, attempt: Attempt, shape: SetRule) -> RuleAnswers:
        """What became of each VM's rule."""
        async with self._database.read() as connection:
            asked = {rule.vm: rule.state for rule in await vm_rules.of_request(connection, attempt.press.id)}
        return verdicts.RuleAnswers(
            taken=tuple(vm for vm in shape.vms if asked.get(vm) is RuleState.TAKEN),
            lost=tuple(vm for vm in shape.vms if asked.get(vm) is RuleState.ASKED),
            not_done=tuple(vm for vm in shape.vms if asked.get(vm) in {None, RuleState.REFUSED}),
        )

    async def _settle(self, rule: VmRule, state: RuleState) -> None:
        async with self._database.write() as connection:
            await vm_rules.settle(connection, rule, state)


def _asked(attempt: Attempt, shape: SetRule, vm: Chosen, now: datetime) -> VmRule:
    key = attempt.stored.key
    return VmRule(
        id=rule_id(attempt.press.id, vm.id),
        tgc_key=key.tgc_key,
        pool_uuid=key.pool_uuid,
        pool_name=attempt.stored.pool_name,
        vm=vm,
        rule_type=shape.rule_type,
        vm_stores=shape.vm_stores,
        clears=False,
        request_id=attempt.press.id,
        user_id=attempt.press.user_id,
        asked_at=now,
    )


def was_refused(error: TGCError) -> bool:
    """Whether nothing was done, for certain."""
    return isinstance(error, _REFUSED)
