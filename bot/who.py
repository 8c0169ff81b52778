"""What somebody may do here, and why: asked of the very code that decides on presses and commands."""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.card_views import CardViews
from bot.pool_names import TgcPool
from bot.pool_rules import PoolRule, no_way
from bot.rendering.views import Hindrance, RuleForYou, WhoView
from bot.storage import approver_checks
from bot.storage.database import Database
from bot.tgcs import Tgcs
from tgc.errors import TGCError


class Who:
    """Looks at every rule for one person."""

    def __init__(self, *, database: Database, access: Access, tgcs: Tgcs, views: CardViews) -> None:
        self._database = database
        self._access = access
        self._tgcs = tgcs
        self._views = views

    async def about(self, actor: Actor) -> WhoView:
        refusal = await self._access.refusal_to_read(actor)
        if refusal is not None:
            return WhoView(refusal=refusal)
        pools, problem = await self._pools()
        rules = [await self._rule(rule, actor, pools) for rule in self._access.rules.all]
        return WhoView(
            refusal=None,
            rules=tuple(rule for rule in rules if rule.pool_names or problem is not None),
            may_anywhere=await self._access.refusal_anywhere(actor) is None,
            may_everywhere=await self._access.refusal_everywhere(actor) is None,
            problem=problem,
        )

    async def _pools(self) -> tuple[list[TgcPool], str | None]:
        """All pools, and why they, or some, are not known."""
        try:
            listed = await self._tgcs.pools()
        except TGCError as error:
            return [], str(error)
        return listed.pools, " ".join(listed.unread.values()) or None

    async def _rule(self, rule: PoolRule, actor: Actor, pools: list[TgcPool]) -> RuleForYou:
        subject = [pool for pool in pools if self._access.rules.of(pool.name) == rule]
        right = await self._access.right_by(rule, actor)
        async with self._database.read() as connection:
            hindrances = tuple([one async for one in self._hindrances(connection, rule, subject)])
        return RuleForYou(
            rule=rule.name,
            pool_names=tuple(sorted((pool.shown for pool in subject), key=str.casefold)),
            named_in=rule.named_in,
            refusal=right.refusal,
            everyone=rule.approvers.everyone,
            group_id=right.named_as if right.named_as in rule.approvers.group_ids else None,
            two_for=rule.second_approver.terms,
            hindrances=hindrances,
        )

    async def _hindrances(
        self, connection: AsyncConnection, rule: PoolRule, pools: list[TgcPool]
    ) -> AsyncIterator[Hindrance]:
        """What holds back whoever may act, each only once however many pools it concerns."""
        nobody = no_way(rule, await approver_checks.able(connection, rule.name))
        if nobody is not None:
            yield Hindrance(sentence=nobody, pool_names=())
        where: dict[str, list[str]] = {}
        for pool in pools:
            rights = await self._views.rights(connection, pool)
            if rights.hindrance is not None:
                where.setdefault(rights.hindrance, []).append(pool.shown)
        for sentence, names in where.items():
            yield Hindrance(sentence=sentence, pool_names=() if len(names) == len(pools) else tuple(names))
