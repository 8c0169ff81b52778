"""What the page's drawer does to the simulated TGC: what its analyses find, what people do in it, what breaks."""

from typing import Annotated, Literal

import msgspec

from playground.estate import OPEN, IssueType, Pool, StateReason
from playground.tgc import SimulatedTgc
from playground.world import World

Count = Annotated[int, msgspec.Meta(ge=0, le=500)]


class Control(msgspec.Struct, frozen=True, kw_only=True, tag_field="control", forbid_unknown_fields=True):
    """Raises LookupError, ValueError or Refused where it cannot be done now."""

    async def apply(self, tgc: SimulatedTgc) -> None:
        raise NotImplementedError


class OfPool(Control, frozen=True, kw_only=True):
    pool: str

    def found(self, world: World) -> Pool:
        for pool in world.pools:
            if pool.uuid == self.pool:
                return world.pool(pool.uuid)
        raise LookupError("This pool does not exist.")

    def open(self, world: World) -> Pool:
        """The pool, where somebody can still decide."""
        pool = self.found(world)
        if pool.current is None or pool.current.state not in OPEN:
            raise ValueError(f"{pool.name} has nothing that can be decided: make a new recommendation first.")
        return pool


class NewRecommendation(OfPool, frozen=True, kw_only=True, tag="new_recommendation"):
    moves: Annotated[int, msgspec.Meta(ge=1, le=500)] = 4
    waves: Annotated[int, msgspec.Meta(ge=1, le=50)] = 2
    lose_replication: Count = 0
    issues: Annotated[list[IssueType], msgspec.Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["SPACE", "IOPS", "FLASH"]
    )

    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.world.new_recommendation(
            self.found(tgc.world),
            moves=self.moves,
            waves=min(self.waves, self.moves),
            lose_replication=min(self.lose_replication, self.moves),
            issues=self.issues,
        )


class ChangeMoves(OfPool, frozen=True, kw_only=True, tag="change_moves"):
    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.world.change_moves(self.open(tgc.world))


class Accept(OfPool, frozen=True, kw_only=True, tag="accept"):
    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.world.accept_in_gui(self.open(tgc.world))


class Cancel(OfPool, frozen=True, kw_only=True, tag="cancel"):
    async def apply(self, tgc: SimulatedTgc) -> None:
        pool = self.found(tgc.world)
        if not any(one.state == "ACCEPTED" for one in pool.recommendations()):
            raise ValueError(f"Nothing runs in {pool.name}: accept something first.")
        tgc.world.cancel_in_gui(pool)


class Expire(OfPool, frozen=True, kw_only=True, tag="expire"):
    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.world.expire(self.open(tgc.world))


class Invalidate(OfPool, frozen=True, kw_only=True, tag="invalidate"):
    reason: StateReason = "INVALID_VMS_CHANGED"

    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.world.invalidate(self.open(tgc.world), self.reason)


class FailMove(OfPool, frozen=True, kw_only=True, tag="fail_move"):
    vm: str

    async def apply(self, tgc: SimulatedTgc) -> None:
        pool = self.found(tgc.world)
        for recommendation in pool.recommendations():
            for move in recommendation.moves:
                if move.vm.uuid == self.vm:
                    tgc.world.fail_move(pool, move.vm)
                    return
        raise LookupError(f"No recommendation of {pool.name} moves this VM.")


class Speed(Control, frozen=True, kw_only=True, tag="speed"):
    move_minutes: Annotated[float, msgspec.Meta(ge=0.01, le=1440)]

    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.world.set_pace(self.move_minutes)


class Latency(Control, frozen=True, kw_only=True, tag="latency"):
    seconds: Annotated[float, msgspec.Meta(ge=0, le=120)]

    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.latency_s = self.seconds


class Service(Control, frozen=True, kw_only=True, tag="service"):
    state: Literal["up", "down"]

    async def apply(self, tgc: SimulatedTgc) -> None:
        if self.state == "down":
            await tgc.stop()
        elif not tgc.is_serving:
            await tgc.start()


class ExpireSessions(Control, frozen=True, kw_only=True, tag="expire_sessions"):
    async def apply(self, tgc: SimulatedTgc) -> None:
        tgc.session_table.close_all()


AnyControl = (
    NewRecommendation
    | ChangeMoves
    | Accept
    | Cancel
    | Expire
    | Invalidate
    | FailMove
    | Speed
    | Latency
    | Service
    | ExpireSessions
)
