"""What the page completes beside slack-blocks-to-jsx: texts, menus, dialogs and fields, with any Bolt app behind."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect
from playwright.async_api import Page as Tab
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from playground.page import Page
from playground.slack import APP_TOKEN, BOT_TOKEN, Slack
from tests.browser.chromium import chromium, needs_chromium

pytestmark = [pytest.mark.extended, needs_chromium, pytest.mark.asyncio(loop_scope="module")]

Json = dict[str, Any]
STORAGE = "C0STORAGE"


def plain(text: str, **parts: Any) -> Json:
    return {"type": "plain_text", "text": text, **parts}


def mrkdwn(text: str, **parts: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, **parts}}


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}


def field(name: str, kind: str, *, is_optional: bool = False, **parts: Any) -> Json:
    element = {"type": kind, "action_id": name, **parts}
    return {"type": "input", "block_id": f"b-{name}", "label": plain(name), "element": element, "optional": is_optional}


MENU = {
    "type": "section",
    "text": plain("Menu"),
    "accessory": {
        "type": "overflow",
        "action_id": "menu",
        "options": [option("edit"), option("remove")],
        "confirm": {
            "title": plain("Sure?"),
            "text": plain("It is gone then."),
            "confirm": plain("Do"),
            "deny": plain("Keep"),
        },
    },
}
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Pause"),
    "submit": plain("Pause it"),
    "blocks": [
        field("reason", "plain_text_input", min_length=3, focus_on_load=True),
        field("more", "plain_text_input", multiline=True, is_optional=True),
        field("hours", "number_input", is_decimal_allowed=False, initial_value="4"),
        field("day", "datepicker", initial_date="2026-03-10"),
        field("moment", "datetimepicker", is_optional=True),
        field("pool", "static_select", options=[option("production"), option("test")]),
        field("pools", "multi_static_select", options=[option("vdi"), option("databases")]),
        field("who", "users_select", is_optional=True),
        field("ways", "checkboxes", options=[option("mail"), option("chat")]),
        field("size", "radio_buttons", options=[option("small"), option("large")], initial_option=option("small")),
    ],
}


class Forms:
    """A Bolt app with a menu and a form, and what it was told."""

    def __init__(self, slack: Slack) -> None:
        self.client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url)
        self.app = AsyncApp(client=self.client)
        self.picked: list[str] = []
        self.submitted: list[Json] = []
        self.app.action("menu")(self._menu)
        self.app.action("open")(self._open)
        self.app.view("form")(self._form)

    async def post(self, *blocks: Json) -> None:
        await self.client.chat_postMessage(channel=STORAGE, text="blocks", blocks=list(blocks))

    async def _menu(self, ack: AsyncAck, action: Json) -> None:
        await ack()
        self.picked.append(action["selected_option"]["value"])

    async def _open(self, ack: AsyncAck, body: Json) -> None:
        await ack()
        await self.client.views_open(trigger_id=body["trigger_id"], view=FORM)

    async def _form(self, ack: AsyncAck, view: Json) -> None:
        values = {name: entry for entries in view["state"]["values"].values() for name, entry in entries.items()}
        self.submitted.append(values)
        if values["reason"]["value"] == "why not":
            await ack(response_action="errors", errors={"b-reason": "That is no reason."})
        else:
            await ack()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def slack() -> AsyncIterator[Slack]:
    slack = Slack()
    async with slack.serve():
        yield slack


@pytest_asyncio.fixture(loop_scope="module")
async def forms(slack: Slack) -> AsyncIterator[Forms]:
    forms = Forms(slack)
    handler = AsyncSocketModeHandler(forms.app, APP_TOKEN)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it so
    await slack.until(lambda: slack.sockets.connections)
    yield forms
    await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it so
    assert slack.refusals == []


@pytest_asyncio.fixture(loop_scope="module")
async def tab(slack: Slack, browser: Browser) -> AsyncIterator[Tab]:
    async with Page(slack, port=0).serve() as address:
        tab = await browser.new_page(locale="en-GB", timezone_id="UTC")
        await tab.goto(address)
        yield tab
        await tab.close()


def last(tab: Tab) -> Locator:
    return tab.locator(".message").last.locator(".blocks")


async def test_texts_are_read_as_slack_reads_them(forms: Forms, tab: Tab) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = int((midnight + timedelta(days=1, hours=6)).timestamp())
    await forms.post(
        mrkdwn("*bold* _italic_ ~gone~ `a*b*c` 2*3*4 snake_case_name"),
        mrkdwn("<@U0BOB0000> in <#C0STORAGE> and <!subteam^S0STORAGE>, :warning: :no_such_emoji:"),
        mrkdwn(f"until <!date^{tomorrow}^{{date_short_pretty}} at {{time}}|then>", verbatim=True),
        mrkdwn("<https://example.com/a?b=1&amp;c|a &lt;link&gt;> and https://example.com/plain."),
        mrkdwn("&gt; quoted\nnot &amp; so"),
        {"type": "section", "text": plain("<@U0BOB0000> *as it is* :warning:", emoji=False)},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "date", "timestamp": tomorrow, "format": "{date_num} {time_secs}", "fallback": "x"},
                        {"type": "text", "text": " a < b & c"},
                    ],
                },
            ],
        },
    )
    blocks = last(tab).locator("> *")
    await expect(blocks).to_have_count(7)
    await expect(blocks.nth(0)).to_have_text("bold italic gone a*b*c 2*3*4 snake_case_name")
    await expect(blocks.nth(0).locator(".font-semibold")).to_have_text("bold")
    await expect(blocks.nth(0).locator(".slack_inline_code")).to_have_text("a*b*c")
    await expect(blocks.nth(1)).to_have_text("@bob in #storage and @storage-admins, ⚠️ :no_such_emoji:")
    await expect(blocks.nth(1).get_by_role("img", name="warning")).to_be_visible()
    await expect(blocks.nth(2)).to_have_text("until tomorrow at 06:00")
    await expect(blocks.nth(3)).to_have_text("a <link> and https://example.com/plain.")
    addresses = await blocks.nth(3).get_by_role("link").evaluate_all("all => all.map(one => one.href)")
    assert addresses == ["https://example.com/a?b=1&c", "https://example.com/plain"]
    await expect(blocks.nth(4).locator("blockquote")).to_have_text("quoted")
    await expect(blocks.nth(4)).to_contain_text("not & so")
    await expect(blocks.nth(5)).to_have_text("<@U0BOB0000> *as it is* :warning:")
    await expect(blocks.nth(6)).to_have_text(f"{midnight + timedelta(days=1):%Y-%m-%d} 06:00:00 a < b & c")


async def test_an_overflow_menu_is_used_by_keys_alone_and_asks(forms: Forms, slack: Slack, tab: Tab) -> None:
    await forms.post(MENU)
    more = last(tab).get_by_role("button", name="More actions")
    await more.focus()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("menuitem", name="Edit")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(more).to_be_focused()
    await tab.keyboard.press("Enter")
    await tab.keyboard.press("ArrowDown")
    await expect(tab.get_by_role("menuitem", name="Remove")).to_be_focused()
    await tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog", name="Sure?")
    await expect(dialog).to_contain_text("It is gone then.")
    assert forms.picked == []
    await dialog.get_by_role("button", name="Do").click()
    await slack.until(lambda: forms.picked)
    assert forms.picked == ["remove"]


async def test_a_form_is_filled_in_corrected_and_sent(forms: Forms, slack: Slack, tab: Tab) -> None:
    await forms.post({"type": "actions", "elements": [{"type": "button", "action_id": "open", "text": plain("Open")}]})
    await last(tab).get_by_role("button", name="Open").click()
    dialog = tab.get_by_role("dialog", name="Pause")
    await expect(dialog.get_by_label("reason")).to_be_focused()
    await dialog.get_by_role("button", name="Pause it").click()
    await expect(dialog.get_by_role("alert")).to_have_text("reason must be filled in.")
    await tab.keyboard.type("x")
    await dialog.get_by_label("reason").fill("why not")
    await dialog.get_by_label("hours").fill("8")
    await dialog.get_by_label("day").fill("2026-03-12")
    await dialog.get_by_label("moment").fill("2026-03-12T06:00")
    await dialog.get_by_label("pool", exact=True).select_option("Test")
    await dialog.get_by_label("pools").select_option(["Vdi", "Databases"])
    await dialog.get_by_label("who").select_option("bob")
    await dialog.get_by_label("Chat").check()
    await dialog.get_by_label("Large").check()
    await dialog.get_by_role("button", name="Pause it").click()
    await expect(dialog.get_by_role("alert")).to_have_text("That is no reason.")
    submit = dialog.get_by_role("button", name="Pause it")
    await submit.hover()
    await expect(submit).to_have_css("background-color", "rgb(15, 118, 110)")
    await dialog.get_by_label("reason").fill("maintenance")
    await dialog.get_by_label("reason").press("Enter")
    await expect(dialog).to_have_count(0)
    values = forms.submitted[-1]
    assert [values[name]["value"] for name in ("reason", "more", "hours")] == ["maintenance", None, "8"]
    assert values["day"]["selected_date"] == "2026-03-12"
    assert values["moment"]["selected_date_time"] == int(datetime(2026, 3, 12, 6, tzinfo=UTC).timestamp())
    assert values["pool"]["selected_option"]["value"] == "test"
    assert [picked["value"] for picked in values["pools"]["selected_options"]] == ["vdi", "databases"]
    assert values["who"]["selected_user"] == "U0BOB0000"
    assert [picked["value"] for picked in values["ways"]["selected_options"]] == ["chat"]
    assert values["size"]["selected_option"]["value"] == "large"
    assert slack.modals("alice") == []


async def test_a_home_tab_is_shown_once_the_app_publishes_one(forms: Forms, tab: Tab) -> None:
    await tab.get_by_role("button", name="tintri").click()
    await tab.get_by_role("tab", name="Home").click()
    home = tab.get_by_role("tabpanel")
    await expect(home).to_contain_text("has published no Home tab")
    view = {"type": "home", "blocks": [{"type": "header", "text": plain("Your pools")}, MENU]}
    await forms.client.views_publish(user_id="U0ALICE00", view=view)
    await expect(home.get_by_role("heading", name="Your pools")).to_be_visible()
    await home.get_by_role("button", name="More actions").click()
    assert await home.evaluate("home => home.scrollHeight <= home.clientHeight"), "the menu is cut off"
    await tab.get_by_role("menuitem", name="Edit").click()
    await tab.get_by_role("button", name="Keep").click()
    await expect(tab.get_by_role("dialog")).to_have_count(0)
    assert forms.picked == []


async def test_what_the_validator_refuses_is_red_in_the_traffic(slack: Slack, tab: Tab) -> None:
    client = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url)
    with pytest.raises(Exception, match="invalid_blocks"):
        await client.chat_postMessage(channel=STORAGE, text="x", blocks=[{"type": "header"}])
    await tab.get_by_role("button", name="Traffic").click()
    call = tab.get_by_role("complementary", name="Traffic").get_by_role("listitem").first
    await expect(call).to_contain_text("missing required field: text")
    await expect(call.locator(".problem")).to_have_css("color", "rgb(192, 38, 45)")
