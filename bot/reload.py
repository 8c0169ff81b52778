"""SIGHUP: the settings are read anew, and what may change while the bot runs is taken over.

That is who may approve what, which channel gets which card, and the policies. What else differs is named, and waits for
a restart. Settings with a mistake change nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog

from bot.config_file import FIELDS, Config
from bot.loops import CameRound
from bot.settings import VARIABLES, Settings, SettingsError

T = TypeVar("T", bound=msgspec.Struct)

_log = structlog.get_logger(__name__)

_LIVE_SETTINGS = frozenset({"reco_approvers", "config_file"})
_LIVE_SECTIONS = frozenset({"file", "pools", "routes", "policies"})
_SECTIONS = {"tgcs": "[[tgc]]", **{field: key for key, field in FIELDS.items()}}
"""What a field of `Config` is called in the file."""


class Reload:
    """Takes over new settings when it is asked to, one reading after the other."""

    def __init__(self, settings: Settings, read: Callable[[], Settings]) -> None:
        """`read` raises SettingsError."""
        self._settings = settings
        self._read = read
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Callable from a signal's handler, also before anybody takes anything over."""
        self._asked.set()

    async def keep_taking(self, came_round: CameRound, take_over: Callable[[Settings], Awaitable[None]]) -> None:
        while True:
            came_round()
            await self._asked.wait()
            self._asked.clear()
            await self._reload(take_over)

    async def _reload(self, take_over: Callable[[Settings], Awaitable[None]]) -> None:
        try:
            read = await asyncio.to_thread(self._read)
        except SettingsError as error:
            for mistake in error.mistakes:
                _log.error("the settings are not reloaded, and those before stay: correct the mistake", mistake=mistake)
            return
        if self._settings.config.file and not read.config.file:  # an editor, or a deployment, may be at it
            _log.error(
                "the settings are not reloaded, and those before stay: put the configuration file back, or restart",
                file=self._settings.config.file,
            )
            return
        for name in needing_restart(self._settings, read):
            _log.warning("a setting has changed that takes effect after a restart only", setting=name)
        self._settings = taken(self._settings, read)
        await take_over(self._settings)
        _log.info("the settings are reloaded")


def become(shared: T, now: T) -> None:
    """Give what many hold a new content: all of it between two steps of the loop."""
    for field in shared.__struct_fields__:
        setattr(shared, field, getattr(now, field))


def taken(before: Settings, read: Settings) -> Settings:
    """Those before, with what may change while the bot runs."""
    sections = {field: getattr(read.config, field) for field in _LIVE_SECTIONS}
    return msgspec.structs.replace(
        before,
        **{field: getattr(read, field) for field in _LIVE_SETTINGS},
        config=msgspec.structs.replace(before.config, **sections),
        warnings=read.warnings,
    )


def needing_restart(before: Settings, read: Settings) -> list[str]:
    """Names of what differs and is not taken over; never a value, as some are secret."""
    fields = {name.lower() for name in VARIABLES} - _LIVE_SETTINGS
    names = [field.upper() for field in sorted(fields) if getattr(before, field) != getattr(read, field)]
    sections = [field for field in Config.__struct_fields__ if field not in _LIVE_SECTIONS]
    names += [_SECTIONS[field] for field in sections if getattr(before.config, field) != getattr(read.config, field)]
    if before.tgc_passwords != read.tgc_passwords and "[[tgc]]" not in names:
        names.append("a password of [[tgc]]")
    return names
