"""JSON as nobody wishes it: what somebody really sends, with parts dropped, mistyped, doubled, huge or hostile."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.bot.rendering.strategies import HOSTILE, TEXTS

Tree = Any

_DATES = (
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999-14:00",
    "1970-01-01T00:00:00Z",
    "2026-03-10T06:00:00.000+23:59",
    "2026-02-30T06:00:00.000-08:00",
    "2026-03-10T06:00:00",
)
_STATES = (
    *("AVAILABLE", "AVAILABLE_ACKED", "ACCEPTED", "CANCELLED", "INVALIDATED", "EXPIRED", "REFRESH"),
    *("NO_RECOMMENDATION_NEEDED", "NO_RECOMMENDATION_AVAILABLE", "SOMETHING_NEW"),
    *("PENDING", "RUNNING", "RUNNING_ERROR", "COMPLETED_OK", "COMPLETED_FAILED", "CANCELLED_PENDING"),
    *("COMPLETED_CANCELLED", "UNAVAILABLE_UNDER_CONSTRUCTION", "INVALID_VMS_CHANGED"),
)
_NUMBERS = (0, -1, 2**31, 2**63, 2**64, -(10**30), 10**400, 0.5, -0.0, 1e308, 5e-324)
_NOT_NUMBERS = (float("nan"), float("inf"), float("-inf"))


def _deep(depth: int) -> Tree:
    tree: Tree = "deep"
    for _ in range(depth):
        tree = [tree] if depth % 2 else {"issues": tree}
    return tree


_LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from(_NUMBERS)
    | st.sampled_from(_NOT_NUMBERS)
    | st.sampled_from(_DATES)
    | st.sampled_from(_STATES)
    | TEXTS
    | st.sampled_from(["\x00", "a\x00b", "..", "../../x", "%2e%2e", "9" * 5_000, "x" * 40_000])
)
ODD = st.one_of(
    _LEAVES,
    st.lists(_LEAVES, max_size=3),
    st.dictionaries(TEXTS | st.sampled_from(["id", "uuid", "typeId", "code", "message"]), _LEAVES, max_size=3),
    st.sampled_from([10, 11, 30, 31]).map(_deep),
    st.just([]),
    st.just({}),
)
KEYS = TEXTS | st.sampled_from(["unreadable", "typeId", "url", "value", "__proto__", "type", "", "actions", "view"])


def places(tree: Tree) -> Iterator[tuple[Tree, Any]]:
    """Every part but the root, as its holder and its key there."""
    holders = [tree]
    while holders:
        holder = holders.pop()
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], dict | list):
                holders.append(holder[key])


@st.composite
def mutated(draw: st.DrawFn, originals: st.SearchStrategy[Tree]) -> Tree:
    """One of the originals with a few changes, most often a single one."""
    tree = copy.deepcopy(draw(originals))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 5]))):
        where = list(places(tree)) if isinstance(tree, dict | list) else []
        if not where:
            break
        holder, key = where[draw(st.integers(0, len(where) - 1))]
        draw(st.sampled_from(_CHANGES))(draw, holder, key)
    return tree


def _replace(draw: st.DrawFn, holder: Tree, key: Any) -> None:
    holder[key] = draw(ODD)


def _drop(_draw: st.DrawFn, holder: Tree, key: Any) -> None:
    del holder[key]


def _double(draw: st.DrawFn, holder: Tree, key: Any) -> None:
    if isinstance(holder, list):
        holder[key:key] = [holder[key]] * draw(st.sampled_from([1, 2, 60]))
    else:
        holder[draw(KEYS)] = copy.deepcopy(holder[key])


def _wrap(draw: st.DrawFn, holder: Tree, key: Any) -> None:
    part = holder[key]
    holder[key] = draw(st.sampled_from([[part], {"uuid": part}, str(part)]))


def _add(draw: st.DrawFn, holder: Tree, key: Any) -> None:
    part = holder[key]
    if isinstance(part, dict):
        part[draw(KEYS)] = draw(ODD)
    elif isinstance(part, list):
        part.append(draw(ODD))
    else:
        holder[key] = draw(ODD)


_CHANGES: tuple[Callable[[st.DrawFn, Tree, Any], None], ...] = (_replace, _replace, _drop, _double, _wrap, _add)


@st.composite
def bodies(draw: st.DrawFn, originals: st.SearchStrategy[Tree]) -> bytes:
    """The bytes of an answer: a mutated tree, and sometimes not even whole JSON."""
    tree = draw(mutated(originals))
    text = json.dumps(tree, ensure_ascii=draw(st.booleans()))
    body = text.encode("utf-8", "surrogatepass")
    match draw(st.sampled_from(["whole"] * 6 + ["cut", "bytes", "marked", "doubled", "bare"])):
        case "cut":
            return body[: draw(st.integers(0, len(body)))]
        case "bytes":
            at = draw(st.integers(0, len(body)))
            return body[:at] + draw(st.binary(min_size=1, max_size=4)) + body[at + 1 :]
        case "marked":
            return b"\xef\xbb\xbf" + body
        case "doubled":  # the same keys twice in one object
            return b"{" + body[1:-1] + b"," + body[1:] if isinstance(tree, dict) and tree else body + body
        case "bare":
            return draw(st.sampled_from([b"", b"null", b"[]", b"{}", b"0", b"<html>", *map(_quoted, HOSTILE)]))
    return body


def _quoted(text: str) -> bytes:
    return json.dumps(text).encode()
