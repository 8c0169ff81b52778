"""The TGC: is it reached, is it the right one, does it take the account, and what does the account see."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from bot.card_views import only_reads
from bot.doctor.checks import NotMadeError, error, in_turn, named, ok, warning
from bot.pool_names import TgcPool
from bot.readings import Readings, pool_name
from bot.rendering.views import Finding
from bot.rendering.words import counted, listed
from bot.settings import Settings, TgcSettings
from tgc.errors import TGCCertificateError, TGCConnectionError
from tgc.models import Info, Pool
from tgc.tls import shown_fingerprint
from tgc.version import supported_version

_REACHED_WITHIN_S = 15.0
_SHOWN_WITHIN_S = 5.0
_CLOCKS_AGREE = timedelta(minutes=1)
_WRITE = frozenset({"admin", "system admin"})
"""Roles that may write, by all that is documented; a role that extends them has any name."""
_POOLS_NAMED = 5
_POOLS_READ = 5
"""To find one recommendation that says when it was made."""


class TgcChecks:
    """Of one TGC. `login_held`: why no login may be tried, to follow "as"; None where one may."""

    def __init__(
        self, readings: Readings, tgc: TgcSettings, settings: Settings, *, login_held: str | None = None
    ) -> None:
        self._readings = readings
        self._client = readings.tgc.client
        self._tgc = tgc
        self._settings = settings
        self._login_held = login_held
        self._info = Info()
        self._distrust: TGCCertificateError | None = None
        self._pools: list[Pool] = []
        self.pools: list[TgcPool] | None = None
        """Once they are read."""

    async def findings(self) -> list[Finding]:
        is_one_of_many, config = self._readings.tgc.is_one_of_many, self._settings.config
        rules = (("pool rules", self._rules),) if config.pools and not is_one_of_many else ()
        routes = (("routes", self._routes),) if config.routes and not is_one_of_many else ()
        found = await in_turn(
            (
                ("TGC", self._reach),
                ("certificate", self._certificate),
                ("clock", self._clock),
                ("version", self._version),
                ("login", self._log_in),
                ("role", self._role),
                ("pools", self._read_pools),
                *rules,
                *routes,
                ("time zone", self._zone),
            )
        )
        return [named(f"{self._tgc.key} {one.name}", one) for one in found] if is_one_of_many else found

    async def _reach(self) -> Finding:
        name = self._readings.tgc.name
        try:
            async with asyncio.timeout(_REACHED_WITHIN_S):
                self._info = await self._client.info()
        except TGCCertificateError as distrust:
            self._distrust = distrust
        except TGCConnectionError as failure:
            return error(str(failure))
        except TimeoutError:
            return error(
                f"{name} gave no answer within {_REACHED_WITHIN_S:g} s.",
                f"Check {self._tgc.named('TGC_URL')} and the network.",
            )
        return ok(f"{name} is reached.")

    async def _certificate(self) -> Finding:
        url = urlsplit(self._tgc.url)
        if url.scheme == "http":
            in_clear = f"There is none: {self._tgc.named('TGC_URL')} is http, so all travels in clear text."
            return warning(in_clear, "Give an https URL.")
        shown = await _shown(url.hostname or "", url.port or 443)
        pinned = self._tgc.named("TGC_FINGERPRINT")
        if self._distrust is not None:
            return error(
                f"{self._distrust} {shown}",
                f"Compare that with the TGC's own page, then set {pinned} to these 64 digits.",
            )
        if self._tgc.fingerprint is not None:
            return ok(f"It is the one pinned by {pinned}. {shown}")
        if not self._tgc.verify_tls:
            return warning(
                f"It is not checked, because of {self._tgc.unchecked_by}. {shown}",
                f"Compare that with the TGC's own page, then set {pinned} to these 64 digits instead.",
            )
        by = f"by {self._tgc.named('TGC_CA_FILE')}" if self._tgc.ca_file else "by this machine's CAs"
        return ok(f"It is trusted {by}. {shown}")

    async def _clock(self) -> Finding:
        offset = self._client.clock_offset
        if offset is None:
            return warning("The TGC does not tell its time.")
        if abs(offset) < _CLOCKS_AGREE:
            return ok("The TGC's clock and this machine's agree to the minute.")
        minutes = round(abs(offset) / timedelta(minutes=1))
        way = "ahead of" if offset > timedelta(0) else "behind"
        return warning(
            f"The TGC's clock is {counted(minutes, 'minute', 'minutes')} {way} this machine's.",
            "Set both by the same time server (NTP).",
        )

    async def _version(self) -> Finding:
        return ok(f"It is a Tintri Global Center with the API {supported_version(self._info)}.")

    async def _log_in(self) -> Finding:
        if self._login_held is not None:
            raise NotMadeError(self._login_held)
        await self._client.login()
        return ok(f"The TGC takes the account {self._tgc.username}.")

    async def _role(self) -> Finding:
        role = self._client.role
        if role is None:
            return warning("The TGC names no role, so what the account may do shows when somebody accepts.")
        if only_reads(role):
            return warning(
                f"The account only reads (role “{role}”), so nobody can decide in Slack.",
                "That is right to begin with; later give it a role that writes, and start the bot again.",
            )
        if role.casefold() in _WRITE:
            return ok(f"The account may accept (role “{role}”).")
        return warning(f"Whether the role “{role}” may accept shows when somebody does.")

    async def _read_pools(self) -> Finding:
        self._pools = sorted(await self._readings.pools(), key=pool_name)
        self.pools = list(map(self._readings.of_tgc, self._pools))
        if not self._pools:
            return warning("The TGC shows this account no VMstore pools.", "Check the account's rights at the TGC.")
        names = listed(tuple(map(pool_name, self._pools)), _POOLS_NAMED)
        return ok(f"{counted(len(self._pools), 'pool', 'pools')}: {names}.")

    async def _rules(self) -> Finding:
        return check_rules(self._settings, self.pools or [])

    async def _routes(self) -> Finding:
        return check_routes(self._settings, self.pools or [])

    async def _zone(self) -> Finding:
        """By when a recommendation was made, as the schedule follows it (and the bot's log warns)."""
        zone, setting = self._tgc.zone, self._tgc.named("RECO_TIMEZONE")
        for pool in self._pools[:_POOLS_READ]:
            recommendation = (await self._readings.current(pool)).recommendation
            if recommendation is None or (made_at := recommendation.creation_time) is None:
                continue
            if made_at.utcoffset() == made_at.astimezone(zone).utcoffset():
                return ok(f"{setting} ({zone.key}) has the TGC's offset, {made_at:%z}.")
            return warning(
                f"The TGC's offset is {made_at:%z}, and that of {setting} ({zone.key}) "
                f"{made_at.astimezone(zone):%z}, so the schedule misses the TGC's analyses.",
                f"Set {setting} to the TGC's time zone.",
            )
        return warning("No recommendation tells the TGC's offset yet.", "Look again after the TGC's next analysis.")


def check_rules(settings: Settings, pools: Sequence[TgcPool]) -> Finding:
    """`pools`: all there are, of every TGC."""
    idle = settings.pool_rules.idle(pool.name for pool in pools)
    if idle:
        holds = "holds" if len(idle) == 1 else "hold"
        return warning(f"{', '.join(idle)} {holds} for no pool.", "Correct the name, or take it out.")
    return ok(f"Every section of {settings.config.file} holds for a pool.")


def check_routes(settings: Settings, pools: Sequence[TgcPool]) -> Finding:
    """`pools`: all there are, of every TGC."""
    idle = settings.routes.idle((pool.tgc_key, pool.shown) for pool in pools)
    if idle:
        numbers = listed(tuple(map(str, idle)), _POOLS_NAMED)
        return warning(
            f"No pool is routed by number {numbers} of the sections [[routes]].",
            "Correct pools or tgc, or take it out.",
        )
    return ok(f"Every section [[routes]] of {settings.config.file} takes a pool.")


async def _shown(host: str, port: int) -> str:
    try:
        async with asyncio.timeout(_SHOWN_WITHIN_S):
            return f"SHA-256 {await shown_fingerprint(host, port)}."
    except OSError:
        return "Its fingerprint could not be read."
