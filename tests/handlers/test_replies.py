"""Answers by response_url: in a form that Slack takes, and never a surprise without a word."""

from typing import Any

import aiohttp
import pytest
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.webhook import WebhookResponse

from bot.rendering.answers import render_sentence
from handlers.payloads import MalformedPayloadError
from handlers.replies import answer, no_surprise

URL = "http://127.0.0.1:9/"
SAID = render_sentence("Done")


class Respond(AsyncRespond):
    """Slack's end of a response_url, which answers with these statuses in turn."""

    def __init__(self, *statuses: int | Exception) -> None:
        super().__init__(response_url=URL)
        self.sent: list[dict[str, Any]] = []
        self._statuses = list(statuses)

    async def __call__(self, **message: Any) -> WebhookResponse:  # type: ignore[override]  # what answer() uses of it
        self.sent.append(message)
        status = self._statuses.pop(0) if self._statuses else 200
        if isinstance(status, Exception):
            raise status
        return WebhookResponse(url=URL, status_code=status, body="", headers={})


class TestAnswer:
    async def test_only_the_person_sees_it(self) -> None:
        respond = Respond()
        assert await answer(respond, SAID)
        (sent,) = respond.sent
        assert (sent["text"], sent["response_type"], sent["replace_original"]) == ("Done", "ephemeral", False)

    async def test_it_may_replace_what_was_pressed(self) -> None:
        respond = Respond()
        await answer(respond, SAID, replace_original=True)
        assert respond.sent[0]["replace_original"] is True

    async def test_a_plainer_form_follows_a_refused_one(self) -> None:
        respond = Respond(400)
        assert await answer(respond, SAID)
        assert [bool(sent["blocks"]) for sent in respond.sent] == [True, False]

    async def test_where_slack_takes_none_the_caller_knows(self) -> None:
        assert not await answer(Respond(400, 400), SAID)

    @pytest.mark.parametrize(
        "error", [aiohttp.ClientConnectionError(), TimeoutError(), ValueError("respond is unsupported here")]
    )
    async def test_where_it_cannot_be_sent_the_caller_knows(self, error: Exception) -> None:
        respond = Respond(error)
        assert not await answer(respond, SAID)
        assert len(respond.sent) == 1


class TestNoSurprise:
    async def test_work_that_succeeds_says_what_it_says(self) -> None:
        respond = Respond()

        async def work() -> None:
            await answer(respond, SAID)

        await no_surprise(respond, work())
        assert [sent["text"] for sent in respond.sent] == ["Done"]

    async def test_a_surprise_is_told_by_a_number_that_the_log_has(self, capsys: pytest.CaptureFixture[str]) -> None:
        async def work() -> None:
            raise KeyError("a secret detail")

        respond = Respond()
        await no_surprise(respond, work())
        (sent,) = respond.sent
        assert "a secret detail" not in str(sent)
        number = sent["text"].rstrip(".").split()[-1]
        log = capsys.readouterr().out
        assert number in log
        assert "a secret detail" in log

    async def test_a_payload_that_cannot_be_read_did_nothing(self) -> None:
        async def work() -> None:
            raise MalformedPayloadError("no action")

        respond = Respond()
        await no_surprise(respond, work())
        assert respond.sent[0]["text"] == "I could not read that, so nothing was done."
