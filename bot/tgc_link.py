"""The TGCs of the settings, connected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.readings import Tgc
from bot.settings import Settings, TgcSettings
from tgc.client import SettingNames, TLSPolicy, connect

if TYPE_CHECKING:  # imported where it is needed: SQLAlchemy takes longer than all the rest
    from bot.storage.database import Database

TGC_TIMEOUT_S = 30.0
PATIENCE_S = 5.0
"""For how long a slow part of the TGC (a pool, the names of VMs) holds up the rest of an answer or a sweep."""


@asynccontextmanager
async def open_tgcs(
    settings: Settings, clock: Clock, database: "Database | None", *, timeout_s: float = TGC_TIMEOUT_S
) -> AsyncIterator[list[Tgc]]:
    """Open all without a request; each logs in when it must, and out at the end. `timeout_s` is for one whole answer.

    The database remembers refused logins. Raises ValueError, one sentence, for a CA file that cannot be used.
    """
    stacks: list[AsyncExitStack] = []
    try:
        tgcs: list[Tgc] = []
        for one in settings.tgcs:
            stacks.append(AsyncExitStack())
            tgcs.append(await stacks[-1].enter_async_context(_open_tgc(settings, one, clock, database, timeout_s)))
        yield tgcs
    finally:
        # At once: a TGC that does not answer to its logout holds up no other's.
        await asyncio.gather(*(stack.aclose() for stack in stacks))


@asynccontextmanager
async def _open_tgc(
    settings: Settings, tgc: TgcSettings, clock: Clock, database: "Database | None", timeout_s: float
) -> AsyncIterator[Tgc]:
    guard = None
    if database is not None:
        from bot.login_guard import RememberedLogin

        guard = RememberedLogin(database, clock, tgc)
    names = SettingNames(
        url=tgc.named("TGC_URL"), ca_file=tgc.named("TGC_CA_FILE"), fingerprint=tgc.named("TGC_FINGERPRINT")
    )
    async with connect(
        tgc.url,
        tgc.username,
        tgc.password.reveal(),
        tls=TLSPolicy(verify=tgc.verify_tls, ca_file=tgc.ca_file, fingerprint=tgc.fingerprint, names=names),
        concurrency=settings.tgc_concurrency,
        timeout_s=timeout_s,
        guard=guard,
        now=clock.now,
    ) as client:
        is_one_of_many = len(settings.tgcs) > 1
        host = urlsplit(tgc.url).hostname or tgc.url
        name = f"{tgc.key} ({host})" if is_one_of_many else host
        yield Tgc(key=tgc.key, name=name, url=tgc.url, client=client, is_one_of_many=is_one_of_many)
