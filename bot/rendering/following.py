"""What is said in a card's thread while its moves run and when they have ended."""

from collections.abc import Collection, Iterable

from bot.rendering import blocks, limits, standing, words
from bot.rendering.content import Content, Move, content
from bot.rendering.escape import shorten, shorten_name
from bot.rendering.phrase import WARNING, Phrase, Strong, joined, mrkdwn
from bot.rendering.views import Block, CardView, Message, Standing

VMS_NAMED = 10


def render_ended(view: CardView) -> Message:
    """How the moves have ended, for those who accepted them and cannot notice an edit of the card."""
    story = content(view)
    lists = list(_lists(view, story))
    lines = [line for _, of_list in lists for line in of_list]
    told = standing.told(view, story)
    return Message(
        text=mrkdwn(joined([told, *lines], "\n"), limits.MESSAGE_TEXT_BYTES),
        blocks=(blocks.paragraph(told), *map(_list, lists)),
        compact=(blocks.mrkdwn_section(told),),
    )


def render_stalled(view: CardView, vms: Collection[str]) -> Message:
    """`vms`: the ids of those that were found to stall just now."""
    story = content(view)
    stalled = [move for move in story.stalled if move.id in vms]
    moves = words.counted(len(vms), "move makes", "moves make")
    who = standing.accepted(view)
    head: Phrase = (
        WARNING,
        " ",
        Strong(f"{shorten_name(story.pool, limits.HEADER)}: {moves} no progress."),
        " Look at the hypervisor's migration task and the VMstores' alerts; Cancel stops what has not begun.",
        *((" (", *who, ")") if who else ()),
    )
    lines = _some([(*_way(move), f" · {move.stage}", *standing.stalled(move)) for move in stalled])
    return Message(
        text=mrkdwn(joined([head, *lines], "\n"), limits.MESSAGE_TEXT_BYTES),
        blocks=(blocks.paragraph(head), blocks.bullets([(("Stalled",), lines)])),
        compact=(blocks.mrkdwn_section(head),),
    )


def _lists(view: CardView, story: Content) -> Iterable[tuple[str, list[Phrase]]]:
    if view.standing is Standing.FAILED:
        if story.failed:
            yield "Failed", _some([_failure(move) for move in story.failed])
        yield "What to do", _advice(story)
    if view.standing in {Standing.FAILED, Standing.CANCELLED} and (moved := story.moved_vms):
        yield "Moved, and will stay", _some([_way(move) for move in moved])


def _list(titled: tuple[str, list[Phrase]]) -> Block:
    title, lines = titled
    return blocks.bullets([((Strong(title),), lines)])


def _some(lines: list[Phrase]) -> list[Phrase]:
    rest = len(lines) - VMS_NAMED
    return [*lines[:VMS_NAMED], *([(f"and {rest:,} more, see Details",)] if rest > 0 else [])]


def _failure(move: Move) -> Phrase:
    told = [fact for fact in dict.fromkeys((move.error, move.error_detail)) if fact]
    return (Strong(shorten_name(move.vm, limits.NAME)), f": {' · '.join(told)}" if told else ": no reason is given")


def _advice(story: Content) -> list[Phrase]:
    """For each category that occurs, what one can do."""
    by_category = {move.category: move.advice for move in story.failed} or {"": words.advice(None)}
    known = list(by_category.items())[:VMS_NAMED]
    return [(Strong(f"{category}: "), advice) if category else (advice,) for category, advice in known]


def _way(move: Move) -> Phrase:
    vm = Strong(shorten_name(move.vm, limits.NAME))
    return (vm, f"  {shorten(move.source, limits.NAME)} → {shorten(move.destination, limits.NAME)}")
