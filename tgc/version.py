"""Whether a server is a TGC that we can talk to."""

import re

from tgc.errors import TGCUnsupportedError
from tgc.models import Info

PRODUCT = "Tintri Global Center"
MAJOR, MINOR = 310, 51
"""The oldest API with recommendations."""


def supported_version(info: Info) -> str:
    """Give the server's preferred version, such as `v310.191`; raises TGCUnsupportedError."""
    if info.product_name != PRODUCT:
        raise TGCUnsupportedError(
            "This is not a Tintri Global Center but a VMstore or another server; give the URL of the TGC."
        )
    version = info.preferred_version or ""
    numbers = re.fullmatch(r"v(\d{1,9})\.(\d{1,9})(\.\d{1,9})*", version)
    if numbers is None or int(numbers[1]) != MAJOR or int(numbers[2]) < MINOR:
        told = version if numbers else "of an unknown version"
        raise TGCUnsupportedError(f"The TGC's API is {told}, and v{MAJOR}.{MINOR} or newer is needed; update the TGC.")
    return version
