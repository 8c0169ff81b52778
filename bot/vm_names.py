"""Names for the VMs that a recommendation gives by their ids only."""

from collections.abc import Mapping

from bot.recommendations import plan_of
from tgc.client import TGCClient
from tgc.models import Recommendation

MAX_LOOKED_UP = 200
"""For one recommendation; the others are shown by their ids."""


async def look_up_names(client: TGCClient, recommendation: Recommendation, known: Mapping[str, str]) -> dict[str, str]:
    """Add to the known names those that are missing; a VM that cannot be read costs its own name only."""
    actions = [action for group in recommendation.action_groups for action in group.actions]
    named = {action.target_vm_tintri_uuid for action in actions if action.target_vm_display_name}
    ids = [*plan_of(recommendation).unprotected, *(action.target_vm_tintri_uuid for action in actions)]
    missing = [vm for vm in dict.fromkeys(ids) if vm and vm not in named and vm not in known][:MAX_LOOKED_UP]
    return {**known, **(await client.vm_names(missing) if missing else {})}
