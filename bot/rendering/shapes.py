"""What people can ask the TGC to change about a recommendation before anybody accepts it, and how that reads."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter

import msgspec

from bot.rendering import words
from bot.rendering.content import name, vm_names_of
from tgc.models import Recommendation

_NAMES_SAID = 5


class Chosen(msgspec.Struct, frozen=True):
    """A VM or a VMstore that somebody chose, by the name that they saw."""

    id: str
    """The TGC's."""
    name: str

    @property
    def option(self) -> str:
        """What stands for it in a form: the TGC's ids may be longer than Slack takes."""
        return hashlib.sha256(self.id.encode(errors="surrogatepass")).hexdigest()[:32]


class LeaveOut(msgspec.Struct, frozen=True, kw_only=True, tag="leave_out"):
    """Do not move these VMs this time."""

    vms: tuple[Chosen, ...]


Shape = LeaveOut


def movable_vms(recommendation: Recommendation, names: Mapping[str, str]) -> tuple[Chosen, ...]:
    """The VMs that it would move, each once, in its order; without those to which the TGC gives no id."""
    named = vm_names_of(recommendation, names)
    actions = (action for group in recommendation.action_groups for action in group.actions)
    uuids = dict.fromkeys(action.target_vm_tintri_uuid for action in actions)
    return tuple(Chosen(uuid, name(named.get(uuid, uuid), "unnamed VM")) for uuid in uuids if uuid)


def chosen(offered: Iterable[Chosen], options: Collection[str]) -> tuple[Chosen, ...] | None:
    """Those that the options of a form stand for; None where one stands for nothing that is there."""
    known = {one.option: one for one in offered}
    if not options or not known.keys() >= set(options):
        return None
    return tuple(one for option, one in known.items() if option in options)


def asked_for(shape: Shape) -> str:
    """All of it, for the journal: `not this time: erp-db-01, erp-db-02`."""
    return f"not this time: {', '.join(map(attrgetter('name'), shape.vms))}"


def is_met(shape: Shape, recommendation: Recommendation) -> bool:
    """Whether the TGC shows what was asked for."""
    asked = {vm.id for vm in shape.vms}
    return asked <= set(recommendation.vm_affinity_not_now_tintri_uuids)


def named_vms(vms: tuple[Chosen, ...]) -> str:
    return words.listed(tuple(vm.name for vm in vms), _NAMES_SAID)
