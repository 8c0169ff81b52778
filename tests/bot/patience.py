"""Waiting in tests for what has no event of its own."""

import asyncio
from collections.abc import Callable

_PATIENCE_S = 10.0


async def until(wanted: Callable[[], object]) -> None:
    """Give the others their turns until it comes true. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE_S):
        while not wanted():  # noqa: ASYNC110 - what is waited for is seen from outside only
            await asyncio.sleep(0.001)
