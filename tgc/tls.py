"""Whom we believe to be the TGC. Its certificate is usually self-signed."""

import asyncio
import hashlib
import re
import ssl
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import aiohttp

Trust = ssl.SSLContext | aiohttp.Fingerprint | bool
"""What aiohttp takes as `ssl=`: False means unverified."""


@dataclass(frozen=True, kw_only=True)
class SettingNames:
    """What the caller's users call the settings that an untrusted certificate is mended with."""

    url: str = "the URL"
    ca_file: str = "the CA file"
    fingerprint: str = "the SHA-256 fingerprint"


@dataclass(frozen=True, kw_only=True)
class TLSPolicy:
    """How the server's certificate is judged: the first that is given of fingerprint, not at all, CA file, system.

    Raises ValueError, one sentence, for an unusable CA file or fingerprint.
    """

    verify: bool = True
    ca_file: str | Path | None = None
    """Trusted instead of the system's CAs; a self-signed certificate itself will do."""
    fingerprint: str | None = None
    """SHA-256 of the certificate, 64 hex digits with or without colons; trusts that certificate by itself."""
    names: SettingNames = SettingNames()
    """For the sentences that name a fix."""

    def __post_init__(self) -> None:
        self.trust()

    def trust(self) -> Trust:
        if self.fingerprint is not None:
            return aiohttp.Fingerprint(_digest(self.fingerprint))
        if not self.verify:
            return False
        if self.ca_file is not None:
            return _context_of(Path(self.ca_file))
        return True


def remedy(error: Exception, names: SettingNames) -> str:
    """What to do about a certificate that was refused."""
    match getattr(error, "verify_code", None):
        case _Reason.EXPIRED:
            return f"renew it at the TGC, or pin it with {names.fingerprint}"
        case _Reason.OTHER_NAME | _Reason.OTHER_ADDRESS:
            return f"give {names.url} with a name that is in the certificate, or pin it with {names.fingerprint}"
        case _:
            return f"give the file of the CA that signed it with {names.ca_file}, or pin it with {names.fingerprint}"


async def shown_fingerprint(host: str, port: int) -> str:
    """SHA-256 of the certificate that whoever is there shows, trusted or not, as 64 hex digits; nothing is sent.

    Raises OSError.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return hashlib.sha256(certificate).hexdigest()


class _Reason(IntEnum):
    """OpenSSL's X509_V_ERR_*; Python names none of them."""

    EXPIRED = 10
    OTHER_NAME = 62
    OTHER_ADDRESS = 64


def _digest(fingerprint: str) -> bytes:
    digits = fingerprint.strip().replace(":", "")
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", digits):
        raise ValueError(
            "The fingerprint of the TGC's certificate is not a SHA-256: give 64 hex digits, with or without colons."
        )
    return bytes.fromhex(digits)


def _context_of(ca_file: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise ValueError(f"The CA file {ca_file} holds no certificate in PEM form: export it again.") from error
    except OSError as error:
        raise ValueError(f"The CA file {ca_file} cannot be read ({error.strerror}): check path and rights.") from error
    # Appliances sign themselves: their certificate is its own CA, and lacks extensions that Python 3.13 asks for.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
