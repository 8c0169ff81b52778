"""What forms have in common: their fields, what they say while their answer is worked out, and that answer."""

from collections.abc import Iterable

from bot.rendering import blocks, ids, limits
from bot.rendering.escape import clean, shorten
from bot.rendering.views import Block, CardView, Message, TicketAsked, View


def modal(title: str, drawn: list[Block]) -> View:
    return {
        "type": "modal",
        "title": blocks.modal_title(title),
        "close": {"type": "plain_text", "text": "Close", "emoji": False},
        "blocks": drawn,
    }


def form(view: CardView, title: str, drawn: list[Block], *, callback_id: str, submit: str) -> View:
    rule = view.ticket.rule if view.ticket else ""
    return modal(title, drawn) | {
        "callback_id": callback_id,
        "private_metadata": shorten(f"{view.offer_id or ''}:{rule}", limits.PRIVATE_METADATA),
        "submit": {"type": "plain_text", "text": submit, "emoji": False},
    }


def accept_fields(view: CardView) -> Iterable[Block]:
    """What an accept takes: a ticket where the pool asks for one, and a note."""
    if view.ticket:
        yield blocks.text_input("Ticket", ids.TICKET, hint=_ticket_hint(view.ticket), most=limits.TICKET)
    yield note_field("Note", "Shown on the card. You may leave it empty.", optional=True)


def note_field(label: str, hint: str, *, optional: bool = False) -> Block:
    return blocks.text_input(label, ids.NOTE, hint=hint, most=limits.NOTE, optional=optional, multiline=True)


def render_waiting(title: str) -> View:
    """The answer to a form, before anything was checked."""
    return modal(title, [blocks.section("One moment: this is being checked. If it stands, the card shows it.")])


def render_said(title: str, sentence: str) -> View:
    return modal(title, [blocks.section(sentence)])


def render_message(title: str, *messages: Message) -> View:
    """What would be a message elsewhere."""
    return modal(title, [block for message in messages for block in message.blocks])


def _ticket_hint(asked: TicketAsked) -> str:
    return f"It must match {clean(asked.pattern)}." if asked.pattern else "This pool asks for one with each accept."
