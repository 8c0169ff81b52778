"""The TGC named in the environment, connected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.readings import Tgc
from bot.settings import Settings
from tgc.client import SettingNames, TLSPolicy, connect

if TYPE_CHECKING:  # imported where it is needed: SQLAlchemy takes longer than all the rest
    from bot.storage.database import Database

DEFAULT_TGC = "default"
"""The key of the TGC in the environment."""
TGC_TIMEOUT_S = 30.0
PATIENCE_S = 5.0
"""For how long a slow part of the TGC (a pool, the names of VMs) holds up the rest of an answer or a sweep."""


@asynccontextmanager
async def open_tgc(
    settings: Settings, clock: Clock, database: "Database | None", *, timeout_s: float = TGC_TIMEOUT_S
) -> AsyncIterator[Tgc]:
    """Open it without a request; it logs in when it must, and out at the end. `timeout_s` is for one whole answer.

    The database remembers refused logins. Raises ValueError, one sentence, for a CA file that cannot be used.
    """
    password = settings.tgc_password.reveal()
    guard = None
    if database is not None:
        from bot.login_guard import RememberedLogin

        guard = RememberedLogin(
            database, clock, tgc_key=DEFAULT_TGC, user_name=settings.tgc_username, password=password
        )
    tls = TLSPolicy(
        verify=settings.tgc_verify_tls,
        ca_file=settings.tgc_ca_file,
        fingerprint=settings.tgc_fingerprint,
        names=SettingNames(url="TGC_URL", ca_file="TGC_CA_FILE", fingerprint="TGC_FINGERPRINT"),
    )
    async with connect(
        settings.tgc_url,
        settings.tgc_username,
        password,
        tls=tls,
        concurrency=settings.tgc_concurrency,
        timeout_s=timeout_s,
        guard=guard,
        now=clock.now,
    ) as client:
        name = urlsplit(settings.tgc_url).hostname or settings.tgc_url
        yield Tgc(key=DEFAULT_TGC, name=name, url=settings.tgc_url, client=client)
