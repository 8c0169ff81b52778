"""What no storm may have caused, beyond what `Scene.problems` finds: what both far ends recorded, in sentences."""

from collections import Counter

from playground.slack import Delivery
from playground.slack_courier import INTERACTION
from playground.tgc import Call
from tests.scenarios.killing import PEOPLE, facts
from tests.scenarios.stage import STORAGE
from tests.scenarios.storms import Paused, Play

_READ_BEFORE_S = 3.0
"""A lease certainly lives for 1.5 s here, so what is sent was read and committed to shortly before."""
_ORDERS_WITHIN_S = 15.0
"""An order is carried out, and announced, by then; or it was lost."""


def broken_rules(play: Play) -> list[str]:
    return [
        *_accepted_by_strangers(play),
        *_out_of_turn(play),
        *_unseen_moves(play),
        *_accepted_while_paused(play),
        *_kept_twice(play),
        *_decided_twice(play),
        *_told_too_often(play),
        *_announcements(play),
    ]


def _accepted_by_strangers(play: Play) -> list[str]:
    approvers = {play.scene.slack.person(name).user.id for name in PEOPLE}
    rows = play.scene.place.rows("SELECT user_id, action FROM decisions WHERE outcome = 'done'")
    return [f"{user_id}, who is no approver, did {action}" for user_id, action in rows if user_id not in approvers]


def _out_of_turn(play: Play) -> list[str]:
    """Decisions that took effect although an earlier one forbade them."""
    forbidden_after = {"accept": {"accept", "dismiss"}, "dismiss": {"accept", "dismiss"}}
    newest: dict[int, str] = {}
    found = []
    rows = play.scene.place.rows(
        "SELECT recommendation, action FROM decisions"
        " WHERE outcome = 'done' AND recommendation IS NOT NULL AND action != 'cancel' ORDER BY id"
    )
    for recommendation, action in rows:
        before = newest.get(recommendation)
        if before in forbidden_after.get(action, ()) or (action == "reopen" and before != "dismiss"):
            found.append(f"recommendation {recommendation}: {action} after {before}")
        newest[recommendation] = action
    return found


def _unseen_moves(play: Play) -> list[str]:
    """Accepts of which no reading shortly before showed the moves that the person saw."""
    seen = _accepted_plans(play)
    return [
        f"{call.recommendation} was accepted with moves that nobody saw"
        for call in play.scene.tgc.accepts
        if seen.get(str(call.recommendation)) not in _plans_read_before(play, call)
    ]


def _accepted_plans(play: Play) -> dict[str, str]:
    """The plan that whoever accepted a recommendation saw, by its id."""
    rows = play.scene.place.rows(
        "SELECT recommendation_id, fingerprint FROM decisions JOIN offers ON offers.id = decisions.offer_id"
        " WHERE outcome = 'done' AND action = 'accept'"
    )
    return dict(rows)


def _plans_read_before(play: Play, accept: Call) -> set[str]:
    calls = play.scene.tgc.calls
    at = calls.index(accept)
    return {
        _plan_at(play, number, str(accept.recommendation))
        for number, call in enumerate(calls[:at])
        if call.method == "GET" and call.recommendation == accept.recommendation
        if (accept.at - call.at).total_seconds() < _READ_BEFORE_S
    }


def _plan_at(play: Play, call_number: int, recommendation_id: str) -> str:
    known = [moves for moves in play.moves if moves.recommendation_id == recommendation_id]
    return [moves for moves in known if moves.since_call <= call_number][-1].fingerprint


def _accepted_while_paused(play: Play) -> list[str]:
    return [
        f"{call.recommendation} was accepted in a pause"
        for call in play.scene.tgc.accepts
        for paused in play.paused
        if _is_in(paused, call.at.timestamp(), play.resumed)
    ]


def _is_in(paused: Paused, at: float, resumed: list[float]) -> bool:
    """Whether it was paused for certain.

    What was committed to before a pause may still arrive after it, and an order to resume that was brought to a process
    that hung, or is announced late, takes effect later.
    """
    lapse = any(paused.ordered - _ORDERS_WITHIN_S < when < at for when in resumed)
    return at > paused.announced + _READ_BEFORE_S and not lapse


def _kept_twice(play: Play) -> list[str]:
    """Presses that became several, as often as they were delivered."""
    delivered = {_pressed(delivery) for delivery in play.deliveries if delivery.kind == INTERACTION}
    kept = len(play.scene.presses())
    return [f"of {len(delivered)} presses {kept} were kept"] if kept > len(delivered) else []


def _pressed(delivery: Delivery) -> tuple[str, str]:
    """The same in a redelivery."""
    return delivery.payload["user"]["id"], delivery.payload["actions"][0]["action_ts"]


def _decided_twice(play: Play) -> list[str]:
    """Presses and entries of the journal, which must be as many."""
    pressed = Counter(_triples(play, "SELECT user_id, offer_id, action FROM presses WHERE answer IS NOT NULL"))
    decided = Counter(_triples(play, "SELECT user_id, offer_id, action FROM decisions WHERE offer_id IS NOT NULL"))
    wrong = (pressed - decided) | (decided - pressed)
    return [f"{press}: {pressed[press]} presses, and {decided[press]} answers in the journal" for press in wrong]


def _triples(play: Play, query: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in play.scene.place.rows(query)]


def _told_too_often(play: Play) -> list[str]:
    """Where Slack's answer was lost or a process died, somebody may be told twice; for nothing else."""
    presses = play.scene.presses()
    answers = Counter((press.user_id, str(press.answer)) for press in presses)
    shown = Counter((who, text) for who in {who for who, _ in answers} for text in play.scene.shown_to(who))
    again = {answer: shown[answer] - count for answer, count in answers.items() if shown[answer] > count}
    if sum(again.values()) <= play.disturbances:
        return []
    return [f"after {play.disturbances} disturbances answers were told once more: {again}"]


def _announcements(play: Play) -> list[str]:
    """Each that was written down stands, and outages come to their ends."""
    rows = play.scene.place.rows("SELECT key, kind FROM posts WHERE kind != 'card'")
    standing = {facts(message).get("key") for message in play.scene.slack.channel(STORAGE).messages}
    missing = [f"{key} was never announced" for key, _ in rows if key not in standing]
    kinds = Counter(kind for _, kind in rows)
    ends = [] if kinds["outage"] == kinds["outage_over"] else [f"outages and their ends: {kinds}"]
    return missing + ends
