"""Whatever comes over Slack's ways in: it is acknowledged, nothing is done that should not be, nobody is harmed.

One stage serves all examples of a test, as one bot meets them all in its life.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.rendering import ids
from playground import slack_payloads as payloads
from playground.slack import Person, View
from playground.slack_courier import COMMAND, EVENT, INTERACTION, Delivery
from playground.slack_workspace import TEAM_ID, Message
from tests.bot.rendering.strategies import TEXTS
from tests.fuzzing import Fuzz, fuzzed
from tests.mutations import mutated
from tests.scenarios.harmless import harmful
from tests.scenarios.quiet import QuietLoop
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage
from tests.scenarios.surprises import Surprises, surprises

pytestmark = pytest.mark.extended

MODES = pytest.mark.parametrize("mode", ["http", "socket"])
BOLT_TRIPS = ("what Slack sent could not be read", "a listener failed")
"""Bolt itself fails at some payloads, before any listener runs; that is written down, and they are acknowledged."""

Sent = tuple[str, dict[str, Any]]
"""Kind of delivery and payload."""


class Troupe:
    """A stage with cards and a bot, who acts on it, and the loop in which one example after the other plays."""

    def __init__(self, runner: asyncio.Runner, stage: Stage, surprised: Surprises) -> None:
        self._runner = runner
        self._surprised = surprised
        self.stage = stage
        self.alice = stage.slack.person("alice")
        self.bob = stage.slack.person("bob")
        self.carol = stage.slack.person("carol")
        """A full member, and no approver."""

    def play(self, act: Callable[[], Awaitable[None]]) -> None:
        async def acted() -> None:
            await act()

        self._runner.run(acted())

    async def prepare(self) -> None:
        await self.stage.start_bot()
        await self.stage.cards_posted(len(self.stage.world.pools))
        await self.alice.command("/tintri reco")
        self.list = await self.stage.answer("alice", "pools")
        self.card = self.stage.card("Production")
        (self.offer,) = {button["value"] for button in self.card.blocks[-1]["elements"]}
        await self.alice.click(self.card, ids.DETAILS)
        (self.modal,) = await self.stage.until(lambda: self.stage.slack.modals("alice"))
        await self.bob.click(self.card, ids.DETAILS)
        (self.form,) = await self.stage.until(lambda: self.stage.slack.modals("bob"))
        await self.stage.settle()
        await self.bob.click(self.form, ids.PLAN)
        await self.stage.until(lambda: self.form.content["callback_id"] == ids.PLAN_VIEW)
        await self.stage.settle()

    async def deliver(self, *sent: Sent) -> None:
        """All at once; each is acknowledged in time."""
        self.stage.clock.move(timedelta(seconds=5))  # Slack lets nobody answer more than once a second
        ready = [self._ready(*one) for one in sent]
        done = await asyncio.gather(*(self.stage.slack.courier.deliver(*one, _nothing) for one in ready))
        assert [delivery for delivery in done if not delivery.acknowledged] == []
        await self._rest()
        assert self._surprised.take() == []

    def _ready(self, kind: str, payload: dict[str, Any]) -> Sent:
        """With a response_url that is not used up, where it has a good one, and in HTTP mode as a form can hold it."""
        if str(payload.get("response_url")).startswith(self.stage.slack.url):
            fresh = self.alice._response_url(self.card.channel_id, None)
            payload = {**payload, "response_url": fresh}
        match payload.get("actions"):
            case [{"action_ts": str()} as pressed, *others]:  # the same moment again would be a redelivery
                payload = {**payload, "actions": [{**pressed, "action_ts": self.alice._now_ts()}, *others]}
        if kind == COMMAND and self.stage.slack.request_url is not None:
            return kind, {_in_a_form(name): _in_a_form(part) for name, part in payload.items()}
        return kind, payload

    async def deliver_and_hear(self, sent: Sent) -> str:
        """Deliver what must be answered once, and give the words."""
        answers = self.stage.slack.calls_of
        before = len(answers("response_url"))
        await self.deliver(sent)
        await self.stage.until(lambda: len(answers("response_url")) > before)
        await self._rest()
        (answer,) = answers("response_url")[before:]
        assert answer.ok
        return str(answer.arguments["text"])

    async def _rest(self) -> None:
        """Until nothing is asked or answered any more; the clock stands still."""
        calls, quiet = -1, 0
        while quiet < 3:
            before, calls = calls, len(self.stage.slack.calls) + len(self.stage.tgc.calls)
            quiet = quiet + 1 if before == calls else 0
            await asyncio.sleep(0.005)

    async def check(self) -> None:
        """Nothing has changed at the TGC or in the channel, and the bot serves on."""
        stage = self.stage
        writes = [call.path for call in stage.tgc.calls if call.method != "GET" and "/session/" not in call.path]
        assert writes == []
        assert all(buttons(card) == ["Accept", "Dismiss", "Details"] for card in stage.cards)
        assert len(stage.cards) == len(stage.world.pools)
        await stage.settle()
        told = len(stage.slack.calls_of("response_url"))
        await self.alice.command("/tintri help")
        await stage.until(lambda: len(stage.slack.calls_of("response_url")) > told)
        assert "What you can ask for" in stage.slack.calls_of("response_url")[-1].arguments["text"]
        assert harmful(stage) == []


def _in_a_form(part: Any) -> str:
    return str(part).encode(errors="replace").decode()


def _nothing(_: Delivery) -> None:
    """What an answer would do to somebody's screen is not looked at here."""


@contextmanager
def troupe(mode: str = "http") -> Iterator[Troupe]:
    with (
        tempfile.TemporaryDirectory() as folder,
        surprises(*BOLT_TRIPS) as surprised,
        asyncio.Runner(loop_factory=QuietLoop) as runner,
    ):
        stack = AsyncExitStack()
        # 40 moves: their details have a second page.
        stage = runner.run(stack.enter_async_context(open_stage(Path(folder), moves=40)))
        try:
            if mode == "http":
                stage.use_http()
            members = Troupe(runner, stage, surprised)
            members.play(members.prepare)
            yield members
            members.play(members.check)
        finally:
            runner.run(stack.aclose())
    assert surprised.take() == []


class Letters:
    """What Slack sends, by who does what. With approvers' names on nothing that decides, so that nothing is decided."""

    def __init__(self, members: Troupe) -> None:
        self._members = members
        self._workspace = members.stage.slack.workspace

    def any(self) -> list[Sent]:
        alice, carol = self._members.alice, self._members.carol
        return [
            self.command(alice, "/tintri reco Prod"),
            self.command(alice, "/tintri help"),
            self.command(carol, "/tintri pause Production 8"),
            self.command(carol, "/tintri resume"),
            self.command(alice, "/other words"),
            self.press(alice, self._members.card, ids.DETAILS),
            *(self.press(carol, self._members.card, action) for action in DECIDING),
            self.press(alice, self._members.list, ids.SHOW),
            self.press(alice, self._members.list, ids.LIST_NEXT, value="1:Prod"),
            self.press(alice, self._members.card, "of_another_version"),
            self.press(carol, self._members.card, ids.CANCEL_PLAN),
            self.turn(alice, self._members.modal),
            self.turn(carol, self._members.modal, ids.PLAN),
            self.submission(carol, self.a_good_time),
            *self.views(alice, self._members.modal),
            *self.others(alice),
        ]

    def command(self, person: Person, words: str) -> Sent:
        place = self._members.stage.slack.channel(STORAGE)
        return COMMAND, payloads.slash_command(
            self._workspace,
            person.user,
            place,
            words,
            trigger_id=person._trigger(),
            response_url=person._response_url(place.id, None),
        )

    def press(self, person: Person, message: Message, action_id: str, value: str | None = None) -> Sent:
        """A press of that button; `value` None is the offer of the first button there."""
        pressed = self._action(message.blocks, action_id, value)
        return INTERACTION, payloads.message_action(
            self._workspace,
            person.user,
            message,
            pressed,
            trigger_id=person._trigger(),
            response_url=person._response_url(message.channel_id, message),
        )

    def turn(self, person: Person, view: View, action_id: str = ids.DETAILS_NEXT) -> Sent:
        pressed = self._action(view.blocks, action_id, None)
        return INTERACTION, payloads.view_action(
            self._workspace, person.user, view, pressed, trigger_id=person._trigger(view)
        )

    @property
    def a_good_time(self) -> int:
        return int(self._members.stage.clock.timestamp()) + 3_600

    def submission(self, person: Person, at: Any, offer: str | None = None) -> Sent:
        """The form of a plan, filled in; `offer` in the place of the real one."""
        form = self._members.form
        kind, trigger = INTERACTION, person._trigger(form)
        payload = payloads.view_submission(self._workspace, person.user, form, trigger_id=trigger)
        state = {"values": {ids.PLAN_AT: {ids.PLAN_AT: {"type": "datetimepicker", "selected_date_time": at}}}}
        changes = {"state": state} if offer is None else {"state": state, "private_metadata": offer}
        return kind, {**payload, "view": {**payload["view"], **changes}}

    def views(self, person: Person, view: View) -> Iterator[Sent]:
        submission = payloads.view_submission(self._workspace, person.user, view, trigger_id=person._trigger(view))
        yield INTERACTION, submission
        yield INTERACTION, payloads.view_closed(self._workspace, person.user, view, is_cleared=False)

    def others(self, person: Person) -> Iterator[Sent]:
        clicked = self.press(person, self._members.card, ids.DETAILS)[1]
        for kind in ("shortcut", "message_action", "block_suggestion", "workflow_step_edit", "of_the_future", None):
            yield INTERACTION, {**clicked, "type": kind, "callback_id": "x", "value": "x", "action_id": "x"}
        home = payloads.app_home_opened(person.user, self._members.stage.slack.channel(STORAGE), None, "home", "1.2")
        for content in (home, {"type": "tokens_revoked", "tokens": {}}, {"type": "message", "text": "&ssl_check=1&"}):
            yield EVENT, payloads.event(1, time.time(), content)
        yield EVENT, {"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}
        yield EVENT, {"type": "app_rate_limited", "team_id": person.user.team_id}

    def _action(self, blocks: list[dict[str, Any]], action_id: str, value: str | None) -> dict[str, Any]:
        elements = (element for block in blocks for element in [*block.get("elements", ()), block.get("accessory", {})])
        pressed = next(element for element in elements if element.get("type") == "button" and element.get("value"))
        found = ({"block_id": "b"}, {**pressed, "action_id": action_id, "value": value or pressed["value"]})
        return payloads.action(found, None, "1773123456.000100")


DECIDING = (ids.ACCEPT, ids.DISMISS, ids.REOPEN, ids.CANCEL)


@MODES
@fuzzed(few=30, many=500)
def test_any_payload(fuzz: Fuzz, mode: str) -> None:
    with troupe(mode) as members:
        letters = Letters(members).any()
        one = st.sampled_from(letters).flatmap(lambda sent: st.tuples(st.just(sent[0]), mutated(st.just(sent[1]))))

        @given(st.lists(one, min_size=1, max_size=3))
        def check(sent: list[Sent]) -> None:
            members.play(lambda: members.deliver(*sent))

        members.play(lambda: members.deliver(*letters))
        fuzz(check)


@fuzzed(few=25, many=1_500)
def test_any_slash_text_gets_one_answer(fuzz: Fuzz) -> None:
    words = st.sampled_from(["", "reco", "RECO ", "help", "pause", "resume", "reco Production", "pause Production 8 "])

    with troupe() as members:

        @given(st.tuples(words, TEXTS).map(" ".join))
        @example("reco " + "x" * 4_000)
        @example("pause \\u0000")
        def check(text: str) -> None:
            async def typed() -> None:
                # carol may not pause, so nothing is paused
                kind, payload = Letters(members).command(members.carol, "/tintri")
                assert (await members.deliver_and_hear((kind, {**payload, "text": text}))).strip()

            members.play(typed)

        fuzz(check)


@fuzzed(few=25, many=1_500)
def test_no_value_but_an_offer_decides_anything(fuzz: Fuzz) -> None:
    """Alice may decide, and presses what no message of this bot shows."""
    made_up = TEXTS | st.uuids().map(str) | st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True)

    with troupe() as members:
        offer = members.offer

        values = made_up | st.sampled_from([offer[:-1], offer + "A", offer.swapcase(), f" {offer}", f"{offer}\n"])

        @given(
            st.sampled_from([*DECIDING, ids.CANCEL_PLAN, ids.SHOW, ids.DETAILS]),
            values.filter(lambda value: value != offer),
        )
        def check(action_id: str, value: str) -> None:
            async def pressed() -> None:
                press = Letters(members).press(members.alice, members.card, action_id, value=value or " ")
                told = await members.deliver_and_hear(press)
                assert told.startswith(
                    ("Nothing was done. I do not know", "I do not know this any more", "I could not read that")
                )

            members.play(pressed)

        fuzz(check)


@fuzzed(few=25, many=1_500)
def test_no_form_but_of_an_offer_and_a_time_to_come_plans_anything(fuzz: Fuzz) -> None:
    """Alice may plan, and submits what no form of this bot held."""
    with troupe() as members:
        offer, end = members.offer, int(members.stage.clock.timestamp()) + 13 * 3_600
        made_up = TEXTS | st.sampled_from([offer[:-1], offer.swapcase(), f" {offer}"])
        odd = st.integers(max_value=1_773_000_000) | st.integers(min_value=end) | st.none() | TEXTS | st.floats()
        sent = st.tuples(made_up.filter(lambda value: value != offer), st.just(end - 11 * 3_600)) | st.tuples(
            st.none(), odd
        )

        @given(sent)
        @example((None, 10**9_00))
        @example((None, True))
        def check(filled: tuple[str | None, Any]) -> None:
            async def submitted() -> None:
                made_up_offer, at = filled
                await members.deliver(Letters(members).submission(members.alice, at, made_up_offer))
                assert members.stage.place.rows("SELECT * FROM planned_accepts") == []

            members.play(submitted)

        fuzz(check)


@fuzzed(few=10, many=500)
def test_people_of_other_teams_decide_nothing_with_a_real_offer(fuzz: Fuzz) -> None:
    with troupe() as members:
        users = members.stage.slack.workspace.users
        teams = TEXTS | st.from_regex(r"[TE][A-Z0-9]{8}", fullmatch=True)

        @given(
            st.sampled_from(sorted(users)),
            teams.filter(lambda team: team != TEAM_ID),
            st.sampled_from(DECIDING),
            st.booleans(),
        )
        def check(user_id: str, team_id: str, action_id: str, is_nested: bool) -> None:
            async def pressed() -> None:
                kind, payload = Letters(members).press(members.alice, members.card, action_id)
                payload["user"] = {"id": user_id, "name": "x"} | ({"team_id": team_id} if is_nested else {})
                payload["team"] = {"id": team_id}
                told = await members.deliver_and_hear((kind, payload))
                assert told.startswith(("This bot answers only", "I could not", "You are not an approver"))

            members.play(pressed)

        fuzz(check)


@fuzzed(few=15, many=1_000)
def test_any_page_of_a_list_or_a_modal(fuzz: Fuzz) -> None:
    """What a button turns to, and what a view keeps, are only ever used for reading."""
    with troupe() as members:

        @given(TEXTS | st.integers().map(str) | st.integers().map("{}:Prod".format), TEXTS | st.none())
        @example("9" * 2_000, None)
        @example("9" * 2_000 + ":x", None)
        @example("9" * 5_000 + ":x", None)
        def check(value: str, metadata: str | None) -> None:
            async def turned() -> None:
                letters = Letters(members)
                in_list = letters.press(members.alice, members.card, ids.LIST_NEXT, value=value or " ")
                in_journal = letters.press(members.alice, members.card, ids.AUDIT_OLDER, value=value or " ")
                kind, in_view = letters.turn(members.alice, members.modal)
                in_view["actions"][0]["value"] = value
                if metadata is not None:
                    in_view["view"]["private_metadata"] = metadata
                await members.deliver(in_list, in_journal, (kind, in_view))

            members.play(turned)

        fuzz(check)
