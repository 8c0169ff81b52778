"""Approvers by pool, and seeing ahead that nobody can approve."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.config_file import Config, PoolConfig
from bot.pool_rules import Approvers
from bot.rendering import ids
from playground.slack_workspace import UserGroup
from tests.scenarios.records import outcomes
from tests.scenarios.stage import Stage, buttons, open_stage

pytestmark = pytest.mark.extended


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The pools Production and Test; alice and bob may act where no rule says otherwise."""
    async with open_stage(tmp_path, pools=2) as opened:
        opened.world.move_minutes = 600
        opened.lease_life = timedelta(hours=1)
        yield opened


def people(stage: Stage, *names: str) -> Approvers:
    return Approvers(user_ids=frozenset(stage.slack.person(name).user.id for name in names))


def by_pool(stage: Stage, **approvers: Approvers) -> None:
    pools = tuple((name, PoolConfig(approvers=who)) for name, who in approvers.items())
    stage.set(config=Config(file="tintri-bot.toml", pools=pools))


async def posted(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(2)


async def said(stage: Stage, who: str, words: str) -> str:
    before = len(stage.slack.ephemerals(who))
    await stage.slack.person(who).command(words)
    await stage.until(lambda: len(stage.slack.ephemerals(who)) > before)
    return stage.slack.ephemerals(who)[-1].text


async def readiness(stage: Stage) -> str:
    """What /readyz says of approvers."""
    url = f"http://127.0.0.1:{stage.settings.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return str(json.loads(await response.text())["approvers"])


async def metric(stage: Stage) -> float:
    url = f"http://127.0.0.1:{stage.settings.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        lines = (await response.text()).splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("tintri_bot_rules_without_approvers ")))


async def test_a_pools_own_approvers_replace_the_others(stage: Stage) -> None:
    by_pool(stage, Production=people(stage, "carol"))
    await posted(stage)
    production, test = stage.card("Production"), stage.card("Test")
    await stage.slack.person("alice").click(production, ids.ACCEPT)
    refusal = await stage.answer("alice", "You are not an approver of this pool")
    assert refusal.text.endswith('; approvers of [pools."Production"] in tintri-bot.toml names Carol Clark.')
    await stage.slack.person("carol").click(test, ids.ACCEPT)
    await stage.answer("carol", "so nothing was done; RECO_APPROVERS names Alice Adams, Bob Brown.")
    await stage.slack.person("carol").click(production, ids.ACCEPT)
    await stage.answer("carol", "Production: Accepted.")
    await stage.slack.person("alice").click(test, ids.ACCEPT)
    await stage.answer("alice", "Test: Accepted.")
    assert sorted(outcome for *_, outcome in outcomes(stage)) == ["done", "done", "not_allowed", "not_allowed"]


async def test_a_pool_without_approvers_is_only_read(stage: Stage) -> None:
    by_pool(stage, Production=Approvers())
    await posted(stage)
    card = stage.card("Production")
    assert buttons(card) == ["Details"]
    assert 'approvers of [pools."Production"] in tintri-bot.toml is empty' in str(card.blocks).replace("&quot;", '"')
    assert buttons(stage.card("Test")) == ["Accept", "Dismiss", "Details"]


async def test_a_pool_is_paused_by_its_own_approvers(stage: Stage) -> None:
    by_pool(stage, Production=people(stage, "carol"))
    await posted(stage)
    assert "not an approver" in await said(stage, "alice", "/tintri pause Production")
    assert "not an approver" in await said(stage, "carol", "/tintri pause Test")
    assert "Accepting is paused in Production" in await said(stage, "carol", "/tintri pause Production")
    assert "not an approver" in await said(stage, "alice", "/tintri resume Production")
    assert "Accepting goes on in Production" in await said(stage, "carol", "/tintri resume Production")


async def test_any_approver_stops_every_pool_and_only_who_did_or_may_everywhere_ends_that(stage: Stage) -> None:
    by_pool(stage, Production=people(stage, "bob", "carol"))
    await posted(stage)
    assert "Accepting is paused in every pool" in await said(stage, "carol", "/tintri pause")
    assert "not an approver" in await said(stage, "alice", "/tintri resume")
    assert "Accepting goes on in every pool" in await said(stage, "carol", "/tintri resume")
    assert "Accepting is paused in every pool" in await said(stage, "carol", "/tintri pause")
    assert "Accepting goes on in every pool" in await said(stage, "bob", "/tintri resume")


@pytest.mark.long
async def test_nobody_shortens_a_pause_of_every_pool_that_they_may_not_end(stage: Stage) -> None:
    by_pool(stage, Production=people(stage, "bob", "carol"))
    await posted(stage)
    assert "Accepting is paused in every pool" in await said(stage, "bob", "/tintri pause")
    assert "not an approver" in await said(stage, "carol", "/tintri pause 0.1")
    assert "Accepting is paused in every pool for 1 hour" in await said(stage, "bob", "/tintri pause 1")
    await stage.pass_time(minutes=61)
    assert "Accepting is paused in every pool for 1 hour" in await said(stage, "carol", "/tintri pause 1")


async def test_an_empty_group_shows_before_anybody_presses(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.slack.workspace.groups["S0EMPTY00"] = UserGroup("S0EMPTY00", "empty", [])
    by_pool(stage, Production=Approvers(group_ids=frozenset({"S0EMPTY00"})))
    await posted(stage)
    card = stage.card("Production")
    await stage.until(lambda: buttons(card) == ["Details"])
    assert "Nobody can act on it here: none of those that approvers of" in str(card.blocks)
    assert buttons(stage.card("Test")) == ["Accept", "Dismiss", "Details"]
    assert await readiness(stage) == "too few people can approve by 1 of 2 rules; the log names them"
    assert await metric(stage) == 1
    assert 'none of those that approvers of [pools."Production"]' in capsys.readouterr().out

    stage.slack.workspace.groups["S0EMPTY00"].users.append(stage.slack.person("carol").user.id)
    await stage.until(lambda: "Accept" in buttons(card))
    assert await readiness(stage) == "ok"
    assert await metric(stage) == 0


async def test_deactivated_approvers_show_and_one_that_is_left_is_enough(stage: Stage) -> None:
    for who in ("alice", "bob"):
        stage.slack.person(who).user.deleted = True
    await posted(stage)
    card = stage.card("Production")
    await stage.until(lambda: buttons(card) == ["Details"])
    stage.slack.person("bob").user.deleted = False
    await stage.until(lambda: "Accept" in buttons(card))


async def test_where_slack_does_not_tell_nothing_is_taken_for_granted(stage: Stage) -> None:
    stage.slack.faults.fail("users.info", "internal_error", times=None)
    await posted(stage)
    await stage.settle()
    assert buttons(stage.card("Production")) == ["Accept", "Dismiss", "Details"]
    stage.slack.faults.clear()


async def test_a_rule_that_no_pool_is_subject_to_is_warned_of(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    by_pool(stage, production=people(stage, "carol"))
    await posted(stage)
    await stage.settle()
    out = capsys.readouterr().out
    assert '[pools."production"] in tintri-bot.toml holds for no pool: correct its name, or take it out.' in out
