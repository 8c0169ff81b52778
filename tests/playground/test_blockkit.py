"""Each limit is met exactly and passed by one; the words are those of Slack's own refusals."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.blockkit import MESSAGE_LIMIT, escaped, message_size, validate_message, validate_view

Block = dict[str, Any]


def plain(text: str = "x") -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> Block:
    return {"type": "mrkdwn", "text": text}


def section(**parts: Any) -> Block:
    return {"type": "section", "text": mrkdwn(), **parts}


def button(**parts: Any) -> Block:
    return {"type": "button", "text": plain(), **parts}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def options(count: int) -> list[Block]:
    return [{"text": plain(f"Option {number}"), "value": str(number)} for number in range(count)]


def confirm(**parts: Any) -> Block:
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **parts}


def image(**parts: Any) -> Block:
    return {"type": "image", "alt_text": "x", "image_url": "https://example.com/x.png", **parts}


def typed(element: Block) -> Block:
    return {"type": "input", "label": plain(), "element": element}


def rich(*leaves: Block) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}


def table(*rows: list[Block]) -> Block:
    return {"type": "table", "rows": list(rows)}


def cell(text: str = "x") -> Block:
    return {"type": "raw_text", "text": text}


def modal(*blocks: Block, **parts: Any) -> Block:
    return {"type": "modal", "title": plain(), "blocks": list(blocks), **parts}


def said(blocks: Any) -> list[str]:
    return [str(problem) for problem in validate_message(blocks)]


def said_of_view(view: Any) -> list[str]:
    return [str(problem) for problem in validate_view(view)]


TEXT_LIMITS: list[tuple[str, int, str, Callable[[str], Block]]] = [
    ("header", 150, "/text/text", lambda text: {"type": "header", "text": plain(text)}),
    ("section", 3000, "/text/text", lambda text: section(text=mrkdwn(text))),
    ("field", 2000, "/fields/0/text", lambda text: {"type": "section", "fields": [mrkdwn(text)]}),
    ("block_id", 255, "/block_id", lambda text: {"type": "divider", "block_id": text}),
    ("context", 3000, "/elements/0/text", lambda text: {"type": "context", "elements": [mrkdwn(text)]}),
    ("image alt", 2000, "/alt_text", lambda text: image(alt_text=text)),
    ("image title", 2000, "/title/text", lambda text: image(title=plain(text))),
    ("image url", 3000, "/image_url", lambda text: image(image_url=text)),
    ("label", 2000, "/label/text", lambda text: typed({"type": "datepicker"}) | {"label": plain(text)}),
    ("hint", 2000, "/hint/text", lambda text: typed({"type": "datepicker"}) | {"hint": plain(text)}),
    ("button text", 75, "/elements/0/text/text", lambda text: actions(button(text=plain(text)))),
    ("button value", 2000, "/elements/0/value", lambda text: actions(button(value=text))),
    ("button url", 3000, "/elements/0/url", lambda text: actions(button(url=text))),
    ("action_id", 255, "/elements/0/action_id", lambda text: actions(button(action_id=text))),
    ("accessibility", 75, "/elements/0/accessibility_label", lambda t: actions(button(accessibility_label=t))),
    (
        "confirm title",
        100,
        "/elements/0/confirm/title/text",
        lambda text: actions(button(confirm=confirm(title=plain(text)))),
    ),
    (
        "confirm text",
        300,
        "/elements/0/confirm/text/text",
        lambda text: actions(button(confirm=confirm(text=plain(text)))),
    ),
    (
        "confirm yes",
        30,
        "/elements/0/confirm/confirm/text",
        lambda text: actions(button(confirm=confirm(confirm=plain(text)))),
    ),
    (
        "confirm no",
        30,
        "/elements/0/confirm/deny/text",
        lambda text: actions(button(confirm=confirm(deny=plain(text)))),
    ),
    (
        "option text",
        75,
        "/accessory/options/0/text/text",
        lambda text: section(accessory={"type": "overflow", "options": [{"text": plain(text), "value": "1"}]}),
    ),
    (
        "option value",
        150,
        "/accessory/options/0/value",
        lambda text: section(accessory={"type": "overflow", "options": [{"text": plain(), "value": text}]}),
    ),
    (
        "placeholder",
        150,
        "/element/placeholder/text",
        lambda text: typed({"type": "plain_text_input", "placeholder": plain(text)}),
    ),
    ("markdown", 12_000, "/text", lambda text: {"type": "markdown", "text": text}),
    ("card title", 150, "/title/text", lambda text: {"type": "card", "title": plain(text)}),
    ("card body", 200, "/body/text", lambda text: {"type": "card", "body": mrkdwn(text)}),
    (
        "container title",
        150,
        "/title/text",
        lambda text: {"type": "container", "title": plain(text), "child_blocks": [section()]},
    ),
]

COUNT_LIMITS: list[tuple[str, int, str, Callable[[int], Block]]] = [
    ("fields", 10, "/fields", lambda count: {"type": "section", "fields": [plain()] * count}),
    ("context", 10, "/elements", lambda count: {"type": "context", "elements": [plain()] * count}),
    ("actions", 25, "/elements", lambda count: actions(*[button()] * count)),
    (
        "overflow",
        5,
        "/accessory/options",
        lambda count: section(accessory={"type": "overflow", "options": options(count)}),
    ),
    (
        "select",
        100,
        "/accessory/options",
        lambda count: section(accessory={"type": "static_select", "options": options(count)}),
    ),
    (
        "checkboxes",
        10,
        "/elements/0/options",
        lambda count: actions({"type": "checkboxes", "options": options(count)}),
    ),
    (
        "radio buttons",
        10,
        "/elements/0/options",
        lambda count: actions({"type": "radio_buttons", "options": options(count)}),
    ),
    ("table rows", 100, "/rows", lambda count: table(*[[cell()]] * count)),
    ("table columns", 20, "/rows/0", lambda count: table([cell()] * count)),
    (
        "data table rows",
        201,
        "/rows",
        lambda count: {"type": "data_table", "caption": "x", "rows": [[cell()]] * count},
    ),
    ("card actions", 3, "/actions", lambda count: {"type": "card", "title": plain(), "actions": [button()] * count}),
    (
        "carousel",
        10,
        "/elements",
        lambda count: {"type": "carousel", "elements": [{"type": "card", "title": plain()}] * count},
    ),
    (
        "container",
        10,
        "/child_blocks",
        lambda count: {"type": "container", "title": plain(), "child_blocks": [section()] * count},
    ),
]


@pytest.mark.parametrize(
    ("limit", "pointer", "build"), [row[1:] for row in TEXT_LIMITS], ids=[row[0] for row in TEXT_LIMITS]
)
def test_a_text_may_be_as_long_as_its_limit_and_no_longer(
    limit: int, pointer: str, build: Callable[[str], Block]
) -> None:
    assert said([build("x" * limit)]) == []
    assert said([build("x" * (limit + 1))]) == [
        f"must be less than {limit + 1} characters [json-pointer:/blocks/0{pointer}]"
    ]


@pytest.mark.parametrize(
    ("limit", "pointer", "build"), [row[1:] for row in COUNT_LIMITS], ids=[row[0] for row in COUNT_LIMITS]
)
def test_a_list_may_have_as_many_items_as_its_limit_and_no_more(
    limit: int, pointer: str, build: Callable[[int], Block]
) -> None:
    assert said([build(limit)]) == []
    assert said([build(limit + 1)]) == [f"no more than {limit} items allowed [json-pointer:/blocks/0{pointer}]"]
    assert f"no less than {2 if 'data' in build(1)['type'] else 1} items allowed" in said([build(0)])[0]


@given(over=st.integers(1, 200), row=st.sampled_from(TEXT_LIMITS))
def test_every_text_above_its_limit_is_refused(over: int, row: tuple[str, int, str, Callable[[str], Block]]) -> None:
    assert said([row[3]("x" * (row[1] + over))])


def test_fifty_blocks_are_a_message_and_fifty_one_are_not() -> None:
    assert said([{"type": "divider"}] * 50) == []
    assert said([{"type": "divider"}] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_a_hundred_blocks_are_a_view_and_one_more_is_not() -> None:
    assert said_of_view(modal(*[{"type": "divider"}] * 100)) == []
    assert said_of_view(modal(*[{"type": "divider"}] * 101)) == [
        "no more than 100 items allowed [json-pointer:/view/blocks]"
    ]


@pytest.mark.parametrize(
    ("block", "refusal"),
    [
        (section(color="red"), "invalid additional property: color [json-pointer:/blocks/0]"),
        (actions(button(emoji=True)), "invalid additional property: emoji [json-pointer:/blocks/0/elements/0]"),
        (
            section(text=mrkdwn() | {"emoji": True}),
            "invalid additional property: emoji [json-pointer:/blocks/0/text]",
        ),
        (
            section(text=plain() | {"verbatim": True}),
            "invalid additional property: verbatim [json-pointer:/blocks/0/text]",
        ),
        ({"type": "poster"}, "unsupported type: poster [json-pointer:/blocks/0/type]"),
        ({"text": plain()}, "missing required field: type [json-pointer:/blocks/0]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        (section(text=mrkdwn("")), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (section(text="x"), "must provide an object [json-pointer:/blocks/0/text]"),
        (
            {"type": "header", "text": mrkdwn()},
            "must be a valid enum value [json-pointer:/blocks/0/text/type]",
        ),
        (actions(button(value=42)), "must provide a string [json-pointer:/blocks/0/elements/0/value]"),
        (
            actions(button(style="default")),
            "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
        ),
        ({"type": "section"}, "must provide at least one of: text, fields [json-pointer:/blocks/0]"),
        (
            image(slack_file={"id": "F1"}),
            "must provide exactly one of: image_url, slack_file [json-pointer:/blocks/0]",
        ),
        (
            section(accessory={"type": "plain_text_input"}),
            "unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]",
        ),
        (
            section(accessory={"type": "datetimepicker"}),
            "unsupported type: datetimepicker [json-pointer:/blocks/0/accessory/type]",
        ),
        (
            {"type": "context", "elements": [button()]},
            "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
        ),
        (
            typed({"type": "number_input", "is_decimal_allowed": False}),
            "unsupported type: number_input [json-pointer:/blocks/0/element/type]",
        ),
        ({"type": "alert", "text": plain()}, "unsupported type: alert [json-pointer:/blocks/0/type]"),
        ({"type": "card", "title": "x"}, "must provide an object [json-pointer:/blocks/0/title]"),
        ({"type": "plan", "title": plain()}, "must provide a string [json-pointer:/blocks/0/title]"),
        (
            rich({"type": "text", "text": ""}),
            "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
        ),
        (
            rich({"type": "text", "text": "x", "style": {"loud": True}}),
            "invalid additional property: loud [json-pointer:/blocks/0/elements/0/elements/0/style]",
        ),
        (
            rich({"type": "date", "timestamp": "1700000000", "format": "{date}"}),
            "must provide an integer [json-pointer:/blocks/0/elements/0/elements/0/timestamp]",
        ),
        (table([cell("")]), "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"),
        (
            table([cell()]) | {"column_settings": [None]},
            "must provide an object [json-pointer:/blocks/0/column_settings/0]",
        ),
        (
            actions(
                {
                    "type": "static_select",
                    "options": options(2),
                    "initial_option": {"text": plain("Another"), "value": "1"},
                }
            ),
            "must equal one of the options [json-pointer:/blocks/0/elements/0/initial_option]",
        ),
        (
            typed({"type": "plain_text_input", "min_length": 9, "max_length": 8}),
            "must be less than or equal to max_length [json-pointer:/blocks/0/element/min_length]",
        ),
        (
            actions({"type": "datepicker", "initial_date": "1.2.2026"}),
            r"must match the pattern \d{4}-\d{2}-\d{2} [json-pointer:/blocks/0/elements/0/initial_date]",
        ),
        (
            {"type": "file", "external_id": "x", "source": "remote"},
            "unsupported type: file [json-pointer:/blocks/0/type]",
        ),
    ],
)
def test_what_slack_refuses_in_a_block(block: Block, refusal: str) -> None:
    assert said([block]) == [refusal]


@pytest.mark.parametrize("blocks", [None, "[]", {"type": "divider"}, ["divider"], [[]]])
def test_blocks_that_are_no_list_of_objects_have_their_own_error(blocks: Any) -> None:
    assert [problem.code for problem in validate_message(blocks)] == ["invalid_blocks_format"]


@pytest.mark.parametrize("block_id", ["same", ""])
def test_a_block_id_is_unique_in_a_message(block_id: str) -> None:
    block = {"type": "divider", "block_id": block_id}
    assert said([block, block]) == ["Block ID needs to be unique"]


def test_an_action_id_is_unique_inside_its_block_only() -> None:
    assert said([actions(button(action_id="x")), actions(button(action_id="x"))]) == []
    assert said([section(), actions(button(action_id="x"), button(action_id="x"))]) == [
        '`action_id` "x" already exists [json-pointer:/blocks/1/elements/1/action_id]'
    ]


def test_one_table_is_allowed_in_a_message() -> None:
    problems = validate_message([table([cell()]), table([cell()])])
    assert [(problem.code, problem.message) for problem in problems] == [
        ("invalid_attachments", "only_one_table_allowed")
    ]


def test_the_cells_of_a_table_hold_ten_thousand_characters() -> None:
    assert said([table([cell("x" * 5000), rich({"type": "text", "text": "x" * 5000})])]) == []
    assert said([table([cell("x" * 5000), rich({"type": "text", "text": "x" * 5001})])]) == [
        "must be less than 10001 characters [json-pointer:/blocks/0/rows]"
    ]


def test_markdown_counts_characters_and_all_else_utf16_units() -> None:
    assert said([{"type": "markdown", "text": "😀" * 12_000}]) == []
    assert said([{"type": "header", "text": plain("😀" * 76)}]) == [
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_markdown_is_limited_over_the_whole_message() -> None:
    half = {"type": "markdown", "text": "x" * 6000}
    assert said([half, half]) == []
    assert said([half, {"type": "markdown", "text": "x" * 6001}]) == [
        "must be less than 12001 characters [json-pointer:/blocks]"
    ]


def test_blocks_that_are_legal_one_by_one_can_be_too_long_together() -> None:
    fitting = [section(text=mrkdwn("x" * 3000))] * 4 + [section(text=mrkdwn("x" * 700))]
    assert message_size(fitting) == MESSAGE_LIMIT
    assert said(fitting) == []
    fitting[-1] = section(text=mrkdwn("x" * 699 + "<"))
    assert [problem.code for problem in validate_message(fitting)] == ["msg_blocks_too_long"]


@given(st.text())
def test_escaping_leaves_nothing_to_escape(text: str) -> None:
    once = escaped(text)
    assert escaped(once) == once


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("a & b <c>", "a &amp; b &lt;c&gt;"),
        ("&lt;here&gt; &amp;", "&lt;here&gt; &amp;"),
        ("<@U1> <!here> <https://a.example|b>", "<@U1> <!here> <https://a.example|b>"),
    ],
)
def test_control_sequences_and_entities_are_echoed_as_they_are(text: str, echo: str) -> None:
    assert escaped(text) == echo


# ------------------------------------------------------------------ views


@pytest.mark.parametrize(
    ("part", "pointer"), [("title", "/title/text"), ("submit", "/submit/text"), ("close", "/close/text")]
)
def test_titles_of_a_view_have_24_characters(part: str, pointer: str) -> None:
    assert said_of_view(modal(**{part: plain("x" * 24)})) == []
    assert said_of_view(modal(**{part: plain("x" * 25)})) == [
        f"must be less than 25 characters [json-pointer:/view{pointer}]"
    ]


@pytest.mark.parametrize(("part", "limit"), [("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)])
def test_hidden_texts_of_a_view_are_limited(part: str, limit: int) -> None:
    assert said_of_view(modal(**{part: "x" * limit})) == []
    assert said_of_view(modal(**{part: "x" * (limit + 1)})) == [
        f"must be less than {limit + 1} characters [json-pointer:/view/{part}]"
    ]


def test_a_modal_with_an_input_needs_a_submit_button() -> None:
    block = typed({"type": "plain_text_input"})
    assert said_of_view(modal(block, submit=plain())) == []
    assert said_of_view(modal(block)) == ["missing required field: submit [json-pointer:/view]"]


def test_only_one_element_of_a_view_has_the_focus() -> None:
    focused = typed({"type": "plain_text_input", "focus_on_load": True})
    assert said_of_view(modal(focused, submit=plain())) == []
    assert said_of_view(modal(focused, focused, submit=plain())) == [
        "only one element can have focus_on_load [json-pointer:/view/blocks/1/element/focus_on_load]"
    ]


@pytest.mark.parametrize(
    ("view_type", "block", "fits"),
    [
        ("modal", {"type": "alert", "text": {"type": "plain_text", "text": "x"}}, True),
        ("home", {"type": "alert", "text": {"type": "plain_text", "text": "x"}}, False),
        ("modal", {"type": "markdown", "text": "x"}, False),
        ("modal", {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}, False),
        ("home", {"type": "carousel", "elements": [{"type": "card", "title": plain()}]}, True),
        ("modal", {"type": "carousel", "elements": [{"type": "card", "title": plain()}]}, False),
    ],
)
def test_a_block_is_shown_on_its_own_surfaces_only(view_type: str, block: Block, fits: bool) -> None:
    view = modal(block) if view_type == "modal" else {"type": "home", "blocks": [block]}
    refusal = f"unsupported type: {block['type']} [json-pointer:/view/blocks/0/type]"
    assert said_of_view(view) == ([] if fits else [refusal])


def test_a_view_may_have_250_kilobytes() -> None:
    def view(size: int) -> Block:
        blocks = [section(text=mrkdwn("x" * 2900)) for _ in range(84)]
        empty = modal(*blocks)
        left = size - len(json.dumps(empty)) - len(', "private_metadata": ""')
        return modal(*blocks, private_metadata="x" * left)

    over = view(250_001)
    assert validate_view(over)[0].code == "view_too_large"
    assert len(json.dumps(over)) == 250_001
    assert said_of_view(view(250_000)) == []


def test_all_problems_of_a_view_are_invalid_arguments() -> None:
    assert {problem.code for problem in validate_view({"type": "modal"})} == {"invalid_arguments"}


_KEYS = st.sampled_from(
    ["type", "text", "elements", "accessory", "options", "initial_option", "rows", "block_id", "action_id", "blocks"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_TYPES = st.sampled_from(
    ["section", "actions", "context", "rich_text", "table", "data_table", "input", "card", "container", "header"]
)


@given(
    st.lists(st.builds(lambda kind, rest: {**rest, "type": kind}, _TYPES, st.dictionaries(_KEYS, _JSON, max_size=4)))
)
def test_any_json_is_judged_without_an_exception(blocks: list[Block]) -> None:
    assert all(problem.message for problem in validate_message(blocks))
    assert all(problem.message for problem in validate_view({"type": "modal", "title": plain(), "blocks": blocks}))
