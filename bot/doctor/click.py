"""A button of the doctor's own: posted from the command line, heard by the running bot, seen in the journal.

The command line listens to Slack itself in no way: what people press on cards meanwhile would come there, and be lost.
"""

import re
import secrets

from bot.access import Access, Actor
from bot.clock import Clock
from bot.doctor.checks import NotMadeError, ok, warning
from bot.rendering.doctor import render_click
from bot.rendering.views import Finding
from bot.slack import Slack
from bot.storage import decisions
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome

CLICK = "doctor"
WAIT_S = 60
_VALUE_BYTES = 16


class Clicks:
    """The running bot's side."""

    def __init__(self, database: Database, access: Access, clock: Clock, tgc_key: str) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._tgc_key = tgc_key

    async def heard(self, *, click_id: str, actor: Actor, channel_id: str | None, value: str) -> str:
        """Keep the first press of this button, and give the answer."""
        if not re.fullmatch(f"[0-9a-f]{{{2 * _VALUE_BYTES}}}", value):
            return "Nothing was done: this button is none of the doctor's."
        refusal = await self._access.refusal_to_read(actor)
        told = refusal or "Heard: your press reached the bot."
        pressed = Decision(
            recommendation=None,
            tgc_key=self._tgc_key,
            pool_uuid=None,
            action=CLICK,
            offer_id=value,
            team_id=actor.team_id,
            user_id=actor.user_id,
            user_name=actor.name,
            channel_id=channel_id,
            decided_at=self._clock.now(),
            outcome=Outcome.NOT_ALLOWED if refusal else Outcome.DONE,
            told=told,
            command_id=click_id,
        )
        async with self._database.write() as connection:
            if await decisions.of_button(connection, CLICK, value) is None:
                await decisions.add(connection, pressed)
        return told


async def check_click(slack: Slack | None, database: Database | None, clock: Clock, user_id: str) -> Finding:
    """Post the button to somebody, and wait until a running bot has written down that it was pressed."""
    if slack is None:
        raise NotMadeError("SLACK_BOT_TOKEN is missing")
    if database is None:
        raise NotMadeError("a running bot writes presses down in its database, and there is none")
    value = secrets.token_hex(_VALUE_BYTES)
    await slack.post(user_id, render_click(value), key=f"doctor/{value}", facts={}, thread_ts=None)
    for _ in range(WAIT_S):
        await clock.sleep(1)
        async with database.read() as connection:
            pressed = await decisions.of_button(connection, CLICK, value)
        if pressed is not None:
            return ok(f"The bot heard {pressed.user_name} press the button.")
    return warning(
        f"The bot heard no press of {user_id} within {WAIT_S} s.",
        "If it was pressed: start the bot here, on the same database, and turn Interactivity on in the Slack app.",
    )
