"""The calls in both directions, newest last, without anything that lets somebody in."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

import msgspec

from playground import slack as slack_side
from playground import tgc as tgc_side
from playground.slack import Delivery, Slack
from playground.slack_courier import COMMAND, EVENT
from playground.tgc import SimulatedTgc

SHOWN = 200
HIDDEN = "(hidden)"

_SECRET_KEYS = frozenset({"token", "password", "response_url", "response_urls", "trigger_id", "cookie", "ticket"})

Party = Literal["app", "slack", "tgc"]


class Entry(msgspec.Struct, frozen=True):
    id: str
    at: float
    sender: Party
    receiver: Party
    what: str
    outcome: str
    """Empty while it is under way."""
    is_trouble: bool
    problems: tuple[str, ...] = ()
    """What Slack's validator found wrong."""


class Exchange(msgspec.Struct, frozen=True):
    """What was sent, and what was answered where that is known."""

    sent: Any
    answered: Any = None


class Traffic:
    def __init__(self, slack: Slack, tgc: SimulatedTgc | None) -> None:
        self._slack = slack
        self._tgc = tgc

    def entries(self) -> list[Entry]:
        """The newest, in order."""
        found = [*self._calls(), *self._deliveries(), *self._tgc_calls()]
        return sorted(found, key=lambda entry: entry.at)[-SHOWN:]

    def exchange(self, entry_id: str) -> Exchange:
        """Raises LookupError."""
        side, _, number = entry_id.partition("-")
        sides: dict[str, list[Any]] = {"call": self._slack.calls, "delivery": self._slack.courier.delivered}
        if self._tgc is not None:
            sides["tgc"] = self._tgc.calls
        records = sides.get(side, [])
        if not number.isascii() or not number.isdigit() or int(number) >= len(records):
            raise LookupError(f"There is no call {entry_id!r}.")
        return self._without_secrets(_exchange(records[int(number)]))

    def _calls(self) -> Iterator[Entry]:
        for number, call in _newest(self._slack.calls):
            yield Entry(
                f"call-{number}",
                call.at,
                "app",
                "slack",
                call.method,
                call.error or "ok",
                is_trouble=not call.ok,
                problems=self._problems(call.arguments),
            )

    def _deliveries(self) -> Iterator[Entry]:
        for number, delivery in _newest(self._slack.courier.delivered):
            yield Entry(
                f"delivery-{number}",
                delivery.at,
                "slack",
                "app",
                _what(delivery),
                delivery.error or (f"acknowledged in {delivery.elapsed_s:.2f} s" if delivery.acknowledged else ""),
                is_trouble=delivery.error is not None,
                problems=self._problems(delivery.body),
            )

    def _tgc_calls(self) -> Iterator[Entry]:
        if self._tgc is None:
            return
        for number, call in _newest(self._tgc.calls):
            yield Entry(
                f"tgc-{number}",
                call.at.timestamp(),
                "app",
                "tgc",
                f"{call.method} {call.path}" + (f"?{call.query}" if call.query else ""),
                "" if call.status is None else str(call.status),
                is_trouble=call.status is not None and call.status >= 400,  # noqa: PLR2004 - HTTP's own number
            )

    def _problems(self, content: Any) -> tuple[str, ...]:
        """A refusal keeps the very object that was refused."""
        for refusal in self._slack.refusals:
            if refusal.content is content:
                return refusal.messages or (refusal.error,)
        return ()

    def _without_secrets(self, exchange: Exchange) -> Exchange:
        secrets = [*self._slack.tokens, self._slack.signing_secret]
        if self._tgc is not None:
            secrets.append(self._tgc.password)
        return Exchange(_hidden(exchange.sent, secrets), _hidden(exchange.answered, secrets))


def _newest(records: list[Any]) -> Iterable[tuple[int, Any]]:
    start = max(len(records) - SHOWN, 0)
    return zip(range(start, len(records)), islice(records, start, None), strict=True)


def _exchange(record: slack_side.Call | Delivery | tgc_side.Call) -> Exchange:
    if isinstance(record, slack_side.Call):
        return Exchange(record.arguments)
    if isinstance(record, Delivery):
        return Exchange(record.payload, record.body)
    return Exchange(_decoded(record.body), _decoded(record.answer))


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _what(delivery: Delivery) -> str:
    payload = delivery.payload
    if delivery.kind == COMMAND:
        return f"{payload['command']} {payload['text']}".strip()
    if delivery.kind == EVENT:
        return f"event {payload['event']['type']}"
    named = [action["action_id"] for action in payload.get("actions", [])]
    return " ".join([payload["type"], *named])


def _hidden(value: Any, secrets: list[str]) -> Any:
    match value:
        case dict():
            return {key: HIDDEN if key in _SECRET_KEYS else _hidden(part, secrets) for key, part in value.items()}
        case list():
            return [_hidden(part, secrets) for part in value]
        case str():
            for secret in secrets:
                value = value.replace(secret, HIDDEN)
            return value
    return value
