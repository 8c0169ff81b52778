"""Who is logged in at a simulated TGC."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class Session:
    id: str
    user_name: str
    role: str
    login: datetime
    last_access: datetime
    life: timedelta

    @property
    def expires(self) -> datetime:
        return self.last_access + self.life


class Sessions:
    """A session ends when it was not used for `life`."""

    def __init__(self, now: Callable[[], datetime], *, limit: int) -> None:
        self._now = now
        self._limit = limit
        self._open: dict[str, Session] = {}
        self.life = timedelta(minutes=30)

    def __len__(self) -> int:
        self._end_unused()
        return len(self._open)

    def open(self, user_name: str, role: str) -> Session | None:
        """None where the TGC has as many sessions as it allows."""
        if len(self) >= self._limit:
            return None
        now = self._now()
        session = Session(secrets.token_hex(16).upper(), user_name, role, now, now, self.life)
        self._open[session.id] = session
        return session

    def use(self, session_id: str | None) -> Session | None:
        self._end_unused()
        session = self._open.get(session_id or "")
        if session is not None:
            session.last_access = self._now()
        return session

    def close(self, session_id: str | None) -> None:
        self._open.pop(session_id or "", None)

    def close_all(self) -> None:
        self._open.clear()

    def _end_unused(self) -> None:
        now = self._now()
        self._open = {key: session for key, session in self._open.items() if now < session.expires}
