"""The form that plans an accept for later, and what the modal shows after it."""

from datetime import datetime

from bot.rendering import blocks, forms, ids
from bot.rendering.card import what_accepting_does
from bot.rendering.content import content, name
from bot.rendering.escape import clean
from bot.rendering.phrase import Phrase, Strong, When
from bot.rendering.views import CardView, View

TITLE = "Accept at…"


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
        *forms.accept_fields(view),
    ]
    return forms.form(view, TITLE, drawn, callback_id=ids.PLAN_VIEW, submit="Plan it")


def render_planned(pool_name: str, due_at: datetime) -> View:
    said: Phrase = (Strong(name(pool_name, "Unnamed pool")), ": planned for ", When(due_at), ".")
    told = [blocks.paragraph(said), blocks.section("The card shows the plan, and any approver can cancel it.")]
    return forms.modal(TITLE, told)
