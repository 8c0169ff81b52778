"""A real browser: Debian's chromium, driven by Playwright, which brings none of its own here."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)

_PROGRAM = shutil.which("chromium")
_PATIENCE_MS = 15_000
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

needs_chromium = pytest.mark.skipif(
    _PROGRAM is None, reason="there is no chromium on the path: install Debian's package chromium"
)
expect.set_options(timeout=_PATIENCE_MS)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()
