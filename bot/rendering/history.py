"""What became of the recommendations of the last days, for one person in Slack."""

from bot.rendering import blocks, ids, limits, paging, standing, words
from bot.rendering.answers import pool_line
from bot.rendering.content import content, name
from bot.rendering.escape import shorten_name
from bot.rendering.lists import render_lists
from bot.rendering.phrase import Phrase, Strong, When
from bot.rendering.views import CardView, HistoryPage, Message, PoolAnswer, Standing

ENTRIES_PER_PAGE = 8

_OPEN = {Standing.OFFERED, Standing.DECIDING}


def render_history(page: HistoryPage) -> Message:
    newer, older = ("Newer", ids.HISTORY_NEWER), ("Older", ids.HISTORY_OLDER)
    turner = tuple(paging.turner(page.page, page.last, page.typed, back=newer, on=older))
    place = [blocks.plain_context(f"Page {page.page + 1:,} of {page.last + 1:,}")] if page.last else []
    return render_lists([((Strong(_head(page)),), [_line(answer) for answer in page.answers])], *place, *turner)


def _head(page: HistoryPage) -> str:
    days = "last day" if page.days == 1 else f"last {page.days} days"
    made = (
        words.counted(page.recommendations, "recommendation", "recommendations")
        if page.recommendations
        else "No recommendations"
    )
    newest = ", newest first" if page.recommendations > 1 else ""
    unread = f" {words.counted(page.unread, 'pool', 'pools')} could not be read." if page.unread else ""
    return f"{made} in the {days}{newest}.{unread}"


def _line(answer: PoolAnswer) -> Phrase:
    """`Production · today at 06:00 · 4 VMs to move, … · expired today at 18:00, nobody decided`."""
    if answer.view is None:
        return (pool_line(answer),)
    made = answer.view.recommendation.creation_time
    pool = shorten_name(name(answer.pool_name, "Unnamed pool"), limits.NAME)
    when: Phrase = (" · ", When(made)) if made else ()
    return (Strong(pool), *when, " · ", *_story(answer.view))


def _story(view: CardView) -> Phrase:
    """What was recommended, and what became of it."""
    told = content(view)
    became = standing.waiting(view) if view.standing in _OPEN else standing.became(view, told)
    return (told.finding, " · ", *became) if told.moves else became
