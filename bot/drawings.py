"""What each card should show now, drawn from the database; and whether its message shows that already."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_views import CardViews
from bot.live_cards import live
from bot.recommendations import Key, is_final, is_running, without_progress
from bot.rendering.card import render_card, render_moved
from bot.rendering.views import CardView, Message, Standing
from bot.routes import Route, Routes
from bot.storage import cards
from bot.storage.cards import Card
from bot.storage.recommendations import Stored

_ENDS_OF_MOVES = frozenset({Standing.DONE, Standing.FAILED, Standing.CANCELLED})
_DIGESTS_KEPT = 4096


class _Digests:
    """Digests of messages, by those of what they were drawn from: to draw takes ten times as long as both.

    Most cards are looked at again and again while nothing changes. The least lately used are forgotten.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, str] = OrderedDict()

    def get(self, source: bytes, draw: Callable[[], str]) -> str:
        digest = self._known.pop(source, None) or draw()
        self._known[source] = digest
        if len(self._known) > _DIGESTS_KEPT:
            self._known.popitem(last=False)
        return digest


_digests = _Digests()


class Drawing(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a card should show."""

    card: Card
    stored: Stored
    view: CardView
    calls: tuple[str, ...] = ()
    """Whom it notifies."""
    moved_to: Card | None = None
    """The card that shows the recommendation in the place of this one."""
    is_first: bool = True
    """Of all that show it, so that it notifies people in their name."""
    is_routed: bool = True
    """Whether it is where its recommendation's cards go now, or there is none of these."""
    left_behind: tuple[Card, ...] = ()
    """Those that show the recommendation only until this one is posted."""

    @cached_property
    def message(self) -> Message:
        return (
            render_moved(self.view, self.moved_to.channel_id) if self.moved_to else render_card(self.view, self.calls)
        )

    @property
    def digest(self) -> str:
        """Of all that the message says and carries."""
        moved_to = (self.moved_to.channel_id, self.moved_to.ts) if self.moved_to else None
        source = hashlib.sha256(msgspec.json.encode((self.view, self.calls, self.facts, moved_to)))
        return _digests.get(source.digest(), self._digest)

    def _digest(self) -> str:
        shown = (self.message, self.facts) if self.moved_to is None else (self.message, self.facts, self.moved_to.ts)
        return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()

    @property
    def state_digest(self) -> str | None:
        """The same without progress; None where nothing runs."""
        if self.view.standing is not Standing.RUNNING:
            return None
        still = msgspec.structs.replace(self.view, recommendation=without_progress(self.view.recommendation))
        return hashlib.sha256(msgspec.json.encode((render_card(still), self.facts))).hexdigest()

    @property
    def final(self) -> bool:
        """Whether nothing about it will change any more, who decided included."""
        return (self.stored.gone or is_final(self.stored.recommendation)) and self.view.pending is None

    @property
    def has_run(self) -> bool:
        """Whether moves have come to their end, or the TGC has forgotten them while they ran."""
        if self.view.standing is Standing.GONE:
            return is_running(self.stored.recommendation)
        return self.view.standing in _ENDS_OF_MOVES

    @property
    def is_painted(self) -> bool:
        """Whether the message needs nothing: it shows this already, is final, or nothing is known to show yet."""
        is_unknown = self.stored.recommendation.state is None and not self.stored.gone
        if self.card.final or is_unknown:
            return True
        return self.card.ts is not None and self.card.painted == self.digest

    @property
    def key(self) -> str:
        return card_key(self.stored.key, self.card.channel_id, self.card.generation)

    @property
    def facts(self) -> dict[str, str | bool]:
        """What a new database needs in order to know the message again."""
        key = self.stored.key
        return {
            "tgc": key.tgc_key,
            "pool": key.pool_uuid,
            "recommendation": key.recommendation_id,
            "final": self.final,
        }


def card_key(key: Key, channel_id: str, generation: int) -> str:
    """The outbox key of a card: the same in every database that ever knew it."""
    name = msgspec.json.encode((key, channel_id))
    return f"card/{hashlib.sha256(name).hexdigest()[:40]}/{generation}"


async def draw_all(
    connection: AsyncConnection, views: CardViews, routes: Routes, several: Sequence[Stored], now: datetime
) -> list[list[Drawing]]:
    """What each card of each of these recommendations should show now."""
    known = await cards.of_several(connection, [stored.row_id for stored in several])
    carded = [stored for stored in several if stored.row_id in known]
    drawings = {stored.row_id: list[Drawing]() for stored in several}
    for stored, view in zip(carded, await views.views(connection, carded), strict=True):
        of_it = known[stored.row_id]
        drawings[stored.row_id] = [_drawing(stored, view, card, of_it, routes, now) for card in of_it]
    return [drawings[stored.row_id] for stored in several]


def _drawing(
    stored: Stored, view: CardView, card: Card, known: Sequence[Card], routes: Routes, now: datetime
) -> Drawing:
    route = routes.of(stored.key.tgc_key, stored.pool_name, stored.recommendation)
    shown = [one for one in live(known, route.channels) if one.ts]
    elsewhere = [one for one in known if one.channel_id not in route.channels]
    is_routed = card not in elsewhere or len(elsewhere) == len(known)
    moved_to = None if is_routed or card in shown else next(iter(shown), None)
    return Drawing(
        card=card,
        stored=stored,
        view=view,
        calls=_calls(routes, route, card, now),
        moved_to=moved_to,
        is_first=not shown or card == shown[0],
        is_routed=is_routed,
        left_behind=() if card in elsewhere or card.ts is not None else tuple(elsewhere),
    )


def _calls(routes: Routes, route: Route, card: Card, now: datetime) -> tuple[str, ...]:
    """Whom a card calls: those that its post notified, or will, so that an edit neither adds nor takes away a name."""
    if card.channel_id not in route.channels or card.generation > 0:
        return ()
    return routes.mentions_at(route, now if card.ts is None else _posted_at(card.ts, now))


def _posted_at(ts: str, now: datetime) -> datetime:
    """Slack names its messages by the second in which it took them."""
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return now
