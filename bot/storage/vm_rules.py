"""Permanent rules of VMs that were asked for here. The TGC tells nobody which rules hold, so this is what is known.

Each request is a row of its own, kept before the TGC is asked; of a VM the newest one that was not refused counts.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.shapes import Chosen
from bot.storage.leases import ensure_row
from bot.storage.tables import vm_rules
from tgc.models import AffinityRuleType


class RuleState(StrEnum):
    ASKED = "asked"
    """The TGC may have been asked; what it did is not known."""
    TAKEN = "taken"
    REFUSED = "refused"
    """Or not sent: nothing was done."""


class VmRule(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    tgc_key: str
    pool_uuid: str
    pool_name: str
    """As the TGC gave it then, like the other names."""
    vm: Chosen
    rule_type: AffinityRuleType
    vm_stores: tuple[Chosen, ...]
    """Where it must not go; empty where it must not move at all."""
    clears: bool
    """Whether the request was to clear this rule."""
    request_id: str
    """Of the press; the same in a redelivery."""
    user_id: str
    asked_at: datetime
    state: RuleState = RuleState.ASKED


def rule_id(request_id: str, vm_uuid: str) -> str:
    return hashlib.sha256(msgspec.json.encode((request_id, vm_uuid))).hexdigest()


async def add(connection: AsyncConnection, rule: VmRule) -> bool:
    """False where it was asked for before."""
    values = {
        "id": rule.id,
        "tgc_key": rule.tgc_key,
        "pool_uuid": rule.pool_uuid,
        "pool_name": rule.pool_name,
        "vm": msgspec.json.encode(rule.vm),
        "vm_uuid": rule.vm.id,
        "rule_type": rule.rule_type,
        "vm_stores": msgspec.json.encode(rule.vm_stores),
        "clears": rule.clears,
        "request_id": rule.request_id,
        "user_id": rule.user_id,
        "asked_at": rule.asked_at,
        "state": rule.state,
    }
    return await ensure_row(connection, vm_rules, vm_rules.c.id == rule.id, **values)


async def settle(connection: AsyncConnection, rule: VmRule, state: RuleState) -> None:
    asked = (vm_rules.c.id == rule.id, vm_rules.c.state == RuleState.ASKED)
    await connection.execute(update(vm_rules).where(*asked).values(state=state))


async def get(connection: AsyncConnection, id_: str) -> VmRule | None:
    row = (await connection.execute(select(vm_rules).where(vm_rules.c.id == id_))).one_or_none()
    return None if row is None else _rule(row)


async def of_request(connection: AsyncConnection, request_id: str) -> list[VmRule]:
    statement = select(vm_rules).where(vm_rules.c.request_id == request_id).order_by(vm_rules.c.number)
    return [_rule(row) for row in await connection.execute(statement)]


async def standing(connection: AsyncConnection, tgc_keys: Collection[str]) -> list[VmRule]:
    """Of each VM what holds, or may; by pool and VM."""
    statement = (
        select(vm_rules)
        .where(vm_rules.c.tgc_key.in_(tgc_keys), vm_rules.c.state != RuleState.REFUSED)
        .order_by(vm_rules.c.number)
    )
    newest = {(row.tgc_key, row.vm_uuid): _rule(row) for row in await connection.execute(statement)}
    hold = (rule for rule in newest.values() if not rule.clears or rule.state is RuleState.ASKED)
    return sorted(hold, key=lambda rule: (rule.pool_name.casefold(), rule.vm.name.casefold(), rule.id))


def _rule(row: Row[Any]) -> VmRule:
    return VmRule(
        id=row.id,
        tgc_key=row.tgc_key,
        pool_uuid=row.pool_uuid,
        pool_name=row.pool_name,
        vm=msgspec.json.decode(row.vm, type=Chosen),
        rule_type=AffinityRuleType(row.rule_type),
        vm_stores=msgspec.json.decode(row.vm_stores, type=tuple[Chosen, ...]),
        clears=row.clears,
        request_id=row.request_id,
        user_id=row.user_id,
        asked_at=row.asked_at,
        state=RuleState(row.state),
    )
