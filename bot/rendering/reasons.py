"""The forms for what people write beside their decisions: an accept with its ticket, a reason, a note."""

from bot.rendering import blocks, forms, ids, limits
from bot.rendering.card import what_accepting_does
from bot.rendering.content import content, name
from bot.rendering.phrase import Phrase, Strong
from bot.rendering.views import CardView, View

ACCEPT, SAY_WHY, ADD_NOTE = "Accept", "Say why", "Add a note"
FEEDBACKS = {"VERY_HELPFUL": "Very helpful", "NOT_HELPFUL": "Not helpful"}
"""The TGC's words that are documented, in ours: those between its ends are not."""


def render_accept_form(view: CardView) -> View:
    drawn = [
        blocks.paragraph(_pool(view)),
        blocks.section(what_accepting_does(view, content(view))),
        *forms.accept_fields(view),
    ]
    return forms.form(view, ACCEPT, drawn, callback_id=ids.ACCEPT_VIEW, submit="Accept")


def render_reason_form(view: CardView) -> View:
    drawn = [
        blocks.paragraph(_pool(view)),
        forms.note_field("Why was it dismissed?", "Shown on the card, in its thread and in the audit."),
        blocks.choice_input("Feedback for the Tintri Global Center", ids.FEEDBACK, FEEDBACKS),
        blocks.text_input(
            "Comment for the Tintri Global Center",
            ids.COMMENT,
            hint="Sent with the feedback.",
            most=limits.NOTE,
            optional=True,
            multiline=True,
        ),
    ]
    return forms.form(view, SAY_WHY, drawn, callback_id=ids.SAY_WHY_VIEW, submit="Say it")


def render_note_form(view: CardView) -> View:
    field = forms.note_field("Note", "Shown on the card, in its thread and in the audit.")
    return forms.form(
        view, ADD_NOTE, [blocks.paragraph(_pool(view)), field], callback_id=ids.ADD_NOTE_VIEW, submit="Add it"
    )


def _pool(view: CardView) -> Phrase:
    return (Strong(name(view.pool_name, "Unnamed pool")),)
