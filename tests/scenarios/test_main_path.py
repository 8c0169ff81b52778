"""The main path: posted, asked for, dismissed, reopened, accepted, in Socket Mode and over HTTP."""

import pytest

from bot.rendering import ids
from tests.scenarios.stage import Stage, buttons


@pytest.fixture(params=["socket", "http"])
def either_way(request: pytest.FixtureRequest, stage: Stage) -> Stage:
    if request.param == "http":
        stage.use_http()
    return stage


async def test_recommendations_are_posted_asked_for_dismissed_reopened_and_accepted(either_way: Stage) -> None:
    stage = either_way
    await stage.start_bot()
    await stage.cards_posted(3)
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    card = stage.card("Production")
    assert buttons(card) == ["Accept", "Dismiss", "Details"]

    asked = await alice.command("/tintri reco")
    assert asked.acknowledged
    await stage.answer("alice", "3 of 3 pools have a recommendation")

    assert (await bob.click(card, ids.DISMISS)).acknowledged
    await stage.answer("bob", "Production: Dismissed")
    await stage.until(lambda: buttons(card) == ["Reopen", "Say why", "Details"])

    await bob.click(card, ids.REOPEN)
    await stage.until(lambda: "Accept" in buttons(card))

    await alice.click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted")
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    assert len(stage.tgc.accepts) == 1
    assert len(stage.cards) == 3
