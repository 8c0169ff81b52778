"""What the page shows, as JSON: the workspace as one person sees it, and the simulated TGC."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec

from playground.estate import Pool, Recommendation
from playground.execution import COMPLETED, WAITING
from playground.slack import Slack
from playground.slack_workspace import BOT_USER_ID, Channel, Message, User, View, Workspace
from playground.tgc import SimulatedTgc
from playground.world import World

Json = dict[str, Any]


class Named(msgspec.Struct, frozen=True):
    id: str
    name: str


class Individual(msgspec.Struct, frozen=True):
    id: str
    name: str
    real_name: str
    about: str
    """What matters about this person, such as that it is a guest."""


class Place(msgspec.Struct, frozen=True):
    id: str
    name: str
    is_private: bool
    is_direct: bool
    messages: list[Json]
    """As Slack echoes them, with `is_ephemeral`; oldest first, replies in threads included."""


class SlackView(msgspec.Struct, frozen=True):
    team: str
    who: Named
    app: Named
    is_app_connected: bool
    people: list[Individual]
    users: list[Named]
    groups: list[Named]
    channels: list[Place]
    modals: list[Json]
    """The lowest first."""
    home: Json | None


class MoveView(msgspec.Struct, frozen=True):
    vm: Named
    way: str
    state: str
    percent: int
    fails: bool


class PlanView(msgspec.Struct, frozen=True):
    """A recommendation that is the pool's current one, or that still runs."""

    id: str
    state: str
    execution: str | None
    is_current: bool
    moves: list[MoveView]


class PoolView(msgspec.Struct, frozen=True):
    id: str
    name: str
    state: str
    reason: str | None
    expires: datetime | None
    vmstores: list[str]
    plans: list[PlanView]


class TgcView(msgspec.Struct, frozen=True):
    url: str
    is_serving: bool
    latency_s: float
    sessions: int
    move_minutes: float
    pools: list[PoolView]


def people(workspace: Workspace, about: Mapping[str, str]) -> list[Individual]:
    """Those whom one can be: those of `about`, in its order, or else everybody who has an account and is no bot."""
    chosen = [workspace.user(name) for name in about] or [
        user for user in workspace.users.values() if not user.is_bot and not user.deleted
    ]
    return [
        Individual(
            user.id, user.name, user.real_name or user.name.title(), about.get(user.name) or _kind(user, workspace)
        )
        for user in chosen
    ]


def slack_view(slack: Slack, who: User, about: Mapping[str, str]) -> SlackView:
    workspace = slack.workspace
    home = workspace.home(who.id)
    workspace.direct_channel(who.id)
    return SlackView(
        team=workspace.name,
        who=Named(who.id, who.name),
        app=Named(BOT_USER_ID, workspace.user(BOT_USER_ID).name),
        is_app_connected=slack.request_url is not None or bool(slack.sockets.connections),
        people=people(workspace, about),
        users=[Named(user.id, user.name) for user in workspace.users.values()],
        groups=[Named(group.id, group.handle) for group in workspace.groups.values()],
        channels=[_place(workspace, channel, who) for channel in seen_channels(workspace, who)],
        modals=[_view(view) for view in workspace.modals(who.id)],
        home=None if home is None else _view(home),
    )


def seen_channels(workspace: Workspace, who: User) -> list[Channel]:
    return [channel for channel in workspace.channels.values() if who.id in channel.members]


def _kind(user: User, workspace: Workspace) -> str:
    if user.team_id != workspace.user(BOT_USER_ID).team_id:
        return "from another workspace"
    return "guest" if user.is_restricted else "full member"


def _place(workspace: Workspace, channel: Channel, who: User) -> Place:
    private = (one for one in workspace.ephemerals if one.visible_to == who.id and one.channel_id == channel.id)
    messages = sorted(chain(channel.messages, private), key=lambda message: message.ts)
    return Place(channel.id, channel.name, channel.is_private, channel.is_im, [_message(one) for one in messages])


def _message(message: Message) -> Json:
    return {**message.payload(), "is_ephemeral": message.visible_to is not None}


def _view(view: View) -> Json:
    shown = ("id", "hash", "type", "title", "submit", "close", "blocks")
    payload = view.payload()
    return {**{key: payload[key] for key in shown if key in payload}, "errors": view.errors}


def tgc_view(tgc: SimulatedTgc) -> TgcView:
    world = tgc.world
    return TgcView(
        url=tgc.url,
        is_serving=tgc.is_serving,
        latency_s=tgc.latency_s,
        sessions=tgc.sessions,
        move_minutes=world.move_minutes,
        pools=[_pool(world, world.pool(pool.uuid)) for pool in world.pools],
    )


def _pool(world: World, pool: Pool) -> PoolView:
    current = pool.current
    return PoolView(
        id=pool.uuid,
        name=pool.name,
        state="GONE" if current is None else current.state,
        reason=None if current is None else current.state_reason,
        expires=None if current is None else current.expires,
        vmstores=[vmstore.name for vmstore in pool.members],
        plans=[_plan(world, plan, is_current=plan is current) for plan in _shown_plans(world, pool)],
    )


def _shown_plans(world: World, pool: Pool) -> Iterator[Recommendation]:
    for plan in pool.recommendations():
        running = world.execution(plan)
        if plan is pool.current or (running is not None and running.state not in COMPLETED):
            yield plan


def _plan(world: World, plan: Recommendation, *, is_current: bool) -> PlanView:
    running = world.execution(plan)
    return PlanView(
        id=plan.id or "",
        state=plan.state,
        execution=None if running is None else running.state,
        is_current=is_current,
        moves=list(_moves(world, plan)),
    )


def _moves(world: World, plan: Recommendation) -> Iterable[MoveView]:
    running = world.execution(plan)
    for move in plan.moves:
        progress = WAITING if running is None else running.moves.get(move.vm.uuid, WAITING)
        yield MoveView(
            vm=Named(move.vm.uuid, move.vm.name),
            way=f"{move.source.name} → {move.destination.name}",
            state=progress.state,
            percent=progress.percent,
            fails=move.failure is not None,
        )
