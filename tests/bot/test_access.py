"""Who may read and act, asked of the stand-in for Slack as of Slack itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

import playground.slack
from bot.access import Access, Actor
from bot.pool_names import PoolName
from bot.pool_rules import Approvers
from bot.slack import Slack
from playground.slack_workspace import User, UserGroup
from tests.bot.rules import rules
from tests.scenarios.stage import StageClock

POOL = PoolName("default", "Production")

Workspace = playground.slack.Slack


@pytest.fixture
def clock() -> StageClock:
    return StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))


@pytest.fixture
async def workspace(clock: StageClock) -> AsyncIterator[Workspace]:
    served = playground.slack.Slack(clock=clock.timestamp)
    async with served.serve():
        yield served


@pytest.fixture
async def slack(workspace: Workspace) -> AsyncIterator[Slack]:
    async with aiohttp.ClientSession() as session:
        yield Slack(workspace.bot_token, base_url=workspace.api_url, session=session)


async def access(slack: Slack, clock: StageClock, **approvers: object) -> Access:
    made = Approvers(**approvers)  # type: ignore[arg-type]  # each test names its own
    return Access(slack, await slack.identify(), rules(made), clock)


def actor(workspace: Workspace, who: str) -> Actor:
    user = workspace.person(who).user
    return Actor(team_id=user.team_id, user_id=user.id, name=user.name)


async def test_full_members_may_read_whether_or_not_they_may_act(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    nobody = await access(slack, clock)
    assert await nobody.refusal_to_read(actor(workspace, "carol")) is None
    for who in ("gina", "uma", "frank", "olga", "dave", "robot"):
        assert await nobody.refusal_to_read(actor(workspace, who)) is not None
    assert "RECO_APPROVERS is empty" in str(nobody.hindrance(POOL))
    assert nobody.hindrance(POOL) == await nobody.refusal_to_act(actor(workspace, "carol"), POOL)


async def test_a_team_that_only_the_payload_claims_opens_nothing(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    everyone = await access(slack, clock, everyone=True)
    ours = workspace.person("alice").user.team_id
    for who in ("frank", "olga"):
        claimed = Actor(team_id=ours, user_id=workspace.person(who).user.id, name=who)
        assert "from another one" in str(await everyone.refusal_to_act(claimed, POOL))


async def test_a_stranger_is_refused_without_a_question_to_slack(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    everyone = await access(slack, clock, everyone=True)
    foreign = Actor(team_id="T0ELSEWHR", user_id=workspace.person("alice").user.id, name="alice")
    assert "from another one" in str(await everyone.refusal_to_act(foreign, POOL))
    assert workspace.calls_of("users.info") == []


async def test_somebody_whom_slack_does_not_know_is_refused(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    everyone = await access(slack, clock, everyone=True)
    unknown = Actor(team_id=workspace.person("alice").user.team_id, user_id="U0NOBODY0", name="nobody")
    assert "user_not_found" in str(await everyone.refusal_to_act(unknown, POOL))


async def test_a_look_up_serves_for_a_minute_and_a_failed_one_for_nobody(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    everyone = await access(slack, clock, everyone=True)
    alice = workspace.person("alice").user
    workspace.faults.fail("users.info", "internal_error")
    assert "I could not check who you are" in str(await everyone.refusal_to_act(actor(workspace, "alice"), POOL))
    assert await everyone.refusal_to_act(actor(workspace, "alice"), POOL) is None
    alice.deleted = True
    clock.move(timedelta(seconds=59))
    assert await everyone.refusal_to_act(actor(workspace, "alice"), POOL) is None
    clock.move(timedelta(seconds=1))
    assert "an active account" in str(await everyone.refusal_to_act(actor(workspace, "alice"), POOL))
    assert len(workspace.calls_of("users.info")) == 3


async def test_groups_are_looked_at_again_after_a_minute(workspace: Workspace, slack: Slack, clock: StageClock) -> None:
    by_group = await access(slack, clock, group_ids=frozenset({"S0STORAGE"}))
    assert "not an approver" in str(await by_group.refusal_to_act(actor(workspace, "carol"), POOL))
    workspace.workspace.groups["S0STORAGE"].users.append(workspace.person("carol").user.id)
    assert await by_group.refusal_to_act(actor(workspace, "carol"), POOL) is not None
    clock.set_ahead(hours=-2)  # that changes nothing
    clock.move(timedelta(minutes=1))
    assert await by_group.refusal_to_act(actor(workspace, "carol"), POOL) is None


async def test_one_group_that_cannot_be_read_hides_no_other_and_widens_nothing(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    workspace.workspace.groups["S1CAROL00"] = UserGroup("S1CAROL00", "carols", [workspace.person("carol").user.id])
    both = await access(slack, clock, group_ids=frozenset({"S0UNKNOWN", "S1CAROL00"}))
    assert await both.refusal_to_act(actor(workspace, "carol"), POOL) is None
    assert "I could not check whether you are an approver" in str(
        await both.refusal_to_act(actor(workspace, "bob"), POOL)
    )


async def test_it_tells_by_which_name_somebody_may_act(workspace: Workspace, slack: Slack, clock: StageClock) -> None:
    alice, group = workspace.person("alice").user.id, frozenset({"S0STORAGE"})
    expected: list[tuple[dict[str, object], str | None]] = [
        ({"everyone": True, "user_ids": frozenset({alice})}, "*"),
        ({"user_ids": frozenset({alice}), "group_ids": group}, alice),
        ({"group_ids": group}, "S0STORAGE"),
        ({"user_ids": frozenset({"U0BOB0000"})}, None),
        ({}, None),
    ]
    for approvers, named_as in expected:
        asked = await access(slack, clock, **approvers)
        right = await asked.right_by(asked.rules.default, actor(workspace, "alice"))
        assert right.named_as == named_as
        assert (right.refusal is None) == (named_as is not None)
        assert right.refusal == await asked.refusal_to_act(actor(workspace, "alice"), POOL)


async def test_a_guest_in_a_group_of_approvers_stays_a_guest(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    workspace.workspace.groups["S0STORAGE"].users.append(workspace.person("gina").user.id)
    by_group = await access(slack, clock, group_ids=frozenset({"S0STORAGE"}))
    assert "you are a guest" in str(await by_group.refusal_to_act(actor(workspace, "gina"), POOL))


async def test_an_approver_by_name_needs_no_look_at_groups(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    workspace.scopes.discard("usergroups:read")
    alice = workspace.person("alice").user.id
    mixed = await access(slack, clock, user_ids=frozenset({alice}), group_ids=frozenset({"S0STORAGE"}))
    assert await mixed.refusal_to_act(actor(workspace, "alice"), POOL) is None
    assert "missing scope usergroups:read" in str(await mixed.refusal_to_act(actor(workspace, "bob"), POOL))


async def test_a_missing_scope_refuses_and_is_warned_of_once(
    workspace: Workspace, slack: Slack, clock: StageClock, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.scopes.discard("users:read")
    everyone = await access(slack, clock, everyone=True)
    for who in ("alice", "bob", "alice"):
        assert "missing scope users:read" in str(await everyone.refusal_to_act(actor(workspace, who), POOL))
    assert capsys.readouterr().out.count("a Slack scope is missing") == 1


async def test_approvers_are_those_named_and_those_in_groups(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    carol = workspace.person("carol").user.id
    group = frozenset({"S0STORAGE", "S0UNKNOWN"})
    known = await access(slack, clock, user_ids=frozenset({carol}), group_ids=group)
    members = {workspace.person(name).user.id for name in ("alice", "bob", "carol")}
    assert await known.approver_ids() == members


async def refused(by: Access, workspace: Workspace) -> str:
    return str(await by.refusal_to_act(actor(workspace, "carol"), POOL))


async def test_a_refusal_names_those_who_may(workspace: Workspace, slack: Slack, clock: StageClock) -> None:
    workspace.person("bob").user.real_name = ""
    ids = {workspace.person(who).user.id for who in ("bob", "dave", "gina")}
    by_both = await access(slack, clock, user_ids=ids, group_ids={"S0STORAGE"})
    assert await refused(by_both, workspace) == (
        "You are not an approver of this pool, so nothing was done; RECO_APPROVERS names Alice Adams, Bob."
    )


async def test_of_many_who_may_five_are_named(workspace: Workspace, slack: Slack, clock: StageClock) -> None:
    for number in range(1, 7):
        workspace.workspace.users[f"U{number}"] = User(f"U{number}", f"u{number}", real_name=f"Number {number}")
    five = await access(slack, clock, user_ids={f"U{number}" for number in range(1, 6)})
    assert (await refused(five, workspace)).endswith("names Number 1, Number 2, Number 3, Number 4, Number 5.")
    six = await access(slack, clock, user_ids={f"U{number}" for number in range(1, 7)})
    assert (await refused(six, workspace)).endswith("Number 4, Number 5 and others.")


async def test_where_slack_tells_no_names_the_refusal_says_where_they_stand(
    workspace: Workspace, slack: Slack, clock: StageClock
) -> None:
    by_name = await access(slack, clock, user_ids={workspace.person("alice").user.id})
    assert await by_name.refusal_to_read(actor(workspace, "carol")) is None
    workspace.faults.fail("users.info", "internal_error", times=None)
    assert (await refused(by_name, workspace)).endswith("so nothing was done; RECO_APPROVERS names who is.")
    workspace.faults.clear()
