"""Whatever Slack sends, whichever way it came: Bolt finds the listener, and it is acknowledged in any case.

Bolt answers 404 where nobody listens and 500 where it trips over a payload; over Socket Mode it then sends nothing at
all (slack/README 6.2). People would see an error, and Slack would send it again.
"""

from http import HTTPStatus
from typing import Any, Literal

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

_log = structlog.get_logger(__name__)


async def dispatch(
    app: AsyncApp, body: str | dict[str, Any], *, mode: Literal["http", "socket_mode"], content_type: str = ""
) -> BoltResponse:
    """Only for what certainly came from Slack."""
    try:
        request = AsyncBoltRequest(body=body, headers={"content-type": content_type}, mode=mode)
        response = await app.async_dispatch(request)
    except Exception:  # noqa: BLE001 - Bolt raises what it likes at a payload that is not as documented
        _log.exception("what Slack sent could not be read")
        return BoltResponse(status=HTTPStatus.OK)
    if response.status != HTTPStatus.OK:
        _log.warning("nobody took what Slack sent", status=response.status)
        return BoltResponse(status=HTTPStatus.OK)
    return response
