"""The whole bot at a TGC that answers nonsense: it lives, the other pools show, and Slack gets nothing harmful.

Far more answers go through decoding and rendering alone, in tests/bot/test_hostile_answers.py.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.rendering import ids
from playground.tgc_faults import Fault
from tests.fuzzing import Fuzz, fuzzed
from tests.mutations import bodies
from tests.scenarios.harmless import harmful
from tests.scenarios.quiet import QuietLoop
from tests.scenarios.records import untold
from tests.scenarios.stage import Stage, buttons, open_stage
from tests.scenarios.surprises import surprises

pytestmark = pytest.mark.extended

SAMPLES = Path(__file__).parent.parent / "contract" / "samples"
TREES = {path.stem: json.loads(path.read_bytes()) for path in SAMPLES.glob("*.json")}
RECOMMENDATIONS = [tree for name, tree in TREES.items() if name.startswith("recommendation_")]
CONTENT_TYPES = st.sampled_from(["application/json"] * 4 + ["text/html", "application/json; charset=nonsense", "\xff;"])
STATUSES = st.sampled_from([200] * 8 + [204, 302, 400, 401, 403, 404, 500, 503])
VM = {"typeId": "x", "uuid": {"uuid": "vm"}, "vmware": {"name": "erp-db-01"}}


def played(play: Any) -> None:
    """Run one play on a stage of its own, with two pools whose answers stay whole, in HTTP mode."""

    async def on_a_stage(folder: Path) -> None:
        with surprises() as surprised:
            async with open_stage(folder) as stage:
                stage.use_http()
                await play(stage)
                assert harmful(stage) == []
        assert surprised.take() == []

    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=QuietLoop) as runner:
        runner.run(on_a_stage(Path(folder)))


async def use_everything(stage: Stage) -> None:
    """Whatever stands there is asked for, looked at, dismissed and followed."""
    alice = stage.slack.person("alice")
    await alice.command("/tintri reco")
    await alice.command(f"/tintri reco {stage.world.pools[0].name}")
    await stage.until(lambda: len(stage.slack.ephemerals("alice")) >= 2)
    for card in list(stage.cards):
        if "Details" in buttons(card):
            await alice.click(card, ids.DETAILS)
        if "Dismiss" in buttons(card):
            await alice.click(card, ids.DISMISS)
    await stage.until(lambda: not untold(stage))
    await stage.jump(seconds=120)


@fuzzed(few=5, many=150)
def test_one_pool_of_nonsense(fuzz: Fuzz) -> None:
    @given(
        st.lists(bodies(st.sampled_from(RECOMMENDATIONS)), min_size=1, max_size=3),
        bodies(st.just(VM)),
        STATUSES,
        CONTENT_TYPES,
    )
    @example([b'{"id": "1", "state": "AVAILABLE", "creationTime": "0001-01-01T00:00:00+14:00"}'], b"{}", 200, "a/b")
    def check(answers: list[bytes], vm: bytes, status: int, content_type: str) -> None:
        async def play(stage: Stage) -> None:
            pool, *others = stage.world.pools
            for answer in answers:
                first = Fault("answer", f"{pool.uuid}/recommendation", status=status, times=2, body=answer)
                first.content_type = content_type
                stage.tgc.fault(first)
            last = Fault("answer", f"{pool.uuid}/recommendation", status=200, times=None, body=answers[-1])
            stage.tgc.fault(last)
            stage.tgc.fault(Fault("answer", "/v310/vm/", status=200, times=None, body=vm))
            await stage.start_bot()
            await stage.until(lambda: {other.name for other in others} <= cards_by_pool(stage))
            await use_everything(stage)
            assert stage.tgc.accepts == []

        played(play)

    fuzz(check)


@fuzzed(few=6, many=150)
def test_any_answer_of_nonsense_and_then_none(fuzz: Fuzz) -> None:
    """Whatever it was, once the TGC speaks sense again, every pool has its card."""

    @given(
        st.sampled_from(["/info$", "/session/login$", "/vmstorePool$", "/recommendation/", "/session/logout$"]),
        bodies(st.sampled_from([*TREES.values(), "Admin"])),
        STATUSES.filter(lambda status: status != 403),  # at the login that is a refusal, remembered for 15 minutes
        CONTENT_TYPES,
    )
    def check(path: str, answer: bytes, status: int, content_type: str) -> None:
        async def play(stage: Stage) -> None:
            fault = Fault("answer", path, status=status, times=None, body=answer, content_type=content_type)
            stage.tgc.fault(fault)
            await stage.start_bot()
            await stage.settle()
            stage.tgc.clear_faults()
            await stage.jump(minutes=16)
            await stage.restart_bot()  # what was said to be over, or not there, is looked at again by a sweep only
            await stage.until(lambda: {pool.name for pool in stage.world.pools} <= cards_by_pool(stage))
            await use_everything(stage)

        played(play)

    fuzz(check)


def cards_by_pool(stage: Stage) -> set[str]:
    return {message.text.partition(":")[0] for message in stage.cards}
