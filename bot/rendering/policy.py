"""What each policy makes of what pools have now, for one person."""

from bot.rendering import limits
from bot.rendering.answers import render_sentence
from bot.rendering.content import name
from bot.rendering.escape import clean, shorten, shorten_name
from bot.rendering.lists import Group, cut, render_lists
from bot.rendering.phrase import Phrase, Strong, When
from bot.rendering.views import Message, PolicyLine, PolicyView
from bot.rendering.words import counted, stopped

POOLS_SHOWN = 8
POLICIES_SHOWN = 8
_NO_POLICIES = "There are no policies, so nothing is accepted unless somebody asks for it."


def render_policies(pools: tuple[PolicyView, ...]) -> Message:
    if not any(pool.lines for pool in pools) and not any(pool.problem for pool in pools):
        return render_sentence(_NO_POLICIES)
    groups: list[Group] = [((Strong(_pool(pool)),), _lines(pool)) for pool in pools[:POOLS_SHOWN]]
    more = len(pools) - POOLS_SHOWN
    if more > 0:
        groups.append(((f"and {counted(more, 'more pool', 'more pools')}: type /tintri policy and a pool's name",), ()))
    return render_lists(groups)


def _lines(pool: PolicyView) -> list[Phrase]:
    if pool.problem is not None:
        return [(_sentence(pool.problem),)]
    return cut([_line(line) for line in pool.lines], POLICIES_SHOWN) or [(_NO_POLICIES,)]


def _line(line: PolicyLine) -> Phrase:
    """`nights: accepts this today at 22:00, unless that changes.`."""
    head: Phrase = (Strong(shorten_name(clean(line.policy), limits.NAME)), " (dry run): " if line.is_dry else ": ")
    if line.why_not:
        return (*head, _sentence(f"does not match, because {'; '.join(line.why_not)}"))
    if line.held_back:
        return (*head, _sentence(f"matches, and does nothing now: {line.held_back}"))
    verb = "matches, and would accept this " if line.is_dry else "matches, and accepts this "
    return (*head, verb, *((When(line.at),) if line.at else ("now",)), ", unless that changes.")


def _pool(pool: PolicyView) -> str:
    return shorten_name(name(pool.pool_name, "an unnamed pool"), limits.NAME)


def _sentence(text: str) -> str:
    return stopped(shorten(clean(text), limits.PROBLEM))
