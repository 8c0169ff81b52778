from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.rendering import ids, limits
from bot.rendering.card import MOVES_SHOWN, render_card
from bot.rendering.views import Action, Block, PlannedAct, Progress, Standing
from playground.blockkit import message_size
from tests.bot.rendering.samples import (
    AT,
    DAY_AND_TIME,
    EXPIRES,
    MADE,
    TGC_LINK,
    act,
    actions,
    bold,
    button,
    date,
    emoji,
    items,
    joined,
    labels,
    line,
    mrkdwn,
    plain,
    reading,
    recommendation,
    rich,
    text,
    unparted,
    user,
    view,
)
from tgc import models
from tgc.models import (
    ActionGroup,
    ActionResult,
    ExecutionState,
    Outcome,
    ProtectionOutcome,
    Recommendation,
    RecommendationState,
    StateReason,
)

FINDING = unparted("4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)")
ACCEPT = button(
    "Accept",
    ids.ACCEPT,
    style="primary",
    confirm={
        "title": plain("Accept for Production?"),
        "text": plain(
            "4 VMs in Production will move. 1 VM would lose replication: erp-db-01. A move cannot be undone."
        ),
        "confirm": plain("Accept"),
        "deny": plain("Back"),
        "style": "danger",
    },
)
CANCEL = button(
    "Cancel",
    ids.CANCEL,
    style="danger",
    confirm={
        "title": plain("Cancel the moves of Production?"),
        "text": plain(
            "1 of 4 VMs moved. What has moved stays where it is now (erp-db-01); what has not begun does not run.",
        ),
        "confirm": plain("Cancel the moves"),
        "deny": plain("Let them run"),
        "style": "danger",
    },
)
DETAILS = button("Details", ids.DETAILS)
HEAD = [
    {"type": "header", "text": plain("Production")},
    rich(line(bold(FINDING))),
]
ISSUES = rich(
    line(bold("Issues")),
    items(
        line(
            bold("vmstore01"),
            text(unparted("  space 94 % used, growing 412 GiB a week · above 80 % load for 12.5 % of the week")),
        ),
        line(bold("vmstore02"), text(unparted("  flash hits 91.2 %, goal 95 %"))),
    ),
)
MOVES = rich(
    line(bold("Moves: 2 waves, 4 VMs")),
    line(text("Wave 1")),
    items(
        line(bold("erp-db-01"), text("  vmstore01 → vmstore02 · space, load")),
        line(bold("erp-db-02"), text("  vmstore01 → vmstore03 · space")),
    ),
    line(text("Wave 2")),
    items(
        line(bold("erp-db-03"), text("  vmstore01 → vmstore02 · space")),
        line(bold("erp-db-04"), text("  vmstore01 → vmstore03 · space, load")),
    ),
)
EXPECTED = rich(
    line(bold("Expected")),
    items(
        line(
            bold("vmstore01"),
            text(
                unparted("  2,210 GiB freed, risk of filling up 83 % → 2 % · load 12.5 % → 3.1 % of the week")
                + joined("\n▇▇▇▇▇▇▇▁ → ▁▁▁▁▁▁▁▁ risk\n▇▁▁▁▁▁▁▁ → ▁▁▁▁▁▁▁▁ load"),
            ),
        ),
        line(
            bold("vmstore02"),
            text(unparted("  flash hits 91.2 % → 97.4 %") + joined("\n▇▇▇▇▇▇▇▁ → ▇▇▇▇▇▇▇▁ flash")),
        ),
    ),
)
ORIGIN = {"type": "context", "elements": [mrkdwn(f"Made {MADE}, expires {EXPIRES} · {TGC_LINK}")]}
ACCEPTED_AT = date(1773151920, "2026-03-10 14:12 UTC")
ENDED_AT = date(1773160810, "2026-03-10 16:40 UTC", "{time}")


def test_an_offer_shows_all_there_is_to_decide_on() -> None:
    card = render_card(view("available", Standing.OFFERED))
    assert list(card.blocks) == [
        *HEAD,
        rich(line(emoji("warning"), text(" "), bold("1 VM would lose replication: erp-db-01"))),
        ISSUES,
        MOVES,
        EXPECTED,
        ORIGIN,
        actions(ACCEPT, button("Dismiss", ids.DISMISS), DETAILS),
    ]
    assert card.text == f"Production: {FINDING}. 1 VM would lose replication: erp-db-01."
    assert list(card.compact) == [
        {"type": "section", "text": mrkdwn(card.text)},
        actions(ACCEPT, button("Dismiss", ids.DISMISS), DETAILS),
    ]


def test_while_somebody_decides_nobody_else_can() -> None:
    card = render_card(view("available", Standing.DECIDING, pending=act(Action.ACCEPT)))
    assert list(card.blocks) == [
        *HEAD,
        rich(line(emoji("warning"), text(" "), bold("1 VM would lose replication: erp-db-01"))),
        rich(line(user("U0ALICE"), text(" is accepting this…"))),
        ISSUES,
        MOVES,
        EXPECTED,
        ORIGIN,
        actions(DETAILS),
    ]
    assert card.text.endswith("erp-db-01. <@U0ALICE> is accepting this…")


def test_a_running_plan_shows_progress_and_who_accepted() -> None:
    card = render_card(view("running", Standing.RUNNING, act=act(Action.ACCEPT)))
    assert list(card.blocks) == [
        *HEAD,
        rich(line(emoji("warning"), text(" "), bold("1 VM loses replication: erp-db-01"))),
        rich(
            line(
                text("Accepted by "),
                user("U0ALICE"),
                text(" "),
                ACCEPTED_AT,
                text(" · running"),
                text("\n▇▇▇▁▁▁▁▁  1 of 4 VMs moved"),
            )
        ),
        rich(
            line(bold("Moves: 2 waves, 4 VMs")),
            line(text("Wave 1")),
            items(
                line(emoji("white_check_mark"), text(" "), bold("erp-db-01"), text("  vmstore01 → vmstore02 · moved")),
                line(
                    emoji("arrow_forward"),
                    text(" "),
                    bold("erp-db-02"),
                    text(unparted("  vmstore01 → vmstore03 · moving 42 %: Moving a virtual machine")),
                ),
            ),
            line(text("Wave 2")),
            items(
                line(emoji("white_circle"), text(" "), bold("erp-db-03"), text("  vmstore01 → vmstore02")),
                line(emoji("white_circle"), text(" "), bold("erp-db-04"), text("  vmstore01 → vmstore03")),
            ),
        ),
        {"type": "context", "elements": [mrkdwn(f"Made {MADE} · {TGC_LINK}")]},
        actions(CANCEL, DETAILS),
    ]
    accepted = f"<@U0ALICE> <!date^1773151920^{DAY_AND_TIME}|2026-03-10 14:12 UTC>"
    assert card.text == (
        f"Production: 1 of 4 VMs moved, running. 1 VM loses replication: erp-db-01. Accepted by {accepted}"
    )


FAILED = "3 of 4 VMs moved, erp-db-04 failed: Storage migration failed (hypervisor)"
HYPERVISOR = "Look at the migration task in the hypervisor: is the host connected, may it move this VM's storage?"
NO_LONGER_VALID = "no longer valid, the target VMstore would run out of space."


@pytest.mark.parametrize(
    ("sample", "standing", "changes", "blocks"),
    [
        pytest.param(
            "failed",
            Standing.FAILED,
            {"act": act(Action.ACCEPT)},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text(FAILED),
                        text(" · "),
                        ACCEPTED_AT,
                        text(" to "),
                        ENDED_AT,
                        text(" · "),
                        text("accepted by "),
                        user("U0ALICE"),
                    )
                ),
                rich(line(bold("What to do: "), text(HYPERVISOR))),
                actions(DETAILS),
            ],
            id="failed",
        ),
        pytest.param(
            "failed",
            Standing.DONE,
            {"act": None},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text("3 of 4 VMs moved, "),
                        ACCEPTED_AT,
                        text(" to "),
                        ENDED_AT,
                        text(" · "),
                        text("accepted in Tintri Global Center"),
                    )
                ),
                actions(DETAILS),
            ],
            id="done elsewhere",
        ),
        pytest.param(
            "available",
            Standing.DISMISSED,
            {"act": act(Action.DISMISS, "U0BOB")},
            [
                rich(
                    line(bold("Production"), text(": "), text("dismissed by "), user("U0BOB"), text(" "), ACCEPTED_AT)
                ),
                actions(button("Reopen", ids.REOPEN), DETAILS),
            ],
            id="dismissed",
        ),
        pytest.param(
            "running",
            Standing.CANCELLED,
            {"act": act(Action.CANCEL, "U0BOB"), "cancelled": act(Action.ACCEPT)},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text("cancelled by "),
                        user("U0BOB"),
                        text(" "),
                        ACCEPTED_AT,
                        text(", 1 of 4 VMs moved and stays there"),
                        text(" · "),
                        text("accepted by "),
                        user("U0ALICE"),
                    )
                ),
                actions(DETAILS),
            ],
            id="cancelled",
        ),
        pytest.param(
            "available",
            Standing.EXPIRED,
            {},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text("expired"),
                        text(" "),
                        date(1773190800, "2026-03-11 01:00 UTC"),
                        text(", nobody decided"),
                    )
                )
            ],
            id="expired",
        ),
        pytest.param(
            Recommendation(state_reason=StateReason.INVALID_TARGET_VMSTORE_TOO_FULL),
            Standing.INVALIDATED,
            {},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text(f"{NO_LONGER_VALID} Free space on the target, or wait for the next analysis."),
                    )
                )
            ],
            id="invalidated",
        ),
        pytest.param(
            "sparse",
            Standing.GONE,
            {},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text("Tintri Global Center no longer knows this recommendation"),
                    )
                )
            ],
            id="gone",
        ),
        pytest.param(
            "not_needed",
            Standing.BALANCED,
            {"offer_id": None},
            [
                rich(
                    line(
                        bold("Production"),
                        text(": "),
                        text("balanced, nothing to move, looked at "),
                        date(1773147604, "2026-03-10 13:00 UTC"),
                    )
                )
            ],
            id="balanced",
        ),
    ],
)
def test_what_asks_for_no_decision_is_folded(
    sample: str | Recommendation,
    standing: Standing,
    changes: dict[str, Any],
    blocks: list[Block],
) -> None:
    assert list(render_card(view(sample, standing, **changes)).blocks) == blocks


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (Standing.BUILDING, "Production: a recommendation is being built, look again in a few minutes"),
        (Standing.UNAVAILABLE, "Production: no recommendation, the TGC gives no reason"),
        (Standing.INVALIDATED, "Production: no longer valid, the TGC gives no reason"),
    ],
)
def test_a_state_that_offers_nothing_says_so(standing: Standing, sentence: str) -> None:
    assert render_card(view(Recommendation(), standing)).text == sentence


def test_an_undocumented_state_is_told_as_it_is() -> None:
    paused = Recommendation(state=RecommendationState("PAUSED"))
    assert render_card(view(paused, Standing.UNAVAILABLE)).text == (
        "Production: no recommendation, the TGC reports the state “PAUSED”, which this bot does not know"
    )


@pytest.mark.parametrize(
    ("standing", "may", "may_not"),
    [
        (Standing.OFFERED, ["Accept", "Dismiss", "Details"], ["Details"]),
        (Standing.DECIDING, ["Details"], ["Details"]),
        (Standing.DISMISSED, ["Reopen", "Details"], ["Details"]),
        (Standing.RUNNING, ["Cancel", "Details"], ["Details"]),
        (Standing.DONE, ["Details"], ["Details"]),
        (Standing.FAILED, ["Details"], ["Details"]),
        (Standing.CANCELLED, ["Details"], ["Details"]),
        (Standing.EXPIRED, [], []),
        (Standing.INVALIDATED, [], []),
        (Standing.GONE, [], []),
    ],
)
def test_only_buttons_that_do_something_are_shown(standing: Standing, may: list[str], may_not: list[str]) -> None:
    for form in ("blocks", "compact"):
        assert labels(getattr(render_card(view("running", standing)), form)) == may
        assert labels(getattr(render_card(view("running", standing, can_act=False)), form)) == may_not
        assert labels(getattr(render_card(view("running", standing, offer_id=None)), form)) == []


def test_what_is_being_cancelled_cannot_be_cancelled_again() -> None:
    cancelling = msgspec.structs.replace(recommendation("running"), execution_state=ExecutionState.CANCELLED_PENDING)
    card = render_card(view(cancelling, Standing.RUNNING))
    assert labels(card.blocks) == ["Details"]
    assert "being cancelled" in reading(card.blocks)


def test_a_pause_takes_accept_away_and_leaves_the_rest() -> None:
    card = render_card(view("available", Standing.OFFERED, can_accept=False, hindrance="Accepting is paused."))
    assert labels(card.blocks) == ["Dismiss", "Details"]
    assert "Accepting is paused." in str(card.blocks)


def test_a_card_that_misses_no_button_for_it_does_not_speak_of_a_pause() -> None:
    card = render_card(view("running", Standing.RUNNING, can_accept=False, hindrance="Accepting is paused."))
    assert "Accepting is paused." not in str(card.blocks)


def test_a_card_nobody_can_act_on_says_why() -> None:
    card = render_card(view("available", Standing.OFFERED, can_act=False, hindrance="RECO_APPROVERS names nobody."))
    assert {"type": "context", "elements": [plain("RECO_APPROVERS names nobody.")]} in card.blocks
    assert "RECO_APPROVERS names nobody." in reading(card.compact)


def test_a_previous_recommendation_that_runs_is_told_on_the_card_and_before_accepting() -> None:
    card = render_card(view("available", Standing.OFFERED, previous=Progress(moved=3, total=7)))
    still = "A previous recommendation of this pool still runs: 3 of 7 VMs moved."
    assert reading(card.blocks).count(still) == 2
    assert still in card.text


def test_moves_other_than_those_accepted_are_told_loudly() -> None:
    warning = (
        "The TGC runs other moves than the ones shown when this was accepted. Check, and Cancel if they are wrong."
    )
    card = render_card(view("running", Standing.RUNNING, act=act(Action.ACCEPT, other_moves=True)))
    assert rich(line(emoji("warning"), text(" "), bold(warning))) in card.blocks
    assert warning in card.text


@pytest.mark.parametrize(
    "pointer",
    ["/actionGroups/0", "/expectedOutcomes/1/protectionInfo", "/expectedOutcomes", "/expectedOutcomes/3"],
)
def test_moves_or_losses_that_could_not_be_read_are_told(pointer: str) -> None:
    unread = msgspec.structs.replace(recommendation("available"), unreadable=(pointer,))
    card = render_card(view(unread, Standing.OFFERED))
    assert "answer about moves or replication could not be read" in card.text
    assert reading(card.blocks).count("could not be read") == 2


def test_other_unreadable_parts_do_not_alarm() -> None:
    unread = msgspec.structs.replace(recommendation("available"), unreadable=("/issues/0/spaceInfo/severity",))
    assert "could not be read" not in reading(render_card(view(unread, Standing.OFFERED)).blocks)


def test_a_long_plan_is_cut_visibly() -> None:
    shown = reading(render_card(view("large", Standing.OFFERED)).blocks)
    assert shown.count(" → vmstore0") == MOVES_SHOWN
    assert "and 230 more VMs, see Details" in shown


def test_of_a_long_running_plan_what_failed_is_shown_and_the_rest_counted() -> None:
    groups = tuple(
        ActionGroup(
            actions=(_move("vm-moved", ExecutionState.COMPLETED_OK),) * 30
            + (_move("vm-failed", ExecutionState.COMPLETED_FAILED), _move("vm-runs", ExecutionState.RUNNING))
        )
        for _ in range(2)
    )
    shown = reading(render_card(view(Recommendation(action_groups=groups), Standing.RUNNING)).blocks)
    assert shown.count("vm-failed") == shown.count("vm-runs") == 2
    assert shown.count("vm-moved  ") == MOVES_SHOWN - 4
    assert "and 54 more VMs: 54 moved, see Details" in shown


def test_every_vm_that_failed_is_named_up_to_a_number() -> None:
    failed = tuple(_move(f"vm-{number}", ExecutionState.COMPLETED_FAILED) for number in range(8))
    shown = reading(
        render_card(view(Recommendation(action_groups=(ActionGroup(actions=failed),)), Standing.FAILED)).blocks
    )
    assert "0 of 8 VMs moved, 8 failed" in shown
    assert "vm-4 failed" in shown
    assert "and 3 more, see Details" in shown


def test_vms_that_lose_replication_are_named_by_what_is_known_of_them() -> None:
    losing = ProtectionOutcome(vm_tintri_uuids=("uuid-1", "uuid-2", "uuid-3", "uuid-1"))
    plan = Recommendation(
        action_groups=(
            ActionGroup(actions=(models.Action(target_vm_tintri_uuid="uuid-1", target_vm_display_name="erp"),)),
        ),
        expected_outcomes=(Outcome(protection_info=losing), Outcome(protection_info=losing)),
    )
    card = render_card(view(plan, Standing.OFFERED, vm_names={"uuid-1": "stale", "uuid-2": "crm"}))
    assert "3 VMs would lose replication: erp, crm, uuid-3" in card.text


def test_replication_told_in_words_only_is_as_loud() -> None:
    said = Outcome(protection_info=ProtectionOutcome(summary="2 VMs are not replicated any more"))
    card = render_card(view(Recommendation(expected_outcomes=(said,)), Standing.OFFERED))
    assert (
        rich(line(emoji("warning"), text(" "), bold("Replication: 2 VMs are not replicated any more"))) in card.blocks
    )


@pytest.mark.parametrize(("length", "named"), [(9, True), (60, False)])
def test_before_a_cancel_what_has_moved_is_named_as_far_as_there_is_room(length: int, named: bool) -> None:
    moved = tuple(_move(f"{number:0{length}}", ExecutionState.COMPLETED_OK) for number in range(8))
    running = Recommendation(action_groups=(ActionGroup(actions=moved),))
    asked = render_card(view(running, Standing.RUNNING)).blocks[-1]["elements"][0]["confirm"]["text"]["text"]
    assert asked.startswith("8 of 8 VMs moved. What has moved stays where it is now")
    assert asked.endswith("; what has not begun does not run.")
    assert ("000000004 and 3 more)" in asked) is named


def test_the_confirm_dialog_counts_what_it_cannot_name() -> None:
    names = tuple(f"{number}-{'x' * 70}" for number in range(9))
    losing = Outcome(protection_info=ProtectionOutcome(vm_tintri_uuids=names))
    card = render_card(view(Recommendation(expected_outcomes=(losing,)), Standing.OFFERED))
    asked = card.blocks[-1]["elements"][0]["confirm"]["text"]["text"]
    assert asked == "0 VMs in Production will move. 9 VMs would lose replication. A move cannot be undone."


def test_moves_without_a_reason_say_that_the_tgc_gives_none() -> None:
    card = render_card(view("sparse", Standing.OFFERED))
    assert "Tintri Global Center gives no issues and no expected outcomes for these moves." in reading(card.blocks)
    assert "23B8C1E9-3924-46DE-BEB1-3B9046685257-VIM-8768A84FA76AFDE6" in reading(card.blocks)


def test_an_end_after_more_than_a_day_has_its_date() -> None:
    ended = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
    long = msgspec.structs.replace(recommendation("failed"), accepted_time=AT, completion_time=ended)
    card = render_card(view(long, Standing.DONE))
    assert f"to <!date^1773306000^{DAY_AND_TIME}|2026-03-12 09:00 UTC>" in card.text


def test_a_name_can_neither_ping_nor_link_nor_style() -> None:
    card = render_card(view("available", Standing.OFFERED, pool_name="<!channel> *x* :fire:"))
    assert card.text.startswith("&lt;!channel&gt; *x* :fire:: 4 VMs")
    assert card.blocks[0]["text"] == plain("<!channel> *x* :fire:")


@pytest.mark.parametrize("user_id", ["!channel", "U1><!here", ""])
def test_what_is_no_user_id_is_not_written_as_a_mention(user_id: str) -> None:
    card = render_card(view("available", Standing.DISMISSED, act=act(Action.DISMISS, user_id)))
    assert card.text.startswith("Production: dismissed by somebody <!date^")


def _move(vm: str, state: ExecutionState) -> models.Action:
    return models.Action(target_vm_display_name=vm, result=ActionResult(state=state))


@pytest.mark.parametrize("letter", ["x", "&", "名", "😀"])
@pytest.mark.parametrize("standing", list(Standing))
def test_the_largest_card_stays_small_enough_for_its_buttons(standing: Standing, letter: str) -> None:
    words = letter * 300
    issue = models.SpaceAnalysis(probability=0.8, space_used_physical_percent=94.1, space_used_physical_change=412)
    issues = [
        models.Analysis(
            vm_store_display_name=f"{number}{words}",
            space_info=issue,
            flash_info=models.FlashAnalysis(summary=words),
        )
        for number in range(32)
    ]
    outcomes = [
        Outcome(
            vm_store_display_name=f"{number}{words}",
            summary=words,
            protection_info=ProtectionOutcome(vm_tintri_uuids=tuple(f"{number}-{vm}{words}" for vm in range(20))),
        )
        for number in range(32)
    ]
    result = ActionResult(state=ExecutionState.COMPLETED_FAILED, error_summary=words, error_category=words)
    move = models.Action(target_vm_display_name=words, source_datastore=words, result=result)
    plan = Recommendation(
        issues=tuple(issues),
        expected_outcomes=tuple(outcomes),
        action_groups=(ActionGroup(actions=(move,)),) * 50,
        unreadable=("/actionGroups/9",),
        creation_time=AT,
        expiration_time=AT,
    )
    card = render_card(
        view(
            plan,
            standing,
            tgc_name=words,
            pool_name=words,
            hindrance=words,
            previous=Progress(moved=1, total=2),
            act=act(Action.ACCEPT, other_moves=True),
        )
    )
    assert message_size(list(card.blocks)) < limits.CARD_SIZE
    assert len(card.text.encode()) < limits.MESSAGE_TEXT_BYTES


ALWAYS = "this pool always asks for two"


def test_a_card_that_two_must_accept_says_so_before_anybody_did() -> None:
    card = render_card(view("available", Standing.OFFERED, second=ALWAYS))
    assert f"Two people must accept this, because {ALWAYS}." in card.text
    assert f"Two people must accept this, because {ALWAYS}." in str(card.blocks)
    assert "It begins once a second person accepts it too." in str(card.blocks)


def test_a_card_that_the_first_has_accepted_says_who_and_asks_for_another() -> None:
    card = render_card(view("available", Standing.OFFERED, second=ALWAYS, approval=act(Action.ACCEPT)))
    assert card.text.endswith(f". A second person must accept it too, because {ALWAYS}.")
    assert "<@U0ALICE> accepted this" in card.text
    assert user("U0ALICE") in card.blocks[3]["elements"][0]["elements"]
    assert "It begins once" not in str(card.blocks)


def test_what_two_have_accepted_names_both() -> None:
    both = msgspec.structs.replace(act(Action.ACCEPT, "U0BOB"), first_user_id="U0ALICE")
    card = render_card(view("running", Standing.RUNNING, second=ALWAYS, approval=both, act=both))
    assert "Accepted by <@U0ALICE> and <@U0BOB>" in card.text
    assert "must accept" not in card.text


PLANNED = PlannedAct(id="plan-1", user_id="U0ALICE", due_at=AT)


def test_a_card_that_somebody_accepts_later_says_who_and_when_and_offers_to_cancel_that() -> None:
    card = render_card(view("available", Standing.OFFERED, planned=PLANNED))
    assert card.text.endswith(
        f"<@U0ALICE> accepts it <!date^1773151920^{DAY_AND_TIME}|2026-03-10 14:12 UTC>, unless that changes."
    )
    assert labels(card.blocks) == labels(card.compact) == ["Accept", "Dismiss", "Cancel the plan", "Details"]
    cancel = card.blocks[-1]["elements"][2]
    assert (cancel["action_id"], cancel["value"]) == (ids.CANCEL_PLAN, "plan-1")
    assert cancel["confirm"]["title"] == plain("Cancel the plan for Production?")


def test_a_plan_that_a_pause_holds_back_is_told_and_can_be_cancelled() -> None:
    held = msgspec.structs.replace(PLANNED, is_held=True)
    card = render_card(view("available", Standing.OFFERED, planned=held, can_accept=False, hindrance="It is paused."))
    assert card.text.endswith(", and the pause holds that back.")
    assert labels(card.blocks) == ["Dismiss", "Cancel the plan", "Details"]


@pytest.mark.parametrize("standing", [Standing.DISMISSED, Standing.RUNNING, Standing.EXPIRED, Standing.GONE])
def test_what_is_decided_shows_no_plan(standing: Standing) -> None:
    card = render_card(view("available", standing, planned=PLANNED))
    assert "accepts it" not in card.text + str(card.blocks)
    assert "Cancel the plan" not in labels(card.blocks)
