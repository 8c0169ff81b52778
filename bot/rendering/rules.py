"""The permanent rules of VMs that were set here, each with the button that clears it."""

from collections.abc import Iterable

from bot.rendering import blocks, ids, limits, words
from bot.rendering.content import name
from bot.rendering.escape import clean, shorten, shorten_name
from bot.rendering.phrase import Code, Person, Phrase, Strong, When, joined, mrkdwn
from bot.rendering.views import Block, Message, RulesPage, RuleView

RULES_PER_PAGE = 8
_COVERS = (
    "The Tintri Global Center does not tell which rules hold. Listed is what it took from here; rules that are set, "
    "changed or cleared in its own pages do not show."
)


def render_rules(page: RulesPage, said: str | None = None) -> Message:
    """`said`: what came of the button that was pressed here."""
    head = _head(page)
    first = [blocks.section(shorten(clean(said), limits.PROBLEM))] if said else []
    turner = tuple(_page_turner(page))
    text: Phrase = joined([(clean(said or head),), *map(_line, page.rules)], " ")
    shown = [block for rule in page.rules for block in _rule(rule)]
    return Message(
        text=mrkdwn(text, limits.MESSAGE_TEXT_BYTES),
        blocks=(
            *first,
            blocks.paragraph((Strong(head),)),
            *shown,
            blocks.plain_context(_COVERS),
            *turner,
        ),
        compact=(blocks.mrkdwn_section(text), *turner),
    )


def _head(page: RulesPage) -> str:
    about = f" in “{shorten_name(clean(page.typed), limits.NAME)}”" if page.typed else ""
    if not page.total:
        return f"No VM{about} has a rule that was set here."
    return f"{words.counted(page.total, 'VM has a rule', 'VMs have a rule')} that was set here{about}."


def _rule(rule: RuleView) -> Iterable[Block]:
    yield blocks.paragraph(_line(rule))
    confirm = blocks.confirm(
        title="Clear this rule?",
        text=f"Without the rule the next analysis may plan {_vm(rule)} in {_pool(rule)} again.",
        yes="Clear",
        no="Keep it",
        style="primary",
    )
    yield blocks.actions([blocks.button("Clear", ids.CLEAR_RULE, rule.id, confirm=confirm)])


def _line(rule: RuleView) -> Phrase:
    """`erp-db-01 in Production: never to move · set by @alice today at 07:12`."""
    who: Phrase = (Person(rule.user_id), " ", When(rule.asked_at))
    head: Phrase = (Strong(_vm(rule)), f" in {_pool(rule)}: {shorten(clean(rule.rule), limits.SENTENCE)} · ")
    if rule.is_known:
        return (*head, "set by ", *who, ".")
    asked = "clearing was asked for by " if rule.clears else "asked for by "
    holds = "may be cleared already" if rule.clears else "may not hold"
    return (*head, asked, *who, f", and the TGC's answer was lost: it {holds}. ", Code("Clear"), " settles that.")


def _vm(rule: RuleView) -> str:
    return shorten_name(name(rule.vm_name, "unnamed VM"), limits.NAME)


def _pool(rule: RuleView) -> str:
    return shorten_name(name(rule.pool_name, "an unnamed pool"), limits.NAME)


def _page_turner(page: RulesPage) -> Iterable[Block]:
    if page.last == 0:
        return
    yield blocks.plain_context(f"Page {page.page + 1:,} of {page.last + 1:,}")
    buttons = []
    if page.page > 0:
        buttons.append(blocks.button("Previous", ids.RULES_PREVIOUS, _page_value(page.page - 1, page.typed)))
    if page.page < page.last:
        buttons.append(blocks.button("Next", ids.RULES_NEXT, _page_value(page.page + 1, page.typed)))
    yield blocks.actions(buttons)


def _page_value(page: int, typed: str) -> str:
    return shorten(f"{page}:{clean(typed)}", limits.BUTTON_VALUE)
