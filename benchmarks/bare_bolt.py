"""The least app that Bolt lets one write: `python -m benchmarks.bare_bolt PORT API_URL TOKEN SECRET DOES`.

DOES is `ack` for a listener that acknowledges, `answer` for one that then answers as well.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks.child import Child
from benchmarks.far_ends import Addresses
from benchmarks.running_bot import answers, free_port

_ANSWER = "Type /tintri reco to see what is recommended."


@asynccontextmanager
async def bare_bolt(addresses: Addresses, *, does: str) -> AsyncIterator[tuple[Child, int]]:
    """Its process, ready, and its port."""
    port = free_port()
    arguments = (str(port), addresses.slack_api_url, addresses.slack_bot_token, addresses.slack_signing_secret, does)
    child = await Child.start(["-m", "benchmarks.bare_bolt", *arguments])
    try:
        await answers(port, "/")
        yield child, port
    finally:
        await child.stop()


def _main(port: str, api_url: str, token: str, secret: str, does: str) -> None:
    app = AsyncApp(client=AsyncWebClient(token, base_url=api_url), signing_secret=secret)

    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    async def answer(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond(_ANSWER)

    app.command("/tintri")(answer if does == "answer" else acknowledge)
    app.server(port=int(port), path="/slack/events", host="127.0.0.1").start()


if __name__ == "__main__":
    _main(*sys.argv[1:])
