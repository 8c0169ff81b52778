"""Answers where somebody typed or pressed, by the response_url that Slack gave for it.

A press in a home has none: it is answered in a modal, and where it is too late for one in a direct message.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import aiohttp
import structlog
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.rendering.answers import render_sentence
from bot.rendering.home import render_reply
from bot.rendering.views import Message, View
from bot.requests import RefusedError
from bot.slack import Slack, SlackError
from handlers.payloads import Click, MalformedPayloadError, read_click

_log = structlog.get_logger(__name__)

UNREADABLE = "I could not read that, so nothing was done."


async def answer(respond: AsyncRespond, message: Message, *, replace_original: bool = False) -> bool:
    """Show the message to the person only; False where Slack took no form of it."""
    if not _has_url(respond):
        _log.warning("an answer has no response_url to go to")
        return False
    for blocks in message.forms():
        try:
            response = await respond(
                text=message.text,
                blocks=list(blocks),
                response_type="ephemeral",
                replace_original=replace_original,
                unfurl_links=False,
                unfurl_media=False,
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            _log.warning("an answer did not reach its response_url", reason=type(error).__name__)
            return False
        if response.status_code == HTTPStatus.OK:
            return True
        _log.warning("Slack refused an answer", status=response.status_code, reason=response.body)
    return False


class Replies:
    """Answers to presses of the buttons that stand on cards and in homes."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    async def show(
        self, respond: AsyncRespond, click: Click, message: Message, *, replace_original: bool = False
    ) -> bool:
        """Show the answer where it was pressed; False where that is not possible (any more)."""
        if _has_url(respond):
            return await answer(respond, message, replace_original=replace_original)
        try:
            await self._slack.open_view(click.trigger_id, render_reply(message))
        except SlackError as error:
            _log.info("an answer could not be shown in a modal", reason=str(error))
            return False
        return True

    async def tell(
        self, respond: AsyncRespond, click: Click, message: Message, *, replace_original: bool = False
    ) -> None:
        """The same, and from a home in a direct message where no modal can be shown."""
        if await self.show(respond, click, message, replace_original=replace_original) or _has_url(respond):
            return
        try:
            await self._slack.post(click.actor.user_id, message, key=f"answer/{click.id}", facts={}, thread_ts=None)
        except SlackError as error:
            _log.warning("a presser could not be told", user=click.actor.user_id, reason=str(error))

    async def open_form(self, respond: AsyncRespond, click: Click, form: Awaitable[View], *, label: str) -> None:
        """Open a form, which Slack takes within 3 s of the click, or tell why there is none; `label`: the button's."""
        try:
            await self._slack.open_view(click.trigger_id, await form)
        except RefusedError as error:
            await self.tell(respond, click, render_sentence(str(error)))
        except SlackError as error:
            sorry = f"The form could not be opened: {error} Press {label} again."
            await self.tell(respond, click, render_sentence(sorry))

    async def no_surprise(self, respond: AsyncRespond, body: Mapping[str, Any], work: Awaitable[None]) -> None:
        """Await the work; where it fails unexpectedly, the person gets an id and the log says what it was."""
        await told(partial(self._tell_presser, respond, body), work)

    async def _tell_presser(self, respond: AsyncRespond, body: Mapping[str, Any], message: Message) -> None:
        try:
            click = read_click(body)
        except MalformedPayloadError:
            await answer(respond, message)
        else:
            await self.tell(respond, click, message)


def _has_url(respond: AsyncRespond) -> bool:
    return isinstance(respond.response_url, str)  # it is whatever the payload holds


async def no_surprise(respond: AsyncRespond, work: Awaitable[None]) -> None:
    """Await the work; where it fails unexpectedly, the person gets an id and the log says what it was."""
    await told(partial(answer, respond), work)


async def told(tell: Callable[[Message], Awaitable[object]], work: Awaitable[None]) -> None:
    """The same for where there is no response_url: `tell` shows the person what went wrong."""
    try:
        await work
    except MalformedPayloadError as error:
        _log.warning("a payload could not be read", reason=str(error))
        await tell(render_sentence(UNREADABLE))
    except Exception:  # noqa: BLE001 - the last stop before Slack: the person must hear of it
        error_id = uuid4().hex[:8]
        _log.exception("a request failed", error_id=error_id)
        text = f"That failed, and I wrote down why: please tell the bot's operator the number {error_id}."
        await tell(render_sentence(text))
