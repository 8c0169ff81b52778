"""What the doctor found: for a terminal, for programs (JSON) and for Slack. docs/doctor.md describes the second."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

import msgspec

from bot.rendering import blocks, ids, limits, words
from bot.rendering.escape import clean, escape, shorten, shorten_bytes
from bot.rendering.phrase import WARNING, Phrase, Sign, Strong
from bot.rendering.plain import WIDTH
from bot.rendering.views import Finding, Mark, Message

SIGNS = {
    Mark.OK: Sign("white_check_mark", "✓"),
    Mark.WARNING: WARNING,
    Mark.ERROR: Sign("x", "✗"),
}
_NAME_WIDTH = len("certificate")
_LINES = 24
_SENTENCE, _FIX = 260, 120
"""With the 24 lines that stays below what Slack takes (limits.MESSAGE_SIZE)."""


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong; what cannot be known is not wrong."""
    return not any(finding.mark is Mark.ERROR for finding in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """Lines of at most 80 columns."""
    lines = [line for finding in findings for line in _lines(finding)]
    return "\n".join([*lines, "", f"{headline(findings)}."]) + "\n"


def as_json(findings: Sequence[Finding]) -> str:
    document = {"ok": is_well(findings), "findings": [_cleaned(finding) for finding in findings]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def render_findings(findings: Sequence[Finding]) -> Message:
    """What is wrong comes through however much there is to say."""
    shown = findings if len(findings) <= _LINES else sorted(findings, key=_rank)[:_LINES]
    lines = [_line(finding) for finding in shown]
    if len(findings) > _LINES:
        lines.append((f"and {len(findings) - _LINES:,} more, which tintri-bot doctor prints",))
    head = f"{headline(findings)}."
    troubles = (finding for finding in sorted(shown, key=_rank) if finding.mark is not Mark.OK)
    text = " ".join((head, *(f"{_name(finding)}: {words.stopped(_said(finding))}" for finding in troubles)))
    return Message(
        text=escape(shorten_bytes(text, limits.MESSAGE_TEXT_BYTES)),
        blocks=(blocks.bullets([((Strong(head),), lines)]),),
        compact=(blocks.section(text),),
    )


def render_click(value: str) -> Message:
    """What is posted to somebody whose press is waited for."""
    text = "Somebody runs tintri-bot doctor, to see whether presses reach the bot. Please press the button."
    button = blocks.actions([blocks.button("Press me", ids.DOCTOR_CLICK, value)])
    return Message(text=text, blocks=(blocks.section(text), button))


def headline(findings: Iterable[Finding]) -> str:
    """`17 checks: 1 failed, 2 to look at`."""
    marks = [finding.mark for finding in findings]
    failed, doubtful = marks.count(Mark.ERROR), marks.count(Mark.WARNING)
    parts = [f"{failed:,} failed"] if failed else []
    if doubtful:
        parts.append(f"{doubtful:,} to look at")
    return f"{words.counted(len(marks), 'check', 'checks')}: {', '.join(parts) or 'all is well'}"


def _lines(finding: Finding) -> list[str]:
    indent = " " * (_NAME_WIDTH + 4)
    first = f"{SIGNS[finding.mark].plain} {_name(finding):<{_NAME_WIDTH}}  "
    lines = wrap(clean(finding.sentence), WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
    if finding.fix:
        lines += wrap(
            clean(finding.fix),
            WIDTH,
            initial_indent=f"{indent}→ ",
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
        )
    return lines


def _line(finding: Finding) -> Phrase:
    return (SIGNS[finding.mark], " ", Strong(_name(finding)), f": {_said(finding)}")


def _said(finding: Finding) -> str:
    sentence, fix = shorten(clean(finding.sentence), _SENTENCE), shorten(clean(finding.fix), _FIX)
    return f"{words.stopped(sentence)} {fix}" if fix else sentence


def _name(finding: Finding) -> str:
    return clean(finding.name)


def _cleaned(finding: Finding) -> Finding:
    return Finding(
        name=clean(finding.name), mark=finding.mark, sentence=clean(finding.sentence), fix=clean(finding.fix)
    )


def _rank(finding: Finding) -> int:
    return (Mark.ERROR, Mark.WARNING, Mark.OK).index(finding.mark)
