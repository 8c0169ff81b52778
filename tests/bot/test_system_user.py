"""Who typed a command, as the journal names them."""

import os
import pwd
import socket

import pytest

from bot.rendering.escape import is_system_user_id, is_user_id
from bot.system_user import system_user


def test_it_is_the_effective_user_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    monkeypatch.delenv("SUDO_USER", raising=False)
    actor = system_user()
    assert actor.user_id == actor.name == f"cli:{pwd.getpwuid(os.geteuid()).pw_name}@{socket.gethostname()}"
    assert is_system_user_id(actor.user_id)
    assert not is_user_id(actor.user_id)


def test_sudo_adds_a_name_and_an_id_fits_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ali\x1b[2Jce")
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 64)
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    actor = system_user()
    assert actor.user_id == f"cli:2147483641@{'h' * 49}"
    assert actor.name == f"cli:2147483641@{'h' * 64} (sudo: ali\N{REPLACEMENT CHARACTER}[2Jce)"
