"""Moves that run, for whoever watches: a bar and the VMs under way on a terminal, a line a change elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bot.rendering import standing, words
from bot.rendering.content import Content, Move, content
from bot.rendering.numbers import NO_BREAK
from bot.rendering.phrase import plain
from bot.rendering.views import CardView
from tgc.models import ExecutionState

_UNDER_WAY = (ExecutionState.RUNNING, ExecutionState.RUNNING_ERROR, ExecutionState.CANCELLED_PENDING)
_BAR_WIDTH = 24
_VMS_SHOWN = 8


def bars(views: Sequence[CardView]) -> Table:
    """A row for each recommendation, and one for each VM under way."""
    table = Table.grid(padding=(0, 2))
    for column in range(3):
        table.add_column(overflow="fold", no_wrap=column == 1)
    for view in views:
        story = content(view)
        bar = ProgressBar(total=100, completed=_percent(story), width=_BAR_WIDTH)
        table.add_row(Text(story.pool, "bold"), bar, _text(standing.gist(view, story)))
        under_way = story.in_state(*_UNDER_WAY)
        for move in under_way[:_VMS_SHOWN]:
            table.add_row(Text(f"  {move.vm}"), _bar_of(move), _text(move.status))
        if len(under_way) > _VMS_SHOWN:
            table.add_row(Text(f"  and {len(under_way) - _VMS_SHOWN:,} more"))
    return table


def changes(before: CardView | None, view: CardView) -> Iterable[str]:
    """A line for each VM whose state is another than before, and one where that of the whole is, but for its end."""
    story = content(view)
    known = {move.id: move for move in content(before).moves} if before else {}
    is_new = before is None or before.recommendation.execution_state != view.recommendation.execution_state
    if is_new and not view.standing.is_end:
        yield _line(story, standing.gist(view, story))
    for move in story.moves:
        was = known.get(move.id)
        if move.state is not None and move.begun and (was is None or was.state != move.state):
            state = ": ".join(filter(None, (words.move_state(move.state), move.error)))
            yield _line(story, f"{move.vm} from {move.source} to {move.destination}: {state}")


def ended(view: CardView, zone: tzinfo) -> str:
    """`Production: 4 of 4 VMs moved, 07:12 to 09:40 · accepted by …`."""
    return plain(standing.told(view, content(view)), zone).replace(NO_BREAK, " ")


def _line(story: Content, said: str) -> str:
    return f"{story.pool}: {said}".replace(NO_BREAK, " ")


def _percent(story: Content) -> float:
    if not story.moves:
        return 0
    return (100 * story.moved + sum(move.progress_percent or 0 for move in story.in_state(*_UNDER_WAY))) / len(
        story.moves
    )


def _bar_of(move: Move) -> ProgressBar | Text:
    if move.progress_percent is None:
        return Text()
    return ProgressBar(total=100, completed=move.progress_percent, width=_BAR_WIDTH)


def _text(text: str) -> Text:
    return Text(text.replace(NO_BREAK, " "))
