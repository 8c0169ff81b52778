"""What people get when they ask: lists, one pool, details, help, and why not."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.rendering import ids
from playground.slack import Message, View
from playground.slack_workspace import User
from playground.tgc_faults import Fault
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage


def values(message: Message, action_id: str) -> list[str]:
    """What the buttons with this action id stand for, from top to bottom."""
    return [
        element["value"]
        for block in message.blocks
        for element in [*block.get("elements", ()), block.get("accessory", {})]
        if element.get("action_id") == action_id
    ]


def words(part: Any) -> str:
    """All that blocks say."""
    if isinstance(part, dict):
        return " ".join(words(value) for name, value in part.items() if name not in {"value", "action_id", "type"})
    return " ".join(map(words, part)) if isinstance(part, list) else str(part)


def markup(part: Any) -> str:
    """Those of the words in which Slack reads mentions and links; plain_text and rich_text are shown as they are."""
    if isinstance(part, dict):
        return part["text"] if part.get("type") == "mrkdwn" else " ".join(map(markup, part.values()))
    return " ".join(map(markup, part)) if isinstance(part, list) else ""


async def ask(stage: Stage, typed: str, said: str, who: str = "alice") -> Message:
    """Type a command; give the answer, which must say that."""
    stage.slack.workspace.ephemerals.clear()
    assert (await stage.slack.person(who).command(typed)).acknowledged
    return await stage.answer(who, said)


async def started(stage: Stage, cards: int = 3) -> None:
    await stage.start_bot()
    await stage.cards_posted(cards)


async def shows(stage: Stage, what: Message | View, said: str) -> None:
    await stage.until(lambda: said in words(what.blocks))


# ---------------------------------------------------------------- words after /tintri


@pytest.mark.parametrize("typed", ["/tintri", "/tintri help", "/tintri HELP", "/tintri   "])
async def test_help_shows_examples(stage: Stage, typed: str) -> None:
    await stage.start_bot()
    assert "/tintri reco Production" in words((await ask(stage, typed, "What you can ask for")).blocks)


async def test_what_is_not_understood_is_quoted_and_pings_nobody(stage: Stage) -> None:
    await stage.start_bot()
    for typed in ("<!channel>", "<@U0BOB0000> now", "*x* _y_ `z`", "reco: all", "@here", "x" * 5_000, "<http://a|b>"):
        told = await ask(stage, f"/tintri {typed}", "is nothing I know")
        assert "<" not in told.text + markup(told.blocks)
        assert typed[:20].replace("<", "&lt;").replace(">", "&gt;") in told.text
        assert typed[:20] in words(told.blocks)
    assert stage.slack.refusals == []


async def test_a_pools_name_alone_is_answered_with_the_command_for_it(stage: Stage) -> None:
    await stage.start_bot()
    told = await ask(stage, "/tintri Production 2", "is nothing I know")
    assert "If it is a pool, type /tintri reco Production 2." in words(told.blocks)


# ---------------------------------------------------------------- /tintri reco


@pytest.mark.parametrize("typed", ["Production", "production", "PROD", "  prod "])
async def test_one_pool_is_found_by_its_name_or_how_it_begins(stage: Stage, typed: str) -> None:
    await started(stage)
    assert buttons(await ask(stage, f"/tintri reco {typed}", "Production:")) == ["Accept", "Dismiss", "Details"]


async def test_an_unknown_pool_is_answered_with_close_names(stage: Stage) -> None:
    await started(stage)
    told = await ask(stage, "/tintri reco Produktion", "No pool is called “Produktion”")
    assert "Production" in told.text
    told = await ask(stage, "/tintri reco <!channel>", "No pool is called")
    assert "<!channel>" not in told.text + markup(told.blocks)


async def test_the_answers_buttons_work_and_it_is_replaced_by_the_outcome(stage: Stage) -> None:
    await started(stage)
    bob, card = stage.slack.person("bob"), stage.card("Production")
    told = await ask(stage, "/tintri reco production", "Production:", "bob")
    assert (await bob.click(told, ids.DISMISS)).acknowledged
    await stage.until(lambda: "Production: Dismissed" in told.text)
    assert buttons(told) == []
    await stage.until(lambda: "Reopen" in buttons(card))
    assert stage.slack.ephemerals("bob") == [told]
    told = await ask(stage, "/tintri reco production", "Production:", "bob")
    assert buttons(told) == ["Reopen", "Say why", "Details"]


async def test_show_opens_a_card_in_place(stage: Stage) -> None:
    await started(stage)
    alice = stage.slack.person("alice")
    told = await ask(stage, "/tintri reco", "3 of 3 pools")
    assert len(values(told, ids.SHOW)) == 3
    await alice.click(told, ids.SHOW, values(told, ids.SHOW)[0])
    await stage.until(lambda: "Accept" in buttons(told))
    assert stage.slack.ephemerals("alice") == [told]
    assert buttons(told)[-1] == "All pools"
    await alice.click(told, ids.LIST_ALL)
    await stage.until(lambda: len(values(told, ids.SHOW)) == 3)
    await alice.click(told, ids.SHOW, values(told, ids.SHOW)[0])
    await stage.until(lambda: "Accept" in buttons(told))
    assert stage.slack.ephemerals("alice") == [told]
    await alice.click(told, ids.ACCEPT)
    await stage.until(lambda: "Accepted" in told.text)
    assert len(stage.tgc.accepts) == 1


async def test_many_pools_are_paged(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=34, moves=1) as stage:
        await stage.start_bot()
        alice = stage.slack.person("alice")
        told = await ask(stage, "/tintri reco", "34 of 34 pools")
        seen = []
        for page in range(4):
            seen += values(told, ids.SHOW)
            assert f"page {page + 1} of 4" in words(told.blocks)
            turners = [label for label in buttons(told) if label != "Show"]
            assert turners == ["Previous"] * (page > 0) + ["Next"] * (page < 3)
            if page < 3:
                await alice.click(told, ids.LIST_NEXT)
                await shows(stage, told, f"page {page + 2} of 4")
        assert len(set(seen)) == 34
        await alice.click(told, ids.LIST_PREVIOUS)
        await stage.until(lambda: "page 3 of 4" in words(told.blocks))
        assert stage.slack.ephemerals("alice") == [told]


async def test_one_pools_failure_hides_no_other(stage: Stage) -> None:
    await started(stage)
    lost = stage.world.pools[1]
    await stage.pass_time(seconds=30)
    stage.tgc.fault(Fault("answer", f"{lost.uuid}/recommendation/current", times=None))
    told = await ask(stage, "/tintri reco", "1 could not be read")
    assert (
        f"{lost.name}: The TGC failed (500: The server failed.); if that goes on, look at the TGC itself." in told.text
    )
    assert len(values(told, ids.SHOW)) == 2


async def test_a_pool_that_hangs_keeps_nobody_waiting_for_the_others(stage: Stage) -> None:
    stage.patience_s = 0.2
    await started(stage)
    await stage.pass_time(seconds=10)
    hang = stage.tgc.fault(Fault("hang_before", f"{stage.world.pools[0].uuid}/recommendation/current", times=None))
    told = await ask(stage, "/tintri reco", "2 of 3 pools have a recommendation, 1 is still being read")
    assert "Production: still being read; ask again in a minute." in told.text
    assert len(values(told, ids.SHOW)) == 2
    await ask(stage, "/tintri reco Production", "Production: still being read; ask again in a minute.")
    hang.times = 0
    hang.release()
    await stage.pass_time(seconds=10)
    assert buttons(await ask(stage, "/tintri reco Production", "Production:")) == ["Accept", "Dismiss", "Details"]


async def test_a_list_of_pools_that_hangs_keeps_nobody_waiting(stage: Stage) -> None:
    stage.patience_s = 0.2
    await started(stage)
    await stage.pass_time(seconds=10)
    stage.tgc.fault(Fault("hang_before", "/vmstorePool$", times=None))
    await ask(stage, "/tintri reco", "127.0.0.1 has not told its pools yet; ask again in a minute.")


async def test_where_the_tgc_is_away_the_answer_says_so(stage: Stage) -> None:
    await started(stage)
    await stage.tgc.stop()
    await stage.pass_time(seconds=10)
    told = await ask(stage, "/tintri reco", "no connection to 127.0.0.1")
    assert "Traceback" not in told.text


async def test_a_hundred_people_at_once_cause_one_reading(stage: Stage) -> None:
    await started(stage)
    people = [f"reader{number}" for number in range(100)]
    for name in people:
        user = User(f"U0{name.upper()}", name)
        stage.slack.workspace.users[user.id] = user
    # Something that the bot has not seen yet: nobody's answer may come from what was stored before.
    fresh = stage.world.add_pool("Fresh")
    stage.world.new_recommendation(fresh, moves=5)
    await stage.pass_time(seconds=10)
    before = len(stage.tgc.calls)
    typed = await asyncio.gather(*(stage.slack.person(name).command("/tintri reco") for name in people))
    assert all(delivery.acknowledged for delivery in typed)
    await stage.slack.until(lambda: all(stage.slack.ephemerals(name) for name in people), timeout_s=20)
    for name in people:
        (told,) = stage.slack.ephemerals(name)
        assert "4 of 4 pools have a recommendation" in told.text
    asked = [call.path for call in stage.tgc.calls[before:]]
    assert len(asked) == len(set(asked)), sorted(asked)
    assert len([path for path in asked if path.endswith("/current")]) == 4


# ---------------------------------------------------------------- details


async def test_details_open_at_once_while_the_tgc_hangs_and_are_filled_then(stage: Stage) -> None:
    await started(stage)
    hang = stage.tgc.fault(Fault("hang_before", "/recommendation/", times=None))
    await stage.slack.person("alice").click(stage.card("Production"), ids.DETAILS)
    (modal,) = await stage.until(lambda: stage.slack.modals("alice"))
    assert modal.title.startswith("Production")
    assert "State: " in words(modal.blocks)
    opened = modal.hash
    await stage.until(hang.reached.is_set)
    stage.world.accept_in_gui(stage.world.pools[0])
    stage.tgc.clear_faults()
    await stage.until(lambda: modal.hash != opened)
    assert "Accepted: " in words(modal.blocks)


async def test_details_that_cannot_be_filled_keep_what_is_known_and_say_so(stage: Stage) -> None:
    await started(stage)
    stage.tgc.fault(Fault("answer", "/recommendation/", times=None))
    await stage.slack.person("alice").click(stage.card("Production"), ids.DETAILS)
    (modal,) = await stage.until(lambda: stage.slack.modals("alice"))
    await stage.until(lambda: "This is what I knew before" in words(modal.blocks))
    assert "State: " in words(modal.blocks)


async def test_six_hundred_moves_are_paged_and_a_late_answer_turns_no_page_back(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=1, moves=600) as stage:
        await stage.start_bot()
        await stage.cards_posted(1)
        alice = stage.slack.person("alice")
        hang = stage.tgc.fault(Fault("hang_before", "/recommendation/", times=1))
        await alice.click(stage.cards[0], ids.DETAILS)
        (modal,) = await stage.until(lambda: stage.slack.modals("alice"))
        assert "Page 1 of 21" in words(modal.blocks)
        await alice.click(modal, ids.DETAILS_NEXT)
        await stage.until(lambda: "Page 2 of 21" in words(modal.blocks))
        await stage.until(hang.reached.is_set)
        stage.tgc.clear_faults()
        await stage.settle()
        assert "Page 2 of 21" in words(modal.blocks)
        for page in range(3, 22):
            await alice.click(modal, ids.DETAILS_NEXT)
            await shows(stage, modal, f"Page {page} of 21")
        await alice.click(modal, ids.DETAILS_PREVIOUS)
        await stage.until(lambda: "Page 20 of 21" in words(modal.blocks))


async def test_a_modal_that_slack_refuses_is_answered(stage: Stage) -> None:
    await started(stage)
    stage.slack.faults.fail("views.open", "expired_trigger_id")
    await stage.slack.person("alice").click(stage.card("Production"), ids.DETAILS)
    told = await stage.answer("alice", "The details could not be opened")
    assert "Press Details again" in told.text
    assert stage.slack.modals("alice") == []


async def test_a_page_that_fails_to_turn_says_so_in_the_modal(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for pool in stage.world.pools:
        stage.world.new_recommendation(pool, moves=60)
    await started(stage)
    alice = stage.slack.person("alice")
    await alice.click(stage.cards[0], ids.DETAILS)
    (modal,) = await stage.until(lambda: stage.slack.modals("alice"))
    await stage.settle()

    def fail(*_: object) -> None:
        raise KeyError("a surprise")

    monkeypatch.setattr("handlers.details.render_details", fail)
    assert (await alice.click(modal, ids.DETAILS_NEXT)).acknowledged
    await stage.until(lambda: "That failed, and I wrote down why" in words(modal.blocks))


@pytest.mark.parametrize("who", ["gina", "olga"])
async def test_details_and_lists_are_for_full_members(stage: Stage, who: str) -> None:
    await started(stage)
    person = stage.slack.person(who)
    assert (await person.click(stage.card("Production"), ids.DETAILS)).acknowledged
    await stage.answer(who, "only")
    listed = await ask(stage, "/tintri reco", "3 of 3 pools")
    for action_id in (ids.SHOW, ids.LIST_NEXT):
        # As if they had got hold of somebody's answer.
        pressed = await stage.slack.person("alice").click(listed, ids.SHOW, values(listed, ids.SHOW)[0])
        await stage.settle()
        user = {"id": person.user.id, "name": who, "team_id": person.user.team_id}
        action = {**pressed.payload["actions"][0], "action_id": action_id}
        assert (await stage.slack.forge(pressed, user=user, actions=[action])).acknowledged
        await shows(stage, listed, "only full members" if who == "gina" else "only members of its own")
        listed = await ask(stage, "/tintri reco", "3 of 3 pools")
    assert stage.slack.modals(who) == []
    assert len(stage.slack.messages(STORAGE)) == 3
