"""Names for the VMs that a recommendation gives by their ids only."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.recommendations import plan_of
from tgc.client import TGCClient
from tgc.models import Recommendation

MAX_LOOKED_UP = 200
"""At a time for one recommendation; the others are shown by their ids until the next time."""
AGAIN_AFTER = timedelta(minutes=5)
"""A VM without a name may be deleted and have none the next time either, and what runs is read often."""


class VmNames:
    """Looks names up, for some seconds and no longer; what is missing then is filled in after a later reading."""

    def __init__(self, client: TGCClient, clock: Clock, *, patience_s: float) -> None:
        self._client = client
        self._clock = clock
        self._patience_s = patience_s
        self._not_before: dict[str, datetime] = {}
        """When to ask again for VMs whose name did not come."""

    async def look_up(self, recommendation: Recommendation, known: Mapping[str, str]) -> dict[str, str]:
        """Add to the known names those that are missing; a VM that cannot be read costs its own name only."""
        now = self._clock.now()
        self._not_before = {vm: moment for vm, moment in self._not_before.items() if now < moment}
        unknown = (vm for vm in _given_by_id(recommendation) if vm not in known and vm not in self._not_before)
        missing = list(unknown)[:MAX_LOOKED_UP]
        if not missing:
            return dict(known)
        found = await self._client.vm_names(missing, within_s=self._patience_s)
        again_at = self._clock.now() + AGAIN_AFTER
        self._not_before |= {vm: again_at for vm in missing if vm not in found}
        return {**known, **found}


def _given_by_id(recommendation: Recommendation) -> list[str]:
    actions = [action for group in recommendation.action_groups for action in group.actions]
    named = {action.target_vm_tintri_uuid for action in actions if action.target_vm_display_name}
    ids = [*plan_of(recommendation).unprotected, *(action.target_vm_tintri_uuid for action in actions)]
    return [vm for vm in dict.fromkeys(ids) if vm and vm not in named]
