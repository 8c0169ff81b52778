"""SIGHUP: approvers, routes and policies follow the settings while the bot runs."""

import signal
from datetime import timedelta

import msgspec
import pytest
import structlog

from bot.config_file import Config, PoolConfig
from bot.pool_rules import Approvers
from bot.rendering import ids
from bot.routes import Route
from playground.slack_workspace import BOT_USER_ID
from playground.tgc_faults import Fault
from tests.scenarios.stage import STORAGE, Stage, buttons
from tests.scenarios.test_stopping import Ends, ends, stops

pytestmark = pytest.mark.extended

__all__ = ["ends"]  # the fixture
GENERAL = "general"


def only(stage: Stage, name: str) -> Approvers:
    return Approvers(user_ids=frozenset({stage.slack.person(name).user.id}))


def set_config(stage: Stage, **sections: object) -> None:
    stage.set(config=msgspec.structs.replace(stage.settings.config, file="tintri-bot.toml", **sections))


async def test_who_may_act_changes_while_the_bot_runs(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    set_config(stage, pools=(("Production", PoolConfig(approvers=only(stage, "bob"))),))
    await stage.reload()
    await stage.slack.person("alice").click(stage.card("Production"), ids.ACCEPT)
    await stage.answer("alice", "approver")
    assert not [call for call in stage.tgc.calls if call.path.endswith("/accept")]
    await stage.slack.person("bob").click(stage.card("Production"), ids.ACCEPT)
    await stage.until(lambda: [call for call in stage.tgc.calls if call.path.endswith("/accept")])


async def test_who_may_not_act_any_more_has_nothing_sent(stage: Stage) -> None:
    """The press was judged by the rules before, and the TGC took its time."""
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.settle()

    async def changed() -> None:
        stage.set(reco_approvers=only(stage, "bob"))
        await stage.reload()

    recommendation = stage.world.current(stage.world.pools[0])
    stage.tgc.fault(Fault("hook_before", f"/{recommendation.id}$", method="GET", hook=changed))
    await stage.slack.person("alice").click(stage.card(stage.world.pools[0].name), ids.ACCEPT)
    await stage.answer("alice", "Who may approve in this pool has just been changed.")
    assert not [call for call in stage.tgc.calls if call.path.endswith("/accept")]


async def test_a_configuration_file_that_is_gone_changes_nothing(stage: Stage) -> None:
    set_config(stage, pools=(("Production", PoolConfig(approvers=only(stage, "bob"))),))
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.set(config=Config())
    with structlog.testing.capture_logs() as logs:
        await stage.reload()
    assert [log["file"] for log in logs if "put the configuration file back" in log["event"]] == ["tintri-bot.toml"]
    await stage.slack.person("alice").click(stage.card("Production"), ids.ACCEPT)
    await stage.answer("alice", "approver")


async def test_every_card_follows_at_once(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    assert "Accept" in buttons(stage.card("Production"))
    stage.set(reco_approvers=Approvers())
    await stage.reload()
    await stage.until(lambda: "Accept" not in buttons(stage.card("Production")))
    assert "RECO_APPROVERS is empty" in str(stage.card("Production").blocks)


async def test_cards_move_to_their_new_channel(stage: Stage) -> None:
    stage.slack.channel(GENERAL).members.add(BOT_USER_ID)
    await stage.start_bot()
    await stage.cards_posted(3)
    set_config(stage, routes=(Route(channels=(stage.slack.channel(GENERAL).id,), pools=("Test",)),))
    await stage.reload()
    await stage.until(lambda: stage.slack.messages(GENERAL))
    await stage.until(lambda: not buttons(stage.card("Test")))
    assert "is shown in" in stage.card("Test").text


async def test_what_cannot_change_is_named_and_stays(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    with structlog.testing.capture_logs() as logs:
        stage.set(port=1, reco_channel="C0OTHER")
        set_config(stage, stall_after=timedelta(minutes=5))
        await stage.reload()
    assert [log["setting"] for log in logs if "setting" in log] == ["PORT", "RECO_CHANNEL", "stall_minutes"]
    await stage.slack.person("alice").click(stage.card("Test"), ids.DISMISS)
    await stage.until(lambda: "dismissed" in stage.card("Test").text)
    assert len(stage.slack.messages(STORAGE)) == 3


async def test_a_process_reads_its_files_again_and_a_broken_one_changes_nothing(ends: Ends) -> None:
    config, alice = ends.folder / "tintri-bot.toml", ends.slack.person("alice")

    async def asks() -> str:
        before = len(ends.slack.ephemerals("alice"))
        await alice.command("/tintri who")
        await ends.slack.until(lambda: len(ends.slack.ephemerals("alice")) > before)
        return ends.slack.ephemerals("alice")[-1].text

    async with ends.bot() as process:
        await process.until_ready()
        allowed = await asks()
        config.write_text("[pools.")
        process.signal(signal.SIGHUP)
        await process.until_written("tintri-bot.toml is no TOML")
        assert await asks() == allowed
        config.write_text('[pools."*"]\napprovers = ["U0NOBODY"]\n')
        process.signal(signal.SIGHUP)
        await process.until_written("the settings are reloaded")
        assert await asks() != allowed
        await stops(process)
