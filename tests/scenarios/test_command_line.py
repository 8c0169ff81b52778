"""`tintri-bot reco --accept` and `--follow`, beside the running bot and alone, on the same far ends and database."""

import asyncio
import io
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bot.config_file import Config, PoolConfig
from bot.pool_rules import SecondApprover
from bot.print_reco import Wanted, print_reco
from bot.rendering import ids
from bot.rendering.views import Action
from bot.screen import Screen
from bot.settings import Secret
from bot.storage import claims, presses
from bot.storage.database import Database, open_database
from bot.storage.errors import DatabaseError
from bot.storage.leases import Leases
from bot.storage.presses import Press
from bot.system_user import NO_TEAM, system_user
from playground.tgc_faults import Fault
from tests.scenarios.records import outcomes, untold
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

pytestmark = pytest.mark.extended

ME = system_user().user_id
ACCEPT = Wanted(accept=True, is_agreed=True)
TWO = Config(
    file="tintri-bot.toml", pools=(("Prod*", PoolConfig(approvers=None, second_approver=SecondApprover(always=True))),)
)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """One pool, Production. On a busy machine the clock would outrun leases: here they do not run out."""
    monkeypatch.setattr("bot.accept_reco.LEASE_LIFE", timedelta(hours=1))
    async with open_stage(tmp_path, pools=1) as opened:
        opened.world.move_minutes = 600
        yield opened
        opened.slack.faults.clear()


class Ran(msgspec.Struct, frozen=True):
    all_well: bool
    out: str
    asked: tuple[str, ...]


class Typing(Screen):
    """A pipe, behind which somebody answers each question."""

    def __init__(self, stage: Stage, answer: Callable[[], bool]) -> None:
        self.out = io.StringIO()
        self.asked: list[str] = []
        self._answer = answer
        super().__init__(Console(file=self.out), stage.settings.reco_timezone)

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return self._answer()


async def run(stage: Stage, wanted: Wanted = ACCEPT, answer: Callable[[], bool] = lambda: True) -> Ran:
    """Run the command to its end."""
    screen = Typing(stage, answer)
    running = asyncio.create_task(print_reco(stage.settings, wanted, screen, stage.clock))
    await stage.until(running.done)
    return Ran(running.result(), screen.out.getvalue(), tuple(screen.asked))


def accepts(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/accept"))


async def test_beside_the_bot_it_accepts_once_and_the_card_and_its_thread_tell_who(stage: Stage) -> None:
    await stage.start_bot()
    (card,) = await stage.cards_posted(1)
    ran = await run(stage, Wanted(accept=True, patterns=("prod*",)))
    assert ran.asked == ("Accept Production: 4 VMs will move, 1 would lose replication?",)
    assert ran.all_well
    assert "Production: Accepted.\n" in ran.out
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    assert f"Accepted by {ME}" in card.text
    assert (accepts(stage), outcomes(stage), untold(stage)) == (1, [(ME, "accept", "done")], 0)
    stage.world.set_pace(1)
    await stage.until(lambda: stage.slack.channel(STORAGE).replies(card.ts))
    assert f"accepted by {ME}" in stage.slack.channel(STORAGE).replies(card.ts)[0].text

    again = await run(stage)
    assert again.all_well
    assert "Production: nothing to accept: 4 of 4 VMs moved.\n" in again.out
    assert accepts(stage) == 1


async def test_alone_it_makes_its_database_and_whoever_says_no_accepts_nothing(stage: Stage) -> None:
    ran = await run(stage, Wanted(accept=True), lambda: False)
    assert ran.all_well
    assert "Production: not accepted.\n" in ran.out
    assert (accepts(stage), outcomes(stage)) == (0, [])
    assert (await run(stage)).all_well
    assert outcomes(stage) == [(ME, "accept", "done")]
    assert stage.tgc.sessions == 0


async def test_a_press_and_the_command_at_once_are_one_accept(stage: Stage) -> None:
    await stage.start_bot()
    (card,) = await stage.cards_posted(1)
    pressing: list[asyncio.Task[object]] = []

    def press_now() -> bool:
        pressing.append(asyncio.ensure_future(stage.slack.person("alice").click(card, ids.ACCEPT)))
        return True

    ran = await run(stage, Wanted(accept=True), press_now)
    await stage.until(lambda: pressing[0].done() and untold(stage) == 0 and len(outcomes(stage)) == 2)
    assert accepts(stage) == 1
    assert sorted(outcome for *_, outcome in outcomes(stage)) == ["done", "taken"]
    assert ran.all_well == ((ME, "accept", "done") in outcomes(stage))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("drop_after", "Production: Accepted."),
        ("drop_before", "Production: Nothing was done. It is still as it was. Run the command again."),
    ],
)
async def test_after_a_lost_answer_the_tgc_is_read_and_not_asked_again(stage: Stage, fault: str, said: str) -> None:
    stage.tgc.fault(Fault(fault, r"/accept$", method="POST"))  # type: ignore[arg-type]  # the kinds given above
    ran = await run(stage)
    assert said in ran.out
    assert ran.all_well == (fault == "drop_after")
    assert accepts(stage) == 1


async def test_a_pause_refuses_it_and_nobody_is_asked(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(1)
    await stage.slack.person("alice").command("/tintri pause")
    await stage.answer("alice", "Accepting is paused")
    paused = "Production: Nothing was done. Accepting is paused; an approver can end that with /tintri resume."
    asking = await run(stage, Wanted(accept=True))
    assert (asking.all_well, asking.asked) == (False, ())
    assert paused in asking.out
    agreed = await run(stage)
    assert not agreed.all_well
    assert paused in agreed.out
    assert outcomes(stage) == [("alice", "pause", "done"), (ME, "accept", "paused")]
    assert accepts(stage) == 0


async def test_a_plan_that_changed_after_it_was_printed_is_not_accepted(stage: Stage) -> None:
    def change() -> bool:
        stage.world.change_moves(stage.world.pools[0])
        return True

    ran = await run(stage, Wanted(accept=True), change)
    assert not ran.all_well
    assert "Nothing was done. Its moves are not the ones you saw. Run the command again to see the new ones." in ran.out
    assert (accepts(stage), outcomes(stage)) == (0, [(ME, "accept", "changed")])


async def test_the_command_line_is_the_first_of_two_and_never_the_second_as_well(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.set(config=TWO)
    await stage.start_bot()
    (card,) = await stage.cards_posted(1)
    first = await run(stage, Wanted(accept=True))
    assert first.asked[0].endswith("1 would lose replication, once a second person accepts it, too?")
    assert first.all_well
    assert "Production: You accepted it as the first. A second person must accept it too" in first.out
    await stage.until(lambda: f"{ME} accepted this" in card.text)
    monkeypatch.setattr("bot.system_user.socket.gethostname", lambda: "elsewhere")
    second = await run(stage)
    assert not second.all_well
    assert "The command line, which counts as one person, accepted it before." in second.out
    assert accepts(stage) == 0
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await stage.answer("bob", "Production: Accepted.")
    assert accepts(stage) == 1


async def test_as_the_second_it_asks_slack_about_the_first(stage: Stage) -> None:
    stage.set(config=TWO)
    await stage.start_bot()
    (card,) = await stage.cards_posted(1)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "You accepted it as the first")
    token = stage.settings.slack_bot_token
    stage.set(slack_bot_token=None)
    unchecked = await run(stage)
    assert not unchecked.all_well
    assert "could not check whether alice may act still: the command line has no SLACK_BOT_TOKEN" in unchecked.out
    stage.set(slack_bot_token=token)
    assert (await run(stage)).all_well
    assert accepts(stage) == 1
    assert [outcome for *_, outcome in outcomes(stage)] == ["accepted_first", "not_allowed", "done"]


async def left_behind(stage: Stage, database: Database, *, sent: bool) -> None:
    """What a command leaves that was killed after its claim, or after it had said that it was going to ask."""
    leases = Leases(database, stage.clock)
    ((offer_id, row_id),) = stage.place.rows("SELECT id, recommendation FROM offers")
    press = Press(
        id=secrets.token_hex(32),
        action=Action.ACCEPT,
        offer_id=offer_id,
        team_id=NO_TEAM,
        user_id=ME,
        user_name=ME,
        channel_id=None,
        pressed_at=stage.clock.now(),
    )
    async with database.write() as connection:
        await presses.add(connection, press)
        lease = await leases.take(connection, presses.LEASABLE, press.id)
        assert lease is not None
        await claims.claim(connection, row_id, press, lease, stage.clock.now())
        if sent:
            await claims.send(connection, press, lease, stage.clock.now())


async def test_the_bot_lets_go_what_a_killed_command_claimed_and_carries_nothing_on(stage: Stage) -> None:
    stage.lease_life = timedelta(seconds=20)
    await stage.start_bot()
    (card,) = await stage.cards_posted(1)
    async with open_database(stage.place.database_url) as database:
        await left_behind(stage, database, sent=False)
    await stage.until(lambda: outcomes(stage))
    await stage.until(lambda: buttons(card) == ["Accept", "Dismiss", "Details"])
    await stage.until(lambda: untold(stage) == 0)
    assert (accepts(stage), outcomes(stage)) == (0, [(ME, "accept", "not_done")])
    assert ME not in {call.arguments.get("channel") for call in stage.slack.calls}


async def test_the_next_command_finds_out_what_became_of_what_a_killed_one_sent(stage: Stage) -> None:
    await run(stage, Wanted(accept=True), lambda: False)
    async with open_database(stage.place.database_url) as database:
        await left_behind(stage, database, sent=True)
    pool = stage.world.pools[0]
    stage.world.accept(pool.uuid, str(stage.world.current(pool).id))  # as that command did
    stage.clock.move(timedelta(hours=2))
    ran = await run(stage)
    assert ran.all_well
    assert f"accepted by {ME}" in ran.out
    assert "Production: nothing to accept: 0 of 4 VMs moved, running." in ran.out
    assert (accepts(stage), outcomes(stage)) == (0, [(ME, "accept", "done")])


async def test_on_a_database_that_cannot_be_written_it_does_not_even_log_in(stage: Stage) -> None:
    async with open_database(stage.place.database_url):
        pass
    path = stage.place.database_url.removeprefix("sqlite+aiosqlite:///")
    stage.set(database_url=Secret(f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true"))
    with pytest.raises(DatabaseError, match=r"cannot be used .*readonly.*: check DATABASE_URL and its rights"):
        await run(stage)
    assert stage.tgc.calls == []


async def test_it_follows_to_the_end_what_it_accepted_and_tells_each_change(stage: Stage) -> None:
    pool = stage.world.pools[0]
    stage.world.move_minutes = 5
    stage.world.fail_move(pool, stage.world.current(pool).waves[1][0].vm)
    ran = await run(stage, Wanted(accept=True, is_agreed=True, follow=True))
    assert not ran.all_well
    told = ran.out.partition("Production: Accepted.")[2].splitlines()
    changes = [line.split(" ", 2)[2] for line in told if line]
    assert changes[0] == "Production: 0 of 4 VMs moved, not started"
    assert "Production: erp-db-01 from vmstore01 to vmstore03: moving" in changes
    assert [line for line in changes if ": failed" in line]
    assert f"accepted by {ME}" in changes[-1]
    assert len(changes) == len(set(changes))


async def test_it_follows_what_runs_also_when_the_next_recommendation_has_come(stage: Stage) -> None:
    pool = stage.world.pools[0]
    stage.world.accept(pool.uuid, str(stage.world.current(pool).id))
    stage.world.new_recommendation(pool)
    stage.world.set_pace(5)
    ran = await run(stage, Wanted(follow=True))
    assert ran.all_well
    assert "4 of 4 VMs moved" in ran.out.splitlines()[-1]
    assert (await run(stage, Wanted(follow=True))).out.endswith("Nothing runs.\n")
    assert {call.method for call in stage.tgc.calls if "session" not in call.path} == {"GET"}
