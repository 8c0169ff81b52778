"""`/tintri rules`: the permanent rules that were set here, and clearing one.

The TGC's API sets rules and shows none. So what is listed is what it took from here; each change is kept before it is
asked for, and where its answer was lost the list says that nobody can tell.
"""

from datetime import timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.card_views import CardViews
from bot.clock import Clock, uptime
from bot.pool_names import PoolName, TgcPool
from bot.pools import UnknownPoolError, find_names
from bot.rendering.rules import RULES_PER_PAGE
from bot.rendering.shapes import rule_in_words
from bot.rendering.views import RulesPage, RuleView
from bot.rule_asking import RuleAsking, was_refused
from bot.storage import decisions, vm_rules
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.vm_rules import RuleState, VmRule, rule_id
from bot.tgcs import Tgcs
from bot.verdicts import UNKNOWN_BUTTON
from tgc.errors import TGCError
from tgc.models import Pool

CLEAR_RULE = "clear_rule"
_SENT_WITHIN = timedelta(seconds=60)
"""A clearing that is held up for longer is not sent any more: whoever pressed may have set a rule again."""


class RulesRefusedError(Exception):
    """They were not shown; `str()` says why."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to read a page."""

    actor: Actor
    typed: str
    page: int = 0


class ClearRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody pressed Clear."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str | None
    rule_id: str
    """As it came."""


class VmRules:
    """Shows rules to everybody who may read, and clears one for an approver of its pool."""

    def __init__(
        self,
        *,
        database: Database,
        access: Access,
        views: CardViews,
        asking: RuleAsking,
        clock: Clock,
        tgcs: Tgcs,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._asking = asking
        self._clock = clock
        self._tgcs = tgcs

    async def page(self, question: Question) -> RulesPage:
        """Raises RulesRefusedError, AmbiguousPoolError."""
        refusal = await self._access.refusal_to_read(question.actor)
        if refusal is not None:
            raise RulesRefusedError(refusal)
        async with self._database.read() as connection:
            rules = await vm_rules.standing(connection, self._tgcs.keys)
        rules = _of_pool(rules, question.typed)
        last = max(len(rules) - 1, 0) // RULES_PER_PAGE
        page = min(question.page, last)
        shown = rules[page * RULES_PER_PAGE : (page + 1) * RULES_PER_PAGE]
        views = tuple(_view(rule) for rule in shown)
        return RulesPage(rules=views, total=len(rules), typed=question.typed, page=page, last=last)

    async def clear(self, request: ClearRequest) -> str:
        """Clear a rule, and say what came of it."""
        async with self._database.read() as connection:
            rule = await vm_rules.get(connection, request.rule_id)
        if rule is None:
            await self._keep_refusal(request, None, Outcome.UNKNOWN_OFFER, UNKNOWN_BUTTON)
            return UNKNOWN_BUTTON
        refusal = await self._access.refusal_to_act(request.actor, _named(rule))
        if refusal is not None:
            return await self._keep_refusal(request, rule, Outcome.NOT_ALLOWED, refusal)
        clearing = msgspec.structs.replace(
            rule,
            id=rule_id(request.id, rule.vm.id),
            clears=True,
            request_id=request.id,
            user_id=request.actor.user_id,
            asked_at=self._clock.now(),
            state=RuleState.ASKED,
        )
        async with self._database.write() as connection:
            hindrance = await self._hindrance(connection, rule)
            is_new = hindrance is None and await vm_rules.add(connection, clearing)
        if hindrance is not None:
            return await self._keep_refusal(request, rule, *hindrance)
        if not is_new:
            return f"{rule.vm.name}: That was asked for already; /tintri rules shows what came of it."
        return await self._ask(request, clearing)

    async def _hindrance(self, connection: AsyncConnection, rule: VmRule) -> tuple[Outcome, str] | None:
        """Why nobody may clear this very rule now."""
        pool = TgcPool(rule.tgc_key, Pool(uuid=rule.pool_uuid, name=rule.pool_name))
        rights = await self._views.rights(connection, pool)
        if rights.hindrance is not None:
            return Outcome.PAUSED if rights.can_act else Outcome.READ_ONLY, rights.hindrance
        if rule.id not in {one.id for one in await vm_rules.standing(connection, {rule.tgc_key})}:
            return Outcome.TAKEN, "This VM has another rule by now, or none: /tintri rules shows which."
        return None

    async def _ask(self, request: ClearRequest, clearing: VmRule) -> str:
        until = uptime(self._clock) + _SENT_WITHIN
        vm = clearing.vm.name
        try:
            await self._asking.ask(clearing, lambda: uptime(self._clock) < until, for_recommendation=None)
        except TGCError as error:
            if was_refused(error):
                outcome, told = Outcome.REFUSED, f"Nothing was done. {error}"
            else:
                outcome, told = Outcome.NEVER_KNOWN, f"The rule may be cleared or not, clear it again. {error}"
            answered = str(error)
        else:
            outcome, answered = Outcome.DONE, "The TGC took it."
            told = "The rule is cleared. The next analysis may plan this VM again."
        async with self._database.write() as connection:
            await decisions.add(connection, self._decision(request, clearing, outcome, told, answered))
        return f"{vm}: {told}"

    async def _keep_refusal(self, request: ClearRequest, rule: VmRule | None, outcome: Outcome, why: str) -> str:
        async with self._database.write() as connection:
            await decisions.add_refusal(connection, self._decision(request, rule, outcome, why))
        return f"{rule.vm.name}: Nothing was done. {why}" if rule else why

    def _decision(
        self, request: ClearRequest, rule: VmRule | None, outcome: Outcome, told: str, answered: str | None = None
    ) -> Decision:
        """About no recommendation: a rule outlives all of them."""
        return Decision(
            recommendation=None,
            tgc_key=rule.tgc_key if rule else self._tgcs.key_of_all,
            pool_uuid=rule.pool_uuid if rule else None,
            pool_name=rule.pool_name if rule else None,
            action=CLEAR_RULE,
            offer_id=None,
            typed=f"{rule_in_words(rule.rule_type, rule.vm_stores)}: {rule.vm.name}" if rule else None,
            team_id=request.actor.team_id,
            user_id=request.actor.user_id,
            user_name=request.actor.name,
            channel_id=request.channel_id,
            decided_at=self._clock.now(),
            outcome=outcome,
            told=told,
            tgc_answer=answered,
            command_id=request.id,
        )


def _of_pool(rules: list[VmRule], typed: str) -> list[VmRule]:
    """Those of the pools that are called so; none where no pool with a rule is. Raises AmbiguousPoolError."""
    try:
        names = find_names(map(_named, rules), typed)
    except UnknownPoolError:
        return []
    return [rule for rule in rules if _named(rule) in names]


def _named(rule: VmRule) -> PoolName:
    return PoolName(rule.tgc_key, rule.pool_name)


def _view(rule: VmRule) -> RuleView:
    return RuleView(
        id=rule.id,
        pool_name=rule.pool_name,
        vm_name=rule.vm.name,
        rule=rule_in_words(rule.rule_type, rule.vm_stores),
        user_id=rule.user_id,
        asked_at=rule.asked_at,
        clears=rule.clears,
        is_known=rule.state is not RuleState.ASKED,
    )
