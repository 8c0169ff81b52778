"""What becomes of recommendations that a policy matches: each gets a plan, once, and says so; a dry run only says so.

A policy's plan is one like any other, due when its window opens, or at once. bot.due_plans presses it, and the decision
protocol judges it, by the policy as well. Nothing here asks the TGC for anything.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.bell import Bell
from bot.card_thread import CardThread
from bot.card_views import CardViews, moment
from bot.clock import Clock
from bot.drawings import card_key
from bot.loops import CameRound
from bot.policies import Policies, Verdict, because, first_to_act
from bot.recommendations import is_expired, is_open, plan_of
from bot.rendering.escape import is_policy_id
from bot.rendering.notices import render_policy_plans, render_policy_says, render_policy_withdraws
from bot.rendering.views import Action, Message
from bot.storage import approvals, cards, claims, decisions, offers, planned_accepts, posts, recommendations
from bot.storage.claims import ClaimState
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.offers import Offer
from bot.storage.planned_accepts import PlannedAccept
from bot.storage.recommendations import Stored
from bot.system_user import NO_TEAM
from bot.tgcs import Tgcs

KIND = "policy"
_PLAN = "plan"
_EVERY_S, _RARELY_S = 5.0, 300.0
IN_PEOPLES_HANDS = "Somebody has decided on it, so policies leave it alone."
"""For good, also where its moves change."""


async def left_to_people(connection: AsyncConnection, stored: Stored, offer_id: str) -> str | None:
    """Why every policy leaves it alone, a sentence; None where none does."""
    if (await claims.get(connection, stored.row_id)).state is not ClaimState.OPEN:
        return "Somebody accepted it, or is deciding on it."
    if await decisions.is_in_peoples_hands(connection, stored.row_id):
        return IN_PEOPLES_HANDS
    if not await _was_posted(connection, stored):
        return "Its card comes from another database, so what was decided before is not known."
    if await approvals.any_standing(connection, offer_id):
        return "It was accepted by the first of two, and a policy is never the second."
    return None


async def _was_posted(connection: AsyncConnection, stored: Stored) -> bool:
    """Whether a card of it was posted by this database: one that was found in the channel may have been dismissed."""
    for card in await cards.of(connection, stored.row_id):
        if await posts.find(connection, card_key(stored.key, card.channel_id, card.generation)) is not None:
            return True
    return False


class _Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy says once, in the thread and in the journal, where it does nothing."""

    verdict: Verdict
    outcome: Outcome
    said: str
    """To follow the policy's name."""
    id: str


class _Todo(msgspec.Struct, frozen=True, kw_only=True):
    offer: Offer
    acting: Verdict | None
    """Of the policy that plans to accept it."""
    sayings: tuple[_Saying, ...]
    fallen: tuple[tuple[PlannedAccept, str], ...]
    """Plans that do not hold any more, and why."""


class AutoAccepts:
    """Looks at what could be accepted, for the policies."""

    def __init__(
        self,
        *,
        database: Database,
        access: Access,
        views: CardViews,
        thread: CardThread,
        tgcs: Tgcs,
        clock: Clock,
        policies: Policies,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._thread = thread
        self._tgcs = tgcs
        self._clock = clock
        self._policies = policies
        self.bell = Bell(clock)
        """For policies that have changed."""

    async def keep_looking(self, came_round: CameRound) -> None:
        while True:
            await self.run()
            came_round()
            # Without policies there is nothing to look for but what former ones have planned.
            await self.bell.wait(_EVERY_S if self._policies.all else _RARELY_S)

    async def run(self) -> None:
        """Plan and say what is to be planned and said now, and end plans that do not hold any more."""
        async with self._database.read() as connection:
            if not self._policies.all and not await planned_accepts.any_automatic(connection):
                return
            known = [
                stored for key in self._tgcs.keys for stored in await recommendations.with_open_cards(connection, key)
            ]
            busy = [stored.row_id for stored in known if await self._todo(connection, stored) is not None]
        for row_id in busy:
            async with self._database.write() as connection:
                await self._act(connection, await recommendations.by_row_id(connection, row_id))

    async def _act(self, connection: AsyncConnection, stored: Stored) -> None:
        """Looked at anew in the transaction that acts: so exactly one replica does."""
        todo = await self._todo(connection, stored)
        if todo is None:
            return
        for plan, why in todo.fallen:
            await self._withdraw(connection, stored, todo.offer, plan, why)
        for saying in todo.sayings:
            await self._say(connection, stored, todo.offer, saying)
        if todo.acting is not None:
            await self._plan(connection, stored, todo.offer, todo.acting)

    # What is to be done

    async def _todo(self, connection: AsyncConnection, stored: Stored) -> _Todo | None:
        """None where that is nothing, or no card tells people of it yet."""
        recommendation = stored.recommendation
        if stored.gone or not is_open(recommendation) or is_expired(recommendation, self._clock.now()):
            return None
        verdicts = [verdict for verdict in self._verdicts(stored) if verdict.names_pool]
        fallen = await self._fallen(connection, stored)
        if not verdicts and not fallen:
            return None
        is_shown = any(card.ts for card in await cards.of(connection, stored.row_id))
        offer_id = await offers.find(connection, stored.row_id, plan_of(recommendation))
        offer = await offers.get(connection, offer_id) if offer_id else None
        if not is_shown or offer is None:
            return None
        acting: Verdict | None = None
        sayings: tuple[_Saying, ...] = ()
        if verdicts and await left_to_people(connection, stored, offer.id) is None:
            can_accept = (await self._views.rights(connection, stored.tgc_pool)).can_accept
            sayings = await self._unsaid(connection, self._sayings(verdicts, stored, offer, can_accept=can_accept))
            was_planned = await planned_accepts.was_made(connection, offer.id)
            acting = first_to_act(verdicts) if can_accept and not was_planned else None
        if not (fallen or sayings or acting):
            return None
        return _Todo(offer=offer, acting=acting, sayings=sayings, fallen=fallen)

    def _verdicts(self, stored: Stored) -> list[Verdict]:
        rule = self._access.rules.of(stored.named)
        return self._policies.judge_all(stored.key, stored.pool_name, stored.recommendation, rule, self._clock.now())

    async def _unsaid(self, connection: AsyncConnection, sayings: Iterable[_Saying]) -> tuple[_Saying, ...]:
        return tuple([saying for saying in sayings if not await decisions.is_kept(connection, saying.id)])

    def _sayings(
        self, verdicts: Sequence[Verdict], stored: Stored, offer: Offer, *, can_accept: bool
    ) -> Iterable[_Saying]:
        for verdict in verdicts:
            id_ = _id("said", verdict.policy.name, offer.id)
            if verdict.policy.dry_run:
                said = self._dry(verdict, stored, can_accept=can_accept)
                if said is not None:
                    yield _Saying(verdict=verdict, outcome=Outcome.DRY_RUN, said=said, id=id_)
            elif verdict.asks_for_ticket:
                said = (
                    "does not accept this, because the pool asks for a ticket with each accept and a policy has none."
                )
                yield _Saying(verdict=verdict, outcome=Outcome.TICKET_NEEDED, said=said, id=id_)

    def _dry(self, verdict: Verdict, stored: Stored, *, can_accept: bool) -> str | None:
        """What it would do now, or why it never does; None while it waits."""
        if not verdict.matches:
            return f"is a dry run, and would not accept this, because {because(verdict.why_not)}."
        if not verdict.is_due(self._clock.now()) or not can_accept:
            return None
        as_first = " as the first of two" if self._asks_for_two(stored) else ""
        return f"is a dry run, and would accept this now{as_first}. Nothing was sent."

    def _asks_for_two(self, stored: Stored) -> bool:
        rule = self._access.rules.of(stored.named)
        return rule.second_approver.reason(stored.recommendation) is not None

    async def _fallen(self, connection: AsyncConnection, stored: Stored) -> tuple[tuple[PlannedAccept, str], ...]:
        """Plans that a policy would not make any more: the file, or the recommendation, has changed."""
        plans = await planned_accepts.all_standing(connection, stored.row_id)
        automatic = [plan for plan in plans if is_policy_id(plan.user_id)]
        if automatic and await decisions.is_in_peoples_hands(connection, stored.row_id):
            return tuple((plan, IN_PEOPLES_HANDS) for plan in automatic)
        return tuple((plan, why) for plan in automatic if (why := self._why_fallen(plan, stored)) is not None)

    def _why_fallen(self, plan: PlannedAccept, stored: Stored) -> str | None:
        at = max(plan.due_at, self._clock.now())
        if at >= plan.latest:
            return None  # its time goes by, which bot.due_plans says
        rule = self._access.rules.of(stored.named)
        return self._policies.refusal(plan.user_id, stored.key, stored.pool_name, stored.recommendation, rule, at)

    # Doing it

    async def _plan(self, connection: AsyncConnection, stored: Stored, offer: Offer, acting: Verdict) -> None:
        policy, window, now = acting.policy, acting.window, self._clock.now()
        if window is None:
            return
        plan = PlannedAccept(
            press_id=_id("plan", offer.id),
            recommendation=stored.row_id,
            offer_id=offer.id,
            team_id=NO_TEAM,
            user_id=policy.user_id,
            user_name=policy.actor_name,
            due_at=window.since,
            planned_at=now,
            until=window.until,
        )
        if not await planned_accepts.add(connection, plan):
            return
        told = f"Planned for {moment(window.since, policy.zone or self._policies.zone)}."
        await self._keep(
            connection, stored, offer, _actor(plan.user_id, plan.user_name), _PLAN, Outcome.DONE, told, plan.press_id
        )
        if not acting.is_due(now):
            message = render_policy_plans(
                stored.pool_name, policy.user_id, window.since, as_first=self._asks_for_two(stored)
            )
            await self._reply(connection, stored, f"policy-plans/{plan.press_id}", message)
        await cards.mark_all_dirty(connection, stored.row_id)

    async def _say(self, connection: AsyncConnection, stored: Stored, offer: Offer, saying: _Saying) -> None:
        policy = saying.verdict.policy
        told = f"The policy {policy.name} {saying.said}"
        await self._keep(
            connection,
            stored,
            offer,
            _actor(policy.user_id, policy.actor_name),
            Action.ACCEPT,
            saying.outcome,
            told,
            saying.id,
        )
        message = render_policy_says(policy.user_id, saying.said)
        await self._reply(connection, stored, f"policy-says/{saying.id}", message)

    async def _withdraw(
        self, connection: AsyncConnection, stored: Stored, offer: Offer, plan: PlannedAccept, why: str
    ) -> None:
        if not await planned_accepts.end(connection, plan, self._clock.now()):
            return
        told = f"{stored.pool_name}: Nothing was done. The plan is over: {why}"
        await self._keep(
            connection, stored, offer, _actor(plan.user_id, plan.user_name), _PLAN, Outcome.CHANGED, told, plan.press_id
        )
        await self._reply(
            connection,
            stored,
            f"plan-over/{plan.press_id}",
            render_policy_withdraws(plan.user_id, plan.due_at, why),
        )
        await cards.mark_all_dirty(connection, stored.row_id)

    async def _reply(self, connection: AsyncConnection, stored: Stored, key: str, message: Message) -> None:
        await self._thread.reply(connection, stored.row_id, key=key, kind=KIND, message=message)

    async def _keep(
        self,
        connection: AsyncConnection,
        stored: Stored,
        offer: Offer,
        actor: Actor,
        action: str,
        outcome: Outcome,
        told: str,
        command_id: str,
    ) -> None:
        decision = Decision(
            recommendation=stored.row_id,
            tgc_key=stored.key.tgc_key,
            pool_uuid=stored.key.pool_uuid,
            pool_name=stored.pool_name,
            recommendation_id=stored.key.recommendation_id,
            action=action,
            offer_id=offer.id,
            seen=offer.shown,
            team_id=actor.team_id,
            user_id=actor.user_id,
            user_name=actor.name,
            channel_id=None,
            decided_at=self._clock.now(),
            outcome=outcome,
            told=told,
            command_id=command_id,
        )
        await decisions.add(connection, decision)


def _actor(user_id: str, name: str) -> Actor:
    return Actor(team_id=NO_TEAM, user_id=user_id, name=name)


def _id(*of: str) -> str:
    """The same whoever comes upon it, so it is done once."""
    return hashlib.sha256(msgspec.json.encode(("policy", *of))).hexdigest()
