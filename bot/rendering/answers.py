"""Answers to `/tintri`: all pools, one pool, help, or a sentence."""

from collections.abc import Iterable, Sequence

from bot.rendering import blocks, ids, limits, paging, standing, words
from bot.rendering.card import render_card
from bot.rendering.content import Content, content, name
from bot.rendering.escape import clean, escape, shorten, shorten_bytes, shorten_name
from bot.rendering.phrase import Code, Phrase, Strong, When
from bot.rendering.views import Block, CardView, Message, PoolAnswer, Report, Standing

POOLS_PER_PAGE = 10
_TGCS_SHOWN = 5

_TO_DECIDE = {Standing.OFFERED, Standing.DECIDING}
_WITH_REASON = {Standing.UNAVAILABLE, Standing.INVALIDATED}
_RECOMMENDED = {*_TO_DECIDE, Standing.DISMISSED, Standing.RUNNING}
_NO_POOLS = "The TGC shows this account no VMstore pools."
_NOT_READ = "could not be read."
_LATE = "still being read; ask again in a minute."
COMMANDS = (
    ("/tintri reco", "every pool in a line"),
    ("/tintri reco Production", "one pool, with its buttons"),
    ("/tintri history Production 7", "what was recommended there in 7 days, and what became of it"),
    ("/tintri status", "what runs, what is planned, what waits, what could not be posted"),
    ("/tintri who", "what you may do here, and why"),
    ("/tintri policy Production", "which policy accepts what is there by itself and which does not, and why"),
    ("/tintri pause Production 8", "let nobody accept in a pool for 8 hours; without a pool, in none"),
    ("/tintri resume Production", "end that early"),
    ("/tintri audit Production", "who decided what there; without a pool everywhere, with @name that person's"),
    ("/tintri rules Production", "VMs there that a rule set here keeps from moving, and how to clear it"),
    ("/tintri doctor", "whether the bot, Slack and the TGC are well; for approvers"),
    ("/tintri help", "this"),
)


def render_report(report: Report, *, page: int, filter_text: str) -> Message:
    """The pools given, a page of them. `filter_text` is what chose them; turning the page repeats it."""
    pools = by_urgency(report.pools)
    last = max(len(pools) - 1, 0) // POOLS_PER_PAGE
    page = min(max(page, 0), last)
    shown = pools[page * POOLS_PER_PAGE : (page + 1) * POOLS_PER_PAGE]
    head = f"{headline(report)}." if pools else _NO_POOLS
    read: Phrase = (f"{name(report.tgc_name, 'Tintri Global Center')} · read ", When(report.read_at))
    previous, following = ("Previous", ids.LIST_PREVIOUS), ("Next", ids.LIST_NEXT)
    turner = tuple(paging.turner(page, last, filter_text, back=previous, on=following))
    unread = unread_tgcs(report)
    drawn = [
        blocks.paragraph((Strong(shorten(head, limits.SECTION)),)),
        *map(blocks.section, unread),
        *map(_row, shown),
        blocks.context((*read, f" · page {page + 1:,} of {last + 1:,}") if last else read),
        *turner,
    ]
    text = " ".join((head, *unread, *(words.stopped(pool_line(pool)) for pool in shown)))
    return Message(
        text=_escaped(text),
        blocks=tuple(drawn),
        compact=(blocks.section(text), *turner),
    )


def render_pool(answer: PoolAnswer) -> Message:
    if answer.view is not None:
        return render_card(answer.view)
    return render_sentence(pool_line(answer))


def render_shown(view: CardView) -> Message:
    """A card in the place of the list that it was chosen from, with the way back."""
    card = render_card(view)
    back = blocks.actions([blocks.button("All pools", ids.LIST_ALL, paging.value(0, ""))])
    return Message(text=card.text, blocks=(*card.blocks, back), compact=(*card.compact, back))


def render_unknown_pool(typed: str, close: Sequence[str], *, are_all: bool) -> Message:
    """`close`: names that look like it, best first; or the names of all pools."""
    sentences = [f"No pool is called “{shorten_name(clean(typed), limits.NAME)}”."]
    if close:
        names = ", ".join(shorten_name(name(pool, "unnamed"), limits.NAME) for pool in close)
        sentences.append(f"{'There is' if are_all else 'Close to it'}: {names}.")
    if not are_all:
        sentences.append("/tintri reco shows all pools.")
    return render_sentence(" ".join(sentences))


def render_help(not_understood: str | None) -> Message:
    """What one can type; first, where something was typed that is none of it, that."""
    head = "What you can ask for:"
    if not_understood:
        typed = shorten(clean(not_understood), limits.SENTENCE)
        head = f"“{typed}” is nothing I know. If it is a pool, type /tintri reco {typed}. {head}"
    commands: list[Phrase] = [(Code(command), f"  {meaning}") for command, meaning in COMMANDS]
    text = f"{head} {', '.join(command for command, _ in COMMANDS)}"
    return Message(
        text=_escaped(text), blocks=(blocks.bullets([((head,), commands)]),), compact=(blocks.section(text),)
    )


def render_sentence(text: str) -> Message:
    """Words as they are: nothing in them is markup."""
    return Message(text=_escaped(text), blocks=(blocks.section(text),))


def headline(report: Report) -> str:
    """`3 of 12 pools have a recommendation, 1 could not be read, 1 is still being read`."""
    with_one = sum(1 for pool in report.pools if pool.view and pool.view.standing in _RECOMMENDED)
    late = sum(1 for pool in report.pools if pool.is_late)
    unread = sum(1 for pool in report.pools if pool.view is None) - late
    verb = "has" if with_one == 1 else "have"
    pools = words.counted(len(report.pools), "pool", "pools")
    parts = [f"{with_one:,} of {pools} {verb} a recommendation"]
    if unread:
        parts.append(f"{unread:,} could not be read")
    if late:
        parts.append(f"{late:,} {'is' if late == 1 else 'are'} still being read")
    return ", ".join(parts)


def unread_tgcs(report: Report) -> list[str]:
    """A sentence for each TGC whose pools are missing."""
    told = [
        f"The pools of {key} are missing: {words.stopped(shorten(clean(why), limits.PROBLEM))}"
        for key, why in report.unread.items()
    ]
    more = len(told) - _TGCS_SHOWN
    return [*told[:_TGCS_SHOWN], *([f"And so are those of {more:,} more."] if more > 0 else [])]


def by_urgency(pools: Iterable[PoolAnswer]) -> list[PoolAnswer]:
    """What asks for a decision, then what could not be read, then the rest, each by name."""
    return sorted(pools, key=_rank)


def pool_line(answer: PoolAnswer) -> str:
    """`Production: 4 VMs to move, …`, `Lab: balanced, nothing to move`, or why it could not be read."""
    pool = shorten_name(name(answer.pool_name, "Unnamed pool"), limits.NAME)
    if answer.is_late:
        return f"{pool}: {_LATE}"
    if answer.view is None:
        return f"{pool}: {shorten(clean(answer.problem or ''), limits.PROBLEM) or _NOT_READ}"
    return f"{pool}: {_gist(answer.view)}"


def _gist(view: CardView) -> str:
    story = content(view)
    said = standing.gist(view, story)
    return ". ".join(filter(None, (said, _more(view, story))))


def _more(view: CardView, story: Content) -> str | None:
    """What a line tells besides: who would lose replication, or what one can do where there is nothing."""
    reason = view.recommendation.state_reason
    if view.standing in {*_TO_DECIDE, Standing.RUNNING}:
        return story.losing_sentence
    return words.remedy(reason) if reason and view.standing in _WITH_REASON else None


def _rank(answer: PoolAnswer) -> tuple[int, str, str]:
    to_decide = answer.view is not None and answer.view.standing in _TO_DECIDE
    group = 0 if to_decide else 1 if answer.view is None else 2
    return group, answer.pool_name.casefold(), answer.pool_name


def _row(answer: PoolAnswer) -> Block:
    offer_id = answer.view.offer_id if answer.view else None
    return blocks.section(pool_line(answer), blocks.button("Show", ids.SHOW, offer_id) if offer_id else None)


def _escaped(text: str) -> str:
    return escape(shorten_bytes(clean(text), limits.MESSAGE_TEXT_BYTES)) or blocks.NOTHING
