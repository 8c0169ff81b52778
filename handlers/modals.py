"""Forms in modals: opened, checked before they are acknowledged, and turned into what came of them."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck

from bot.clock import Clock
from bot.pool_rules import PoolRules
from bot.rendering import ids, limits
from bot.rendering.forms import render_said, render_waiting
from bot.rendering.views import View
from bot.slack import Slack, SlackError
from handlers.payloads import MalformedPayloadError, Submission, read_submission
from handlers.replies import UNREADABLE

_log = structlog.get_logger(__name__)

_WAITING_S = 1.0
"""Slack takes up our acknowledgement, and with it the waiting view, at its own pace: one that came after the result
would hide it."""


class Modals:
    """Shows views to people."""

    def __init__(self, slack: Slack, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock

    async def show_result(self, view_id: str, view: View) -> bool:
        """Once the waiting view stands; False where nobody sees it any more."""
        await self._clock.sleep(_WAITING_S)
        return await self.show(view_id, view)

    async def show(self, view_id: str, view: View) -> bool:
        try:
            await self._slack.update_view(view_id, view)
        except SlackError as error:  # closed meanwhile, or Slack is busy
            _log.info("a form was not updated", reason=str(error))
            return False
        return True


Mistakes = Mapping[str, str]
"""What is wrong with a form, a sentence by field."""


async def take(
    ack: AsyncAck, body: Mapping[str, Any], title: str, mistakes_of: Callable[[Submission], Mistakes]
) -> Submission | None:
    """Acknowledge a form with what is wrong with it, and return None; else with a view that waits for the result."""
    try:
        submission = read_submission(body)
    except MalformedPayloadError as error:
        _log.warning("a form could not be read", reason=str(error))
        await ack(response_action="update", view=render_said(title, UNREADABLE))
        return None
    mistakes = mistakes_of(submission)
    if mistakes:
        await ack(response_action="errors", errors=dict(mistakes))
        return None
    await ack(response_action="update", view=render_waiting(title))
    return submission


def accept_mistakes(submission: Submission, rules: PoolRules) -> Mistakes:
    """What is wrong with the ticket and the note of an accept, by field. Pure: the decision judges the ticket anew."""
    rule = rules.named(submission.rule)
    ticket = rule.ticket_refusal(submission.text(ids.TICKET)) if rule else None
    return ({ids.TICKET: ticket} if ticket else {}) | text_mistakes(submission, ids.NOTE)


def text_mistakes(submission: Submission, *action_ids: str) -> dict[str, str]:
    """Slack's own client lets nobody type more."""
    long = [action_id for action_id in action_ids if len(submission.text(action_id) or "") > limits.NOTE]
    return dict.fromkeys(long, f"Give {limits.NOTE} characters at most.")
