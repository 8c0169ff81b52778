"""The form that plans an accept for later, and what the modal shows after it."""

from datetime import datetime

from bot.rendering import blocks, ids
from bot.rendering.card import what_accepting_does
from bot.rendering.content import content, name
from bot.rendering.escape import clean
from bot.rendering.phrase import Phrase, Strong, When
from bot.rendering.views import Block, CardView, View

_TITLE = "Accept at…"


def render_plan_form(view: CardView, zone: str | None) -> View:
    """`zone`: the reader's own, in words."""
    expires = view.recommendation.expiration_time
    end: Phrase = ("It expires ", When(expires), "; the time must be before that. ") if expires else ()
    hint = f"In your own time zone: {clean(zone)}." if zone else "In your own time zone."
    drawn = [
        blocks.paragraph((Strong(name(view.pool_name, "Unnamed pool")),)),
        blocks.section(what_accepting_does(view, content(view))),
        blocks.paragraph((*end, "At that time everything is checked as if you pressed Accept then.")),
        blocks.moment_input("Accept it at", ids.PLAN_AT, hint),
    ]
    return _modal(drawn) | {
        "callback_id": ids.PLAN_VIEW,
        "private_metadata": view.offer_id or "",
        "submit": {"type": "plain_text", "text": "Plan it", "emoji": False},
    }


def render_plan_waiting() -> View:
    """The answer to the form, before anything was checked."""
    return _modal([blocks.section("One moment: this is being checked. If it stands, the card shows it.")])


def render_planned(pool_name: str, due_at: datetime) -> View:
    said: Phrase = (Strong(name(pool_name, "Unnamed pool")), ": planned for ", When(due_at), ".")
    return _modal([blocks.paragraph(said), blocks.section("The card shows the plan, and any approver can cancel it.")])


def render_not_planned(sentence: str) -> View:
    return _modal([blocks.section(sentence)])


def _modal(drawn: list[Block]) -> View:
    return {
        "type": "modal",
        "title": blocks.modal_title(_TITLE),
        "close": {"type": "plain_text", "text": "Close", "emoji": False},
        "blocks": drawn,
    }
