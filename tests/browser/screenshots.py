"""`make screenshots`: the pictures in docs/, of what the bot really posts in the demo."""

import asyncio
import tempfile
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize, expect
from playwright.async_api import Page as Tab

from bot.demo import FOR_PAGE, page_of, stage
from tests.browser.chromium import chromium

Colors = Literal["light", "dark"]

DOCS = Path(__file__).parents[2] / "docs"
WIDE, NARROW, WHOLE = (
    ViewportSize(width=700, height=900),
    ViewportSize(width=360, height=1100),
    ViewportSize(width=1360, height=860),
)
SHARP = 1.5
"""Pixels of the picture for one of the page."""


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with stage(FOR_PAGE, Path(folder)) as running, page_of(running).serve() as address, chromium() as browser:
            await running.slack.until(lambda: len(running.slack.messages("storage")) == 3, 60)
            await _card(browser, address, WIDE, "light", "card.png")
            await _card(browser, address, WIDE, "dark", "card-dark.png")
            await _card(browser, address, NARROW, "light", "card-360.png")
            await _page(browser, address)


async def _card(browser: Browser, address: str, size: ViewportSize, colors: Colors, name: str) -> None:
    tab = await _open(browser, address, size, colors)
    await tab.locator(".message").filter(has_text="Production").screenshot(path=DOCS / name)
    await tab.close()


async def _page(browser: Browser, address: str) -> None:
    """Moves under way, beside the TGC that makes them."""
    tab = await _open(browser, address, WHOLE, "light")
    card = tab.locator(".message:not(.ephemeral)").filter(has_text="Production")
    await card.get_by_role("button", name="Accept", exact=True).click()
    await tab.get_by_role("dialog").get_by_role("button", name="Accept", exact=True).click()
    await expect(card).to_contain_text("Accepted by @alice")
    await tab.get_by_role("button", name="Tintri Global Center").click()
    pool = tab.get_by_role("complementary").get_by_role("group").filter(has_text="Production")
    await pool.get_by_text("Production", exact=True).click()
    await expect(card).to_contain_text("running")
    await card.scroll_into_view_if_needed()
    await tab.screenshot(path=DOCS / "playground.png")
    await tab.close()


async def _open(browser: Browser, address: str, size: ViewportSize, colors: Colors) -> Tab:
    tab = await browser.new_page(viewport=size, color_scheme=colors, device_scale_factor=SHARP, locale="en-GB")
    await tab.goto(address)
    await expect(tab.locator(".message")).to_have_count(3)
    return tab


if __name__ == "__main__":
    asyncio.run(main())
