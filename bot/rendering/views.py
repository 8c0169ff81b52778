"""What renderers are given and what they give back: plain records, no behaviour that reads or writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from tgc.models import Recommendation

Block = dict[str, Any]
"""One finished Block Kit block."""
View = dict[str, Any]
"""One finished Slack view (a modal)."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message in all its forms. Slack refusing one means the next plainer one is sent: full, compact, text."""

    text: str
    """mrkdwn, escaped, short and complete: the notification and the screen reader's text. At most 4,000 bytes."""
    blocks: tuple[Block, ...] = ()
    compact: tuple[Block, ...] = ()
    """The same said in few, small blocks; empty where there is nothing plainer than `text`."""

    def forms(self) -> Sequence[tuple[Block, ...]]:
        """The blocks to try in turn; the last is always empty, the text alone."""
        return (*(form for form in (self.blocks, self.compact) if form), ())


class Standing(StrEnum):
    """Where a recommendation stands, in the words of the people who decide on it."""

    OFFERED = "offered"
    DECIDING = "deciding"
    DISMISSED = "dismissed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    GONE = "gone"
    """The TGC no longer knows it."""
    BUILDING = "building"
    BALANCED = "balanced"
    """The TGC looked and found nothing to do."""
    UNAVAILABLE = "unavailable"
    """The TGC has none, and `stateReason` may say why."""

    @property
    def is_end(self) -> bool:
        """Nothing about it will change any more: its card is final."""
        return self in {
            Standing.DONE,
            Standing.FAILED,
            Standing.CANCELLED,
            Standing.EXPIRED,
            Standing.INVALIDATED,
            Standing.GONE,
        }


class Action(StrEnum):
    """What a person can do to a recommendation."""

    ACCEPT = "accept"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    CANCEL = "cancel"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody did something, or is about to."""

    action: Action
    user_id: str
    """Slack's id, rendered as a mention that pings nobody (edits do not)."""
    at: datetime
    other_moves: bool = False
    """After this accept the TGC ran other moves than those offered."""
    first_user_id: str | None = None
    """Of an accept by two people: who accepted first."""


class PlannedAct(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody accepts it later."""

    id: str
    """The value of the button that cancels the plan."""
    user_id: str
    due_at: datetime
    is_held: bool = False
    """Whether it is due, and a pause holds it back."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    moved: int
    total: int


class SeenMove(msgspec.Struct, frozen=True, kw_only=True):
    """One VM's way, by the names that a card showed."""

    wave: int
    vm: str
    source: str
    destination: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody had before them when they decided: kept as names, for readers years later."""

    moves: tuple[SeenMove, ...]
    losing: tuple[str, ...]
    """VMs that would lose replication."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal. Its names and their order are what programs get as JSON and CSV: a promise."""

    id: int
    """Rises with each; it says in which order they were written down."""
    decided_at: datetime
    action: str
    outcome: str
    user_id: str
    user_name: str
    """As it was then, like the pool's and the VMs'."""
    team_id: str
    channel_id: str | None
    tgc: str
    pool_uuid: str | None
    pool_name: str | None
    recommendation_id: str | None
    moves: tuple[SeenMove, ...] | None
    """What was seen; None where no offer was."""
    loses_replication: tuple[str, ...] | None
    typed: str | None
    """What followed the command's own word; None for a button."""
    told: str | None
    tgc_answer: str | None
    offer_id: str | None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the entries asked for, newest first."""

    entries: tuple[AuditEntry, ...]
    total: int
    typed: str
    """What chose them; turning the page repeats it."""
    page: int = 0
    last: int = 0


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a card, a details modal or an answer about one pool shows."""

    tgc_name: str
    """Host name to show, such as `tgc.example.com`."""
    tgc_url: str
    pool_name: str
    recommendation: Recommendation
    standing: Standing
    offer_id: str | None = None
    """The value of every button; without one there are no buttons."""
    can_act: bool = False
    """Whether the buttons that change something are shown; without it there are none but Details."""
    can_accept: bool = False
    """Whether Accept is among them: not while accepting is paused, nor where the plan could not be read whole."""
    hindrance: str | None = None
    """Why a button is missing that would be there otherwise, a sentence; shown where that is so."""
    second: str | None = None
    """Why two people must accept it, to follow "because"; None where one is enough."""
    approval: Act | None = None
    """What the first of two has accepted."""
    planned: PlannedAct | None = None
    """Who accepts these very moves later."""
    act: Act | None = None
    """The newest decision that took effect; None where it was made in the TGC's own GUI, or nobody decided."""
    cancelled: Act | None = None
    """Where `act` is a Cancel: the accept that it cancels; None where that was made in the TGC's own GUI."""
    pending: Act | None = None
    """What somebody is doing to it right now (standing DECIDING)."""
    previous: Progress | None = None
    """An earlier recommendation of this pool that still runs."""
    vm_names: Mapping[str, str] = {}
    """Names of VMs, by their Tintri UUID, that the recommendation itself does not name."""
    stalled: Mapping[str, datetime] = {}
    """VMs, by their id, that have made no progress for too long, and since when."""


class PoolAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One pool in an answer: what it has, why that could not be read, or that it is still being read."""

    pool_name: str
    pool_uuid: str = ""
    view: CardView | None = None
    problem: str | None = None
    """One sentence; set where `view` is None and it is not late."""
    is_late: bool = False
    """Whether the TGC had not answered when the answer was due."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All pools of a TGC, as just read."""

    tgc_name: str
    read_at: datetime
    pools: tuple[PoolAnswer, ...]
