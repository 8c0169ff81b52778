"""What a card shows: the TGC's word, people's decisions and the rights that hold now, put together."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Authority
from bot.clock import Clock
from bot.pool_names import TgcPool
from bot.pool_rules import PoolRule, nobody_able, one_alone
from bot.recommendations import Plan, is_other_plan, plan_of, progress_of, standing_of
from bot.rendering.views import Act, Action, CardView, Note, PlannedAct, Progress, Standing, TicketAsked
from bot.rendering.words import resume_command
from bot.stalls import stalled
from bot.storage import (
    approvals,
    approver_checks,
    claims,
    decisions,
    offers,
    pauses,
    planned_accepts,
    recommendations,
    tgcs,
)
from bot.storage.claims import Claim, ClaimState
from bot.storage.decisions import WRITTEN_OF, Decision
from bot.storage.pauses import EVERY_POOL, Pause
from bot.storage.recommendations import Stored
from bot.tgcs import Tgcs, not_known

_READ_ONLY_ROLE = re.compile(r"read.?only", re.IGNORECASE)

UNREADABLE_PLAN = (
    "It cannot be accepted here, because not every move of it could be read: look at it in the Tintri Global Center."
)


def only_reads(role: str) -> bool:
    """Whether an account with this role at the TGC may change nothing there."""
    return _READ_ONLY_ROLE.search(role) is not None


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What the buttons of a card may do for those who are approvers."""

    can_act: bool
    can_accept: bool
    hindrance: str | None = None
    """Why not all of it, one sentence."""


class CardViews:
    """Builds the views of recommendations."""

    def __init__(
        self, tgcs: Tgcs, access: Authority, clock: Clock, zone: ZoneInfo, *, approval_lapse: timedelta
    ) -> None:
        self._tgcs = tgcs
        self._access = access
        self._clock = clock
        self._zone = zone
        self._approval_lapse = approval_lapse

    async def view(self, connection: AsyncConnection, stored: Stored) -> CardView:
        claim = await claims.get(connection, stored.row_id)
        decision = await decisions.newest_effective(connection, stored.row_id)
        plan = plan_of(stored.recommendation)
        offer_id = await offers.find(connection, stored.row_id, plan)
        rule = self._access.rules.of(stored.named)
        second = rule.second_approver.reason(stored.recommendation)
        rights = await self.rights(connection, stored.tgc_pool)
        if rights.can_accept and not plan.whole:
            rights = Rights(can_act=True, can_accept=False, hindrance=UNREADABLE_PLAN)
        rights = _as_people_can(rights, rule, await approver_checks.able(connection, rule.name), by_two=bool(second))
        act = await self._act(connection, stored, plan, decision)
        tgc = self._tgcs.get(stored.key.tgc_key)
        is_undecided = claim.state is not ClaimState.ACCEPTED
        return CardView(
            tgc_key=stored.key.tgc_key,
            tgc_name=tgc.name if tgc else stored.key.tgc_key,
            tgc_url=tgc.url if tgc else "",
            pool_name=stored.pool_name,
            recommendation=stored.recommendation,
            standing=self._standing(stored, claim, act),
            offer_id=offer_id,
            can_act=rights.can_act,
            can_accept=rights.can_accept,
            hindrance=rights.hindrance,
            second=second,
            ticket=TicketAsked(rule=rule.name, pattern=rule.ticket.pattern) if rule.ticket else None,
            approval=await self._approval(connection, offer_id) if is_undecided else None,
            planned=await _planned(connection, offer_id) if is_undecided else None,
            act=act,
            cancelled=await self._cancelled(connection, stored, plan, act),
            pending=_pending(claim),
            previous=await self._previous(connection, stored),
            vm_names=stored.vm_names,
            stalled=stalled(stored.moves_seen),
        )

    async def rights(self, connection: AsyncConnection, pool: TgcPool) -> Rights:
        """What may be done in a pool, whatever is recommended."""
        nobody = self._taken_out(pool.tgc_key) or self._access.hindrance(pool.name)
        nobody = nobody or await self._read_only(connection, pool.tgc_key)
        if nobody:
            return Rights(can_act=False, can_accept=False, hindrance=nobody)
        pause = await pauses.in_force(connection, pool.tgc_key, pool.pool.uuid, self._clock.now())
        if pause:
            return Rights(can_act=True, can_accept=False, hindrance=self._pause_sentence(pause, pool.shown))
        return Rights(can_act=True, can_accept=True)

    async def _act(
        self, connection: AsyncConnection, stored: Stored, plan: Plan, decision: Decision | None
    ) -> Act | None:
        if decision is None or decision.action == Action.REOPEN:
            return None
        return Act(
            action=Action(decision.action),
            user_id=decision.user_id,
            at=decision.decided_at,
            other_moves=await _ran_other_moves(connection, plan, decision),
            first_user_id=await self._first_user_id(connection, decision),
            ticket=decision.ticket,
            note=await _note(connection, stored, Action(decision.action)),
        )

    async def _cancelled(self, connection: AsyncConnection, stored: Stored, plan: Plan, act: Act | None) -> Act | None:
        if act is None or act.action is not Action.CANCEL:
            return None
        accepted = await decisions.newest_effective(connection, stored.row_id, Action.ACCEPT)
        return await self._act(connection, stored, plan, accepted)

    async def _approval(self, connection: AsyncConnection, offer_id: str | None) -> Act | None:
        if offer_id is None:
            return None
        first = await approvals.newest(connection, offer_id, since=self._clock.now() - self._approval_lapse)
        return Act(action=Action.ACCEPT, user_id=first.user_id, at=first.approved_at) if first else None

    async def _first_user_id(self, connection: AsyncConnection, decision: Decision) -> str | None:
        if decision.action != Action.ACCEPT or decision.offer_id is None:
            return None
        at = decision.decided_at
        first = await approvals.rested_on(connection, decision.offer_id, at, since=at - self._approval_lapse)
        return first.user_id if first else None

    def _pause_sentence(self, pause: Pause, pool_name: str) -> str:
        until = f" until {moment(pause.until, self._zone)}" if pause.until else ""
        command = resume_command(None if pause.pool_uuid == EVERY_POOL else pool_name)
        return f"Accepting is paused{until}; an approver can end that with {command}."

    def _taken_out(self, tgc_key: str) -> str | None:
        return None if self._tgcs.get(tgc_key) else not_known(tgc_key)

    async def _read_only(self, connection: AsyncConnection, tgc_key: str) -> str | None:
        role = await tgcs.role(connection, tgc_key)
        if role is None or not only_reads(role):
            return None
        return (
            f"Nobody may act on it here: the bot's account at the Tintri Global Center only reads (role “{role}”). "
            "Its operator can give it a role that writes."
        )

    def _standing(self, stored: Stored, claim: Claim, act: Act | None) -> Standing:
        if stored.gone:
            return Standing.GONE
        return standing_of(
            stored.recommendation,
            now=self._clock.now(),
            deciding=claim.is_deciding,
            dismissed=act is not None and act.action is Action.DISMISS,
            accepted=claim.state is ClaimState.ACCEPTED,
        )

    async def _previous(self, connection: AsyncConnection, stored: Stored) -> Progress | None:
        """An earlier recommendation of the pool that still runs, as last read."""
        key = stored.key
        for other in await recommendations.with_open_cards(connection, key.tgc_key, key.pool_uuid, but=stored.row_id):
            claim = await claims.get(connection, other.row_id)
            if self._standing(other, claim, None) is Standing.RUNNING:
                return progress_of(other.recommendation)
        return None


def _as_people_can(rights: Rights, rule: PoolRule, able: int | None, *, by_two: bool) -> Rights:
    """Without the buttons that nobody could use with effect, as far as it was looked up. A press is judged anew."""
    if rights.can_act and (nobody := nobody_able(rule, able)):
        return Rights(can_act=False, can_accept=False, hindrance=nobody)
    if rights.can_accept and by_two and (alone := one_alone(rule, able)):
        return Rights(can_act=True, can_accept=False, hindrance=alone)
    return rights


def moment(when: datetime, zone: ZoneInfo) -> str:
    """A moment for sentences that Slack's date tokens cannot reach."""
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


async def _note(connection: AsyncConnection, stored: Stored, action: Action) -> Note | None:
    later = WRITTEN_OF.get(action)
    return await decisions.newest_note(connection, stored.row_id, action, later) if later else None


def _pending(claim: Claim) -> Act | None:
    if not claim.is_deciding or claim.action is None or claim.user_id is None or claim.claimed_at is None:
        return None
    return Act(action=claim.action, user_id=claim.user_id, at=claim.claimed_at)


async def _planned(connection: AsyncConnection, offer_id: str | None) -> PlannedAct | None:
    plan = None if offer_id is None else await planned_accepts.standing(connection, offer_id)
    if plan is None:
        return None
    return PlannedAct(id=plan.press_id, user_id=plan.user_id, due_at=plan.due_at, is_held=plan.held_at is not None)


async def _ran_other_moves(connection: AsyncConnection, plan: Plan, decision: Decision) -> bool:
    """Whether the TGC runs other moves than those of the offer that was accepted."""
    if decision.action != Action.ACCEPT or decision.offer_id is None:
        return False
    offer = await offers.get(connection, decision.offer_id)
    return offer is not None and is_other_plan(plan, offer.plan)
