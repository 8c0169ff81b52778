"""What renderers are given and what they give back: plain records, no behaviour that reads or writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from tgc.models import PoolStat, Recommendation

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
    FEEDBACK = "feedback"
    """Tell the TGC what one thinks of it."""
    LEAVE_OUT = "leave_out"
    """Have the TGC plan without some VMs, this time."""
    CHOOSE_ISSUES = "choose_issues"
    """Have the TGC build another one, for some issues."""
    SET_RULE = "set_rule"
    """Have the TGC never move some VMs, or never to some VMstores."""

    @property
    def decides(self) -> bool:
        """Whether it changes where the recommendation stands."""
        return self is not Action.FEEDBACK

    @property
    def shapes(self) -> bool:
        """Whether it changes what can be accepted."""
        return self in {Action.LEAVE_OUT, Action.CHOOSE_ISSUES, Action.SET_RULE}


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote of a decision, then or afterwards."""

    text: str
    user_id: str


class TicketAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool asks for with each accept."""

    rule: str
    """The name of the rule that asks."""
    pattern: str
    """Must match the whole ticket; empty where any will do."""


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
    ticket: str | None = None
    note: Note | None = None
    """The newest that was written of it."""


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
    """What followed the command's own word, or what a form asked for; None for a button."""
    told: str | None
    tgc_answer: str | None
    offer_id: str | None
    ticket: str | None = None
    note: str | None = None
    """What the person wrote: a note, a reason, or the comment of feedback."""
    feedback: str | None = None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the entries asked for, newest first."""

    entries: tuple[AuditEntry, ...]
    total: int
    typed: str
    """What chose them; turning the page repeats it."""
    page: int = 0
    last: int = 0


class PolicyLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one policy makes of a pool's recommendation."""

    policy: str
    is_dry: bool
    why_not: tuple[str, ...]
    """Clauses to follow "because"; empty where it matches."""
    held_back: str | None
    """Why it does nothing although it matches."""
    at: datetime | None
    """When it acts."""


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """What every policy makes of it, in the order of the file."""

    pool_name: str
    lines: tuple[PolicyLine, ...] = ()
    problem: str | None = None
    """Why there is nothing to judge, one sentence."""


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A permanent rule of a VM that was set here."""

    id: str
    """The value of the button that clears it."""
    pool_name: str
    vm_name: str
    rule: str
    """`never to move to vmstore01`."""
    user_id: str
    """Who asked for it, or to clear it."""
    asked_at: datetime
    clears: bool
    is_known: bool
    """False where the TGC's answer was lost, so that nobody can tell whether it was done."""


class RulesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the rules asked for."""

    rules: tuple[RuleView, ...]
    total: int
    typed: str
    page: int = 0
    last: int = 0


class Mark(StrEnum):
    """How a check of the doctor's ended. Like the fields of Finding, its values are a promise."""

    OK = "ok"
    WARNING = "warning"
    """To look at, or not to be known."""
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found. Its fields and their order are what programs get as JSON."""

    name: str
    """What was checked, in a word or two."""
    mark: Mark
    sentence: str
    fix: str = ""
    """What to do; empty where that is nothing, or in the sentence."""


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a card, a details modal or an answer about one pool shows."""

    tgc_key: str
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
    ticket: TicketAsked | None = None
    """Set where the pool asks for a ticket with each accept."""
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
    tgc_key: str = ""
    view: CardView | None = None
    problem: str | None = None
    """One sentence; set where `view` is None and it is not late."""
    is_late: bool = False
    """Whether the TGC had not answered when the answer was due."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Pools of the TGCs, as just read."""

    tgc_name: str
    """All their names, where there are several."""
    read_at: datetime
    pools: tuple[PoolAnswer, ...]
    are_many: bool = False
    """Whether there are several TGCs."""
    unread: Mapping[str, str] = {}
    """Why the pools of some TGCs are missing, one sentence each, by their keys."""


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the recommendations of the last days, newest first; before all, the pools that could not be read."""

    answers: tuple[PoolAnswer, ...]
    days: int
    recommendations: int
    """How many there are on all pages."""
    unread: int
    """How many pools could not be read."""
    typed: str
    """What chose them; turning the page repeats it."""
    page: int = 0
    last: int = 0


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    """Where nobody can accept."""

    pool_name: str | None
    """None: in every pool."""
    user_id: str
    until: datetime | None
    """None: until somebody resumes."""


class Unposted(msgspec.Struct, frozen=True, kw_only=True):
    """What Slack did not take when it was tried."""

    cards: int
    messages: int
    since: datetime
    problem: str
    """The newest, one sentence."""


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime
    problem: str


class TgcStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot is at with one TGC."""

    name: str
    outage: Outage | None
    login_refused_at: datetime | None
    """When the TGC refused the bot's login last, unless it took it since."""
    swept_at: datetime | None
    """When all pools were read last; None where this replica has not done so."""
    next_sweeps: tuple[datetime, ...]


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot is at."""

    tgcs: tuple[TgcStatus, ...]
    cards: tuple[CardView, ...]
    """All that are not at their end."""
    paused: tuple[Paused, ...]
    unposted: Unposted | None
    mail: Outage | None = None
    """Since when mails do not go out; None where they do, or are not wanted."""


class Hindrance(msgspec.Struct, frozen=True, kw_only=True):
    """Why not everything can be done now, whoever asks."""

    sentence: str
    pool_names: tuple[str, ...]
    """Where; empty where in every pool of the rule."""


class RuleForYou(msgspec.Struct, frozen=True, kw_only=True):
    """What an approval rule means for somebody."""

    rule: str
    """Its name."""
    pool_names: tuple[str, ...]
    """Those that it holds for, as far as that is known."""
    named_in: str
    """Where an operator finds who its approvers are."""
    refusal: str | None
    """What a press would be answered; None where this person may act."""
    everyone: bool
    """Whether every full member may."""
    group_id: str | None
    """Of the user group by which they may, where it is by one."""
    two_for: tuple[str, ...]
    """What two people must accept."""
    hindrances: tuple[Hindrance, ...]


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may do, and why."""

    refusal: str | None
    """Why they may not even read; then the rest says nothing."""
    rules: tuple[RuleForYou, ...] = ()
    may_anywhere: bool = False
    may_everywhere: bool = False
    problem: str | None = None
    """Why it is not known which pools there are."""


class PoolGlance(msgspec.Struct, frozen=True, kw_only=True):
    """One pool, in a line of a home."""

    pool_name: str
    stat: PoolStat | None = None
    view: CardView | None = None
    """Of its newest recommendation; None where none was ever read."""


class TgcGlance(msgspec.Struct, frozen=True, kw_only=True):
    """One TGC, at the foot of a home."""

    name: str
    url: str
    read_at: datetime | None = None
    """When the TGC told the pools' figures; None where it never did."""
    failing_since: datetime | None = None
    """Since when the TGC cannot be read."""


class HomeView(msgspec.Struct, frozen=True, kw_only=True):
    """All that one person's home shows."""

    tgcs: tuple[TgcGlance, ...]
    pools: tuple[PoolGlance, ...] = ()
    waiting: tuple[CardView, ...] = ()
    """What this person may decide."""
    running: tuple[CardView, ...] = ()
    decided: tuple[AuditEntry, ...] = ()
    """What people decided last, newest first."""
