"""The TGC: is it reached, is it the right one, does it take the account, and what does the account see."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

from bot.card_views import only_reads
from bot.doctor.checks import NotMadeError, error, in_turn, ok, warning
from bot.readings import Readings, pool_name
from bot.rendering.views import Finding
from bot.rendering.words import counted, listed
from bot.settings import Settings
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
    """`login_held`: why no login may be tried, to follow "as"; None where one may."""

    def __init__(self, readings: Readings, settings: Settings, *, login_held: str | None = None) -> None:
        self._readings = readings
        self._client = readings.tgc.client
        self._settings = settings
        self._login_held = login_held
        self._info = Info()
        self._distrust: TGCCertificateError | None = None
        self._pools: list[Pool] = []

    async def findings(self) -> list[Finding]:
        rules = (("pool rules", self._rules),) if self._settings.config.pools else ()
        routes = (("routes", self._routes),) if self._settings.config.routes else ()
        return await in_turn(
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
            return error(f"{name} gave no answer within {_REACHED_WITHIN_S:g} s.", "Check TGC_URL and the network.")
        return ok(f"{name} is reached.")

    async def _certificate(self) -> Finding:
        url = urlsplit(self._settings.tgc_url)
        if url.scheme == "http":
            return warning("There is none: TGC_URL is http, so all travels in clear text.", "Give an https URL.")
        shown = await _shown(url.hostname or "", url.port or 443)
        if self._distrust is not None:
            return error(
                f"{self._distrust} {shown}",
                "Compare that with the TGC's own page, then set TGC_FINGERPRINT to these 64 digits.",
            )
        if self._settings.tgc_fingerprint is not None:
            return ok(f"It is the one pinned by TGC_FINGERPRINT. {shown}")
        if not self._settings.tgc_verify_tls:
            return warning(
                f"It is not checked, because of TGC_VERIFY_TLS=false. {shown}",
                "Compare that with the TGC's own page, then set TGC_FINGERPRINT to these 64 digits instead.",
            )
        by = "by TGC_CA_FILE" if self._settings.tgc_ca_file else "by this machine's CAs"
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
        return ok(f"The TGC takes the account {self._settings.tgc_username}.")

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
        if not self._pools:
            return warning("The TGC shows this account no VMstore pools.", "Check the account's rights at the TGC.")
        names = listed(tuple(map(pool_name, self._pools)), _POOLS_NAMED)
        return ok(f"{counted(len(self._pools), 'pool', 'pools')}: {names}.")

    async def _rules(self) -> Finding:
        idle = self._settings.pool_rules.idle(map(pool_name, self._pools))
        if idle:
            holds = "holds" if len(idle) == 1 else "hold"
            return warning(f"{', '.join(idle)} {holds} for no pool.", "Correct the name, or take it out.")
        return ok(f"Every section of {self._settings.config.file} holds for a pool.")

    async def _routes(self) -> Finding:
        tgc_key = self._readings.tgc.key
        idle = self._settings.routes.idle((tgc_key, pool_name(pool)) for pool in self._pools)
        if idle:
            numbers = listed(tuple(map(str, idle)), _POOLS_NAMED)
            return warning(
                f"No pool is routed by number {numbers} of the sections [[routes]].",
                "Correct pools or tgc, or take it out.",
            )
        return ok(f"Every section [[routes]] of {self._settings.config.file} takes a pool.")

    async def _zone(self) -> Finding:
        """By when a recommendation was made, as the schedule follows it (and the bot's log warns)."""
        zone = self._settings.reco_timezone
        for pool in self._pools[:_POOLS_READ]:
            recommendation = (await self._readings.current(pool)).recommendation
            if recommendation is None or (made_at := recommendation.creation_time) is None:
                continue
            if made_at.utcoffset() == made_at.astimezone(zone).utcoffset():
                return ok(f"RECO_TIMEZONE ({zone.key}) has the TGC's offset, {made_at:%z}.")
            return warning(
                f"The TGC's offset is {made_at:%z}, and that of RECO_TIMEZONE ({zone.key}) "
                f"{made_at.astimezone(zone):%z}, so the schedule misses the TGC's analyses.",
                "Set RECO_TIMEZONE to the TGC's time zone.",
            )
        return warning("No recommendation tells the TGC's offset yet.", "Look again after the TGC's next analysis.")


async def _shown(host: str, port: int) -> str:
    try:
        async with asyncio.timeout(_SHOWN_WITHIN_S):
            return f"SHA-256 {await shown_fingerprint(host, port)}."
    except OSError:
        return "Its fingerprint could not be read."
