"""What people can ask the TGC to change about a recommendation before anybody accepts it, and how that reads."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter

import msgspec

from bot.rendering import words
from bot.rendering.content import name, sentence, vm_names_of, vm_store_name
from tgc.models import AffinityRuleType, Analysis, IssueType, Outcome, Recommendation, RecommendationState, StateReason

_NAMES_SAID = 5
_WITHDRAWN = frozenset({RecommendationState.INVALIDATED, RecommendationState.REFRESH})
_REBUILT = frozenset({None, StateReason.UNAVAILABLE_UNDER_CONSTRUCTION})


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


class ChosenIssues(msgspec.Struct, frozen=True, kw_only=True):
    vm_store: Chosen
    issue_types: tuple[IssueType, ...]


class ChooseIssues(msgspec.Struct, frozen=True, kw_only=True, tag="choose_issues"):
    """Build another one that solves these issues, and no others."""

    issues: tuple[ChosenIssues, ...]


class SetRule(msgspec.Struct, frozen=True, kw_only=True, tag="set_rule"):
    """Never move these VMs, or never to these VMstores, now and at any later analysis."""

    vms: tuple[Chosen, ...]
    rule_type: AffinityRuleType
    vm_stores: tuple[Chosen, ...] = ()


Shape = LeaveOut | ChooseIssues | SetRule


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One that the TGC found."""

    issue_type: IssueType
    is_selected: bool
    is_disabled: bool
    said: str
    """What the TGC says of it; may be empty."""


class VmStoreIssues(msgspec.Struct, frozen=True, kw_only=True):
    vm_store: Chosen
    issues: tuple[Issue, ...]


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


def issues_found(recommendation: Recommendation) -> tuple[VmStoreIssues, ...]:
    """The issues of each VMstore; without those VMstores to which the TGC gives no id."""
    found = [
        VmStoreIssues(vm_store=Chosen(analysis.vm_store_id, vm_store_name(analysis)), issues=issues)
        for analysis in recommendation.issues
        if analysis.vm_store_id and (issues := tuple(_issues(analysis)))
    ]
    return tuple({one.vm_store.id: one for one in reversed(found)}.values())[::-1]  # of each VMstore the first


def chosen_issues(found: Iterable[VmStoreIssues], options: Mapping[str, Collection[str]]) -> ChooseIssues | None:
    """`options`: issue types by the option of their VMstore. None where one cannot be chosen there (any more)."""
    known = {one.vm_store.option: one for one in found}
    issues = []
    for option, wanted in options.items():
        there = known.get(option)
        free = [issue.issue_type for issue in there.issues if not issue.is_disabled] if there else []
        if there is None or not set(free) >= set(wanted):
            return None
        if wanted:
            types = tuple(issue_type for issue_type in free if issue_type in wanted)
            issues.append(ChosenIssues(vm_store=there.vm_store, issue_types=types))
    return ChooseIssues(issues=tuple(issues)) if issues else None


def asked_for(shape: Shape) -> str:
    """All of it, for the journal: `not this time: erp-db-01, erp-db-02`, `vmstore01: space, load`."""
    match shape:
        case LeaveOut():
            return f"not this time: {', '.join(map(attrgetter('name'), shape.vms))}"
        case ChooseIssues():
            return "; ".join(f"{one.vm_store.name}: {_types(one.issue_types)}" for one in shape.issues)
        case SetRule():
            vms = ", ".join(map(attrgetter("name"), shape.vms))
            return f"{rule_in_words(shape.rule_type, shape.vm_stores)}: {vms}"


def is_met(shape: LeaveOut | ChooseIssues, recommendation: Recommendation) -> bool:
    """Whether the TGC shows what was asked for."""
    match shape:
        case LeaveOut():
            return {vm.id for vm in shape.vms} <= set(recommendation.vm_affinity_not_now_tintri_uuids)
        case ChooseIssues():
            return recommendation.state in _WITHDRAWN and recommendation.state_reason in _REBUILT


def rule_in_words(rule_type: AffinityRuleType, vm_stores: tuple[Chosen, ...]) -> str:
    """`never to move`, `never to move to vmstore01, vmstore02`."""
    if rule_type == AffinityRuleType.NEVER:
        return "never to move"
    return f"never to move to {words.listed(tuple(one.name for one in vm_stores), _NAMES_SAID)}"


def vm_stores_named(recommendation: Recommendation) -> tuple[Chosen, ...]:
    """Those that it names anywhere, by name: the ones that a VM of it can be kept away from here."""
    actions = (action for group in recommendation.action_groups for action in group.actions)
    parts: tuple[Analysis | Outcome, ...] = (*recommendation.issues, *recommendation.expected_outcomes)
    named = {
        **{part.vm_store_id: vm_store_name(part) for part in parts if part.vm_store_id},
        **{
            action.destination_datastore_tintri_uuid: name(action.destination_datastore_display_name, "unnamed VMstore")
            for action in actions
            if action.destination_datastore_tintri_uuid
        },
    }
    return tuple(sorted((Chosen(*one) for one in named.items()), key=attrgetter("name", "id")))


def is_so_already(shape: Shape, recommendation: Recommendation) -> bool:
    """Whether another recommendation was asked for that solves just what this one does."""
    if not isinstance(shape, ChooseIssues):
        return False
    asked = {(one.vm_store.id, issue_type) for one in shape.issues for issue_type in one.issue_types}
    selected = {
        (one.vm_store.id, issue.issue_type)
        for one in issues_found(recommendation)
        for issue in one.issues
        if issue.is_selected
    }
    return asked == selected


def named_vms(vms: tuple[Chosen, ...]) -> str:
    return words.listed(tuple(vm.name for vm in vms), _NAMES_SAID)


def _types(issue_types: Iterable[IssueType]) -> str:
    return ", ".join(map(words.issue_type, issue_types))


def _issues(analysis: Analysis) -> Iterable[Issue]:
    """What is selected follows from the VMstore where the issue itself does not say."""
    for issue_type, info in analysis.found.items():
        of_vm_store = analysis.vm_store_is_selected
        selected = (info.is_selected if info.is_selected is not None else of_vm_store) and of_vm_store is not False
        yield Issue(
            issue_type=issue_type,
            is_selected=bool(selected) and not info.is_disabled,
            is_disabled=bool(info.is_disabled),
            said=sentence(info.summary),
        )
