"""The journal: whatever is pressed or typed is in it, with what was seen, told and answered; approvers read it."""

import asyncio
import csv
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config_file import Config
from bot.rendering import ids
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios.harmless import harmful
from tests.scenarios.records import as_json, outcomes
from tests.scenarios.stage import Stage, buttons, open_stage

pytestmark = pytest.mark.extended

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The pools Production and Test; alice and bob may act."""
    async with open_stage(tmp_path, pools=2) as opened:
        opened.lease_life = timedelta(hours=1)
        opened.world.move_minutes = 600
        yield opened


async def posted(stage: Stage) -> Message:
    await stage.start_bot()
    await stage.cards_posted(2)
    return stage.card("Production")


async def say(stage: Stage, who: str, words: str, answered: str) -> Message:
    await stage.slack.person(who).command(words)
    return await stage.answer(who, answered)


async def tintri_bot(stage: Stage, *arguments: str) -> tuple[int, str, str]:
    """Run the command line beside the bot, with the database's address and nothing else."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "always::ResourceWarning",
        "-m",
        "bot",
        *arguments,
        cwd=stage.folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "DATABASE_URL": stage.settings.database_url.reveal(),
            "COLUMNS": "80",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert b"Traceback" not in out + err
    return process.returncode or 0, out.decode(), err.decode()


async def entries(stage: Stage, *about: str) -> list[dict[str, Any]]:
    """As `tintri-bot audit --json` prints them, oldest first."""
    code, out, err = await tintri_bot(stage, "audit", *about, "--json")
    assert (code, err) == (0, "")
    return list(reversed(json.loads(out)["entries"]))


def moves_shown(stage: Stage, pool: str) -> list[dict[str, Any]]:
    """What the TGC plans for the pool, by the names that a card shows."""
    (planned,) = [stage.world.current(one) for one in stage.world.pools if one.name == pool]
    return [
        {"vm": move.vm.name, "source": move.source.name, "destination": move.destination.name} for move in planned.moves
    ]


async def test_every_press_and_refusal_is_there_with_what_was_seen_told_and_answered(stage: Stage) -> None:
    card = await posted(stage)
    production = moves_shown(stage, "Production")
    accept = next(
        part for block in card.blocks for part in block.get("elements", ()) if part.get("action_id") == ids.ACCEPT
    )
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    for who, said in (("gina", "you are a guest"), ("olga", "from another one"), ("carol", "not an approver")):
        await stage.slack.person(who).click(card, ids.ACCEPT)
        await stage.answer(who, said)
    await say(stage, "bob", "/tintri pause prod 8", "Accepting is paused in Production for 8 hours")
    await alice.click_old(accept, card)
    await stage.answer("alice", "Accepting is paused until")
    await say(stage, "bob", "/tintri resume Production", "Accepting goes on in Production")
    await say(stage, "gina", "/tintri resume", "you are a guest")
    await stage.until(lambda: "Accept" in buttons(card))
    await alice.click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    await bob.click_old(accept, card)
    await stage.answer("bob", "alice accepted it at")
    pressed = await bob.click(card, ids.DETAILS)
    forged = {**pressed.payload["actions"][0], "action_id": ids.DISMISS, "value": "made-up", "action_ts": "1.000001"}
    await stage.slack.forge(pressed, actions=[forged])
    await stage.answer("bob", "I do not know this button any more")
    stage.world.accept_in_gui(stage.world.pools[1])
    await bob.click(stage.card("Test"), ids.DISMISS)
    await stage.answer("bob", "It was already accepted in the Tintri Global Center.")
    await stage.settle()

    found = await entries(stage)
    assert [
        (entry["user_name"], entry["action"], entry["outcome"], entry["pool_name"], entry["tgc_answer"])
        for entry in found
    ] == [
        ("gina", "accept", "not_allowed", "Production", None),
        ("olga", "accept", "not_allowed", "Production", None),
        ("carol", "accept", "not_allowed", "Production", None),
        ("bob", "pause", "done", "Production", None),
        ("alice", "accept", "paused", "Production", None),
        ("bob", "resume", "done", "Production", None),
        ("gina", "resume", "not_allowed", None, None),
        ("alice", "accept", "done", "Production", "The TGC took it."),
        ("bob", "accept", "taken", "Production", None),
        ("bob", "dismiss", "unknown_offer", None, None),
        ("bob", "dismiss", "changed", "Test", None),
    ]
    seen = [
        [{name: move[name] for name in ("vm", "source", "destination")} for move in entry["moves"]]
        for entry in found
        if entry["moves"] is not None
    ]
    assert seen == [production] * 6 + [moves_shown(stage, "Test")]
    assert [entry["typed"] for entry in found if entry["typed"] is not None] == ["prod 8", "Production", ""]
    assert {entry["channel_id"] for entry in found} == {stage.settings.reco_channel}
    told = [entry["told"] for entry in found]
    for said, answer in zip(
        (
            "you are a guest",
            "from another one",
            "not an approver",
            "Accepting is paused in Production for 8 hours; /tintri resume Production ends that.",
            "Production: Nothing was done. Accepting is paused until",
            "Accepting goes on in Production.",
            "you are a guest",
            "Production: Accepted.",
            "Production: Nothing was done. alice accepted it at",
            "I do not know this button any more",
            "Test: Nothing was done. It was already accepted in the Tintri Global Center.",
        ),
        told,
        strict=True,
    ):
        assert said in answer
    for entry in found:
        assert datetime.fromisoformat(entry["decided_at"]).astimezone(UTC) <= stage.clock.now()


async def test_names_stay_as_they_were_whatever_becomes_of_pool_vm_and_person(stage: Stage) -> None:
    card = await posted(stage)
    before = moves_shown(stage, "Production")
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.answer("bob", "Dismissed")
    pool = stage.world.pools[0]
    for move in stage.world.current(pool).moves:
        move.vm.name = f"renamed-{move.vm.name}"
    pool.name = "Renamed"
    await stage.live(minutes=3)
    await stage.slack.person("bob").click(card, ids.REOPEN)
    await stage.answer("bob", "Renamed: Reopened")
    stage.world.pools.remove(pool)
    first, second = await entries(stage, "production")
    assert (first["pool_name"], second["pool_name"]) == ("Production", "Renamed")
    assert [move["vm"] for move in first["moves"]] == [move["vm"] for move in before]
    assert [move["vm"] for move in second["moves"]] == [f"renamed-{move['vm']}" for move in before]


async def test_vms_that_the_tgc_gives_by_id_alone_are_there_by_name(stage: Stage) -> None:
    pool = stage.world.pools[0]
    body: Any = as_json(stage, pool)
    for group in body["actionGroups"]:
        for action in group["actions"]:
            del action["targetVmDisplayName"]
    for path in ("current", body["id"]):
        stage.tgc.fault(Fault("answer", f"{pool.uuid}/recommendation/{path}$", times=None, status=200, body=body))
    card = await posted(stage)
    await stage.slack.person("carol").click(card, ids.DISMISS)
    await stage.answer("carol", "not an approver")
    (entry,) = await entries(stage)
    assert [move["vm"] for move in entry["moves"]] == [move["vm"] for move in moves_shown(stage, "Production")]
    assert entry["loses_replication"]
    assert set(entry["loses_replication"]) <= {move["vm"] for move in entry["moves"]}


class TestInSlack:
    async def test_approvers_read_it_page_by_page_by_pool_and_by_person(self, stage: Stage) -> None:
        await posted(stage)
        for number in range(1, 6):
            await say(stage, "bob", f"/tintri pause Production {number}", f"for {number} hour")
        await say(stage, "alice", "/tintri pause Test 8", "paused in Test")
        shown = await say(stage, "alice", "/tintri audit", "6 entries, newest first.")
        assert "Page 1 of 2" in str(shown.blocks)
        assert "Typed: " in str(shown.blocks)
        assert "/tintri pause Test 8" in str(shown.blocks)
        assert "/tintri pause Production 1" not in str(shown.blocks)
        assert buttons(shown) == ["Older"]
        await stage.slack.person("alice").click(shown, ids.AUDIT_OLDER)
        await stage.until(lambda: "Page 2 of 2" in str(stage.slack.ephemerals("alice")[-1].blocks))
        older = stage.slack.ephemerals("alice")[-1]
        assert "/tintri pause Production 1" in str(older.blocks)
        assert buttons(older) == ["Newer"]
        await stage.slack.person("alice").click(older, ids.AUDIT_NEWER)
        await stage.until(lambda: "Page 1 of 2" in str(stage.slack.ephemerals("alice")[-1].blocks))

        await say(stage, "alice", "/tintri audit TEST", "1 entry about “TEST”. alice (U0ALICE00) · pause: done · Test")
        await say(stage, "alice", "/tintri audit @bob", "5 entries about “@bob”, newest first. bob (U0BOB0000)")
        await say(stage, "alice", "/tintri audit <@U0ALICE00|alice>", "1 entry about “&lt;@U0ALICE00|alice&gt;”.")
        await say(
            stage,
            "alice",
            "/tintri audit VDI",
            "No entry is about a pool called “VDI”; there are entries about Production, Test.",
        )
        await say(stage, "alice", "/tintri audit @carol", "No entry is about anybody called “@carol”")

    async def test_nobody_else_does_and_each_who_tried_is_in_it(self, stage: Stage) -> None:
        await posted(stage)
        refused = (("carol", "not an approver"), ("gina", "a guest"), ("olga", "from another one"))
        for who, said in refused:
            answer = await say(stage, who, "/tintri audit Production", said)
            assert "entr" not in answer.text
        assert outcomes(stage) == [(who, "audit", "not_allowed") for who, _ in refused]
        shown = await say(stage, "bob", "/tintri audit", "3 entries")
        assert "/tintri audit Production" in str(shown.blocks)
        assert len(outcomes(stage)) == 3

    async def test_whoever_is_no_approver_any_more_turns_no_page(self, stage: Stage) -> None:
        await posted(stage)
        for number in range(6):
            await say(stage, "bob", f"/tintri pause Production {number + 1}", f"for {number + 1} hour")
        shown = await say(stage, "bob", "/tintri audit", "6 entries")
        pressed = await stage.slack.person("bob").click(shown, ids.AUDIT_OLDER)
        await stage.until(lambda: "Page 2 of 2" in str(stage.slack.ephemerals("bob")[-1].blocks))
        carol = stage.slack.person("carol").user
        user = {**pressed.payload["user"], "id": carol.id, "name": carol.name, "username": carol.name}
        await stage.slack.forge(pressed, user=user)
        await stage.until(lambda: outcomes(stage)[-1] == ("carol", "audit", "not_allowed"))

    async def test_a_refusal_that_is_delivered_again_is_written_down_once(self, stage: Stage) -> None:
        await posted(stage)
        for words in ("/tintri audit", "/tintri pause"):
            delivery = await stage.slack.person("carol").command(words)
            await stage.slack.redeliver(delivery)
        await stage.until(lambda: len(stage.slack.ephemerals("carol")) == 4)
        await stage.settle()
        assert outcomes(stage) == [("carol", "audit", "not_allowed"), ("carol", "pause", "not_allowed")]

    async def test_hostile_names_in_it_ping_nobody(self, stage: Stage) -> None:
        evil = "<!channel> <@U0BOB0000> *x* =1+1"
        for pool in stage.world.pools:
            pool.name = f"{evil} {pool.name}"
            for move in stage.world.current(pool).moves:
                move.vm.name = f"{evil} {move.vm.name}"
        await stage.start_bot()
        card = (await stage.cards_posted(2))[0]
        await stage.slack.person("alice").click(card, ids.DISMISS)
        await stage.answer("alice", "Dismissed")
        await say(stage, "carol", "/tintri pause <!here> `x` <https://evil.example|y>", "not an approver")
        await say(stage, "alice", f"/tintri audit {evil}", "entry about")
        await say(stage, "alice", "/tintri audit", "2 entries")
        await say(stage, "alice", "/tintri audit @<!channel>", "No entry is about anybody")
        await stage.settle()
        assert harmful(stage) == []
        _, out, _ = await tintri_bot(stage, "audit", "--csv")
        dismissed = list(csv.DictReader(io.StringIO(out)))[1]
        assert dismissed["pool_name"].startswith("<!channel> <@U0BOB0000> *x* =1+1 ")


class TestOnTheCommandLine:
    async def test_it_prints_table_json_and_csv_beside_a_running_bot_and_changes_nothing(self, stage: Stage) -> None:
        card = await posted(stage)
        await stage.slack.person("bob").click(card, ids.DISMISS)
        await stage.answer("bob", "Dismissed")
        await say(stage, "carol", "/tintri pause", "not an approver")
        await stage.settle()
        code, out, err = await tintri_bot(stage, "audit")
        assert (code, err) == (0, "")
        assert max(map(len, out.splitlines())) <= 80
        words = " ".join(out.split())
        for said in ("dismiss: done", "Production", "The TGC took it.", "Typed: /tintri pause"):
            assert said in words
        code, out, err = await tintri_bot(stage, "audit", "@bob", "--csv")
        (row,) = csv.DictReader(io.StringIO(out))
        assert (row["user_id"], row["action"], row["outcome"]) == ("U0BOB0000", "dismiss", "done")
        assert [entry["user_name"] for entry in await entries(stage)] == ["bob", "carol"]
        await stage.stop_bot()
        before = (stage.folder / "bot.db").read_bytes()
        assert [entry["user_name"] for entry in await entries(stage)] == ["bob", "carol"]
        assert (stage.folder / "bot.db").read_bytes() == before

    async def test_what_is_wrong_is_one_sentence(self, stage: Stage) -> None:
        (stage.folder / "bot.db").unlink()
        code, out, err = await tintri_bot(stage, "audit")
        assert (code, out) == (1, "")
        assert err.startswith("There is no database at sqlite+aiosqlite:///")
        assert len(err.splitlines()) == 1
        assert list(stage.folder.iterdir()) == []
        await posted(stage)
        await stage.stop_bot()
        assert await tintri_bot(stage, "audit") == (0, "There are no entries.\n", "")
        assert await tintri_bot(stage, "audit", "--csv", "--json") == (
            2,
            "",
            "--json and --csv are both given: keep one of them.\n",
        )
        assert await tintri_bot(stage, "audit", "Production") == (
            2,
            "",
            "No entry is about a pool called “Production”.\n",
        )
        code, _, err = await tintri_bot(stage, "audit", "@bob")
        assert (code, err.partition(":")[0]) == (2, "No entry is about anybody called “@bob”")


async def test_old_entries_go_where_that_is_wanted_and_never_otherwise(stage: Stage) -> None:
    await posted(stage)
    await say(stage, "bob", "/tintri pause Test 1", "paused in Test")
    await stage.stop_bot()
    stage.clock.move(timedelta(days=40))
    await stage.start_bot()
    await stage.settle()
    assert len(outcomes(stage)) == 1
    await say(stage, "bob", "/tintri pause Test 2", "for 2 hours")
    await stage.stop_bot()
    stage.set(config=Config(audit_retention=timedelta(days=31)))
    await stage.start_bot()
    await stage.until(lambda: outcomes(stage) == [("bob", "pause", "done")])
    assert [entry["typed"] for entry in await entries(stage)] == ["Test 2"]
