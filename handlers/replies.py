"""Answers where somebody typed or pressed, by the response_url that Slack gave for it."""

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from uuid import uuid4

import aiohttp
import structlog
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.rendering.answers import render_sentence
from bot.rendering.views import Message
from handlers.payloads import MalformedPayloadError

_log = structlog.get_logger(__name__)

UNREADABLE = "I could not read that, so nothing was done."


async def answer(respond: AsyncRespond, message: Message, *, replace_original: bool = False) -> bool:
    """Show the message to the person only; False where Slack took no form of it."""
    if not isinstance(respond.response_url, str):  # it is whatever the payload holds
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
