"""The home tab of one person: what waits for them, what runs, all pools in a line each, who decided what last."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.rendering import blocks, limits, numbers, standing, words
from bot.rendering.bars import PROGRESS_CELLS, bar, share
from bot.rendering.card import footer, render_card
from bot.rendering.content import content, name
from bot.rendering.escape import shorten, shorten_name
from bot.rendering.forms import render_message
from bot.rendering.phrase import WARNING, Link, Person, Phrase, Sign, Strong, When, joined
from bot.rendering.views import AuditEntry, Block, CardView, HomeView, Message, PoolGlance, Standing, TgcGlance, View
from tgc.models import PoolStat

CARDS_SHOWN = 8
"""Of those that wait, and of those that run."""
POOLS_SHOWN = 30
TGCS_SHOWN = 10
_TITLE = "Tintri"
_TO_DECIDE, _RUNS, _QUIET = range(3)
"""How urgent a pool is; the smaller, the more."""
_URGENCY = {Standing.OFFERED: _TO_DECIDE, Standing.DECIDING: _TO_DECIDE, Standing.RUNNING: _RUNS}
_SIGNS = {
    _TO_DECIDE: Sign("red_circle", "!"),
    _RUNS: Sign("arrow_forward", "▶"),
    _QUIET: Sign("white_circle", "○"),
}
_COUNTED = {_TO_DECIDE: "to decide", _RUNS: "running"}
_DEEDS = {
    "accept": "accepted",
    "dismiss": "dismissed",
    "reopen": "reopened",
    "cancel": "cancelled",
    "plan": "accept planned",
    "cancel_plan": "plan cancelled",
    "leave_out": "VMs left out",
    "choose_issues": "another one asked for",
    "set_rule": "rule for VMs set",
    "clear_rule": "rule for a VM cleared",
    "pause": "accepting paused",
    "resume": "accepting resumed",
}
DEEDS = tuple(_DEEDS)
"""What is told of the journal: what everybody sees on cards, too."""


def render_home(view: HomeView) -> View:
    return _home([*_waiting(view), *_running(view), *_pools(view), *_decided(view), *_foot(view)])


def render_closed_home(sentence: str) -> View:
    """For those whom the bot does not answer, and for when it cannot."""
    return _home([blocks.section(sentence)])


def render_reply(message: Message) -> View:
    """The answer to a press in a home, as a modal: nothing else is there to answer in."""
    return render_message(_TITLE, message)


def _home(drawn: list[Block]) -> View:
    return {"type": "home", "blocks": drawn}


def _waiting(view: HomeView) -> Iterable[Block]:
    yield blocks.header("Waits for you")
    if not view.waiting:
        yield blocks.section("Nothing.")
    for card in view.waiting[:CARDS_SHOWN]:
        yield from render_card(card).compact
    yield from _more(view.waiting, "recommendation waits", "recommendations wait")


def _running(view: HomeView) -> Iterable[Block]:
    if not view.running:
        return
    yield blocks.header("Running")
    for card in view.running[:CARDS_SHOWN]:
        yield from _run(card)
    yield from _more(view.running, "recommendation runs", "recommendations run")


def _run(card: CardView) -> Iterable[Block]:
    """`Production  ▇▇▇▇▇▇▇▇▁▁  7 of 9 VMs moved, running · accepted by @alice today at 07:12`."""
    story = content(card)
    pool: Phrase = (
        Strong(shorten_name(story.pool, limits.NAME)),
        f"  {bar(story.moved_percent, PROGRESS_CELLS)}".rstrip(),
    )
    told: list[Phrase] = [(*pool, f"  {standing.gist(card, story)}")]
    told += [who] if (who := standing.accepted_when(card)) else []
    yield blocks.paragraph(joined(told, " · "))
    if story.failed or story.stalled:
        yield blocks.paragraph((WARNING, " ", *_trouble(len(story.failed), len(story.stalled))))
    yield from footer(card, story)


def _trouble(failed: int, stalled: int) -> Phrase:
    counted = (
        f"{words.counted(failed, 'move is', 'moves are')} in trouble or failed" if failed else "",
        f"{words.counted(stalled, 'move makes', 'moves make')} no progress" if stalled else "",
    )
    return (f"{', '.join(filter(None, counted))}: see Details.",)


def _more(cards: Sequence[CardView], one: str, many: str) -> Iterable[Block]:
    rest = len(cards) - CARDS_SHOWN
    if rest > 0:
        yield blocks.plain_context(
            f"{words.counted(rest, f'more {one}', f'more {many}')}: /tintri reco shows all pools."
        )


def _pools(view: HomeView) -> Iterable[Block]:
    yield blocks.header("Pools")
    if not view.pools:
        yield blocks.section("No pool was read yet.")
        return
    by_urgency = sorted(view.pools, key=_urgency)
    yield blocks.bullets([((_summary(view.pools),), [_pool(pool) for pool in by_urgency[:POOLS_SHOWN]])])
    rest = len(by_urgency) - POOLS_SHOWN
    if rest > 0:
        yield blocks.plain_context(f"and {words.counted(rest, 'more pool', 'more pools')}: /tintri reco shows all.")


def _summary(pools: Sequence[PoolGlance]) -> str:
    """`12 pools, 1 to decide, 1 running`."""
    urgencies = Counter(map(_urgency, pools))
    urgent = [f"{urgencies[urgency]:,} {what}" for urgency, what in _COUNTED.items() if urgencies[urgency]]
    return ", ".join((words.counted(len(pools), "pool", "pools"), *urgent))


def _urgency(pool: PoolGlance) -> int:
    return _QUIET if pool.view is None else _URGENCY.get(pool.view.standing, _QUIET)


def _pool(pool: PoolGlance) -> Phrase:
    figures = _figures(pool.stat) if pool.stat else ""
    head = Strong(shorten_name(name(pool.pool_name, "Unnamed pool"), limits.NAME))
    return (_SIGNS[_urgency(pool)], " ", head, f"  {_state(pool.view)}", f"\n{figures}" if figures else "")


def _state(view: CardView | None) -> str:
    if view is None or view.standing.is_end:
        return "nothing to decide"
    return shorten(standing.gist(view, content(view)), limits.SENTENCE)


def _figures(stat: PoolStat) -> str:
    """`▇▇▇▇▁ 78 % of 61,440 GiB · 38,211 IOPS · 1.9 ms`, as far as the TGC gives them."""
    return " · ".join(
        filter(None, (_space(stat), _with("{} IOPS", numbers.count(_real(stat.operations_total_iops))), _latency(stat)))
    )


def _space(stat: PoolStat) -> str:
    total, used = _real(stat.space_total_gib), _real(stat.space_used_physical_gib)
    if used is None:
        return ""
    if not total:
        return f"{numbers.gib(used)} used"
    percent = 100 * used / total
    return f"{share(numbers.whole_percent(percent) or '', percent)} of {numbers.gib(total)}"


def _latency(stat: PoolStat) -> str:
    return _with("{} latency", numbers.ms(_real(stat.latency_total_ms)))


def _with(form: str, value: str | None) -> str:
    return form.format(value) if value else ""


def _real(number: float | None) -> float | None:
    """The TGC writes -1 where it knows nothing."""
    value = numbers.finite(number)
    return None if value is None or value < 0 else value


def _decided(view: HomeView) -> Iterable[Block]:
    if view.decided:
        yield blocks.header("Decided last")
        yield blocks.bullets([(("By people in Slack",), [_deed(entry) for entry in view.decided])])


def _deed(entry: AuditEntry) -> Phrase:
    """`Production  accepted by @alice today at 07:12`."""
    where = name(entry.pool_name, "unnamed pool") if entry.pool_uuid else "Every pool"
    deed = _DEEDS.get(entry.action, entry.action)
    return (
        Strong(shorten_name(where, limits.NAME)),
        f"  {deed} by ",
        Person(entry.user_id),
        " ",
        When(entry.decided_at),
    )


def _foot(view: HomeView) -> Iterable[Block]:
    for tgc in view.tgcs[:TGCS_SHOWN]:
        yield from _tgc(tgc, is_one_of_many=len(view.tgcs) > 1)


def _tgc(tgc: TgcGlance, *, is_one_of_many: bool) -> Iterable[Block]:
    shown = shorten_name(name(tgc.name, "Tintri Global Center"), limits.NAME)
    if tgc.failing_since:
        which = shown if is_one_of_many else "Tintri Global Center"
        cannot: Phrase = (WARNING, " ", Strong(f"{which} cannot be read since "), When(tgc.failing_since))
        yield blocks.paragraph((*cannot, ": what stands here may be out of date."))
    link = Link(tgc.url, shown)
    yield blocks.context(("Figures of ", When(tgc.read_at), " · ", link) if tgc.read_at else (link,))
