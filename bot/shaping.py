"""Changing a recommendation before it is accepted: who gets the forms, and what their options stand for.

What they ask for becomes a press, and the decision protocol does the rest.
"""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.card_views import CardViews
from bot.clock import Clock
from bot.rendering.details import can_be_shaped
from bot.rendering.shapes import (
    LeaveOut,
    SetRule,
    Shape,
    chosen,
    chosen_issues,
    issues_found,
    movable_vms,
    vm_stores_named,
)
from bot.rendering.shaping import RULES_AT_ONCE
from bot.rendering.views import Action, CardView
from bot.storage import decisions, offers, recommendations
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.offers import Offer
from bot.storage.recommendations import Stored
from bot.verdicts import UNKNOWN_BUTTON
from tgc.models import AffinityRuleType

_NOT_NOW = "It cannot be changed any more: press Details again to see what there is now."


class ShapingRefusedError(Exception):
    """The form was not given; `str()` says why."""


class FormRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to see a form."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    action: Action
    offer_id: str
    """As it came."""


class Shaping:
    """Gives approvers what they need to choose; every refusal is kept."""

    def __init__(self, *, database: Database, access: Access, views: CardViews, clock: Clock, tgc_key: str) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._clock = clock
        self._tgc_key = tgc_key

    async def form(self, request: FormRequest) -> CardView:
        """What to choose from. Raises ShapingRefusedError."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, request.offer_id)
            stored = await _stored(connection, offer)
            view = await self._views.view(connection, stored) if stored else None
        if offer is None or stored is None or view is None:
            raise await self._refused(request, None, None, Outcome.UNKNOWN_OFFER, UNKNOWN_BUTTON)
        refusal = await self._access.refusal_to_act(request.actor, stored.pool_name)
        if refusal is not None:
            raise await self._refused(request, offer, stored, Outcome.NOT_ALLOWED, refusal)
        if not can_be_shaped(view):
            raise ShapingRefusedError(f"{stored.pool_name}: {view.hindrance or _NOT_NOW}")
        return view

    async def choosing_issues(self, offer_id: str, options: Mapping[str, Collection[str]]) -> Shape | None:
        """The same, by the options of the VMstores."""
        async with self._database.read() as connection:
            stored = await _stored(connection, await offers.get(connection, offer_id))
        return chosen_issues(issues_found(stored.recommendation), options) if stored else None

    async def leaving_out(self, offer_id: str, options: Collection[str]) -> Shape | None:
        """What was chosen; None where that is not there any more."""
        async with self._database.read() as connection:
            stored = await _stored(connection, await offers.get(connection, offer_id))
        vms = chosen(movable_vms(stored.recommendation, stored.vm_names), options) if stored else None
        return None if vms is None else LeaveOut(vms=vms)

    async def ruling(
        self, offer_id: str, options: Collection[str], rule_type: str, vm_store_options: Collection[str]
    ) -> Shape | None:
        """The same, with the rule that the VMs are to get."""
        async with self._database.read() as connection:
            stored = await _stored(connection, await offers.get(connection, offer_id))
        vms = chosen(movable_vms(stored.recommendation, stored.vm_names), options) if stored else None
        if stored is None or vms is None or len(vms) > RULES_AT_ONCE:
            return None
        if rule_type == AffinityRuleType.NEVER:
            return SetRule(vms=vms, rule_type=AffinityRuleType.NEVER)
        vm_stores = chosen(vm_stores_named(stored.recommendation), vm_store_options)
        if rule_type != AffinityRuleType.EXCLUDE_DATASTORES or vm_stores is None:
            return None
        return SetRule(vms=vms, rule_type=AffinityRuleType.EXCLUDE_DATASTORES, vm_stores=vm_stores)

    async def _refused(
        self, request: FormRequest, offer: Offer | None, stored: Stored | None, outcome: Outcome, why: str
    ) -> ShapingRefusedError:
        """Keep that the form was refused, for the caller to raise."""
        refused = Decision(
            recommendation=stored.row_id if stored else None,
            tgc_key=self._tgc_key,
            pool_uuid=stored.key.pool_uuid if stored else None,
            pool_name=stored.pool_name if stored else None,
            recommendation_id=stored.key.recommendation_id if stored else None,
            action=request.action,
            offer_id=request.offer_id,
            seen=offer.shown if offer else None,
            team_id=request.actor.team_id,
            user_id=request.actor.user_id,
            user_name=request.actor.name,
            channel_id=None,
            decided_at=self._clock.now(),
            outcome=outcome,
            told=why,
            command_id=request.id,
        )
        async with self._database.write() as connection:
            await decisions.add_refusal(connection, refused)
        return ShapingRefusedError(f"{stored.pool_name}: {why}" if stored else why)


async def _stored(connection: AsyncConnection, offer: Offer | None) -> Stored | None:
    return None if offer is None else await recommendations.by_row_id(connection, offer.recommendation)
