"""Views as nobody wishes them: every field absent, hostile or huge."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
from hypothesis import strategies as st

from bot.rendering.views import (
    Act,
    Action,
    AuditEntry,
    CardView,
    HomeView,
    Note,
    PlannedAct,
    PoolAnswer,
    PoolGlance,
    Progress,
    Report,
    SeenMove,
    Standing,
    TgcGlance,
    TicketAsked,
)
from tgc import models
from tgc.models import ExecutionState, IssueType, RecommendationState, StateReason

HOSTILE = (
    "<!channel>",
    "<!here|x>",
    "<@U0ALICE>",
    "<#C0GENERAL>",
    "<https://evil.example|tgc.example.com>",
    "<!date^1^{date}|x>",
    "<!subteam^S012>",
    "&lt;!channel&gt;",
    "*_~`>:fire:",
    "\x1b[31m\x07",
    "\u202e\u200b\ufeff",
    "\ud83d",
    "\udc00\ud800",
    "e\u0301" + "\u0301" * 60,
    "\n\n\r\t",
    "&" * 200,
    "名" * 200,
    "😀" * 200,
    "vm-" + "x" * 5_000,
    "",
    " ",
)
TEXTS = (
    st.sampled_from(HOSTILE)
    | st.text(st.characters(exclude_categories=()), max_size=200)
    | st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=4).map("".join)
)
NUMBERS = st.floats() | st.integers(min_value=-(10**30), max_value=10**30) | st.floats(0, 100)
MOMENTS = st.datetimes(
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=14))]),
) | st.just(datetime(2026, 3, 10, 13, 0, tzinfo=UTC))
USER_IDS = st.sampled_from(["U0ALICE", "W012", "", "!channel", "U1><!here>", "\ud83d"])
_KEPT = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())
"""What a database or a file took: text that UTF-8 can write."""
OFFER_IDS = st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


def _open(documented: type[models.OpenStrEnum]) -> st.SearchStrategy[object]:
    return st.sampled_from(list(documented)) | TEXTS.map(documented)


def _all_optional(model: type, **strategies: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.builds(model, **{field: maybe(strategy) for field, strategy in strategies.items()})


_SHARED: dict[str, st.SearchStrategy[object]] = {
    "severity": st.integers(),
    "is_selected": st.booleans(),
    "summary": TEXTS,
}
_ANALYSES = _all_optional(
    models.Analysis,
    vm_store_id=TEXTS,
    vm_store_display_name=TEXTS,
    summary=TEXTS,
    space_info=_all_optional(
        models.SpaceAnalysis,
        probability=NUMBERS,
        space_threshold_percent=NUMBERS,
        space_used_physical_percent=NUMBERS,
        space_used_physical_gib=NUMBERS,
        space_used_physical_change=NUMBERS,
        **_SHARED,
    ),
    iops_info=_all_optional(
        models.IopsAnalysis,
        load_threshold_percent=NUMBERS,
        percent_of_week_under_load=NUMBERS,
        latency_storage_ms=NUMBERS,
        total_iops=st.integers(),
        **_SHARED,
    ),
    flash_info=_all_optional(
        models.FlashAnalysis,
        flash_hit_rate_percent=NUMBERS,
        flash_hit_rate_threshold_percent=NUMBERS,
        latency_flash_ms=NUMBERS,
        **_SHARED,
    ),
)
_OUTCOMES = _all_optional(
    models.Outcome,
    vm_store_id=TEXTS,
    vm_store_display_name=TEXTS,
    summary=TEXTS,
    space_info=_all_optional(models.SpaceOutcome, probability=NUMBERS, space_changed_physical_gib=NUMBERS),
    iops_info=_all_optional(
        models.IopsOutcome,
        predicted_load_week_percent=NUMBERS,
        predicted_outcome_load_week_percent=NUMBERS,
    ),
    flash_info=_all_optional(models.FlashOutcome, flash_hit_rate_percent=NUMBERS, changed_latency_ms=NUMBERS),
    protection_info=st.builds(
        models.ProtectionOutcome,
        vm_tintri_uuids=st.lists(TEXTS, max_size=12).map(tuple),
        summary=maybe(TEXTS),
    ),
)
_MOVES = st.builds(
    models.Action,
    issue_types=st.lists(_open(IssueType), max_size=6).map(tuple),
    target_vm_display_name=maybe(TEXTS),
    target_vm_tintri_uuid=maybe(TEXTS),
    source_datastore_display_name=maybe(TEXTS),
    destination_datastore=maybe(TEXTS),
    result=_all_optional(
        models.ActionResult,
        state=_open(ExecutionState),
        progress=st.integers(),
        error_category=TEXTS | st.sampled_from(["hypervisor", "TGC"]),
        error_summary=TEXTS,
        error_detail=TEXTS,
    ),
)


def _several(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """A few, or as many as 32 VMstores have."""
    few = st.lists(strategy, max_size=2).map(tuple)
    return st.builds(lambda drawn, copies: drawn * copies, few, st.sampled_from([1, 1, 16]))


def _plan(moves: list[models.Action], waves: int, copies: int) -> tuple[models.ActionGroup, ...]:
    """Up to hundreds of moves from the few that were drawn."""
    many = moves * copies
    size = max(len(many) // waves, 1)
    return tuple(models.ActionGroup(actions=tuple(many[at : at + size])) for at in range(0, len(many), size))


_PLANS = st.builds(
    _plan,
    st.lists(_MOVES, max_size=5),
    st.integers(min_value=1, max_value=700),
    st.sampled_from([1, 1, 1, 3, 140]),
)
RECOMMENDATIONS = st.builds(
    models.Recommendation,
    id=maybe(TEXTS),
    vmstore_pool_id=maybe(TEXTS),
    state=maybe(_open(RecommendationState)),
    state_reason=maybe(_open(StateReason)),
    execution_state=maybe(_open(ExecutionState)),
    creation_time=maybe(MOMENTS),
    last_updated_time=maybe(MOMENTS),
    acknowledged_time=maybe(MOMENTS),
    accepted_time=maybe(MOMENTS),
    completion_time=maybe(MOMENTS),
    expiration_time=maybe(MOMENTS),
    vm_affinity_not_now_tintri_uuids=st.lists(TEXTS, max_size=3).map(tuple),
    issues=_several(_ANALYSES),
    action_groups=_PLANS,
    expected_outcomes=_several(_OUTCOMES),
    unreadable=st.lists(TEXTS | st.just("/actionGroups/0"), max_size=3).map(tuple),
)
_ACTS = st.builds(
    Act,
    action=st.sampled_from(Action),
    user_id=USER_IDS,
    at=MOMENTS,
    other_moves=st.booleans(),
    first_user_id=maybe(USER_IDS),
    ticket=maybe(TEXTS),
    note=maybe(st.builds(Note, text=TEXTS, user_id=USER_IDS)),
)


def _stalling(view: CardView, since: datetime) -> CardView:
    """All its moves make no progress."""
    vms = {action.vm: since for group in view.recommendation.action_groups for action in group.actions}
    return msgspec.structs.replace(view, stalled=vms)


_GETTING_ON = st.builds(
    CardView,
    tgc_key=TEXTS,
    tgc_name=TEXTS,
    tgc_url=TEXTS | st.just("https://tgc.example.com"),
    pool_name=TEXTS,
    recommendation=RECOMMENDATIONS,
    standing=st.sampled_from(Standing),
    offer_id=OFFER_IDS,
    can_act=st.booleans(),
    can_accept=st.booleans(),
    hindrance=maybe(TEXTS),
    second=maybe(st.sampled_from(["this pool always asks for two", "VMs would lose replication"])),
    ticket=maybe(st.builds(TicketAsked, rule=_KEPT, pattern=_KEPT)),
    approval=maybe(_ACTS),
    planned=maybe(st.builds(PlannedAct, id=st.just("plan-1"), user_id=USER_IDS, due_at=MOMENTS, is_held=st.booleans())),
    act=maybe(_ACTS),
    cancelled=maybe(_ACTS),
    pending=maybe(_ACTS),
    previous=maybe(st.builds(Progress, moved=st.integers(), total=st.integers())),
    vm_names=st.dictionaries(TEXTS, TEXTS, max_size=3),
)
VIEWS = _GETTING_ON | st.builds(_stalling, _GETTING_ON, MOMENTS)
POOL_ANSWERS = st.builds(PoolAnswer, pool_name=TEXTS, view=maybe(VIEWS), problem=maybe(TEXTS))
REPORTS = st.builds(
    Report,
    tgc_name=TEXTS,
    read_at=MOMENTS,
    pools=st.tuples(st.lists(POOL_ANSWERS, max_size=3), st.sampled_from([1, 1, 9])).map(
        lambda drawn: tuple(drawn[0] * drawn[1]),
    ),
)
_SEEN_MOVES = st.builds(SeenMove, wave=st.integers(1, 9), vm=_KEPT, source=_KEPT, destination=_KEPT)
AUDIT_ENTRIES = st.builds(
    AuditEntry,
    id=st.integers(1, 2**40),
    decided_at=st.datetimes(timezones=st.just(UTC)),
    action=st.sampled_from([*Action, "plan", "cancel_plan", "say_why", "pause", "resume", "audit"]).map(str),
    outcome=st.sampled_from(["done", "not_allowed", "never_known"]),
    user_id=USER_IDS.map(lambda text: text.encode("utf-8", "replace").decode()),
    user_name=_KEPT,
    team_id=st.just("T0HOME"),
    channel_id=st.none() | st.just("C0STORAGE"),
    tgc=st.just("default"),
    pool_uuid=st.none() | _KEPT,
    pool_name=st.none() | _KEPT,
    recommendation_id=st.none() | _KEPT,
    moves=st.none() | st.lists(_SEEN_MOVES, max_size=4).map(tuple),
    loses_replication=st.none() | st.lists(_KEPT, max_size=9).map(tuple),
    typed=st.none() | _KEPT,
    told=st.none() | _KEPT,
    tgc_answer=st.none() | _KEPT,
    offer_id=st.none() | _KEPT,
    ticket=st.none() | _KEPT,
    note=st.none() | _KEPT,
    feedback=st.none() | _KEPT,
)
_STATS = _all_optional(
    models.PoolStat,
    space_total_gib=NUMBERS,
    space_used_physical_gib=NUMBERS,
    operations_total_iops=st.integers(),
    latency_total_ms=NUMBERS,
)


def _home(
    pool: PoolGlance, waiting: CardView, running: CardView, copies: tuple[int, int, int], **others: object
) -> HomeView:
    """Up to far more than a home holds, from the few that were drawn."""
    pools, waits, runs = copies
    home = HomeView(tgcs=(), pools=(pool,) * pools, waiting=(waiting,) * waits, running=(running,) * runs)
    return msgspec.structs.replace(home, **others)


HOMES = st.builds(
    _home,
    st.builds(PoolGlance, pool_name=TEXTS, stat=maybe(_STATS), view=maybe(VIEWS)),
    VIEWS,
    VIEWS,
    st.tuples(*[st.sampled_from([0, 1, 40])] * 3),
    tgcs=st.builds(
        lambda tgc, copies: (tgc,) * copies,
        st.builds(
            TgcGlance,
            name=TEXTS,
            url=TEXTS | st.just("https://tgc.example.com"),
            read_at=maybe(MOMENTS),
            failing_since=maybe(MOMENTS),
        ),
        st.sampled_from([1, 2, 40]),
    ),
    decided=st.lists(AUDIT_ENTRIES, max_size=5).map(tuple),
)
