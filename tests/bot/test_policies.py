"""Policies: what matches, and that whatever the TGC does not say, or a policy does not allow, does not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policies import Policies, Policy, Verdict, first_to_act, issue_types_of
from bot.pool_rules import Approvers, PoolRule, TicketRule
from bot.recommendations import Key, plan_of
from bot.windows import parse_windows
from tests.bot.rendering import samples
from tests.bot.rendering.strategies import RECOMMENDATIONS
from tgc.models import (
    Analysis,
    IopsAnalysis,
    IssueType,
    Outcome,
    ProtectionOutcome,
    Recommendation,
    RecommendationState,
    SpaceAnalysis,
)

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 3, 10, 23, 0, tzinfo=UTC)
KEY = Key("default", "pool", "recommendation")
RULE = PoolRule(name="r", named_in="r", approvers=Approvers(everyone=True))
ANY_ISSUE = frozenset({IssueType.SPACE, IssueType.IOPS, IssueType.FLASH})
NIGHTS = Policy(
    name="nights",
    pools=("Prod*", "Test"),
    issue_types=ANY_ISSUE,
    max_moves=1000,
    windows=parse_windows(["mon-sun 22:00-05:00"]),
    dry_run=False,
)


def harmless() -> Recommendation:
    """The contract's sample, without the loss of replication; it expires at 01:00."""
    sample = samples.recommendation("available")
    outcomes = tuple(msgspec.structs.replace(one, protection_info=None) for one in sample.expected_outcomes)
    return msgspec.structs.replace(sample, expected_outcomes=outcomes)


def judge(
    policy: Policy = NIGHTS,
    recommendation: Recommendation | None = None,
    *,
    pool: str = "Production",
    rule: PoolRule = RULE,
    now: datetime = NOW,
) -> Verdict:
    policies = Policies(all=(policy,), zone=UTC_ZONE)
    return policies.judge(policy, KEY, pool, recommendation or harmless(), rule, now)


def but(**changes: Any) -> Policy:
    return msgspec.structs.replace(NIGHTS, **changes)


def made(**changes: Any) -> Recommendation:
    return msgspec.structs.replace(harmless(), **changes)


def test_what_it_allows_matches_and_is_due_in_its_window() -> None:
    verdict = judge()
    assert verdict.matches
    assert verdict.is_due(NOW)
    before = judge(now=NOW - timedelta(hours=2))
    assert before.matches
    assert not before.is_due(NOW - timedelta(hours=2))
    assert before.window is not None
    assert before.window.since == NOW - timedelta(hours=1)
    assert before.window.until == NOW + timedelta(hours=6)


@pytest.mark.parametrize(
    ("pool", "tgc", "expected"),
    [
        ("Production", "*", True),
        ("Prod", "def*", True),
        ("Test", "default", True),
        ("Test2", "*", False),
        ("production", "*", False),
        ("Production", "other", False),
    ],
)
def test_it_is_for_the_pools_and_tgcs_that_it_names(pool: str, tgc: str, expected: bool) -> None:
    verdict = judge(but(tgc=tgc), pool=pool)
    assert verdict.names_pool is verdict.matches is expected


@pytest.mark.parametrize(
    ("pools", "pool", "expected"),
    [
        (("Production",), "berlin/Production", True),
        (("berlin/Prod*",), "berlin/Production", True),
        (("oslo/Prod*",), "berlin/Production", False),
        (("b*",), "berlin/Production", False),  # a TGC's name is no part of a pool's
        (("*/Production",), "berlin/Production", False),
    ],
)
def test_with_several_tgcs_a_pool_is_meant_by_its_own_name_or_after_its_tgcs(
    pools: tuple[str, ...], pool: str, expected: bool
) -> None:
    policy = but(pools=pools)
    assert policy.names(Key("berlin", "1", "1"), pool, {"berlin", "oslo"}) is expected


def test_a_policy_for_one_tgcs_pools_accepts_nothing_at_another_whose_pool_is_called_so() -> None:
    policy = but(pools=("berlin/Test*",))
    policies = Policies(all=(policy,), zone=UTC_ZONE, tgc_keys=frozenset({"berlin", "paris"}))
    paris, berlin = Key("paris", "1", "1"), Key("berlin", "1", "1")
    assert not policies.judge(policy, paris, "paris/berlin/Test1", harmless(), RULE, NOW).names_pool
    assert policies.judge(policy, berlin, "berlin/Test1", harmless(), RULE, NOW).names_pool
    assert policies.refusal(policy.user_id, paris, "paris/berlin/Test1", harmless(), RULE, NOW) is not None
    assert not policies.may_still(policy.user_id, paris, "paris/berlin/Test1")
    assert policies.may_still(policy.user_id, berlin, "berlin/Test1")


def test_brackets_of_a_policys_pools_are_those_of_a_name() -> None:
    assert judge(but(pools=("Lab [2]",)), pool="Lab [2]").names_pool
    assert not judge(but(pools=("Lab [2]",)), pool="Lab 2").names_pool


LOSING = Outcome(protection_info=ProtectionOutcome(vm_tintri_uuids=("x",)))
IN_WORDS = Outcome(protection_info=ProtectionOutcome(summary="1 VM would lose replication"))


@pytest.mark.parametrize(
    ("policy", "recommendation", "why"),
    [
        (NIGHTS, samples.recommendation("available"), "VMs would lose replication, which only people may accept"),
        (NIGHTS, made(expected_outcomes=(LOSING,)), "VMs would lose replication, which only people may accept"),
        (NIGHTS, made(expected_outcomes=(IN_WORDS,)), "VMs would lose replication, which only people may accept"),
        (NIGHTS, made(unreadable=("/expectedOutcomes/0/protectionInfo/summary",)), "not all of the TGC's answer could"),
        (NIGHTS, made(action_groups=()), "not all of the TGC's answer could be read"),
        (NIGHTS, made(state=RecommendationState.ACCEPTED), "there is nothing to accept"),
        (NIGHTS, made(state=None), "there is nothing to accept"),
        (NIGHTS, made(expiration_time=NOW), "it has expired"),
        (but(max_moves=1), harmless(), "VMs move, and it takes 1 at most"),
        (but(issue_types=frozenset({IssueType.SPACE})), harmless(), "it is also about "),
        (but(min_severity=3), harmless(), "its severity is 2, and it takes 3 or more"),
        (but(min_severity=1), made(issues=()), "the TGC does not say how severe it is"),
        (NIGHTS, made(issues=(Analysis(summary="something is wrong"),)), "the TGC describes an issue in words only"),
        (but(windows=parse_windows(["wed 01:00-05:00"])), harmless(), "its next window opens only after this expires"),
    ],
)
def test_what_it_does_not_allow_does_not_match(policy: Policy, recommendation: Recommendation, why: str) -> None:
    verdict = judge(policy, recommendation)
    assert not verdict.matches
    assert verdict.window is None
    assert any(why in reason for reason in verdict.why_not)


def test_every_reason_is_told() -> None:
    verdict = judge(but(max_moves=1, min_severity=3), samples.recommendation("available"))
    assert len(verdict.why_not) == 3


def test_a_pool_that_asks_for_a_ticket_is_never_accepted() -> None:
    rule = msgspec.structs.replace(RULE, ticket=TicketRule())
    verdict = judge(rule=rule)
    assert not verdict.matches
    assert verdict.asks_for_ticket
    assert not judge(but(max_moves=1), rule=rule).asks_for_ticket  # it would not match anyway
    assert not judge().asks_for_ticket


def test_an_issue_counts_also_where_it_is_not_chosen_to_be_solved() -> None:
    issue = Analysis(space_info=SpaceAnalysis(severity=1), iops_info=IopsAnalysis(is_selected=False, severity=5))
    kinds, severity = issue_types_of(Recommendation(issues=(issue,)))
    assert kinds == {"SPACE", "IOPS"}
    assert severity == 5


def test_an_issue_type_that_nobody_documents_is_among_none() -> None:
    group = harmless().action_groups[0]
    odd = msgspec.structs.replace(group.actions[0], issue_types=(IssueType("COLOUR"),))
    verdict = judge(recommendation=made(action_groups=(msgspec.structs.replace(group, actions=(odd,)),)))
    assert any("it is also about" in reason for reason in verdict.why_not)


def test_what_the_tgc_does_not_say_the_kind_of_does_not_match() -> None:
    groups = tuple(
        msgspec.structs.replace(
            group, actions=tuple(msgspec.structs.replace(one, issue_types=()) for one in group.actions)
        )
        for group in harmless().action_groups
    )
    verdict = judge(recommendation=made(issues=(), action_groups=groups))
    assert "the TGC does not say what it is about" in verdict.why_not


def test_whose_window_opens_first_acts_and_of_several_the_first_in_the_file() -> None:
    late, dry = but(name="late", windows=parse_windows(["wed 00:30-01:00"])), but(name="dry", dry_run=True)
    other = but(name="other")
    verdicts = [judge(policy) for policy in (dry, late, NIGHTS, other)]
    acting = first_to_act(verdicts)
    assert acting is not None
    assert acting.policy == NIGHTS
    assert first_to_act([judge(dry), judge(but(max_moves=1))]) is None


def refusal(policies: Policies, recommendation: Recommendation, now: datetime = NOW) -> str | None:
    return policies.refusal("policy:nights", KEY, "Production", recommendation, RULE, now)


def test_when_it_acts_it_is_judged_again() -> None:
    assert refusal(Policies(all=(NIGHTS,), zone=UTC_ZONE), harmless()) is None
    closed = refusal(Policies(all=(NIGHTS,), zone=UTC_ZONE), harmless(), NOW - timedelta(hours=2))
    assert closed == "No window of the policy nights is open."
    lost = refusal(Policies(all=(NIGHTS,), zone=UTC_ZONE), samples.recommendation("available"))
    assert lost is not None
    assert lost.startswith("The policy nights does not allow it, because VMs would lose replication")
    for policies in ((), (but(dry_run=True),), (but(name="other"),)):
        gone = refusal(Policies(all=policies, file="tintri-bot.toml", zone=UTC_ZONE), harmless())
        assert gone == "tintri-bot.toml has no policy nights any more that may accept."


@given(
    max_moves=st.integers(1, 20),
    kinds=st.frozensets(st.sampled_from(sorted(ANY_ISSUE)), min_size=1),
    min_severity=st.none() | st.integers(1, 4),
    loses=st.booleans(),
    ticket=st.booleans(),
    ahead=st.integers(0, 48 * 60),
)
def test_nothing_matches_that_breaks_any_of_its_terms(
    max_moves: int,
    kinds: frozenset[IssueType],
    min_severity: int | None,
    loses: bool,
    ticket: bool,
    ahead: int,
) -> None:
    policy = but(max_moves=max_moves, issue_types=kinds, min_severity=min_severity)
    recommendation = samples.recommendation("available") if loses else harmless()
    rule = msgspec.structs.replace(RULE, ticket=TicketRule()) if ticket else RULE
    now = datetime(2026, 3, 9, 12, tzinfo=UTC) + timedelta(minutes=ahead)
    verdict = judge(policy, recommendation, rule=rule, now=now)
    there, severity = issue_types_of(recommendation)
    moves = sum(len(group.actions) for group in recommendation.action_groups)
    expires = recommendation.expiration_time
    assert expires is not None
    allowed = (
        not loses
        and not ticket
        and moves <= max_moves
        and there <= kinds
        and (min_severity is None or (severity is not None and severity >= min_severity))
        and now < expires
    )
    opens_in_time = verdict.window is not None and verdict.window.since < expires
    assert verdict.matches is (allowed and opens_in_time)
    assert bool(verdict.why_not) is not verdict.matches


@given(RECOMMENDATIONS)
def test_whatever_the_tgc_says_only_what_is_known_to_be_harmless_matches(recommendation: Recommendation) -> None:
    policy = but(max_moves=3, issue_types=frozenset({IssueType.SPACE}), min_severity=2)
    verdict = judge(policy, recommendation, now=datetime(2020, 1, 1, tzinfo=UTC))
    if not verdict.matches:
        assert all(reason.isprintable() for reason in verdict.why_not)
        return
    plan = plan_of(recommendation)
    assert plan.whole
    assert not plan.unprotected
    assert 1 <= sum(map(len, plan.groups)) <= 3
    assert {action.issue_types for group in recommendation.action_groups for action in group.actions} <= {
        (),
        (IssueType.SPACE,),
    }
