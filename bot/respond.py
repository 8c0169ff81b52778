"""Answers to response_urls over the bot's own connections: Bolt opens one for each, with its handshakes."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.webhook import WebhookResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient


class Respond(AsyncRespond):
    """What listeners get as `respond`; they name what they give."""

    def __init__(self, session: aiohttp.ClientSession, bolts: AsyncRespond) -> None:
        super().__init__(response_url=bolts.response_url, proxy=bolts.proxy, ssl=bolts.ssl)
        self._session = session

    async def __call__(self, *_: Any, **message: Any) -> WebhookResponse:
        """Raises ValueError where Slack gave no response_url, and what aiohttp raises."""
        if self.response_url is None:
            raise ValueError("Slack gave no response_url.")
        client = AsyncWebhookClient(self.response_url, proxy=self.proxy, ssl=self.ssl, session=self._session)
        return await client.send(**message)


class RespondInSession(AsyncMiddleware):
    """For all listeners."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt gives it
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse:
        if (bolts := req.context.respond) is not None:
            req.context["respond"] = Respond(self._session, bolts)
        return await next()
