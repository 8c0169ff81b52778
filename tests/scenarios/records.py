"""What the bot wrote down: looked up in its database, past the bot."""

from typing import NamedTuple

import msgspec

from bot.recommendations import Plan, plan_of
from bot.storage.tables import metadata
from playground.estate import Pool
from playground.tgc_json import TgcJson
from tests.scenarios.stage import Stage
from tgc.models import Recommendation


class Decided(NamedTuple):
    """A row of the journal."""

    who: str
    action: str
    outcome: str
    tgc_answer: str | None
    offered: Plan | None
    """The moves that the person saw."""


def journal(stage: Stage) -> list[Decided]:
    """Every decision, oldest first."""
    rows = stage.place.rows(
        "SELECT user_id, action, outcome, tgc_answer, moves FROM decisions LEFT JOIN offers"
        " ON offers.id = decisions.offer_id ORDER BY decisions.id",
    )
    return [
        Decided(
            user_id if user_id.startswith(("cli:", "policy:")) else stage.slack.workspace.user(user_id).name,
            action,
            outcome,
            tgc_answer,
            msgspec.json.decode(moves, type=Plan) if moves else None,
        )
        for user_id, action, outcome, tgc_answer, moves in rows
    ]


def outcomes(stage: Stage) -> list[tuple[str, str, str]]:
    """Who tried what, and what came of it."""
    return [(decided.who, decided.action, decided.outcome) for decided in journal(stage)]


def claims(stage: Stage) -> list[str]:
    """The state of each claim, in the order of the pools, a pool's oldest recommendation first."""
    rows = stage.place.rows(
        "SELECT pool_uuid, claims.state FROM claims"
        " JOIN recommendations ON recommendations.id = claims.recommendation ORDER BY recommendations.id",
    )
    return [state for pool in stage.world.pools for pool_uuid, state in rows if pool_uuid == pool.uuid]


def answers(stage: Stage, action: str) -> dict[str, tuple[str, str]]:
    """By pool, what came of pressing that button last, and what the person was told."""
    rows = stage.place.rows(
        "SELECT decisions.action, recommendations.pool_name, outcome, answer FROM decisions"
        " JOIN recommendations ON recommendations.id = decisions.recommendation"
        " JOIN presses ON presses.offer_id = decisions.offer_id AND presses.action = decisions.action"
        " WHERE told_at IS NOT NULL ORDER BY decisions.id, pressed_at",
    )
    return {pool_name: (outcome, answer) for pressed, pool_name, outcome, answer in rows if pressed == action}


def states(stage: Stage) -> list[str]:
    """Where each recommendation stood when it was read last."""
    rows = stage.place.rows("SELECT snapshot FROM recommendations ORDER BY id")
    return [str(msgspec.json.decode(snapshot)["state"]) for (snapshot,) in rows]


def all_cards_at_rest(stage: Stage) -> bool:
    """Whether nobody paints any card, or is about to."""
    ((count,),) = stage.place.rows("SELECT count(*) FROM cards WHERE dirty OR owner IS NOT NULL")
    return int(count) == 0


def untold(stage: Stage) -> int:
    """How many presses wait for an answer."""
    ((count,),) = stage.place.rows("SELECT count(*) FROM presses WHERE told_at IS NULL")
    return int(count)


def count_rows(stage: Stage) -> dict[str, int]:
    """How many rows each table has."""
    counts = {name: stage.place.rows(f"SELECT count(*) FROM {name}") for name in metadata.tables}  # noqa: S608 - our own
    return {name: int(count) for name, ((count,),) in counts.items()}


def plan_at_tgc(stage: Stage, pool: Pool) -> Plan:
    """The moves that the TGC would make now."""
    return plan_of(msgspec.convert(as_json(stage, pool), Recommendation))


def as_json(stage: Stage, pool: Pool) -> dict[str, object]:
    """The pool's current recommendation as the TGC sends it."""
    one = stage.world.current(pool)
    return TgcJson(stage.world.zone).recommendation(one, pool.uuid, stage.world.execution(one), stage.clock.now())
