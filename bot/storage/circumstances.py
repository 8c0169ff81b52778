"""All that recommendations' cards go by beside the TGC's word, for any number of them in as many statements as for one.

What people decided, approved and planned, what is paused, and what else runs in their pools: at one moment.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pool_names import TgcPool
from bot.recommendations import Plan
from bot.rendering.views import Action
from bot.storage import approvals, approver_checks, claims, decisions, offers, pauses, planned_accepts, tgcs
from bot.storage import recommendations as stored_recommendations
from bot.storage.approvals import Approval
from bot.storage.claims import Claim
from bot.storage.decisions import Effect
from bot.storage.pauses import EVERY_POOL, Pause
from bot.storage.planned_accepts import PlannedAccept
from bot.storage.recommendations import Stored


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """Of some recommendations; named by their rows unless it says otherwise."""

    claims: Mapping[int, Claim]
    """Also of those beside them."""
    effects: Mapping[int, Sequence[Effect]]
    """Newest first."""
    offer_ids: Mapping[tuple[int, str], str]
    """By fingerprint, too."""
    accepted: Mapping[str, Plan]
    """What was accepted, by offer."""
    approvals: Mapping[str, Sequence[Approval]]
    """Newest first, by offer."""
    planned: Mapping[str, PlannedAccept]
    """By offer."""
    beside: Mapping[int, Sequence[Stored]]
    """Other unfinished ones of the same pool."""
    pauses: Mapping[tuple[str, str], Pause]
    roles: Mapping[str, str]
    """By TGC."""
    able: Mapping[str, int]
    """How many can approve, by rule."""

    def newest_effect(self, row_id: int, action: Action | None = None) -> Effect | None:
        """The newest decision that took effect; with `action`, of that kind."""
        of_kind = (one for one in self.effects.get(row_id, ()) if one.decides and action in {None, one.action})
        return next(of_kind, None)

    def approvals_of(self, offer_id: str | None) -> Sequence[Approval]:
        return self.approvals.get(offer_id, ()) if offer_id else ()

    def pause(self, pool: TgcPool) -> Pause | None:
        """The pool's own, else that of every pool."""
        return self.pauses.get((pool.tgc_key, pool.pool.uuid)) or self.pauses.get(("", EVERY_POOL))


async def read(connection: AsyncConnection, row_ids: Collection[int], now: datetime) -> Circumstances:
    beside = await stored_recommendations.with_open_cards_beside(connection, row_ids)
    others = {other.row_id for those in beside.values() for other in those}
    effects = await decisions.effects(connection, row_ids)
    accepted = {
        effect.offer_id
        for those in effects.values()
        for effect in those
        if effect.action == Action.ACCEPT and effect.offer_id is not None
    }
    return Circumstances(
        claims=await claims.on_several(connection, {*row_ids, *others}),
        effects=effects,
        offer_ids=await offers.on_several(connection, row_ids),
        accepted=await offers.plans(connection, accepted) if accepted else {},
        approvals=await approvals.on_several(connection, row_ids),
        planned=await planned_accepts.on_several(connection, row_ids),
        beside=beside,
        pauses=await pauses.all_in_force(connection, now),
        roles=await tgcs.roles(connection),
        able=await approver_checks.by_rule(connection),
    )
