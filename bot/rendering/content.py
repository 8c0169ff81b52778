"""What there is to say about a recommendation, in words and clean, before anything decides how it looks.

Cards, details, lists and plain text are all drawn from it, so they cannot tell different stories.
"""

import re
from collections.abc import Container, Iterable, Mapping
from datetime import datetime

import msgspec

from bot.rendering import facts, limits, numbers, words
from bot.rendering.escape import clean, shorten, shorten_name
from bot.rendering.views import Action, CardView, Progress, Seen, SeenMove, Standing
from tgc import models
from tgc.models import ExecutionState, Recommendation

NAMES_IN_A_SENTENCE = 5

_UNDER_WAY = {ExecutionState.RUNNING, ExecutionState.RUNNING_ERROR}
_HAVE_RUN = {Standing.DONE, Standing.FAILED, Standing.CANCELLED}
_UNREAD = (
    "Part of the TGC's answer about moves or replication could not be read. "
    "Look at this recommendation in the TGC before you decide."
)


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One VM's way."""

    wave: int
    id: str
    """The TGC's id of the VM."""
    vm: str
    source: str
    destination: str
    loses_replication: bool
    issues: str
    """`space, load`; empty where the TGC names none."""
    state: ExecutionState | None
    """None where the TGC reports none."""
    progress_percent: int | None
    progress_said: str
    """What the TGC says while it is under way."""
    stalled_since: datetime | None
    """Set where it is under way and makes no progress."""
    error: str
    """`Storage migration failed (hypervisor)`; empty where there is none."""
    error_detail: str
    category: str
    """The TGC's, such as `hypervisor`; empty where it gives none."""
    advice: str

    @property
    def begun(self) -> bool:
        return self.state is not None and self.state is not ExecutionState.AVAILABLE

    @property
    def stage(self) -> str:
        """`moving 42 %`; empty before it has begun."""
        if self.state is None or not self.begun:
            return ""
        stage = words.move_state(self.state)
        percent = numbers.whole_percent(self.progress_percent)
        return f"{stage} {percent}" if self.state in _UNDER_WAY and percent is not None else stage

    @property
    def status(self) -> str:
        """The stage, and what the TGC says: the error where there is one."""
        said = self.error or self.progress_said
        return f"{self.stage}: {said}" if said else self.stage


class VmStoreFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about one VMstore: a line on a card, more in details."""

    name: str
    brief: tuple[str, ...]
    full: tuple[str, ...]


class Content(msgspec.Struct, frozen=True, kw_only=True):
    pool: str
    standing: Standing
    finding: str
    """`4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)`."""
    losing: tuple[str, ...]
    """Names of the VMs that would lose replication."""
    losing_said: tuple[str, ...]
    """What the TGC says in words about replication where it names no VM."""
    issues: tuple[VmStoreFacts, ...]
    moves: tuple[Move, ...]
    waves: int
    outcomes: tuple[VmStoreFacts, ...]
    previous: str | None
    other_moves: str | None
    """A warning: not what was accepted."""
    unread: str | None
    """A warning: what may be missing here."""
    reports_results: bool
    """Whether the TGC reports what became of the moves."""

    def in_state(self, *states: ExecutionState) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.state in states)

    @property
    def moved(self) -> int:
        return len(self.moved_vms)

    @property
    def moved_vms(self) -> tuple[Move, ...]:
        return self.in_state(ExecutionState.COMPLETED_OK)

    @property
    def moved_percent(self) -> float | None:
        """How far all moves together are; None where the TGC names none."""
        under_way = self.in_state(ExecutionState.RUNNING, ExecutionState.RUNNING_ERROR)
        done = 100 * self.moved + sum(move.progress_percent or 0 for move in under_way)
        return done / len(self.moves) if self.moves else None

    @property
    def failed(self) -> tuple[Move, ...]:
        return self.in_state(ExecutionState.COMPLETED_FAILED) or self.in_state(ExecutionState.RUNNING_ERROR)

    @property
    def stalled(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.stalled_since is not None)

    @property
    def losing_sentence(self) -> str | None:
        """`1 VM would lose replication: erp-db-01`."""
        if self.losing:
            names = tuple(shorten_name(vm, limits.NAME) for vm in self.losing)
            return f"{self.losing_count}: {words.listed(names, NAMES_IN_A_SENTENCE)}"
        return f"Replication: {self.losing_said[0]}" if self.losing_said else None

    @property
    def losing_count(self) -> str:
        """`1 VM would lose replication`; once the moves run it does, and after them it may have."""
        count = len(self.losing)
        if self.standing is Standing.RUNNING:
            return f"{words.counted(count, 'VM loses', 'VMs lose')} replication"
        verb = "may have lost" if self.standing in _HAVE_RUN else "would lose"
        return f"{words.counted(count, 'VM', 'VMs')} {verb} replication"

    @property
    def moves_title(self) -> str:
        """`Moves: 2 waves, 4 VMs`."""
        waves = f"{words.counted(self.waves, 'wave', 'waves')}, " if self.waves > 1 else ""
        return f"Moves: {waves}{words.counted(len(self.moves), 'VM', 'VMs')}"

    @property
    def outcomes_in_brief(self) -> tuple[VmStoreFacts, ...]:
        """Without those that tell of replication only, which is told on its own."""
        return tuple(outcome for outcome in self.outcomes if outcome.brief)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.other_moves, self.unread)))

    @property
    def silence(self) -> str | None:
        """What is missing of an answer that asks for a decision."""
        missing = [word for word, there in (("issues", self.issues), ("expected outcomes", self.outcomes)) if not there]
        return f"Tintri Global Center gives no {' and no '.join(missing)} for these moves." if missing else None


def content(view: CardView) -> Content:
    recommendation = view.recommendation
    names = vm_names_of(recommendation, view.vm_names)
    protection = [part for outcome in recommendation.expected_outcomes if (part := outcome.protection_info)]
    losing = _losing(recommendation)
    moves = tuple(_moves(recommendation, names, losing, view.stalled))
    analyses = _worst_first(recommendation.issues)
    return Content(
        pool=name(view.pool_name, "Unnamed pool"),
        standing=view.standing,
        finding=_finding(moves, analyses),
        losing=tuple(_vm_name(uuid, names) for uuid in losing),
        losing_said=tuple(said for part in protection if (said := sentence(part.summary))),
        issues=tuple(_issues(analyses)),
        moves=moves,
        waves=sum(1 for group in recommendation.action_groups if group.actions),
        outcomes=tuple(_outcomes(recommendation)),
        previous=_previous(view.previous),
        other_moves=_other_moves(view),
        unread=_UNREAD if any(map(_hides_moves_or_losses, view.recommendation.unreadable)) else None,
        reports_results=any(move.begun for move in moves),
    )


def seen(recommendation: Recommendation, vm_names: Mapping[str, str]) -> Seen:
    """The moves and the VMs that lose replication, by the very names that a card shows."""
    names = vm_names_of(recommendation, vm_names)
    losing = _losing(recommendation)
    return Seen(
        moves=tuple(
            SeenMove(wave=move.wave, vm=move.vm, source=move.source, destination=move.destination)
            for move in _moves(recommendation, names, losing, {})
        ),
        losing=tuple(_vm_name(uuid, names) for uuid in losing),
    )


def name(text: str | None, fallback: str) -> str:
    """Whole but for the absurd: 200 characters and more are seen."""
    return shorten_name(clean(text or ""), limits.DETAILS_NAME) or fallback


def sentence(text: str | None) -> str:
    return shorten(clean(text or ""), limits.SENTENCE)


def _losing(recommendation: Recommendation) -> Mapping[str, None]:
    """UUIDs of the VMs that would lose replication, in the TGC's order."""
    return dict.fromkeys(
        uuid
        for outcome in recommendation.expected_outcomes
        if outcome.protection_info
        for uuid in outcome.protection_info.vm_tintri_uuids
    )


def _vm_name(uuid: str, names: Mapping[str, str]) -> str:
    return name(names.get(uuid, uuid), "unnamed VM")


def vm_names_of(recommendation: Recommendation, known: Mapping[str, str]) -> Mapping[str, str]:
    """Names by UUID; what the recommendation itself says comes first."""
    named = {
        action.target_vm_tintri_uuid: action.target_vm_display_name
        for group in recommendation.action_groups
        for action in group.actions
        if action.target_vm_tintri_uuid and action.target_vm_display_name
    }
    return {**known, **named}


def _finding(moves: tuple[Move, ...], analyses: Iterable[models.Analysis]) -> str:
    count = f"{words.counted(len(moves), 'VM', 'VMs')} to move" if moves else "no VMs to move"
    found = [clause for analysis in analyses if (clause := facts.finding(analysis, _short_name(analysis)))]
    return f"{count}, {max(found, key=lambda clause: clause[0])[1]}" if found else count


def _short_name(analysis: models.Analysis) -> str:
    return shorten_name(vm_store_name(analysis), limits.NAME)


def vm_store_name(part: models.Analysis | models.Outcome) -> str:
    return name(part.vm_store_display_name or part.vm_store_id, "unnamed VMstore")


def _worst_first(analyses: tuple[models.Analysis, ...]) -> list[models.Analysis]:
    def rank(analysis: models.Analysis) -> tuple[int, int, float]:
        found = facts.finding(analysis, "")
        return found[0] if found else (-2, 0, 0.0)

    return sorted(analyses, key=rank, reverse=True)


def _issues(analyses: Iterable[models.Analysis]) -> Iterable[VmStoreFacts]:
    for analysis in analyses:
        brief = facts.issues(analysis)
        if brief:
            yield VmStoreFacts(name=vm_store_name(analysis), brief=brief, full=facts.issue_details(analysis))


def _outcomes(recommendation: Recommendation) -> Iterable[VmStoreFacts]:
    before = {analysis.vm_store_id: analysis for analysis in recommendation.issues if analysis.vm_store_id}
    for outcome in recommendation.expected_outcomes:
        analysis = before.get(outcome.vm_store_id or "")
        brief = facts.outcomes(outcome, analysis)
        full = facts.outcome_details(outcome, analysis)
        if brief or full:
            yield VmStoreFacts(name=vm_store_name(outcome), brief=brief, full=full)


def _moves(
    recommendation: Recommendation, names: Mapping[str, str], losing: Container[str], stalled: Mapping[str, datetime]
) -> Iterable[Move]:
    groups = (group for group in recommendation.action_groups if group.actions)
    for wave, group in enumerate(groups, start=1):
        for action in group.actions:
            yield _move(wave, action, names, losing, stalled.get(action.vm))


def _move(
    wave: int,
    action: models.Action,
    names: Mapping[str, str],
    losing: Container[str],
    stalled_since: datetime | None,
) -> Move:
    uuid = action.target_vm_tintri_uuid or ""
    result = action.result or models.ActionResult()
    failing = result.state in {ExecutionState.COMPLETED_FAILED, ExecutionState.RUNNING_ERROR}
    return Move(
        wave=wave,
        id=action.vm,
        vm=name(action.target_vm_display_name or names.get(uuid) or uuid, "unnamed VM"),
        source=_datastore(action.source_datastore_display_name, action.source_datastore),
        destination=_datastore(action.destination_datastore_display_name, action.destination_datastore),
        loses_replication=uuid in losing,
        issues=", ".join(dict.fromkeys(map(words.issue_type, action.issue_types[:4]))),
        state=result.state,
        progress_percent=None if result.progress is None else min(max(result.progress, 0), 100),
        progress_said=sentence(result.progress_info) if result.state in _UNDER_WAY else "",
        stalled_since=stalled_since if result.state in _UNDER_WAY else None,
        error=_error(result) if failing else "",
        error_detail=sentence(result.error_detail) if failing else "",
        category=_category(result),
        advice=words.advice(result.error_category),
    )


def _datastore(display_name: str | None, datastore: str | None) -> str:
    return name(display_name or datastore, "unnamed VMstore")


def _error(result: models.ActionResult) -> str:
    summary = sentence(result.error_summary) or sentence(result.error_detail)
    category = _category(result)
    if summary and category:
        return f"{summary} ({category})"
    return summary or category


def _category(result: models.ActionResult) -> str:
    return shorten(clean(result.error_category or ""), limits.NAME)


def _previous(previous: Progress | None) -> str | None:
    if previous is None:
        return None
    moved = f"{previous.moved:,} of {words.counted(previous.total, 'VM', 'VMs')} moved"
    return f"A previous recommendation of this pool still runs: {moved}."


def _other_moves(view: CardView) -> str | None:
    if view.act is None or view.act.action is not Action.ACCEPT or not view.act.other_moves:
        return None
    if view.standing.is_end:
        return "The TGC ran other moves than the ones shown when this was accepted."
    return "The TGC runs other moves than the ones shown when this was accepted. Check, and Cancel if they are wrong."


def _hides_moves_or_losses(pointer: str) -> bool:
    """A whole outcome that was dropped may have held the VMs that lose replication."""
    return (
        "/actionGroups" in pointer
        or "protectionInfo" in pointer
        or re.fullmatch(r"/?expectedOutcomes(/\d+)?", pointer) is not None
    )
