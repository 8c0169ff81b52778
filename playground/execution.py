"""How an accepted recommendation runs, as a pure function of the moments at which people acted.

Waves run in order, the moves of a wave side by side. A failing move is in trouble from the percent where it
fails until its time is up; the others go on. Cancelling stops what has not begun; a move that runs is finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from playground.estate import Failure, Move, Run

ExecutionState = Literal[
    "AVAILABLE",
    "PENDING",
    "RUNNING",
    "RUNNING_ERROR",
    "COMPLETED_OK",
    "COMPLETED_FAILED",
    "CANCELLED_PENDING",
    "COMPLETED_CANCELLED",
]

COMPLETED: Final = frozenset({"COMPLETED_OK", "COMPLETED_FAILED", "COMPLETED_CANCELLED"})
_TROUBLE: Final = frozenset({"RUNNING_ERROR", "COMPLETED_FAILED"})


@dataclass(frozen=True)
class Progress:
    """How far one move is."""

    state: ExecutionState
    percent: int = 0
    started: datetime | None = None
    completed: datetime | None = None
    failure: Failure | None = None


WAITING: Final = Progress("AVAILABLE")


@dataclass(frozen=True)
class Execution:
    state: ExecutionState
    moves: dict[str, Progress]
    """By the VM's id."""
    completed: datetime | None = None


def execution(waves: Sequence[Sequence[Move]], run: Run, now: datetime) -> Execution:
    """Where a run is at `now`, which is never before it was accepted."""
    cancelled = None if run.cancelled is None else run.planned(run.cancelled)
    planned = _planned(waves, replace(run, cancelled=cancelled, paces=()), run.planned(now))
    moves = {
        vm: replace(progress, started=_real(run, progress.started), completed=_real(run, progress.completed))
        for vm, progress in planned.moves.items()
    }
    return Execution(planned.state, moves, _real(run, planned.completed))


def _real(run: Run, planned: datetime | None) -> datetime | None:
    return None if planned is None else run.real(planned)


def _planned(waves: Sequence[Sequence[Move]], run: Run, now: datetime) -> Execution:
    """The same of a run that never changes its pace."""
    moves: dict[str, Progress] = {}
    called_off: list[Move] = []
    begins = run.accepted + run.settling
    for number, wave in enumerate(waves):
        if run.cancelled is not None and run.cancelled < begins:
            called_off.extend(wave)
            continue
        for move in wave:
            moves[move.vm.uuid] = _progress(move, begins, begins + run.move_time * move.weight, now)
            if number == 0 and now < begins:
                moves[move.vm.uuid] = Progress("PENDING")
        begins += run.move_time * max((move.weight for move in wave), default=0)
    ends = begins
    if run.cancelled is not None:
        ends = max(begins, run.cancelled + run.settling)
    state = _state(run, moves, now, ends)
    for move in called_off:
        moves[move.vm.uuid] = Progress(state)
    return Execution(state, moves, ends if now >= ends else None)


def _progress(move: Move, begins: datetime, ends: datetime, now: datetime) -> Progress:
    failure = move.failure
    if now < begins:
        return WAITING
    if now >= ends:
        if failure is not None:
            return Progress("COMPLETED_FAILED", failure.at_percent, begins, ends, failure)
        return Progress("COMPLETED_OK", 100, begins, ends)
    percent = int(100 * ((now - begins) / (ends - begins)))
    if failure is not None and percent >= failure.at_percent:
        return Progress("RUNNING_ERROR", failure.at_percent, begins, failure=failure)
    return Progress("RUNNING", percent, begins)


def _state(run: Run, moves: dict[str, Progress], now: datetime, ends: datetime) -> ExecutionState:
    if run.cancelled is not None:
        return "COMPLETED_CANCELLED" if now >= ends else "CANCELLED_PENDING"
    trouble = any(progress.state in _TROUBLE for progress in moves.values())
    if now >= ends:
        return "COMPLETED_FAILED" if trouble else "COMPLETED_OK"
    if now < run.accepted + run.settling:
        return "PENDING"
    return "RUNNING_ERROR" if trouble else "RUNNING"
