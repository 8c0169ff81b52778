"""One session for all callers, and one login at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from tgc.errors import TGCConnectionError, TGCLoginError


class LoginGuard(Protocol):
    """Remembers refused logins for longer than a client lives, because accounts lock."""

    async def check(self) -> None:
        """Raise TGCLoginError to forbid any attempt."""

    async def refused(self) -> None: ...

    async def accepted(self) -> None: ...


class Unguarded:
    """Every attempt is allowed, none is remembered."""

    async def check(self) -> None: ...

    async def refused(self) -> None: ...

    async def accepted(self) -> None: ...


class SharedLogin:
    """The session in force, by number. An attempt runs in a task of its own, so that no caller's end cuts it off."""

    def __init__(self, log_in: Callable[[], Awaitable[str | None]], guard: LoginGuard) -> None:
        self._log_in = log_in
        self._guard = guard
        self._attempt: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._number = 0
        self._in_force = False
        self._is_ended = False
        self.attempts = 0
        """Ended ones. A caller notes it when it starts, to share a failure that comes while it waits."""
        self.is_owed_a_logout = False
        self.role: str | None = None

    async def open(self, since: int) -> int:
        """Give the session's number, after logging in if there is none.

        Raises what the login raised; without a new attempt if one failed after attempt number `since`.
        """
        if not self._in_force:
            if self._is_ended:
                raise TGCConnectionError("The connection to the TGC was closed meanwhile.")
            if self._failure is not None and self.attempts > since:
                raise self._failure
            if self._attempt is None:
                self._attempt = asyncio.create_task(self._run())
            await asyncio.shield(self._attempt)
        return self._number

    def is_in_force(self, number: int) -> bool:
        return self._in_force and number == self._number

    def expire(self, number: int, failure: Exception | None) -> None:
        """Note that the TGC does not take session `number`; with `failure`, that a new one is of no use either.

        All who wait share such a failure: each login of theirs would cost one more of the TGC's few sessions.
        """
        if self.is_in_force(number):
            self._in_force = False
            if failure is not None:
                self._end_attempt(failure)

    def close(self) -> None:
        self._in_force = False
        self.is_owed_a_logout = False

    def end(self) -> None:
        """Let nobody log in from now on, as no logout would follow."""
        self._is_ended = True

    async def settle(self) -> None:
        """Wait until no attempt is under way, however it ends; cancel it if the caller is cancelled."""
        if self._attempt is None:
            return
        try:
            await asyncio.wait({self._attempt})
        except asyncio.CancelledError:
            self._attempt.cancel()
            raise

    async def _run(self) -> None:
        try:
            await self._guard.check()
            await self._log_in_guarded()
        except Exception as error:
            self._end_attempt(error)
            raise
        else:
            self._end_attempt(None)
        finally:
            self._attempt = None

    def _end_attempt(self, failure: Exception | None) -> None:
        self.attempts += 1
        self._failure = failure

    async def _log_in_guarded(self) -> None:
        try:
            self.role = await self._log_in()
        except TGCLoginError:
            await self._guard.refused()
            raise
        self._number += 1
        self._in_force = self.is_owed_a_logout = True
        await self._guard.accepted()
