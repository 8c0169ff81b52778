"""Requests that leave at the last moment at which they may, or never.

Between the wish to send and the first byte lie pools, logins and handshakes, or a process that hung meanwhile.
"""

import socket
from collections.abc import Callable

import aiohttp
from yarl import URL

MaySend = Callable[[], bool]
"""Asked when all that comes before is done, right before the first byte."""

_UNTAKEN_MS = 5_000
"""For how long the system keeps offering bytes that the other side does not take; by itself it does for minutes."""


def always() -> bool:
    return True


class WithheldError(aiohttp.ClientError):
    """It might not be sent any more, and nothing of it was."""


def asking(may_send: Callable[[URL], bool]) -> type[aiohttp.ClientRequest]:
    """For a session whose requests ask first, as late as aiohttp lets them: on a connection that stands."""

    class Asking(aiohttp.ClientRequest):
        async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
            if not may_send(self.url):
                raise WithheldError
            return await super().send(conn)

    return Asking


def impatient_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """For a connector: what does not arrive soon does not arrive later, when nobody counts on it any more."""
    family, kind, protocol, _name, _where = address
    opened = socket.socket(family, kind, protocol)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_MS)
    return opened
