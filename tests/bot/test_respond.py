"""Answers to response_urls go over connections that stay open."""

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.respond import Respond
from tests.scenarios.stage import free_port


async def test_answers_share_a_connection() -> None:
    connections, bodies = set[object](), list[object]()

    async def take(request: web.BaseRequest) -> web.Response:
        connections.add(request.transport)
        bodies.append(await request.json())
        return web.Response(text="ok")

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port := free_port()).start()
        async with aiohttp.ClientSession() as session:
            for number in range(3):
                bolts = AsyncRespond(response_url=f"http://127.0.0.1:{port}/{number}")
                answered = await Respond(session, bolts)(text=f"{number}", response_type="ephemeral")
                assert (answered.status_code, answered.body) == (200, "ok")
    finally:
        await runner.cleanup()
    assert bodies == [{"text": f"{number}", "response_type": "ephemeral"} for number in range(3)]
    assert len(connections) == 1


async def test_without_a_response_url_it_says_so() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="no response_url"):
            await Respond(session, AsyncRespond(response_url=None))(text="?")
