"""Every message once: between a real file and a stand-in for Slack that loses answers, refuses, or asks to wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.access import Access
from bot.lookout import EVERY_S, Lookout
from bot.loops import Loops
from bot.outbox import SETTLING, BusyError, Delivered, Outbox
from bot.pacing import Pace
from bot.pool_rules import Approvers
from bot.recommendations import Key
from bot.rendering.answers import render_sentence
from bot.routes import Route, Routes
from bot.slack import Slack, SlackError, slack_session
from bot.storage import posts, recommendations
from bot.storage.backlog import Queue
from bot.storage.database import Database, open_database
from bot.storage.leases import Leases
from bot.storage.posts import Post, PostState
from bot.troubles import Troubles
from playground.slack import Slack as SlackStandIn
from playground.slack_workspace import Message
from tests.bot.patience import until
from tests.bot.rules import rules
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation

LIFE = timedelta(seconds=20)
START = datetime(2026, 3, 10, 6, 15, tzinfo=UTC)


@dataclass
class Place:
    """The far end, and outboxes as several processes would have them."""

    slack: SlackStandIn
    clock: StageClock
    url: str
    stack: AsyncExitStack

    async def process(self, clock: StageClock | None = None, kind: type[Slack] = Slack) -> "Process":
        """Another process on the same database; its own clock is that of a process that was stopped meanwhile."""
        clock = clock or self.clock
        database = await self.stack.enter_async_context(open_database(self.url))
        leases = Leases(database, clock, life=LIFE)
        session = await self.stack.enter_async_context(slack_session(leases.may_send))
        slack = kind(self.slack.bot_token, base_url=self.slack.api_url, session=session)
        identity = await slack.identify()
        pace = Pace(clock)
        approvers = Approvers(user_ids=frozenset({self.slack.person("alice").user.id}))
        routes = Routes(default=Route(channels=(self.channel_id,)), zone=ZoneInfo("UTC"))
        outbox = Outbox(
            database=database,
            leases=leases,
            slack=slack,
            pace=pace,
            troubles=Troubles(database, Access(slack, identity, rules(approvers), clock), routes, clock),
            clock=clock,
        )
        outbox.open()
        return Process(self, database, outbox, pace)

    @property
    def channel_id(self) -> str:
        return self.slack.channel("storage").id

    @property
    def messages(self) -> list[Message]:
        return self.slack.messages("storage")

    def has(self, messages: int) -> bool:
        return len(self.messages) >= messages

    async def until(self, wanted: Callable[[], Any], step: timedelta = timedelta(seconds=1)) -> None:
        async with asyncio.timeout(10):
            while not wanted():
                await asyncio.sleep(0.005)
                self.clock.move(step)


@dataclass
class Process:
    place: Place
    database: Database
    outbox: Outbox
    pace: Pace

    async def add(self, key: str = "key", **more: Any) -> None:
        async with self.database.write() as connection:
            message = render_sentence(f"This is {key}.")
            await self.outbox.add(
                connection, key=key, kind="notice", channel_id=self.place.channel_id, message=message, **more
            )

    async def send(self) -> None:
        """One turn, with the clock going on as far as it needs."""
        turn = asyncio.create_task(self.outbox.send_due())
        await self.place.until(turn.done, timedelta(milliseconds=200))
        await turn

    async def post(self, key: str = "key") -> Post:
        async with self.database.read() as connection:
            found = await posts.find(connection, key)
        assert found is not None
        return found

    async def die(self, work: "asyncio.Task[None]") -> None:
        """Stop in the middle of it, and let nothing be put in order."""
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = StageClock(START)
    slack = SlackStandIn(clock=clock.timestamp)
    async with slack.serve(), AsyncExitStack() as stack:
        yield Place(slack, clock, f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}", stack)


@pytest.fixture
async def bot(place: Place) -> Process:
    return await place.process()


async def test_what_is_written_down_goes_out_once(place: Place, bot: Process) -> None:
    await bot.add()
    await bot.add()
    await bot.send()
    await bot.send()
    [message] = place.messages
    assert message.text == "This is key."
    assert message.metadata is not None
    assert message.metadata["event_payload"]["key"] == "key"
    post = await bot.post()
    assert (post.state, post.ts) == (PostState.SENT, message.ts)


async def test_messages_go_out_soon_after_they_were_written_down(place: Place, bot: Process) -> None:
    lookout = Lookout(bot.database, dict.fromkeys(Queue, bot.outbox.bell))
    async with Loops(place.clock) as loops:
        loops.start("outbox", bot.outbox.run, patience=None)
        loops.every("lookout", EVERY_S, lookout.look, patience=timedelta(minutes=1))
        for number in range(3):
            await bot.add(f"key {number}")
            added_at = place.clock.now()
            await place.until(partial(place.has, number + 1), timedelta(milliseconds=100))
            assert place.clock.now() - added_at < timedelta(seconds=5)


async def test_a_reply_to_what_is_gone_goes_to_the_channel(place: Place, bot: Process) -> None:
    """Else it would be refused every minute for ever, and nobody told."""
    await bot.add("card")
    await bot.send()
    [card] = place.messages
    place.slack.channel("storage").messages.remove(card)
    await bot.add("reply", thread_ts=card.ts)
    await bot.send()
    assert place.messages == []
    place.clock.move(timedelta(minutes=1))
    await bot.send()
    assert [message.text for message in place.messages] == ["This is reply."]
    assert (await bot.post("reply")).state is PostState.SENT


async def recommended(process: Process) -> int:
    """The row of a recommendation that a card may be about."""
    async with process.database.write() as connection:
        key, nothing = Key("default", "P1", "R1"), Recommendation(id="R1")
        now = process.place.clock.now()
        await recommendations.store(connection, key, nothing, pool_name="P", vm_names={}, read_at=now, now=now)
        stored = await recommendations.get(connection, key)
    assert stored
    return stored.row_id


async def test_nothing_goes_out_before_the_channel_was_looked_at(place: Place, bot: Process) -> None:
    closed = Outbox(
        database=bot.database,
        leases=Leases(bot.database, place.clock, life=LIFE),
        slack=bot.outbox._slack,
        pace=bot.pace,
        troubles=bot.outbox._troubles,
        clock=place.clock,
    )
    await bot.add()
    await closed.send_due()
    about = await recommended(bot)
    with pytest.raises(BusyError):
        await closed.post_card("card", place.channel_id, render_sentence("A card."), {}, about)
    assert place.messages == []
    closed.open()
    await closed.send_due()
    assert len(place.messages) == 1


@pytest.mark.parametrize("done", [True, False], ids=["posted", "not posted"])
async def test_a_post_whose_answer_was_lost_is_looked_for_before_it_goes_out_again(
    place: Place, bot: Process, *, done: bool
) -> None:
    (place.slack.faults.drop_after if done else place.slack.faults.drop_before)("chat.postMessage")
    await bot.add()
    await bot.send()
    assert (await bot.post()).state is PostState.SENDING
    await bot.send()
    assert place.slack.calls_of("conversations.history") == []  # too early to be seen there
    place.clock.move(SETTLING)
    await bot.send()
    [message] = place.messages
    post = await bot.post()
    assert (post.state, post.ts) == (PostState.SENT, message.ts)
    assert len(place.slack.calls_of("chat.postMessage")) == (1 if done else 2)


async def test_a_reply_whose_answer_was_lost_is_looked_for_in_its_thread(place: Place, bot: Process) -> None:
    await bot.add("parent")
    await bot.send()
    [parent] = place.messages
    place.slack.faults.drop_after("chat.postMessage")
    await bot.add("reply", thread_ts=parent.ts)
    await bot.send()
    place.clock.move(SETTLING)
    await bot.send()
    assert [reply.text for reply in place.slack.thread("storage", parent.ts)] == ["This is reply."]
    assert (await bot.post("reply")).state is PostState.SENT
    assert place.slack.calls_of("conversations.history") == []


async def test_only_the_recent_history_is_searched_however_long_the_message_had_to_wait(
    place: Place, bot: Process
) -> None:
    await bot.add()
    place.clock.move(timedelta(days=3))
    place.slack.faults.drop_after("chat.postMessage")
    await bot.send()
    place.clock.move(SETTLING)
    await bot.send()
    [looked] = place.slack.calls_of("conversations.history")
    assert looked.at - float(looked.arguments["oldest"]) < timedelta(hours=2).total_seconds()
    assert (await bot.post()).state is PostState.SENT


@pytest.mark.parametrize("done", [True, False], ids=["posted", "not posted"])
async def test_a_post_in_which_the_process_died_is_resolved_by_another(
    place: Place, bot: Process, *, done: bool
) -> None:
    (place.slack.faults.hang_after if done else place.slack.faults.hang)("chat.postMessage")
    await bot.add()
    dying = asyncio.create_task(bot.outbox.send_due())
    await place.slack.until(lambda: place.slack.calls_of("chat.postMessage"))
    await bot.die(dying)
    other = await place.process()
    await other.send()
    assert len(place.slack.calls_of("chat.postMessage")) == 1  # the dead one's lease has not run out
    place.clock.move(LIFE)
    await other.send()
    assert len(place.messages) == 1
    assert (await other.post()).state is PostState.SENT


async def test_a_process_that_slept_through_its_lease_does_not_post(place: Place) -> None:
    stopped = StageClock(START)
    slow = await place.process(stopped)
    await slow.add()
    await slow.pace.post(place.channel_id)
    slow_turn = asyncio.create_task(slow.outbox.send_due())  # waits for its turn in the channel, on a clock that stands
    await until(lambda: stopped._sleepers)
    place.clock.move(LIFE)
    quick = await place.process()
    await quick.send()
    assert len(place.messages) == 1
    stopped.move(timedelta(seconds=2))
    await slow_turn
    assert len(place.messages) == 1
    assert len(place.slack.calls_of("chat.postMessage")) == 1


async def test_a_process_that_hangs_right_before_it_posts_does_not_and_says_so(place: Place) -> None:
    own_clock = StageClock(START)

    class Hanging(Slack):
        async def post(self, *arguments: Any, **options: Any) -> str:
            own_clock.move(LIFE * 3 / 4)  # its lease may be taken over soon
            return await super().post(*arguments, **options)

    hanging = await place.process(own_clock, Hanging)
    await hanging.add()
    await hanging.outbox.send_due()
    assert place.slack.calls_of("chat.postMessage") == []
    post = await hanging.post()
    assert (post.state, post.not_before) == (PostState.PENDING, own_clock.now() + SETTLING)
    place.clock.move(LIFE)
    other = await place.process()
    await other.send()
    assert len(place.messages) == 1


async def test_of_two_processes_one_posts(place: Place, bot: Process) -> None:
    other = await place.process()
    for number in range(5):
        await bot.add(f"key {number}")
    await asyncio.gather(bot.send(), other.send())
    await asyncio.gather(bot.send(), other.send())
    assert sorted(message.text for message in place.messages) == [f"This is key {number}." for number in range(5)]


async def test_slack_is_given_the_time_it_asks_for(place: Place, bot: Process) -> None:
    place.slack.faults.fail("chat.postMessage", retry_after_s=60)
    await bot.add()
    await bot.send()
    place.clock.move(timedelta(seconds=55))
    await bot.send()
    assert len(place.slack.calls_of("chat.postMessage")) == 1
    place.clock.move(timedelta(seconds=5))
    await bot.send()
    assert len(place.messages) == 1


async def test_what_was_put_off_waits_no_longer_where_the_clock_is_set_back(place: Place, bot: Process) -> None:
    place.slack.faults.fail("chat.postMessage", retry_after_s=60)
    await bot.add()
    await bot.send()
    place.clock.set_ahead(hours=-3)
    place.clock.move(timedelta(seconds=60))
    await bot.send()
    assert len(place.messages) == 1


@pytest.mark.parametrize("sent", [-6, 0, 6])
@pytest.mark.parametrize("looked", [-6, 0, 6])
async def test_a_post_whose_answer_was_lost_is_found_although_the_clock_is_wrong(
    place: Place, bot: Process, sent: float, looked: float
) -> None:
    """By so many hours when it was sent, and when it was looked for."""
    place.clock.set_ahead(hours=sent)
    place.slack.faults.drop_after("chat.postMessage")
    await bot.add()
    await bot.send()
    place.clock.set_ahead(hours=looked)
    for _ in range(2):
        place.clock.move(SETTLING)
        await bot.send()
    assert (await bot.post()).state is PostState.SENT
    assert len(place.messages) == 1


async def test_a_refusal_is_tried_again_later_and_the_approvers_hear_of_it_once(place: Place, bot: Process) -> None:
    place.slack.channel("storage").is_archived = True
    await bot.add()
    for _ in range(3):
        await bot.send()
        place.clock.move(timedelta(minutes=1))
    await bot.send()
    assert (await bot.post()).state is PostState.PENDING
    assert len(place.slack.direct("alice")) == 1
    place.slack.channel("storage").is_archived = False
    place.clock.move(timedelta(minutes=1))
    await bot.send()
    assert len(place.messages) == 1


async def test_without_the_history_scope_a_lost_post_goes_out_again(place: Place, bot: Process) -> None:
    place.slack.scopes.discard("channels:history")
    place.slack.faults.drop_after("chat.postMessage")
    await bot.add()
    await bot.send()
    place.clock.move(SETTLING)
    await bot.send()
    assert len(place.messages) == 2


async def test_a_history_that_cannot_be_read_now_leaves_the_question_open(place: Place, bot: Process) -> None:
    place.slack.faults.drop_after("chat.postMessage")
    place.slack.faults.fail("conversations.history", retry_after_s=30)
    await bot.add()
    await bot.send()
    place.clock.move(SETTLING)
    await bot.send()
    assert (await bot.post()).state is PostState.SENDING
    place.clock.move(timedelta(seconds=30))
    await bot.send()
    assert len(place.messages) == 1
    assert (await bot.post()).state is PostState.SENT


async def test_a_message_that_is_not_needed_any_more_stops_nobody(place: Place, bot: Process) -> None:
    """Troubles deletes its notices as soon as a post gets through, maybe between two steps of ours."""
    await bot.add("a")
    await bot.add("b")
    async with bot.database.read() as connection:
        due = await posts.due(connection, place.clock.now(), LIFE)
    assert len(due) == 2
    async with bot.database.write() as connection:
        await posts.delete_prefix(connection, "a")
    with pytest.raises(SlackError):
        await bot.outbox._deliver("a", render_sentence("a"), {})
    await bot.send()
    assert [message.text for message in place.messages] == ["This is b."]


async def test_a_card_that_waits_for_its_turn_is_not_posted_once_it_was_withdrawn(place: Place) -> None:
    stopped = StageClock(START)
    slow, other = await place.process(stopped), await place.process()
    await slow.pace.post(place.channel_id)
    posting = asyncio.create_task(post_card(slow))
    await until(lambda: stopped._sleepers)
    assert await other.outbox.withdraw_card("card/1") is None
    stopped.move(timedelta(seconds=2))
    with pytest.raises(SlackError):
        await posting
    assert place.messages == []
    assert await place_has_no_post(other)


@pytest.mark.parametrize("done", [True, False], ids=["posted", "not posted"])
async def test_a_card_whose_answer_was_lost_is_withdrawn_only_where_it_does_not_stand(
    place: Place, bot: Process, *, done: bool
) -> None:
    (place.slack.faults.drop_after if done else place.slack.faults.drop_before)("chat.postMessage")
    with pytest.raises(SlackError):
        await post_card(bot)
    place.clock.move(SETTLING)
    ts = await bot.outbox.withdraw_card("card/1")
    assert ts == (place.messages[0].ts if done else None)
    assert await place_has_no_post(bot) is not done


async def post_card(process: Process) -> Delivered:
    message = render_sentence("This is a card.")
    return await process.outbox.post_card("card/1", process.place.channel_id, message, {}, await recommended(process))


async def place_has_no_post(process: Process) -> bool:
    async with process.database.read() as connection:
        return await posts.find(connection, "card/1") is None
