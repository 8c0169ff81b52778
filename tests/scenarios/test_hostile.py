"""Whatever the TGC sends: nothing is refused by Slack, nobody is pinged, and nothing is left out unsaid.

Each stage asserts at its end that Slack refused nothing.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.rendering import ids
from playground.estate import Pool
from playground.tgc_faults import Fault
from tests.scenarios.harmless import harmful
from tests.scenarios.quiet import QuietLoop
from tests.scenarios.stage import Stage, buttons, open_stage

pytestmark = pytest.mark.extended

SPARSE = Path(__file__).parent.parent / "contract" / "samples" / "recommendation_sparse.json"
WORST_NAMES = [
    "<!channel>",
    "<!here|x>",
    "<@U0ALICE00>",
    "<!subteam^S0STORAGE>",
    "*x* _y_ ~z~ `q`",
    "x" * 200,
    "two\nlines\r\nand three",
    "数据库服务器" * 40,
    "<https://evil.example|tgc.example.com>",
    "&lt;!channel&gt;",
    "@channel @here #storage",
    "   ",
    "\u202egnp.exe",
]


async def read_everything(stage: Stage, pool: Pool) -> None:
    """Post, ask, look at the details, decide, follow to the end."""
    alice = stage.slack.person("alice")
    await stage.cards_posted(len(stage.world.pools))
    posted = {message.metadata["event_payload"]["pool"]: message for message in stage.cards if message.metadata}
    card = posted[pool.uuid]
    await alice.command("/tintri reco")
    await alice.command(f"/tintri reco {pool.name}")
    await alice.command(f"/tintri history {pool.name} 7")
    for words in ("history", "status", "who"):
        await alice.command(f"/tintri {words}")
    await stage.until(lambda: len(stage.slack.ephemerals("alice")) >= 6)
    await alice.click(card, ids.DETAILS)
    (view,) = await stage.until(lambda: stage.slack.modals("alice"))
    await stage.settle()
    while ids.DETAILS_NEXT in str(view.blocks):
        before = view.hash
        await alice.click(view, ids.DETAILS_NEXT)
        await stage.until(lambda before=before: view.hash != before)  # type: ignore[misc]
    await alice.click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await alice.click(card, ids.REOPEN)
    await stage.until(lambda: "Accept" in buttons(card))
    stage.world.fail_move(pool, stage.world.current(pool).moves[0].vm)
    await alice.click(card, ids.ACCEPT)
    await stage.until(lambda: "Cancel" in buttons(card))
    await stage.jump(hours=100)
    await stage.until(lambda: buttons(card) == ["Details"])


async def test_hostile_names_ping_nobody_and_are_refused_nowhere(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=len(WORST_NAMES), moves=6, hostile=True) as stage:
        stage.use_http()
        for pool, name in zip(stage.world.pools, WORST_NAMES, strict=True):
            pool.name = name
            for move in stage.world.current(pool).moves:
                move.vm.name = f"{name} {move.vm.name}"
        await stage.start_bot()
        await read_everything(stage, stage.world.pools[0])
        assert harmful(stage) == []


async def test_six_hundred_moves_are_posted_and_all_of_them_are_in_the_details(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=1, moves=600) as stage:
        stage.use_http()
        await stage.start_bot()
        (card,) = await stage.cards_posted(1)
        assert "600 VMs" in card.text
        alice = stage.slack.person("alice")
        await alice.click(card, ids.DETAILS)
        (view,) = await stage.until(lambda: stage.slack.modals("alice"))
        await stage.until(lambda: ids.DETAILS_NEXT in str(view.blocks))
        pages = [str(view.blocks)]
        while ids.DETAILS_NEXT in pages[-1]:
            await alice.click(view, ids.DETAILS_NEXT)
            await stage.until(lambda: str(view.blocks) != pages[-1])
            pages.append(str(view.blocks))
        vms = [move.vm.name for move in stage.world.current(stage.world.pools[0]).moves]
        assert len(set(vms)) == 600
        assert [vm for vm in vms if not any(vm in page for page in pages)] == []


@pytest.mark.long
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32), pools=st.integers(1, 4), moves=st.sampled_from([1, 3, 12, 40]), hostile=st.booleans()
)
def test_any_world_goes_through_the_whole_bot(seed: int, pools: int, moves: int, hostile: bool) -> None:
    async def play(folder: Path) -> None:
        async with open_stage(folder, seed=seed, pools=pools, moves=moves, hostile=hostile) as stage:
            stage.use_http()
            await stage.start_bot()
            await read_everything(stage, stage.world.pools[seed % pools])
            assert harmful(stage) == []

    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=QuietLoop) as runner:
        runner.run(play(Path(folder)))


async def test_a_sparse_recommendation_gets_its_card_with_what_is_known(stage: Stage) -> None:
    stage.use_http()
    pool = stage.world.pools[0]
    sparse: dict[str, Any] = msgspec.json.decode(SPARSE.read_bytes())
    by_id = Fault("answer", f"/recommendation/{sparse['id']}$", times=None, status=200, body=sparse)
    stage.tgc.fault(by_id)
    stage.tgc.fault(Fault("answer", f"{pool.uuid}/recommendation/current$", times=None, status=200, body=sparse))
    await stage.start_bot()
    await stage.cards_posted(3)
    card = stage.card(pool.name)
    assert buttons(card) == ["Accept", "Dismiss", "Details"]
    assert "3 VMs to move" in card.text
    uuids = [action["targetVmTintriUuid"] for group in sparse["actionGroups"] for action in group["actions"]]
    looked_up = [call.path for call in stage.tgc.calls if "/v310/vm/" in call.path]
    assert sorted(path.rpartition("/")[2] for path in looked_up) == sorted(uuids)
    sparse["lastUpdatedTime"] = "2026-03-10T07:00:00.000-07:00"  # it is kept anew, with the names it has
    await stage.jump(seconds=120)
    assert len([call for call in stage.tgc.calls if "/v310/vm/" in call.path]) == len(uuids)


@pytest.mark.parametrize("body", [{}, {"state": "AVAILABLE"}, {"id": "1", "state": "SOMETHING_NEW"}, {"id": "1"}])
async def test_a_recommendation_that_says_next_to_nothing_makes_no_card_and_disturbs_no_other(
    stage: Stage, body: dict[str, Any]
) -> None:
    stage.use_http()
    stage.tgc.fault(Fault("answer", f"{stage.world.pools[0].uuid}/recommendation", times=None, status=200, body=body))
    await stage.start_bot()
    await stage.cards_posted(2)
    await stage.jump(seconds=120)
    assert [message.text.partition(":")[0] for message in stage.cards] == ["Test", "VDI"]


async def test_an_available_recommendation_without_moves_is_posted_and_cannot_be_accepted(stage: Stage) -> None:
    stage.use_http()
    body = {"id": "1", "state": "AVAILABLE"}
    stage.tgc.fault(Fault("answer", f"{stage.world.pools[0].uuid}/recommendation", times=None, status=200, body=body))
    await stage.start_bot()
    await stage.cards_posted(3)
    assert "Accept" not in buttons(stage.card("Production"))


async def test_pools_on_several_pages_and_an_empty_last_one_all_get_their_cards(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=7, moves=1) as stage:
        stage.use_http()
        stage.tgc.page_limit = 3
        stage.tgc.empty_last_page = True
        await stage.start_bot()
        await stage.cards_posted(7)
        await stage.jump(seconds=120)
        assert len(stage.cards) == 7


async def test_a_listing_that_leaves_a_pool_out_ends_no_card(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=4, moves=1) as stage:
        stage.use_http()
        await stage.start_bot()
        await stage.cards_posted(4)
        stage.tgc.page_limit = 2
        stage.tgc.repeat_next = True  # the server runs in circles, and the last two are never listed
        await stage.jump(seconds=120)
        await stage.jump(seconds=120)
        assert all("Accept" in buttons(card) for card in stage.cards)
        assert len(stage.cards) == 4
