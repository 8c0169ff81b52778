"""What a card shows: the TGC's word, people's decisions and the rights that hold now, put together."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Authority
from bot.clock import Clock
from bot.pool_names import TgcPool
from bot.pool_rules import PoolRule, nobody_able, one_alone
from bot.recommendations import Plan, is_other_plan, plan_of, progress_of, standing_of
from bot.rendering.views import Act, Action, CardView, PlannedAct, Progress, Standing, TicketAsked
from bot.rendering.words import resume_command
from bot.stalls import stalled
from bot.storage import circumstances, pauses, tgcs
from bot.storage.circumstances import Circumstances
from bot.storage.claims import Claim, ClaimState
from bot.storage.decisions import Effect, note_of
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
        [view] = await self.views(connection, [stored])
        return view

    async def views(self, connection: AsyncConnection, several: Sequence[Stored]) -> list[CardView]:
        """One for each, in their order."""
        if not several:
            return []
        known = await circumstances.read(connection, [stored.row_id for stored in several], self._clock.now())
        return [self._view(stored, known) for stored in several]

    def _view(self, stored: Stored, known: Circumstances) -> CardView:
        claim = known.claims[stored.row_id]
        plan = plan_of(stored.recommendation)
        offer_id = known.offer_ids.get((stored.row_id, plan.fingerprint))
        rule = self._access.rules.of(stored.named)
        second = rule.second_approver.reason(stored.recommendation)
        pool = stored.tgc_pool
        rights = self._rights(pool, known.roles.get(pool.tgc_key), known.pause(pool))
        if rights.can_accept and not plan.whole:
            rights = Rights(can_act=True, can_accept=False, hindrance=UNREADABLE_PLAN)
        rights = _as_people_can(rights, rule, known.able.get(rule.name), by_two=bool(second))
        act = self._act(stored, plan, known.newest_effect(stored.row_id), known)
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
            approval=self._approval(offer_id, known) if is_undecided else None,
            planned=_planned(offer_id, known) if is_undecided else None,
            act=act,
            cancelled=self._cancelled(stored, plan, act, known),
            pending=_pending(claim),
            previous=self._previous(stored, known),
            vm_names=stored.vm_names,
            stalled=stalled(stored.moves_seen),
        )

    async def rights(self, connection: AsyncConnection, pool: TgcPool) -> Rights:
        """What may be done in a pool, whatever is recommended."""
        role = await tgcs.role(connection, pool.tgc_key)
        pause = await pauses.in_force(connection, pool.tgc_key, pool.pool.uuid, self._clock.now())
        return self._rights(pool, role, pause)

    def _rights(self, pool: TgcPool, role: str | None, pause: Pause | None) -> Rights:
        nobody = self._taken_out(pool.tgc_key) or self._access.hindrance(pool.name) or _read_only(role)
        if nobody:
            return Rights(can_act=False, can_accept=False, hindrance=nobody)
        if pause:
            return Rights(can_act=True, can_accept=False, hindrance=self._pause_sentence(pause, pool.shown))
        return Rights(can_act=True, can_accept=True)

    def _act(self, stored: Stored, plan: Plan, decision: Effect | None, known: Circumstances) -> Act | None:
        if decision is None or decision.action == Action.REOPEN:
            return None
        action = Action(decision.action)
        return Act(
            action=action,
            user_id=decision.user_id,
            at=decision.decided_at,
            other_moves=_ran_other_moves(plan, decision, known),
            first_user_id=self._first_user_id(decision, known),
            ticket=decision.ticket,
            note=note_of(known.effects[stored.row_id], action),
        )

    def _cancelled(self, stored: Stored, plan: Plan, act: Act | None, known: Circumstances) -> Act | None:
        if act is None or act.action is not Action.CANCEL:
            return None
        return self._act(stored, plan, known.newest_effect(stored.row_id, Action.ACCEPT), known)

    def _approval(self, offer_id: str | None, known: Circumstances) -> Act | None:
        since = self._clock.now() - self._approval_lapse
        first = next((one for one in known.approvals_of(offer_id) if one.stands(since=since)), None)
        return Act(action=Action.ACCEPT, user_id=first.user_id, at=first.approved_at) if first else None

    def _first_user_id(self, decision: Effect, known: Circumstances) -> str | None:
        """Who accepted it before that accept."""
        if decision.action != Action.ACCEPT:
            return None
        at, since = decision.decided_at, decision.decided_at - self._approval_lapse
        return next((one.user_id for one in known.approvals_of(decision.offer_id) if one.stood(at, since=since)), None)

    def _pause_sentence(self, pause: Pause, pool_name: str) -> str:
        until = f" until {moment(pause.until, self._zone)}" if pause.until else ""
        command = resume_command(None if pause.pool_uuid == EVERY_POOL else pool_name)
        return f"Accepting is paused{until}; an approver can end that with {command}."

    def _taken_out(self, tgc_key: str) -> str | None:
        return None if self._tgcs.get(tgc_key) else not_known(tgc_key)

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

    def _previous(self, stored: Stored, known: Circumstances) -> Progress | None:
        """An earlier recommendation of the pool that still runs, as last read."""
        for other in known.beside.get(stored.row_id, ()):
            if self._standing(other, known.claims[other.row_id], None) is Standing.RUNNING:
                return progress_of(other.recommendation)
        return None


def _read_only(role: str | None) -> str | None:
    if role is None or not only_reads(role):
        return None
    return (
        f"Nobody may act on it here: the bot's account at the Tintri Global Center only reads (role “{role}”). "
        "Its operator can give it a role that writes."
    )


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


def _pending(claim: Claim) -> Act | None:
    if not claim.is_deciding or claim.action is None or claim.user_id is None or claim.claimed_at is None:
        return None
    return Act(action=claim.action, user_id=claim.user_id, at=claim.claimed_at)


def _planned(offer_id: str | None, known: Circumstances) -> PlannedAct | None:
    plan = None if offer_id is None else known.planned.get(offer_id)
    if plan is None:
        return None
    return PlannedAct(id=plan.press_id, user_id=plan.user_id, due_at=plan.due_at, is_held=plan.held_at is not None)


def _ran_other_moves(plan: Plan, decision: Effect, known: Circumstances) -> bool:
    """Whether the TGC runs other moves than those of the offer that was accepted."""
    if decision.action != Action.ACCEPT or decision.offer_id is None:
        return False
    offered = known.accepted.get(decision.offer_id)
    return offered is not None and is_other_plan(plan, offered)
