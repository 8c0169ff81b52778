"""Slack's Block Kit as tables: every block, element and composition object with its limits and surfaces.

The numbers follow the official pages of each block and element (state: September 2026). Properties that no page
names are refused, as Slack refuses them.
"""

from collections.abc import Iterator
from typing import Any

from playground.blockkit_rules import (
    Array,
    Cross,
    Flag,
    Kind,
    Number,
    Object,
    Rule,
    String,
    Surface,
    Text,
    Typed,
    at_least_one_of,
    at_most_one_of,
    exactly_one_of,
    not_above,
    plain,
    utf16_length,
)

MESSAGE = frozenset({Surface.MESSAGE})
MODAL = frozenset({Surface.MODAL})
VIEWS = frozenset({Surface.MODAL, Surface.HOME})
MESSAGE_AND_HOME = frozenset({Surface.MESSAGE, Surface.HOME})
MESSAGE_AND_MODAL = frozenset({Surface.MESSAGE, Surface.MODAL})

MARKDOWN_LIMIT = 12_000
TABLE_LIMIT = 10_000
DATA_TABLE_LIMIT = 20_000

# ------------------------------------------------------------------ composition objects

ACTION_ID = String(high=255)
ID = String(low=1, high=255)
URL = String(low=1, high=3000)

CONFIRM = Object(
    required={"title": plain(100), "text": Text(300), "confirm": plain(30), "deny": plain(30)},
    optional={"style": String(choices=("primary", "danger"))},
)
SLACK_FILE = Object(optional={"id": ID, "url": URL}, crosses=(exactly_one_of("id", "url"),))
DISPATCH = Object(
    optional={"trigger_actions_on": Array(String(choices=("on_enter_pressed", "on_character_entered")), low=1, high=2)}
)


def option(text: Rule, **more: Rule) -> Object:
    return Object({"text": text, "value": String(high=150)}, more)


SELECT_OPTION = option(plain(75), description=plain(75))
OVERFLOW_OPTION = option(plain(75), description=plain(75), url=URL)
CHOICE_OPTION = option(Text(75), description=Text(75))
OPTION_GROUP = Object({"label": plain(75), "options": Array(SELECT_OPTION, 1, 100)})


def _all_options(element: dict[str, Any]) -> list[Any]:
    groups = [group["options"] for group in element.get("option_groups", [])]
    return [choice for options in (element.get("options", []), *groups) for choice in options]


def _bare(choice: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two options equal: text, value and description, without Slack's own defaults."""
    description = choice.get("description", {})
    return choice["text"]["text"], choice["text"]["type"], choice["value"], description.get("text")


def initial_among_options(element: dict[str, Any]) -> Iterator[tuple[str, str]]:
    known = [_bare(choice) for choice in _all_options(element)]
    if "initial_option" in element and _bare(element["initial_option"]) not in known:
        yield "must equal one of the options", "/initial_option"
    for number, choice in enumerate(element.get("initial_options", [])):
        if _bare(choice) not in known:
            yield "must equal one of the options", f"/initial_options/{number}"


# ------------------------------------------------------------------ elements


def _element(required: dict[str, Rule] | None = None, /, **optional: Rule) -> Object:
    return Object(required or {}, {"action_id": ACTION_ID, "confirm": CONFIRM, **optional})


def _field(required: dict[str, Rule] | None = None, /, **optional: Rule) -> Object:
    """An element that a person fills in."""
    return _element(required, focus_on_load=Flag(), placeholder=plain(150), **optional)


def _input_only(**optional: Rule) -> Object:
    return Object(
        {},
        {
            "action_id": ACTION_ID,
            "focus_on_load": Flag(),
            "placeholder": plain(150),
            "dispatch_action_config": DISPATCH,
            **optional,
        },
    )


def _multi(**optional: Rule) -> Object:
    return _field(max_selected_items=Number(low=1), **optional)


CONVERSATION_FILTER = Object(
    optional={
        "include": Array(String(choices=("im", "mpim", "private", "public")), low=1),
        "exclude_external_shared_channels": Flag(),
        "exclude_bot_users": Flag(),
    }
)
STATIC: dict[str, Rule] = {
    "options": Array(SELECT_OPTION, 1, 100),
    "option_groups": Array(OPTION_GROUP, 1, 100),
}
ONE_SOURCE = exactly_one_of("options", "option_groups")
CONVERSATION: dict[str, Rule] = {"filter": CONVERSATION_FILTER, "default_to_current_conversation": Flag()}
FEEDBACK_BUTTON = Object({"text": plain(75)}, {"value": String(high=2000), "accessibility_label": String(high=75)})


def _length_fits(element: dict[str, Any]) -> Iterator[tuple[str, str]]:
    length = utf16_length(element.get("initial_value", ""))
    if length > element.get("max_length", 3000):
        yield f"must be less than {element.get('max_length', 3000) + 1} characters", "/initial_value"


IMAGE_SOURCE: dict[str, Rule] = {"image_url": URL, "slack_file": SLACK_FILE}
ONE_IMAGE = exactly_one_of("image_url", "slack_file")
IMAGE_ELEMENT = Object({"alt_text": String(low=1, high=2000)}, IMAGE_SOURCE, (ONE_IMAGE,))

ELEMENTS: dict[str, Kind] = {
    "button": Kind(
        _element(
            {"text": plain(75)},
            value=String(high=2000),
            url=URL,
            style=String(choices=("primary", "danger")),
            accessibility_label=String(high=75),
        )
    ),
    "overflow": Kind(_element({"options": Array(OVERFLOW_OPTION, 1, 5)})),
    "static_select": Kind(_field(**STATIC, initial_option=SELECT_OPTION).having(ONE_SOURCE, initial_among_options)),
    "multi_static_select": Kind(
        _multi(**STATIC, initial_options=Array(SELECT_OPTION, 1)).having(ONE_SOURCE, initial_among_options)
    ),
    "users_select": Kind(_field(initial_user=ID)),
    "multi_users_select": Kind(_multi(initial_users=Array(ID))),
    "conversations_select": Kind(_field(initial_conversation=ID, **CONVERSATION)),
    "multi_conversations_select": Kind(_multi(initial_conversations=Array(ID), **CONVERSATION)),
    "channels_select": Kind(_field(initial_channel=ID)),
    "multi_channels_select": Kind(_multi(initial_channels=Array(ID))),
    "external_select": Kind(_field(initial_option=SELECT_OPTION, min_query_length=Number(low=0))),
    "multi_external_select": Kind(_multi(initial_options=Array(SELECT_OPTION, 1), min_query_length=Number(low=0))),
    "checkboxes": Kind(
        _element(
            {"options": Array(CHOICE_OPTION, 1, 10)},
            initial_options=Array(CHOICE_OPTION, 1, 10),
            focus_on_load=Flag(),
        ).having(initial_among_options)
    ),
    "radio_buttons": Kind(
        _element({"options": Array(CHOICE_OPTION, 1, 10)}, initial_option=CHOICE_OPTION, focus_on_load=Flag()).having(
            initial_among_options
        )
    ),
    "plain_text_input": Kind(
        _input_only(
            min_length=Number(0, 3000), max_length=Number(1, 3000), initial_value=String(), multiline=Flag()
        ).having(not_above("min_length", "max_length"), _length_fits)
    ),
    "datepicker": Kind(_field(initial_date=String(pattern=r"\d{4}-\d{2}-\d{2}"))),
    "timepicker": Kind(_field(initial_time=String(pattern=r"([01]\d|2[0-3]):[0-5]\d"), timezone=String(low=1))),
    "datetimepicker": Kind(
        _element(initial_date_time=Number(10**9, 10**10 - 1), focus_on_load=Flag()), MESSAGE_AND_MODAL
    ),
    "number_input": Kind(
        Object(
            {"is_decimal_allowed": Flag()},
            _input_only(
                min_value=String(pattern=r"-?\d+(\.\d+)?"),
                max_value=String(pattern=r"-?\d+(\.\d+)?"),
                initial_value=String(pattern=r"-?\d+(\.\d+)?"),
            ).optional,
            (not_above("min_value", "max_value"),),
        ),
        MODAL,
    ),
    "email_text_input": Kind(_input_only(initial_value=String()), MODAL),
    "url_text_input": Kind(_input_only(initial_value=String()), MODAL),
    "rich_text_input": Kind(
        Object(
            {"action_id": ACTION_ID},
            {
                "initial_value": Object({"type": String(choices=("rich_text",)), "elements": Array(Object())}),
                "dispatch_action_config": DISPATCH,
                "focus_on_load": Flag(),
                "placeholder": plain(150),
            },
        ),
        VIEWS,
    ),
    "file_input": Kind(
        Object({}, {"action_id": ACTION_ID, "filetypes": Array(String(low=1), 1), "max_files": Number(1, 10)}),
        MODAL,
    ),
    "image": Kind(IMAGE_ELEMENT),
    "workflow_button": Kind(
        Object(
            {
                "text": plain(75),
                "workflow": Object(
                    {
                        "trigger": Object(
                            {"url": URL},
                            {
                                "customizable_input_parameters": Array(
                                    Object({"name": String(low=1), "value": String()})
                                )
                            },
                        )
                    }
                ),
            },
            {
                "action_id": ACTION_ID,
                "style": String(choices=("primary", "danger")),
                "accessibility_label": String(high=75),
            },
        ),
        MESSAGE,
    ),
    "feedback_buttons": Kind(
        Object({"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON}, {"action_id": ACTION_ID}),
        MESSAGE,
    ),
    "icon_button": Kind(
        Object(
            {"icon": String(choices=("trash",)), "text": plain(75)},
            {
                "action_id": ACTION_ID,
                "value": String(high=2000),
                "confirm": CONFIRM,
                "accessibility_label": String(high=75),
                "visible_to_user_ids": Array(ID),
            },
        ),
        MESSAGE,
    ),
}

INTERACTIVE = frozenset(
    name for name, kind in ELEMENTS.items() if "action_id" in {**kind.shape.required, **kind.shape.optional}
)
_SELECTS = frozenset(name for name in ELEMENTS if name.endswith("_select"))
_PICKED = frozenset({"checkboxes", "radio_buttons", "datepicker", "timepicker"}) | _SELECTS
INPUT_ELEMENTS = {
    **ELEMENTS,
    **{
        name: Kind(ELEMENTS[name].shape.having(response_url_enabled=Flag()))
        for name in ("conversations_select", "channels_select")
    },
}
IN_SECTION = _PICKED | {"button", "image", "overflow", "workflow_button"}
IN_ACTIONS = _PICKED | {"button", "datetimepicker", "overflow", "workflow_button", "rich_text_input"}
IN_INPUT = _PICKED | {
    "plain_text_input",
    "datetimepicker",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
    "file_input",
}

# ------------------------------------------------------------------ rich text

STYLE = Object(
    optional=dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), Flag()
    )
)
LEAVES: dict[str, Kind] = {
    "text": Kind(Object({"text": String(low=1)}, {"style": STYLE})),
    "link": Kind(Object({"url": URL}, {"text": String(), "unsafe": Flag(), "style": STYLE})),
    "user": Kind(Object({"user_id": ID}, {"style": STYLE})),
    "usergroup": Kind(Object({"usergroup_id": ID}, {"style": STYLE})),
    "channel": Kind(Object({"channel_id": ID}, {"style": STYLE})),
    "emoji": Kind(Object({"name": String(low=1)}, {"unicode": String(low=1), "style": STYLE})),
    "broadcast": Kind(Object({"range": String(choices=("here", "channel", "everyone"))}, {"style": STYLE})),
    "color": Kind(Object({"value": String(low=1)})),
    "date": Kind(
        Object(
            {"timestamp": Number(), "format": String(low=1)},
            {"url": URL, "fallback": String(low=1), "style": STYLE},
        )
    ),
}
_BORDER = Number(0, 1)
_LEAF_ARRAY = Array(Typed(LEAVES))
RICH: dict[str, Kind] = {
    "rich_text_section": Kind(Object({"elements": _LEAF_ARRAY})),
    "rich_text_preformatted": Kind(
        Object(
            {"elements": Array(Typed(LEAVES, frozenset({"text", "link"})))},
            {"border": _BORDER, "language": String(low=1)},
        )
    ),
    "rich_text_quote": Kind(Object({"elements": _LEAF_ARRAY}, {"border": _BORDER})),
}
RICH["rich_text_list"] = Kind(
    Object(
        {
            "style": String(choices=("bullet", "ordered")),
            "elements": Array(Typed(RICH, frozenset({"rich_text_section"}))),
        },
        {"indent": Number(low=0), "offset": Number(low=0), "border": _BORDER},
    )
)

# ------------------------------------------------------------------ tables and charts


def texts_in(value: Any) -> Iterator[str]:
    """Every text that a reader sees in a block: text objects, rich text leaves and cells."""
    if isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for part in value.values():
            if isinstance(part, dict | list):
                yield from texts_in(part)


def _rows_hold_at_most(limit: int) -> Cross:
    def cross(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if sum(utf16_length(text) for text in texts_in(block["rows"])) > limit:
            yield f"must be less than {limit + 1} characters", "/rows"

    return cross


def _equal_rows(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    width = len(block["rows"][0])
    for number, row in enumerate(block["rows"]):
        if len(row) != width:
            yield f"must have {width} cells like the header row", f"/rows/{number}"


def _plain_header(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for number, cell in enumerate(block["rows"][0]):
        if cell["type"] == "rich_text":
            yield "unsupported type: rich_text", f"/rows/0/{number}/type"


CELLS: dict[str, Kind] = {
    "raw_text": Kind(Object({"text": String(low=1)})),
    "raw_number": Kind(Object({"value": Number(whole=False)}, {"text": String(low=1)})),
    "rich_text": Kind(Object({"elements": Array(Typed(RICH))}, {"block_id": String(high=255)})),
}
_ROW = Array(Typed(CELLS), 1, 20)
COLUMN = Object(optional={"align": String(choices=("left", "center", "right")), "is_wrapped": Flag()})

POINT = Object({"label": String(1, 20), "value": Number(whole=False)})
SERIES = Object({"name": String(1, 20), "data": Array(POINT, 1, 20)})
AXES = Object({"categories": Array(String(1, 20), 1, 20)}, {"x_label": String(1, 50), "y_label": String(1, 50)})


def _series_fit_axes(chart: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = [series["name"] for series in chart["series"]]
    if len(set(names)) < len(names):
        yield "series names must be unique", "/series"
    for number, series in enumerate(chart["series"]):
        for position, point in enumerate(series["data"]):
            if chart["axis_config"]["categories"].count(point["label"]) != 1:
                yield "must be in axis_config.categories exactly once", f"/series/{number}/data/{position}/label"


_AXIS_CHART = Kind(Object({"series": Array(SERIES, 1, 12), "axis_config": AXES}, {}, (_series_fit_axes,)))
CHARTS: dict[str, Kind] = {
    "pie": Kind(
        Object({"segments": Array(Object({"label": String(1, 20), "value": Number(above=0, whole=False)}), 1, 12)})
    ),
    "bar": _AXIS_CHART,
    "area": _AXIS_CHART,
    "line": _AXIS_CHART,
}

# ------------------------------------------------------------------ blocks

BLOCKS: dict[str, Kind] = {}
"""Filled at the end: some blocks hold other blocks."""


def _upload_is_silent(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if block.get("dispatch_action") and block["element"]["type"] == "file_input":
        yield "file_input cannot dispatch actions", "/dispatch_action"


def _no_line_under_a_fold(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if block.get("has_header_divider") and block.get("is_collapsible"):
        yield "has_header_divider cannot be combined with is_collapsible", "/has_header_divider"


_BLOCKS: dict[str, Kind] = {
    "header": Kind(Object({"text": plain(150)}, {"level": Number(1, 4)})),
    "section": Kind(
        Object(
            {},
            {
                "text": Text(3000),
                "fields": Array(Text(2000), 1, 10),
                "accessory": Typed(ELEMENTS, IN_SECTION),
                "expand": Flag(),
            },
            (at_least_one_of("text", "fields"),),
        )
    ),
    "divider": Kind(Object()),
    "context": Kind(
        Object(
            {
                "elements": Array(
                    Typed(
                        {
                            "image": Kind(IMAGE_ELEMENT),
                            "plain_text": Kind(Object({"text": String(1, 3000)}, {"emoji": Flag()})),
                            "mrkdwn": Kind(Object({"text": String(1, 3000)}, {"verbatim": Flag()})),
                        }
                    ),
                    1,
                    10,
                )
            }
        )
    ),
    "actions": Kind(
        Object(
            {"elements": Array(Typed(ELEMENTS, IN_ACTIONS), 1, 25)},
        )
    ),
    "image": Kind(Object({"alt_text": String(1, 2000)}, {**IMAGE_SOURCE, "title": plain(2000)}, (ONE_IMAGE,))),
    "input": Kind(
        Object(
            {"label": plain(2000), "element": Typed(INPUT_ELEMENTS, IN_INPUT)},
            {"hint": plain(2000), "optional": Flag(), "dispatch_action": Flag()},
            (_upload_is_silent,),
        )
    ),
    "rich_text": Kind(Object({"elements": Array(Typed(RICH))})),
    "video": Kind(
        Object(
            {
                "alt_text": String(low=1),
                "title": plain(199),
                "video_url": URL,
                "thumbnail_url": URL,
            },
            {
                "author_name": String(high=49),
                "description": plain(199),
                "provider_icon_url": URL,
                "provider_name": String(),
                "title_url": URL,
            },
        )
    ),
    "markdown": Kind(Object({"text": String(1, MARKDOWN_LIMIT, length=len)}), MESSAGE),
    "table": Kind(
        Object(
            {"rows": Array(_ROW, 1, 100)},
            {"column_settings": Array(COLUMN, high=20)},
            (_rows_hold_at_most(TABLE_LIMIT),),
        ),
        MESSAGE,
    ),
    "data_table": Kind(
        Object(
            {"caption": String(low=1), "rows": Array(_ROW, 2, 201)},
            {"page_size": Number(1, 100), "row_header_column_index": Number(low=0)},
            (_equal_rows, _plain_header, _rows_hold_at_most(DATA_TABLE_LIMIT)),
        ),
        MESSAGE,
    ),
    "data_visualization": Kind(Object({"title": String(1, 50), "chart": Typed(CHARTS)}), MESSAGE),
    "alert": Kind(
        Object(
            {"text": Text(200)},
            {"level": String(choices=("default", "info", "warning", "error", "success"))},
        ),
        MODAL,
    ),
    "card": Kind(
        Object(
            {},
            {
                "hero_image": Typed(ELEMENTS, frozenset({"image"})),
                "icon": Typed(ELEMENTS, frozenset({"image"})),
                "slack_icon": Typed({"icon": Kind(Object({"name": String(low=1)}))}),
                "title": Text(150),
                "subtitle": Text(150),
                "body": Text(200),
                "subtext": Text(200),
                "actions": Array(Typed(ELEMENTS, frozenset({"button"})), 1, 3),
            },
            (at_least_one_of("hero_image", "title", "actions", "body"), at_most_one_of("icon", "slack_icon")),
        )
    ),
    "carousel": Kind(Object({"elements": Array(Typed(BLOCKS, frozenset({"card"})), 1, 10)}), MESSAGE_AND_HOME),
    "container": Kind(
        Object(
            {
                "child_blocks": Array(
                    Typed(
                        BLOCKS,
                        frozenset(
                            {
                                "actions",
                                "context",
                                "divider",
                                "header",
                                "image",
                                "input",
                                "rich_text",
                                "section",
                                "table",
                                "video",
                            }
                        ),
                    ),
                    1,
                    10,
                )
            },
            {
                "title": plain(150),
                "rich_text_title": Typed(BLOCKS, frozenset({"rich_text"})),
                "subtitle": plain(150),
                "width": String(choices=("narrow", "standard", "wide", "full")),
                "is_collapsible": Flag(),
                "default_collapsed": Flag(),
                "has_header_divider": Flag(),
            },
            (at_least_one_of("title", "rich_text_title"), _no_line_under_a_fold),
        ),
        MESSAGE_AND_HOME,
    ),
    "context_actions": Kind(
        Object({"elements": Array(Typed(ELEMENTS, frozenset({"feedback_buttons", "icon_button"})), 1, 5)}),
        MESSAGE,
    ),
    "plan": Kind(Object({"title": String(low=1)}, {"tasks": Array(Typed(BLOCKS, frozenset({"task_card"})))}), MESSAGE),
    "task_card": Kind(
        Object(
            {"task_id": String(low=1), "title": String(low=1)},
            {
                "status": String(choices=("pending", "in_progress", "complete", "error")),
                "details": Typed(BLOCKS, frozenset({"rich_text"})),
                "output": Typed(BLOCKS, frozenset({"rich_text"})),
                "sources": Array(Typed({"url": Kind(Object({"url": URL}, {"text": String(low=1)}))})),
            },
        ),
        MESSAGE,
    ),
}

BLOCKS.update(
    {name: Kind(kind.shape.having(block_id=String(high=255)), kind.surfaces) for name, kind in _BLOCKS.items()}
)
