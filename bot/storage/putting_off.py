"""Work that is put off until a moment, a minute at most: where the clock is set back meanwhile, it waits no longer.

For how long Slack asked to wait, the pace knows (bot/pacing.py). Mail waits longer (bot/storage/mails.py).
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, or_

LONGEST = timedelta(minutes=1)


def after(now: datetime, pause: timedelta) -> datetime:
    return now + min(pause, LONGEST)


def is_due(table: Table, now: datetime, longest: timedelta = LONGEST) -> ColumnElement[bool]:
    """Condition: it is time, or the clock was set back since it was put off, for `longest` at most."""
    not_before = table.c.not_before
    return or_(not_before.is_(None), not_before <= now, not_before > now + longest)
