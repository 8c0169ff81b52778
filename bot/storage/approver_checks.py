"""Whether somebody can approve at all, by rule, as last looked up at Slack; one truth for all replicas."""

from collections.abc import Mapping

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import approver_checks

_ABLE = select(approver_checks.c.able).where(approver_checks.c.rule == bindparam("rule"))


async def able(connection: AsyncConnection, rule: str) -> int | None:
    """How many people can act by this rule, no more counted than matter; None where that is not known."""
    return (await connection.execute(_ABLE, {"rule": rule})).scalar_one_or_none()


async def by_rule(connection: AsyncConnection) -> dict[str, int]:
    return {row.rule: row.able for row in await connection.execute(select(approver_checks))}


async def replace(connection: AsyncConnection, able_by_rule: Mapping[str, int]) -> None:
    """Keep these and no others: rules come and go with the configuration."""
    await connection.execute(delete(approver_checks))
    rows = [{"rule": rule, "able": count} for rule, count in able_by_rule.items()]
    if rows:
        await connection.execute(insert(approver_checks), rows)
