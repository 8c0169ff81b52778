"""Changing a recommendation before it is accepted: who gets the forms, and what their options stand for.

What they ask for becomes a press, and the decision protocol does the rest.
"""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_views import CardViews
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
from bot.requests import RefusedError, Request, Requests
from bot.storage import offers, recommendations
from bot.storage.database import Database
from bot.storage.offers import Offer
from bot.storage.recommendations import Stored
from tgc.models import AffinityRuleType

_NOT_NOW = "It cannot be changed any more: press Details again to see what there is now."


class Shaping:
    """Gives approvers what they need to choose; every refusal is kept."""

    def __init__(self, *, database: Database, views: CardViews, requests: Requests) -> None:
        self._database = database
        self._views = views
        self._requests = requests

    async def form(self, request: Request, action: Action) -> CardView:
        """What to choose from. Raises RefusedError."""
        target = await self._requests.checked(request, action, request.value)
        async with self._database.read() as connection:
            view = await self._views.view(connection, target.stored)
        if not can_be_shaped(view):
            raise RefusedError(f"{target.stored.pool_name}: {view.hindrance or _NOT_NOW}")
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
        self, offer_id: str, options: Collection[str], rule_type: str | None, vm_store_options: Collection[str]
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


async def _stored(connection: AsyncConnection, offer: Offer | None) -> Stored | None:
    return None if offer is None else await recommendations.by_row_id(connection, offer.recommendation)
