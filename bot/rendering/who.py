"""What somebody may do here and why, for them alone."""

from collections.abc import Iterable

from bot.rendering import limits, words
from bot.rendering.answers import render_sentence
from bot.rendering.content import name
from bot.rendering.escape import clean, shorten, shorten_name
from bot.rendering.lists import Group, cut, render_lists
from bot.rendering.phrase import Phrase, Strong
from bot.rendering.views import Hindrance, Message, RuleForYou, WhoView

RULES_SHOWN = 6
_NAMES_SHOWN = 3
_HINDRANCES_SHOWN = 2
_HINDRANCE = 240
_NAME = 40
"""Names are shorter here than on a card, for an answer holds several rules."""

_ACTS = "accept, plan, change, dismiss, reopen, cancel, snooze, pause and resume"


def render_who(who: WhoView) -> Message:
    """Rules by which this person may act come first."""
    if who.refusal is not None:
        return render_sentence(f"{_sentence(who.refusal)} So you may neither read nor act here.")
    rules = sorted(who.rules, key=lambda rule: rule.refusal is not None)
    groups: list[Group] = [((Strong("You"),), list(_you(who)))]
    groups += [((Strong(_heading(rule)),), list(_lines(rule))) for rule in rules[:RULES_SHOWN]]
    more = len(rules) - RULES_SHOWN
    if more > 0:
        may = sum(1 for rule in rules[RULES_SHOWN:] if rule.refusal is None)
        groups.append(((f"and {words.counted(more, 'more rule', 'more rules')}; by {may:,} of them you may act",), ()))
    return render_lists(groups)


def _you(who: WhoView) -> Iterable[Phrase]:
    yield ("You are a full member of this workspace, so you may read everything that the bot shows but the audit.",)
    if who.may_anywhere:
        yield ("You may read the audit and pause every pool at once, as you may act in some pool.",)
    if who.may_everywhere:
        yield ("You may end a pause of every pool that somebody else made, as you may act wherever anybody may.",)
    if who.problem is not None:
        yield (f"Which pools there are is not known now, so here is what the rules say: {_sentence(who.problem)}",)


def _heading(rule: RuleForYou) -> str:
    """The pools; where they are not known, the rule."""
    return _pools(rule.pool_names) or shorten_name(clean(rule.rule), limits.NAME)


def _lines(rule: RuleForYou) -> Iterable[Phrase]:
    if rule.refusal is not None:
        yield (f"You may not act: {_sentence(rule.refusal)}",)
        return
    yield (f"You may {_ACTS}: {_why(rule)}.",)
    if rule.two_for:
        yield (f"Two people must accept {', and '.join(map(clean, rule.two_for))}.",)
    yield from cut([(_but(hindrance),) for hindrance in rule.hindrances], _HINDRANCES_SHOWN)


def _but(hindrance: Hindrance) -> str:
    """`But now in Production: Accepting is paused.`."""
    where = f" in {_pools(hindrance.pool_names)}" if hindrance.pool_names else ""
    return f"But now{where}: {_sentence(hindrance.sentence, _HINDRANCE)}"


def _pools(pool_names: tuple[str, ...]) -> str:
    names = tuple(shorten_name(name(pool, "unnamed pool"), _NAME) for pool in pool_names)
    return words.listed(names, _NAMES_SHOWN)


def _why(rule: RuleForYou) -> str:
    named_in = shorten_name(clean(rule.named_in), limits.NAME)
    if rule.everyone:
        return f"{named_in} names every full member"
    if rule.group_id is not None:
        return f"you are in the user group {shorten_name(clean(rule.group_id), _NAME)}, which {named_in} names"
    return f"{named_in} names you"


def _sentence(text: str, limit: int = limits.PROBLEM) -> str:
    return words.stopped(shorten(clean(text), limit) or "no reason is known")
