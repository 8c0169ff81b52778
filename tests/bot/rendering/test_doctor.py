import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import limits
from bot.rendering.doctor import as_json, as_text, is_well, render_findings
from bot.rendering.views import Finding, Mark
from tests.bot.rendering.checks import check
from tests.bot.rendering.samples import bold, emoji, text
from tests.bot.rendering.strategies import TEXTS

WELL = Finding(name="login", mark=Mark.OK, sentence="The TGC takes the account bot.")
DOUBTFUL = Finding(name="clock", mark=Mark.WARNING, sentence="The TGC's clock is 5 minutes ahead.", fix="Use NTP.")
WRONG = Finding(name="channel", mark=Mark.ERROR, sentence="The bot is not in C0STORAGE", fix="Type /invite @tintri.")

FINDINGS = st.builds(
    Finding,
    name=st.sampled_from(("TGC", "certificate", "pools")),
    mark=st.sampled_from(Mark),
    sentence=TEXTS,
    fix=TEXTS,
)


def test_a_terminal_gets_a_line_a_check_with_what_to_do_below_it() -> None:
    assert as_text([WELL, DOUBTFUL, WRONG]) == (
        "✓ login        The TGC takes the account bot.\n"
        "! clock        The TGC's clock is 5 minutes ahead.\n"
        "               → Use NTP.\n"
        "✗ channel      The bot is not in C0STORAGE\n"
        "               → Type /invite @tintri.\n"
        "\n"
        "3 checks: 1 failed, 1 to look at.\n"
    )
    assert as_text([WELL]).endswith("\n1 check: all is well.\n")


def test_a_fingerprint_stands_in_a_line_of_its_own_to_be_copied() -> None:
    digits = "0123456789abcdef" * 4
    lines = as_text([Finding(name="certificate", mark=Mark.OK, sentence=f"It is trusted. SHA-256 {digits}.")])
    assert f"\n               {digits}.\n" in lines


def test_programs_get_every_field_under_its_promised_name() -> None:
    assert json.loads(as_json([WELL, WRONG])) == {
        "ok": False,
        "findings": [
            {"name": "login", "mark": "ok", "sentence": "The TGC takes the account bot.", "fix": ""},
            {
                "name": "channel",
                "mark": "error",
                "sentence": "The bot is not in C0STORAGE",
                "fix": "Type /invite @tintri.",
            },
        ],
    }
    assert json.loads(as_json([WELL, DOUBTFUL]))["ok"] is True


def test_what_cannot_be_known_is_no_failure() -> None:
    assert is_well([WELL, DOUBTFUL])
    assert not is_well([WELL, WRONG])


def test_slack_shows_the_same_and_the_notification_what_is_wrong_first() -> None:
    message = render_findings([WELL, DOUBTFUL, WRONG])
    assert message.text == (
        "3 checks: 1 failed, 1 to look at. channel: The bot is not in C0STORAGE. Type /invite @tintri. "
        "clock: The TGC's clock is 5 minutes ahead. Use NTP."
    )
    (block,) = message.blocks
    lines = [line["elements"] for line in block["elements"][1]["elements"]]
    assert lines[0] == [emoji("white_check_mark"), text(" "), bold("login"), text(": The TGC takes the account bot.")]
    assert [line[0]["name"] for line in lines] == ["white_check_mark", "warning", "x"]
    check(message)


def test_what_is_wrong_is_shown_however_many_checks_there_are() -> None:
    message = render_findings([WELL] * 60 + [WRONG])
    assert "and 37 more, which tintri-bot doctor prints" in str(message.blocks)
    assert str(message.blocks).count("C0STORAGE") == 1


@given(st.lists(FINDINGS, max_size=40))
def test_whatever_was_found_slack_takes_it_and_it_pings_nobody(findings: list[Finding]) -> None:
    check(render_findings(findings))


def test_the_longest_answer_stays_below_what_slack_takes() -> None:
    long = Finding(name="certificate", mark=Mark.ERROR, sentence="&" * 500, fix="<" * 500)
    (block,) = render_findings([long] * 40).blocks
    leaves = [leaf for line in block["elements"][1]["elements"] for leaf in line["elements"]]
    escaped = sum(len(str(leaf.get("text", "")).replace("&", "&amp;").replace("<", "&lt;")) for leaf in leaves)
    assert escaped + 100 * len(block["elements"][1]["elements"]) <= limits.MESSAGE_SIZE


@given(st.lists(FINDINGS, max_size=5))
def test_nothing_found_steers_a_terminal_or_breaks_json(findings: list[Finding]) -> None:
    shown = as_text(findings)
    assert max(map(len, shown.splitlines())) <= 80
    assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cf", "Cs", "Co"})
    assert [character for character in shown if unicodedata.category(character) == "Cc" and character != "\n"] == []
    assert len(json.loads(as_json(findings))["findings"]) == len(findings)
