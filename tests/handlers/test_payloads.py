"""Reading what Slack sends: whatever it is, a record or one kind of error comes out."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.payloads import (
    MAX_TEXT,
    MalformedPayloadError,
    read_click,
    read_command,
    read_home_opened,
    read_page,
    read_submission,
)

CLICK: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1", "name": "alice", "username": "alice", "team_id": "T1"},
    "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1", "is_ephemeral": False},
    "channel": {"id": "C1", "name": "ops"},
    "trigger_id": "1.2.a",
    "actions": [{"type": "button", "action_id": "reco_accept", "value": "offer", "action_ts": "3.4"}],
}
IN_A_VIEW: dict[str, Any] = {
    **{name: value for name, value in CLICK.items() if name != "channel"},
    "container": {"type": "view", "view_id": "V1"},
    "view": {"id": "V1", "private_metadata": "offer"},
}
COMMAND = {
    "command": "/tintri",
    "text": "  reco  Prod ",
    "team_id": "T1",
    "user_id": "U1",
    "user_name": "alice",
    "channel_id": "C1",
    "trigger_id": "1.2.a",
}
SUBMISSION: dict[str, Any] = {
    "type": "view_submission",
    "team": {"id": "T1"},
    "user": {"id": "U1", "username": "alice", "name": "alice", "team_id": "T1"},
    "trigger_id": "1.2.a",
    "view": {
        "id": "V1",
        "callback_id": "plan",
        "hash": "1773123456.abcd",
        "private_metadata": "offer",
        "state": {"values": {"b1": {"when": {"type": "datetimepicker", "selected_date_time": 1773156000}}}},
    },
}
HOME_OPENED: dict[str, Any] = {
    "type": "event_callback",
    "team_id": "T1",
    "event": {
        "type": "app_home_opened",
        "user": "U1",
        "channel": "D1",
        "tab": "home",
        "view": {"id": "V1", "type": "home", "hash": "1773123456.abcd"},
    },
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class TestClick:
    def test_in_a_message(self) -> None:
        click = read_click(CLICK)
        assert (click.actor.team_id, click.actor.user_id, click.actor.name) == ("T1", "U1", "alice")
        assert (click.action_id, click.value, click.channel_id, click.view_id) == ("reco_accept", "offer", "C1", None)
        assert not click.is_ephemeral

    def test_in_a_view(self) -> None:
        click = read_click(IN_A_VIEW)
        assert (click.view_id, click.private_metadata, click.channel_id) == ("V1", "offer", None)
        assert not click.is_in_home
        assert read_click({**IN_A_VIEW, "view": {**IN_A_VIEW["view"], "type": "home"}}).is_in_home

    def test_in_an_answer_for_one_person(self) -> None:
        assert read_click({**CLICK, "container": {**CLICK["container"], "is_ephemeral": True}}).is_ephemeral

    def test_somebodys_own_team_counts_and_not_the_apps(self) -> None:
        assert read_click({**CLICK, "user": {"id": "U1", "team_id": "T2"}}).actor.team_id == "T2"

    def test_a_redelivery_has_the_same_id_and_any_other_press_another(self) -> None:
        again = read_click({**CLICK, "trigger_id": "9.9.z"})
        (action,) = CLICK["actions"]
        others = (
            {**CLICK, "user": {**CLICK["user"], "id": "U2"}},
            {**CLICK, "actions": [{**action, "action_ts": "5.6"}]},
            {**CLICK, "actions": [{**action, "action_id": "reco_dismiss"}]},
            {**CLICK, "container": {**CLICK["container"], "message_ts": "7.8"}},
            IN_A_VIEW,
        )
        assert again.id == read_click(CLICK).id
        assert len({again.id, *(read_click(other).id for other in others)}) == 1 + len(others)

    @pytest.mark.parametrize("name", ["user", "actions"])
    def test_what_is_needed_must_be_there(self, name: str) -> None:
        with pytest.raises(MalformedPayloadError):
            read_click({key: value for key, value in CLICK.items() if key != name})

    @pytest.mark.parametrize("odd", ["\ud800", "a\x00b"])
    def test_what_no_database_takes_is_malformed(self, odd: str) -> None:
        (action,) = CLICK["actions"]
        for changes in (
            {"user": {"id": "U1", "name": odd}},
            {"actions": [{**action, "value": odd}]},
            {"trigger_id": odd},
        ):
            with pytest.raises(MalformedPayloadError):
                read_click({**CLICK, **changes})
        for name in COMMAND:
            if name != "command":
                with pytest.raises(MalformedPayloadError):
                    read_command({**COMMAND, name: odd})

    @given(st.sampled_from(sorted(CLICK)), JSON)
    def test_anything_else_is_malformed_and_nothing_worse(self, name: str, value: Any) -> None:
        with contextlib.suppress(MalformedPayloadError):
            read_click({**CLICK, name: value})


class TestHomeOpened:
    def test_who_opened_what_and_what_it_shows(self) -> None:
        opened = read_home_opened(HOME_OPENED)
        assert (opened.actor.team_id, opened.actor.user_id, opened.tab) == ("T1", "U1", "home")
        assert opened.slack_hash == "1773123456.abcd"

    def test_before_anything_was_published_there_is_no_hash(self) -> None:
        event = {name: value for name, value in HOME_OPENED["event"].items() if name != "view"}
        assert read_home_opened({**HOME_OPENED, "event": event}).slack_hash is None

    @given(st.sampled_from(sorted(HOME_OPENED["event"])), JSON)
    def test_anything_else_is_malformed_and_nothing_worse(self, name: str, value: Any) -> None:
        with contextlib.suppress(MalformedPayloadError):
            read_home_opened({**HOME_OPENED, "event": {**HOME_OPENED["event"], name: value}})
        with contextlib.suppress(MalformedPayloadError):
            read_home_opened({**HOME_OPENED, "event": value})


class TestSubmission:
    def test_what_was_filled_in(self) -> None:
        submission = read_submission(SUBMISSION)
        assert (submission.actor.team_id, submission.actor.user_id, submission.actor.name) == ("T1", "U1", "alice")
        assert (submission.callback_id, submission.view_id, submission.private_metadata) == ("plan", "V1", "offer")
        assert submission.moment("when") == datetime(2026, 3, 10, 15, 20, tzinfo=UTC)
        assert submission.moment("other") is None

    def test_words_and_choices(self) -> None:
        state = {
            "values": {
                "b1": {"typed": {"type": "plain_text_input", "value": " CHG0042\n"}},
                "b2": {"blank": {"type": "plain_text_input", "value": "  "}, "none": {"value": None}},
                "b3": {"chosen": {"selected_option": {"text": {}, "value": "YES"}}, "open": {"selected_option": None}},
            }
        }
        view = {**SUBMISSION["view"], "state": state, "private_metadata": "offer:a [rule]: b"}
        submission = read_submission({**SUBMISSION, "view": view})
        assert [submission.text(name) for name in ("typed", "blank", "none", "other")] == ["CHG0042", None, None, None]
        assert [submission.choice(name) for name in ("chosen", "open", "other")] == ["YES", None, None]
        assert (submission.offer_id, submission.rule) == ("offer", "a [rule]: b")

    def test_somebodys_own_team_counts_and_not_the_apps(self) -> None:
        assert read_submission({**SUBMISSION, "user": {"id": "U1", "team_id": "T2"}}).actor.team_id == "T2"

    def test_a_redelivery_has_the_same_id_and_any_other_submission_another(self) -> None:
        again = read_submission({**SUBMISSION, "trigger_id": "9.9.z"})
        others = (
            {**SUBMISSION, "user": {**SUBMISSION["user"], "id": "U2"}},
            {**SUBMISSION, "view": {**SUBMISSION["view"], "id": "V2"}},
            {**SUBMISSION, "view": {**SUBMISSION["view"], "hash": "1773123457.abcd"}},
        )
        assert again.id == read_submission(SUBMISSION).id
        assert len({again.id, *(read_submission(other).id for other in others)}) == 1 + len(others)

    @pytest.mark.parametrize("name", ["user", "view"])
    def test_what_is_needed_must_be_there(self, name: str) -> None:
        with pytest.raises(MalformedPayloadError):
            read_submission({key: value for key, value in SUBMISSION.items() if key != name})

    @pytest.mark.parametrize("odd", [-1, 10**10, 10**400, "1773156000", 1.5, True, []])
    def test_a_moment_that_no_picker_gives_is_malformed(self, odd: Any) -> None:
        state = {"values": {"b1": {"when": {"selected_date_time": odd}}}}
        with pytest.raises(MalformedPayloadError):
            read_submission({**SUBMISSION, "view": {**SUBMISSION["view"], "state": state}})

    @given(st.sampled_from(sorted(SUBMISSION)), JSON)
    def test_anything_else_is_malformed_and_nothing_worse(self, name: str, value: Any) -> None:
        with contextlib.suppress(MalformedPayloadError):
            read_submission({**SUBMISSION, name: value})

    @given(st.sampled_from(sorted(SUBMISSION["view"])), JSON)
    def test_any_view_is_malformed_and_nothing_worse(self, name: str, value: Any) -> None:
        with contextlib.suppress(MalformedPayloadError):
            read_submission({**SUBMISSION, "view": {**SUBMISSION["view"], name: value}})


@pytest.mark.parametrize(
    ("value", "page"), [("0", 0), ("12", 12), ("", 0), ("-1", 0), ("1.5", 0), ("٣", 0), ("9" * 5_000, 0), ("x", 0)]
)
def test_the_page_of_a_button(value: str, page: int) -> None:
    assert read_page(value) == page


class TestCommand:
    def test_a_backslash_is_a_backslash(self) -> None:
        assert read_command({**COMMAND, "text": "\\u0000"}).text == "\\u0000"

    def test_what_was_typed(self) -> None:
        command = read_command(COMMAND)
        assert (command.text, command.channel_id, command.actor.user_id) == ("reco  Prod", "C1", "U1")

    def test_a_redelivery_has_the_same_id(self) -> None:
        assert read_command(COMMAND).id == read_command({**COMMAND}).id
        assert read_command(COMMAND).id != read_command({**COMMAND, "trigger_id": "other"}).id

    def test_nobody_types_a_novel(self) -> None:
        assert len(read_command({**COMMAND, "text": "x" * 9_000}).text) == MAX_TEXT

    def test_without_anybody_it_is_malformed(self) -> None:
        for name in ("team_id", "user_id"):
            with pytest.raises(MalformedPayloadError):
                read_command({key: value for key, value in COMMAND.items() if key != name})

    @given(st.dictionaries(st.sampled_from(sorted(COMMAND)), JSON))
    def test_anything_else_is_malformed_and_nothing_worse(self, body: dict[str, Any]) -> None:
        with contextlib.suppress(MalformedPayloadError):
            read_command(body)
