"""Whoever runs a command: a user of the operating system, as the journal names them."""

import os
import pwd
import socket

from bot.access import Actor
from bot.rendering.escape import SYSTEM_USER, clean

NO_TEAM = ""
"""In the place of a Slack workspace: so Slack's checks refuse whoever is none of its own."""
_ID_LENGTH = 64
"""As long as the database's columns for ids are; the name holds the whole."""


def system_user() -> Actor:
    """`cli:alice@storage01`, by the effective user, whatever USER and LOGNAME say.

    Where sudo made somebody that user, the name tells who that was, as far as SUDO_USER can be believed.
    """
    who = clean(f"{SYSTEM_USER}{_name(os.geteuid())}@{socket.gethostname()}")
    caller = clean(os.environ.get("SUDO_USER", ""))
    return Actor(team_id=NO_TEAM, user_id=who[:_ID_LENGTH], name=f"{who} (sudo: {caller})" if caller else who)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container
        return str(uid)
