"""The journal as people and programs read it."""

import csv
import io
import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from bot.rendering import ids, limits
from bot.rendering.audit import render_audit
from bot.rendering.audit_export import as_csv, as_json, as_table
from bot.rendering.escape import clean
from bot.rendering.views import AuditEntry, AuditPage, SeenMove
from tests.bot.rendering.samples import reading
from tests.bot.rendering.strategies import AUDIT_ENTRIES, TEXTS

slow = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
AT = datetime(2026, 3, 10, 7, 12, 30, 250_000, tzinfo=UTC)
MOVES = tuple(
    SeenMove(wave=1, vm=f"erp-db-0{number}", source="vmstore01", destination="vmstore03") for number in range(1, 6)
)


def entry(**changes: Any) -> AuditEntry:
    given: dict[str, Any] = {
        "id": 7,
        "decided_at": AT,
        "action": "accept",
        "outcome": "done",
        "user_id": "U0ALICE00",
        "user_name": "alice",
        "team_id": "T0HOME",
        "channel_id": "C0STORAGE",
        "tgc": "default",
        "pool_uuid": "uuid-1",
        "pool_name": "Production",
        "recommendation_id": "4711",
        "moves": MOVES,
        "loses_replication": ("erp-db-01",),
        "typed": None,
        "told": "Production: Accepted. The card shows how it goes.",
        "tgc_answer": "The TGC took it.",
        "offer_id": "offer-1",
    }
    return AuditEntry(**given | changes)


REFUSED = entry(
    id=8,
    action="pause",
    outcome="not_allowed",
    user_id="U0CAROL00",
    user_name="carol",
    pool_uuid=None,
    pool_name=None,
    recommendation_id=None,
    moves=None,
    loses_replication=None,
    typed="Production 8",
    told="You are not an approver.",
    tgc_answer=None,
    offer_id=None,
)


def page(*entries: AuditEntry, **changes: Any) -> AuditPage:
    return AuditPage(**{"entries": entries, "total": len(entries), "typed": "", **changes})


def test_an_entry_says_who_did_what_where_and_when_what_was_seen_told_and_answered() -> None:
    message = render_audit(page(REFUSED, entry()))
    assert message.text == (
        "2 entries, newest first."
        " carol (U0CAROL00) · pause: not allowed · 2026-03-10 07:12."
        " alice (U0ALICE00) · accept: done · Production · 2026-03-10 07:12."
    )
    told = reading(message.blocks)
    for line in (
        "Typed: /tintri pause Production 8",
        "Told: You are not an approver.",
        "erp-db-01 from vmstore01 to vmstore03",
        "erp-db-03 from vmstore01 to vmstore03",
        "and 2 more VMs",
        "Would lose replication: erp-db-01",
        "Told: Production: Accepted. The card shows how it goes.",
        "The TGC: The TGC took it.",
    ):
        assert line in told
    assert "erp-db-04" not in told


@pytest.mark.parametrize(
    ("number", "buttons"),
    [
        (0, {ids.AUDIT_OLDER: "1:prod"}),
        (1, {ids.AUDIT_NEWER: "0:prod", ids.AUDIT_OLDER: "2:prod"}),
        (2, {ids.AUDIT_NEWER: "1:prod"}),
    ],
)
def test_a_page_leads_to_its_neighbours(number: int, buttons: dict[str, str]) -> None:
    message = render_audit(page(entry(), total=11, typed="prod", page=number, last=2))
    for form in (message.blocks, message.compact):
        assert {part["action_id"]: part["value"] for part in form[-1]["elements"]} == buttons
    assert f"Page {number + 1} of 3" in str(message.blocks)
    assert message.text.startswith("11 entries about “prod”, newest first.")


def test_nothing_is_said_to_be_nothing() -> None:
    assert render_audit(page()).text == "There are no entries."
    assert render_audit(page(typed="<@U0X>")).text == "There are no entries about “&lt;@U0X&gt;”."


def test_programs_get_every_field_under_its_promised_name() -> None:
    document = json.loads(as_json([REFUSED, entry(ticket="CHG0042", note="after the release")]))
    assert list(document) == ["entries"]
    refused, accepted = document["entries"]
    assert accepted == {
        "id": 7,
        "decided_at": "2026-03-10T07:12:30.250000Z",
        "action": "accept",
        "outcome": "done",
        "user_id": "U0ALICE00",
        "user_name": "alice",
        "team_id": "T0HOME",
        "channel_id": "C0STORAGE",
        "tgc": "default",
        "pool_uuid": "uuid-1",
        "pool_name": "Production",
        "recommendation_id": "4711",
        "moves": [
            {"wave": 1, "vm": f"erp-db-0{number}", "source": "vmstore01", "destination": "vmstore03"}
            for number in range(1, 6)
        ],
        "loses_replication": ["erp-db-01"],
        "typed": None,
        "told": "Production: Accepted. The card shows how it goes.",
        "tgc_answer": "The TGC took it.",
        "offer_id": "offer-1",
        "ticket": "CHG0042",
        "note": "after the release",
        "feedback": None,
    }
    assert list(refused) == list(accepted)
    assert refused["moves"] is None


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_spreadsheets_get_a_row_an_entry_under_the_same_names() -> None:
    refused, accepted = rows(as_csv([REFUSED, entry(moves=MOVES[:2])]))
    assert list(accepted) == list(AuditEntry.__struct_fields__)
    assert accepted["decided_at"] == "2026-03-10T07:12:30.250000Z"
    assert accepted["moves"] == "erp-db-01 from vmstore01 to vmstore03 | erp-db-02 from vmstore01 to vmstore03"
    assert (refused["moves"], refused["pool_name"], refused["typed"]) == ("", "", "Production 8")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", *"\uff1d\uff0b\uff0d\uff20"])
def test_no_cell_is_a_formula(begin: str) -> None:
    formula = f"{begin}HYPERLINK(1)"
    (row,) = rows(as_csv([entry(user_name=formula, pool_name=formula, typed=formula)]))
    assert {row["user_name"], row["pool_name"], row["typed"]} == {f"'{formula.strip()}"}


@slow
@given(st.lists(AUDIT_ENTRIES, max_size=3))
def test_whatever_stands_in_the_journal_csv_and_json_give_it_back(entries: list[AuditEntry]) -> None:
    text = as_csv(entries)
    text.encode()
    found = rows(text)
    assert len(found) == len(entries)
    for row, kept in zip(found, entries, strict=True):
        for field in ("user_name", "pool_name", "typed", "told", "tgc_answer"):
            assert row[field].removeprefix("'") == clean(getattr(kept, field) or "")
            assert not row[field].startswith(("=", "+", "-", "@"))
        assert datetime.fromisoformat(row["decided_at"]) == kept.decided_at
    assert len(text.splitlines()) == len(entries) + 1


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_quote_in_front_of_a_cell_can_be_taken_off_again(name: str) -> None:
    (row,) = rows(as_csv([entry(user_name=name)]))
    cell = row["user_name"]
    assert cell.removeprefix("'") == clean(name)


@given(st.text(st.characters(codec="utf-8")))
def test_json_keeps_what_people_typed_as_it_was(typed: str) -> None:
    assert json.loads(as_json([entry(typed=typed)]))["entries"][0]["typed"] == typed


def on_a_terminal(*entries: AuditEntry) -> str:
    screen = io.StringIO()
    Console(file=screen, width=80, force_terminal=False).print(as_table(entries))
    return screen.getvalue()


def test_a_terminal_of_80_columns_shows_all_of_it() -> None:
    shown = on_a_terminal(REFUSED, entry())
    assert max(map(len, shown.splitlines())) <= 80
    for number in range(1, 6):
        assert f"  erp-db-0{number} from vmstore01 to vmstore03" in shown
    words = " ".join(shown.split())
    for said in (
        "2026-03-10 07:12",
        "alice (U0ALICE00)",
        "pause: not",
        "Typed: /tintri pause Production 8",
        "Production",
    ):
        assert said in words


@slow
@given(st.lists(AUDIT_ENTRIES, min_size=1, max_size=2))
def test_nothing_in_the_journal_steers_a_terminal(entries: list[AuditEntry]) -> None:
    shown = on_a_terminal(*entries)
    assert "\x1b" not in shown
    assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cf", "Cs", "Co"})
    assert [character for character in shown if unicodedata.category(character) == "Cc" and character != "\n"] == []


@given(TEXTS)
def test_a_button_holds_whatever_was_typed(typed: str) -> None:
    message = render_audit(page(entry(), total=99, typed=typed, page=1, last=3))
    for part in message.blocks[-1]["elements"]:
        assert len(part["value"]) <= limits.BUTTON_VALUE
        assert part["value"].partition(":")[0] in {"0", "2"}
