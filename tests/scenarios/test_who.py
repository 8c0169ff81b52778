"""`/tintri who`: what somebody may do, as a press of theirs would find."""

import pytest

from bot.config_file import Config, PoolConfig
from bot.pool_rules import Approvers, SecondApprover
from tests.bot.rendering.samples import reading
from tests.scenarios.stage import Stage, buttons
from tests.scenarios.test_answers import ask

pytestmark = pytest.mark.extended

MAY = "You may accept, plan, change, dismiss, reopen, cancel, snooze, pause and resume: "
SECTION = '[pools."{}"] in tintri-bot.toml'


async def who(stage: Stage, name: str) -> dict[str, list[str]]:
    """The lines under each heading; under nothing, what comes before any."""
    told = await ask(stage, "/tintri who", "you", name)
    found: dict[str, list[str]] = {}
    for block in told.blocks:
        heading, *lines = reading(block).splitlines()
        found[heading] = lines
    return found


def rules(stage: Stage) -> None:
    """Alice and bob may act in VDI, their group in Production, everybody in Test. There is no Lab."""
    group = PoolConfig(approvers=Approvers(group_ids=frozenset({"S0STORAGE"})), second_approver=SecondApprover(moves=5))
    everybody = PoolConfig(approvers=Approvers(everyone=True))
    stage.set(config=Config(file="tintri-bot.toml", pools=(("Prod*", group), ("Test", everybody), ("Lab", group))))


async def test_it_says_where_somebody_may_act_and_by_what(stage: Stage) -> None:
    rules(stage)
    await stage.start_bot()
    await stage.cards_posted(3)
    await ask(stage, "/tintri pause Test 8", "paused", "bob")
    told = await who(stage, "alice")
    assert told["VDI"] == [f"{MAY}RECO_APPROVERS names you."]
    by = f"approvers of {SECTION.format('Prod*')}"
    assert told["Production"] == [
        f"{MAY}you are in the user group S0STORAGE, which {by} names.",
        "Two people must accept what moves 5 VMs or more.",
    ]
    assert told["Test"][0] == f"{MAY}approvers of {SECTION.format('Test')} names every full member."
    assert told["Test"][1].startswith("But now: Accepting is paused until 2026-03-10 14:1")
    assert [line.partition(",")[0] for line in told["You"]] == [
        "You are a full member of this workspace",
        "You may read the audit and pause every pool at once",
        "You may end a pause of every pool that somebody else made",
    ]

    told = await who(stage, "carol")
    assert list(told) == ["You", "Test", "VDI", "Production"]
    assert len(told["You"]) == 2


@pytest.mark.parametrize("name", ["alice", "carol"])
async def test_a_refusal_is_word_for_word_that_of_whoever_acts(stage: Stage, name: str) -> None:
    rules(stage)
    stage.slack.scopes.discard("usergroups:read")
    await stage.start_bot()
    await stage.cards_posted(3)
    told = await who(stage, name)
    refused = {pool: lines[0] for pool, lines in told.items() if pool != "You" and not lines[0].startswith(MAY)}
    assert set(refused) == ({"Production"} if name == "alice" else {"Production", "VDI"})
    assert "missing scope usergroups:read" in refused["Production"]
    for pool, line in refused.items():
        answered = await ask(stage, f"/tintri pause {pool} 1", "approver", name)
        assert line == f"You may not act: {reading(answered.blocks)}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gina", "This bot answers only full members of the workspace, and you are a guest."),
        ("olga", "This bot answers only members of its own workspace, and you are from another one."),
    ],
)
async def test_whoever_is_no_full_member_learns_that_and_nothing_else(stage: Stage, name: str, said: str) -> None:
    await stage.start_bot()
    told = await ask(stage, "/tintri who", "you", name)
    assert reading(told.blocks) == f"{said} So you may neither read nor act here."


async def test_where_people_cannot_be_checked_it_names_the_scope(stage: Stage) -> None:
    stage.slack.scopes.discard("users:read")
    await stage.start_bot()
    await ask(stage, "/tintri who", "missing scope users:read")


async def test_a_pause_of_one_pool_among_several_is_told_with_its_name(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    await ask(stage, "/tintri pause Test 8", "paused", "bob")
    told = await who(stage, "alice")
    assert told["Production, Test, VDI"][1].startswith("But now in Test: Accepting is paused until ")


async def test_an_account_that_only_reads_holds_back_everybody(stage: Stage) -> None:
    stage.tgc.role = "Read Only"
    await stage.start_bot()
    await stage.cards_posted(3)
    assert buttons(stage.card("VDI")) == ["Details"]
    told = await who(stage, "alice")
    assert "only reads (role “Read Only”)" in told["Production, Test, VDI"][1]


async def test_while_the_tgc_is_away_it_says_what_the_rules_say(stage: Stage) -> None:
    rules(stage)
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.tgc.stop()
    await stage.pass_time(seconds=10)
    told = await who(stage, "alice")
    assert "There is no connection to 127.0.0.1" in told["You"][-1]
    assert list(told) == ["You", "RECO_APPROVERS", *(SECTION.format(name) for name in ("Prod*", "Test", "Lab"))]
