"""The tour of a newcomer, in a real browser: the demo's bot, the simulated TGC, and the page between them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Locator, expect
from playwright.async_api import Page as Tab

from bot.demo import FOR_PAGE, Stage, page_of, stage
from playground.page import Page
from tests.browser.chromium import NARROW, WIDE, chromium, needs_chromium

pytestmark = [pytest.mark.extended, needs_chromium, pytest.mark.asyncio(loop_scope="module")]


TEMPO = msgspec.structs.replace(FOR_PAGE, move_minutes=0.03, refresh_s=1, follow_s=1)


class Playground(msgspec.Struct):
    running: Stage
    page: Page
    browser: Browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Playground]:
    """One for all: each test decides in a pool of its own."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(stage(TEMPO, tmp_path_factory.mktemp("demo")))
        page = page_of(running)
        await stack.enter_async_context(page.serve())
        running.slack.courier.ack_timeout_s = 30  # a busy machine is no mistake, and other tests are about the limit
        await running.slack.until(lambda: running.slack.sockets.connections, 60)  # cards may come before
        yield Playground(running, page, await stack.enter_async_context(chromium()))
        assert running.slack.refusals == []
        assert running.tgc.mistakes == []


class Newcomer:
    """Somebody in front of the page."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.dialog = tab.get_by_role("dialog")
        self.answers = tab.locator(".message.ephemeral")

    def card(self, pool: str) -> Locator:
        return self.tab.locator(".messages .message:not(.ephemeral)").filter(has_text=pool).first

    def button(self, label: str, within: Locator | None = None) -> Locator:
        return (within or self.tab).get_by_role("button", name=label, exact=True)

    async def type(self, words: str) -> None:
        composer = self.tab.get_by_role("combobox", name="Message to #storage")
        await composer.fill(words)
        await composer.press("Enter")

    async def become(self, name: str) -> None:
        people = self.tab.get_by_label("You are")
        await people.select_option(label=await people.get_by_role("option", name=f"{name} ·").inner_text())


@pytest_asyncio.fixture(loop_scope="module")
async def newcomer(playground: Playground) -> AsyncIterator[Newcomer]:
    context = await playground.browser.new_context(viewport=WIDE, locale="en-GB")
    tab = await context.new_page()
    errors: list[str] = []

    def failed(error: Error) -> None:
        errors.append(str(error))

    tab.on("pageerror", failed)
    await tab.goto(playground.page.url)
    yield Newcomer(tab)
    await context.close()
    assert errors == []


async def test_cards_appear_and_a_command_is_answered_to_its_asker_alone(newcomer: Newcomer) -> None:
    for pool, finding in (("Production", "4 VMs to move"), ("Test", "2 VMs to move"), ("VDI", "3 VMs to move")):
        await expect(newcomer.card(pool)).to_contain_text(finding)
    await newcomer.type("/tintri reco")
    await expect(newcomer.answers.last).to_contain_text("Only visible to you")
    await expect(newcomer.answers.last).to_contain_text("of 4 pools have a recommendation.")
    asked = await newcomer.answers.count()
    await newcomer.become("bob")
    await expect(newcomer.card("VDI")).to_be_visible()
    await expect(newcomer.answers).to_have_count(0)
    await newcomer.become("alice")
    await expect(newcomer.answers).to_have_count(asked)


async def test_the_composer_completes_commands(newcomer: Newcomer) -> None:
    composer = newcomer.tab.get_by_role("combobox", name="Message to #storage")
    await composer.fill("/tintri re")
    offered = newcomer.tab.get_by_role("option", name="/tintri")
    await expect(offered).to_have_count(3)
    await composer.press("ArrowDown")
    await composer.press("ArrowDown")
    await expect(offered.nth(1)).to_have_attribute("aria-selected", "true")
    await composer.press("Enter")
    await expect(composer).to_have_value("/tintri reco Production")
    await expect(offered).to_have_count(0)
    await composer.press("Enter")
    await expect(composer).to_have_value("")
    await expect(newcomer.button("Details", newcomer.answers.last)).to_be_visible()


async def test_accept_asks_then_shows_who_and_how_it_ends(newcomer: Newcomer, playground: Playground) -> None:
    card = newcomer.card("Production")
    await newcomer.button("Accept", card).click()
    await expect(newcomer.dialog).to_contain_text("Accept for Production?")
    await expect(newcomer.dialog).to_contain_text("1 VM would lose replication: erp-db-01.")
    await newcomer.button("Back", newcomer.dialog).click()
    await expect(newcomer.dialog).to_have_count(0)
    assert playground.running.tgc.accepts == []
    await newcomer.button("Accept", card).click()
    await newcomer.button("Accept", newcomer.dialog).click()
    await expect(card).to_contain_text("Accepted by @alice")
    await expect(card).to_contain_text("Production: 4 of 4 VMs moved")
    assert len(playground.running.tgc.accepts) == 1


async def test_a_thread_hangs_below_its_card(newcomer: Newcomer, playground: Playground) -> None:
    card = newcomer.card("VDI")
    await card.hover()
    await newcomer.button("Reply", card).click()
    thread = newcomer.tab.get_by_role("complementary", name="Thread")
    await expect(thread.locator(".message").first).to_contain_text("VDI")
    composer = thread.get_by_role("combobox")
    await composer.fill("On it")
    await composer.press("Enter")
    await expect(thread.locator(".message").last).to_contain_text("On it")
    await expect(newcomer.button("1 reply", card)).to_be_visible()
    await newcomer.button("Close Thread").click()
    bob = playground.running.slack.person("bob")
    bob.say("Me too", thread_ts=await card.get_attribute("data-ts"))
    await expect(card.get_by_role("button", name="2 replies new")).to_be_visible()
    await expect(newcomer.tab.locator(".messages")).not_to_contain_text("Me too")


async def test_who_is_no_approver_is_refused(newcomer: Newcomer, playground: Playground) -> None:
    await newcomer.become("carol")
    await newcomer.button("Accept", newcomer.card("Test")).click()
    await newcomer.button("Accept", newcomer.dialog).click()
    await expect(newcomer.answers.last).to_contain_text("You are not an approver")
    pool = next(pool for pool in playground.running.tgc.world.pools if pool.name == "Test")
    assert playground.running.tgc.world.current(pool).run is None


@pytest.mark.parametrize(("name", "refusal"), [("gina", "full members"), ("frank", "you are from another one")])
async def test_a_guest_and_a_foreigner_may_not_even_read(newcomer: Newcomer, name: str, refusal: str) -> None:
    await newcomer.become(name)
    await expect(newcomer.card("Test")).to_be_visible()
    await newcomer.type("/tintri reco")
    await expect(newcomer.answers.last).to_contain_text(refusal)


async def test_dismiss_folds_the_card_and_reopen_unfolds_it(newcomer: Newcomer) -> None:
    await newcomer.become("bob")
    card = newcomer.card("Test")
    await newcomer.button("Dismiss", card).click()
    await expect(card).to_contain_text("Test: dismissed by @bob today at")
    await expect(card).not_to_contain_text("Expected")
    await newcomer.button("Reopen", card).click()
    await expect(card).to_contain_text("Expected")
    await expect(newcomer.button("Dismiss", card)).to_be_visible()


async def test_a_reason_stands_on_the_card(newcomer: Newcomer) -> None:
    await newcomer.become("bob")
    card = newcomer.card("Test")
    await newcomer.button("Dismiss", card).click()
    await newcomer.button("Say why", card).click()
    await newcomer.dialog.get_by_label("Why was it dismissed?").fill("after the release")
    await newcomer.dialog.get_by_label("Feedback for the Tintri Global Center").select_option(label="Not helpful")
    await newcomer.button("Say it", newcomer.dialog).click()
    await expect(newcomer.dialog).to_contain_text("Your reason is kept.")
    await expect(newcomer.dialog).to_contain_text("Your feedback was sent")
    await newcomer.tab.keyboard.press("Escape")
    await expect(card).to_contain_text("after the release")
    await newcomer.button("Reopen", card).click()


async def test_details_opens_a_modal_that_holds_the_focus_and_gives_it_back(newcomer: Newcomer) -> None:
    details = newcomer.button("Details", newcomer.card("VDI"))
    await details.click()
    await expect(newcomer.dialog).to_contain_text("Recommendation id")
    for _ in range(6):
        await newcomer.tab.keyboard.press("Tab")
        assert await newcomer.tab.locator(".messages :focus, .composer :focus, .sidebar :focus").count() == 0
    await newcomer.tab.keyboard.press("Escape")
    await expect(newcomer.dialog).to_have_count(0)
    await expect(details).to_be_focused()


async def test_the_keyboard_alone_reads_details_and_does_not_accept_by_mistake(
    newcomer: Newcomer, playground: Playground
) -> None:
    keyboard, accepts = newcomer.tab.keyboard, len(playground.running.tgc.accepts)
    await newcomer.button("Details", newcomer.card("VDI")).press("Enter")
    await expect(newcomer.dialog).to_contain_text("Recommendation id")
    shown = newcomer.dialog.locator(".dialog-body")
    await expect(shown).to_be_focused()
    await keyboard.press("End")
    await expect(newcomer.dialog.get_by_text("Moves: 3 VMs")).to_be_in_viewport()
    await keyboard.press("Escape")
    await expect(newcomer.dialog).to_have_count(0)
    await newcomer.button("Accept", newcomer.card("VDI")).press("Enter")
    await expect(newcomer.button("Back", newcomer.dialog)).to_be_focused()
    await keyboard.press("Enter")
    await expect(newcomer.dialog).to_have_count(0)
    assert len(playground.running.tgc.accepts) == accepts


async def test_an_accept_is_planned_and_the_plan_cancelled(newcomer: Newcomer) -> None:
    card = newcomer.card("VDI")
    await newcomer.button("Details", card).click()
    await newcomer.button("Accept at…", newcomer.dialog).click()
    in_an_hour = datetime.now().astimezone() + timedelta(hours=1)
    await newcomer.dialog.get_by_label("Accept it at").fill(in_an_hour.strftime("%Y-%m-%dT%H:%M"))
    await newcomer.button("Plan it", newcomer.dialog).click()
    await expect(newcomer.dialog).to_contain_text("planned for")
    await newcomer.tab.keyboard.press("Escape")
    await expect(card).to_contain_text("@alice accepts it")
    await newcomer.button("Cancel the plan", card).click()
    await newcomer.button("Cancel the plan", newcomer.dialog).click()
    await expect(newcomer.button("Cancel the plan", card)).to_have_count(0)


async def test_a_vm_is_left_out_and_the_card_shows_what_is_left(newcomer: Newcomer) -> None:
    card = newcomer.card("VDI")
    await newcomer.button("Details", card).click()
    await newcomer.button("Leave VMs out…", newcomer.dialog).click()
    await newcomer.dialog.get_by_label("VMs to leave out this time").select_option(index=0)
    await newcomer.button("Leave out", newcomer.dialog).click()
    await expect(newcomer.dialog).to_contain_text("is left out this time. The TGC now shows 2 VMs to move")
    await newcomer.tab.keyboard.press("Escape")
    await expect(card).to_contain_text("2 VMs to move")
    await newcomer.type("/tintri audit VDI")
    await expect(newcomer.answers.last).to_contain_text("Asked for")


async def test_a_drawer_takes_the_focus_and_gives_it_back(newcomer: Newcomer) -> None:
    card = newcomer.card("VDI")
    await expect(card).to_be_visible()
    composer = newcomer.tab.get_by_role("combobox", name="Reply in the thread")
    for opener, first in (
        (newcomer.button("Traffic"), newcomer.button("Close Traffic")),
        (newcomer.button("Tintri Global Center"), newcomer.button("Close Tintri Global Center")),
        (newcomer.button("Reply", card), composer),
    ):
        await opener.press("Enter")
        await expect(first).to_be_focused()
        await newcomer.tab.keyboard.press("Escape")
        await expect(newcomer.tab.get_by_role("complementary")).to_have_count(0)
        await expect(opener).to_be_focused()


async def test_what_is_changed_in_the_tgc_reaches_the_card(newcomer: Newcomer) -> None:
    await newcomer.button("Tintri Global Center").click()
    drawer = newcomer.tab.get_by_role("complementary", name="Tintri Global Center")
    pool = drawer.get_by_role("group").filter(has_text="VDI")
    await pool.get_by_text("VDI", exact=True).click()
    await pool.get_by_label("Moves").fill("7")
    await newcomer.button("New recommendation", pool).click()
    await expect(newcomer.tab.locator(".messages")).to_contain_text("7 VMs to move")
    await newcomer.button("Expire", pool).click()
    newest = newcomer.tab.locator(".messages .message:not(.ephemeral)").filter(has_text="VDI").last
    await expect(newest).to_contain_text("VDI: expired")
    await expect(newcomer.button("Expire", pool)).to_be_disabled()


async def test_the_traffic_unfolds_and_hides_what_lets_somebody_in(newcomer: Newcomer, playground: Playground) -> None:
    await newcomer.type("/tintri help")
    await expect(newcomer.answers.last).to_contain_text("What you can ask for")
    await newcomer.button("Traffic").click()
    drawer = newcomer.tab.get_by_role("complementary", name="Traffic")
    call = drawer.get_by_role("listitem").filter(has_text="/tintri help").first
    await call.locator("summary").click()
    await expect(call).to_contain_text('"command": "/tintri"')
    await expect(call).to_contain_text('"response_url": "(hidden)"')
    await drawer.get_by_label("Whose calls").select_option("tgc")
    await expect(drawer.get_by_text("Slack → app")).to_have_count(0)
    assert playground.running.slack.bot_token not in await newcomer.tab.content()


async def test_a_reload_keeps_everything(newcomer: Newcomer) -> None:
    await newcomer.become("bob")
    await newcomer.type("/tintri no such thing")
    await expect(newcomer.answers.last).to_contain_text("“no such thing” is nothing I know.")
    await newcomer.button("Dark colours").click()
    await newcomer.button("Traffic").click()
    await newcomer.tab.reload()
    await expect(newcomer.answers.last).to_contain_text("“no such thing” is nothing I know.")
    await expect(newcomer.card("Test")).to_be_visible()
    await expect(newcomer.tab.get_by_label("You are").locator("option:checked")).to_have_text("bob · approver")
    await expect(newcomer.tab.get_by_role("complementary", name="Traffic")).to_be_visible()
    await expect(newcomer.tab.locator("html")).to_have_attribute("data-colors", "dark")
    text = newcomer.answers.last.locator(".slack_blocks_to_jsx--block_wrapper").first
    await expect(text).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    await expect(text).to_have_css("color", "rgb(228, 231, 236)")


async def test_the_page_says_that_the_server_is_away_and_goes_on_when_it_is_back(
    newcomer: Newcomer, playground: Playground
) -> None:
    await expect(newcomer.card("Test")).to_be_visible()
    await playground.page.stop()
    away = newcomer.tab.get_by_role("alert")
    await expect(away).to_contain_text("The playground does not answer.")
    await expect(newcomer.card("Test")).to_be_visible()
    await newcomer.type("is anybody there")
    await expect(newcomer.tab.get_by_role("status").last).to_contain_text("is it still running?")
    playground.running.slack.person("bob").say("I am back")
    await playground.page.start()
    await expect(away).to_have_count(0)
    await expect(newcomer.tab.locator(".message").last).to_contain_text("I am back")
    composer = newcomer.tab.get_by_role("combobox", name="Message to #storage")
    await expect(composer).to_have_value("is anybody there")


async def test_what_came_elsewhere_is_marked_until_it_is_read(newcomer: Newcomer, playground: Playground) -> None:
    await newcomer.button("# general").click()
    channel = newcomer.tab.get_by_role("navigation").get_by_role("button", name="storage")
    await expect(channel).not_to_contain_text("unread")
    playground.running.slack.person("bob").say("Look at this")
    await expect(channel).to_contain_text("1 unread")
    await expect(newcomer.tab.get_by_role("log")).to_have_text("")
    await channel.click()
    await expect(newcomer.tab.locator(".message").last).to_contain_text("Look at this")
    await expect(channel).not_to_contain_text("unread")
    playground.running.slack.person("bob").say("And at that")
    await expect(newcomer.tab.get_by_role("log")).to_have_text("bob: And at that")


async def test_opening_the_home_tab_has_the_bot_publish_it(newcomer: Newcomer, playground: Playground) -> None:
    await newcomer.button("tintri").click()
    await newcomer.tab.get_by_role("tab", name="Home").click()
    await expect(newcomer.tab.get_by_role("tabpanel").get_by_role("heading", name="Pools")).to_be_visible()
    delivered = [one.payload.get("event", {}).get("type") for one in playground.running.slack.courier.delivered]
    assert "app_home_opened" in delivered


async def test_it_fits_360_pixels(newcomer: Newcomer) -> None:
    await newcomer.tab.set_viewport_size(NARROW)
    await expect(newcomer.button("Dismiss", newcomer.card("Test"))).to_be_visible()
    assert " %" not in await newcomer.card("Test").evaluate("card => card.textContent"), "a line could begin with it"
    channels, navigation = newcomer.button("Channels"), newcomer.tab.get_by_role("navigation")
    await channels.press("Enter")
    await expect(newcomer.button("Close channels")).to_be_focused()
    await expect(newcomer.tab.get_by_role("main")).to_be_hidden()
    await newcomer.tab.keyboard.press("Escape")
    await expect(navigation).to_be_hidden()
    await expect(channels).to_be_focused()
    await channels.click()
    await navigation.get_by_role("button", name="tintri").click()
    await expect(navigation).to_be_hidden()
    await expect(newcomer.tab.get_by_role("tab", name="Home")).to_be_visible()
    heights = await newcomer.tab.locator(".top button").evaluate_all("all => all.map(one => one.offsetHeight)")
    assert len(heights) == 6
    assert max(heights) < 40, "a word is broken"
    await channels.click()
    await navigation.get_by_role("button", name="storage").click()
    await newcomer.button("TGC").click()
    await expect(newcomer.tab.get_by_role("complementary", name="Tintri Global Center")).to_be_visible()
    await expect(newcomer.tab.locator("main")).not_to_be_visible()
    sizes = await newcomer.tab.locator("html, .top, .messages, .scroll").evaluate_all(
        "all => all.map(one => [one.scrollWidth, one.clientWidth])"
    )
    assert all(content <= room for content, room in sizes)
    assert len(sizes) == 4


async def test_what_runs_is_cancelled_after_being_told_what_stays(newcomer: Newcomer, playground: Playground) -> None:
    world = playground.running.tgc.world
    pace = world.move_minutes
    world.set_pace(600)
    card = newcomer.card("Test")
    await newcomer.button("Accept", card).click()
    await newcomer.button("Accept", newcomer.dialog).click()
    await newcomer.button("Cancel", card).click()
    await expect(newcomer.dialog).to_contain_text("0 of 2 VMs moved. What has moved stays where it is now")
    await newcomer.button("Cancel the moves", newcomer.dialog).click()
    world.set_pace(pace)
    await expect(card).to_contain_text("cancelled by @alice")
