"""From JSON to models. A mistyped optional part costs that part only; null is absence.

The fast path is msgspec straight from the bytes. Only when that fails is the answer read field by field.
"""

import math
from datetime import MAXYEAR, MINYEAR, datetime
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from tgc.decipher import parse_json
from tgc.errors import TGCResponseError
from tgc.models import Info, Moment, Pool, Recommendation, Session

Model = TypeVar("Model", bound=msgspec.Struct)

_ONE = msgspec.json.Decoder(Recommendation)
_MANY = msgspec.json.Decoder(list[Recommendation])
_EDGE_YEARS = frozenset({MINYEAR, MAXYEAR})
"""Their first and last hours do not exist in every time zone, and Python fails at them."""
_NOT_FAST = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_recommendation(body: bytes, where: str) -> Recommendation:
    """Read a Recommendation; raises TGCResponseError naming `where`."""
    try:
        return _without_edges(_without_foreign_marks(_ONE.decode(_without_nul(body))))
    except _NOT_FAST:
        return _lenient_recommendation(_object(parse_json(body, where), where))


def decode_recommendations(body: bytes, where: str) -> list[Recommendation]:
    """Read a bare array; what is no object in it is dropped."""
    try:
        return [
            _without_edges(_without_foreign_marks(recommendation))
            for recommendation in _MANY.decode(_without_nul(body))
        ]
    except _NOT_FAST:
        tree = parse_json(body, where)
        if not isinstance(tree, list):
            raise TGCResponseError("The TGC's answer is not the list that its API documents.", where=where) from None
        return [_lenient_recommendation(element) for element in tree if isinstance(element, dict)]


def decode_pool(body: bytes, where: str) -> Pool:
    pool = pool_of(parse_json(body, where))
    if pool is None:
        raise TGCResponseError("The TGC's answer is not a pool with a UUID.", where=where)
    return pool


def decode_page(body: bytes, where: str) -> tuple[list[Any], str | None]:
    """Give a page's items as they came, and the query of the next page; None on the last one."""
    page = _object(parse_json(body, where), where)
    items, following = page.get("items"), page.get("next")
    if items is not None and not isinstance(items, list):
        raise TGCResponseError("The TGC's answer is not the page that its API documents.", where=where)
    return items or [], following.removeprefix("?") or None if isinstance(following, str) else None


def pool_of(tree: Any) -> Pool | None:
    """Lift `uuid.uuid` to `uuid`; None where there is none, as such a pool cannot be addressed."""
    if not isinstance(tree, dict):
        return None
    uuid = tree.get("uuid")
    flat = uuid.get("uuid") if isinstance(uuid, dict) else None
    if not isinstance(flat, str) or not flat or not _is_text(flat):
        return None
    return _lenient(tree | {"uuid": flat}, Pool)


def decode_info(body: bytes, where: str) -> Info:
    return _lenient(_object(parse_json(body, where), where), Info)


def decode_session(body: bytes, where: str) -> Session:
    return _lenient(_object(parse_json(body, where), where), Session)


def decode_vm_name(body: bytes, where: str) -> str | None:
    """`vmware.name`: that key whatever the hypervisor."""
    vmware = _object(parse_json(body, where), where).get("vmware")
    name = vmware.get("name") if isinstance(vmware, dict) else None
    return name if isinstance(name, str) and name and _is_text(name) else None


def _without_nul(body: bytes) -> bytes:
    """Raises DecodeError for a NUL, which PostgreSQL stores in no text: what holds it is read field by field."""
    if b"\\u0000" in body:
        raise msgspec.DecodeError("a NUL")
    return body


def _without_foreign_marks(recommendation: Recommendation) -> Recommendation:
    """Drop an `unreadable` that came from the wire."""
    if not recommendation.unreadable:
        return recommendation
    return msgspec.structs.replace(recommendation, unreadable=())


def _without_edges(recommendation: Recommendation) -> Recommendation:
    """Drop moments that cannot be told in every time zone; they are as unreadable as mistyped ones."""
    moments = {name: key for name, key, kind in _fields(Recommendation) if kind == Moment}
    edges = {name: key for name, key in moments.items() if _is_edge(getattr(recommendation, name))}
    if not edges:
        return recommendation
    unreadable = (*recommendation.unreadable, *(f"/{key}" for key in edges.values()))
    return msgspec.structs.replace(recommendation, unreadable=unreadable, **dict.fromkeys(edges))


def _is_edge(moment: datetime | None) -> bool:
    return moment is not None and moment.year in _EDGE_YEARS


def _lenient_recommendation(tree: dict[str, Any]) -> Recommendation:
    dropped: list[str] = []
    own = {key: part for key, part in tree.items() if key != "unreadable"}
    recommendation = _read_object(own, Recommendation, "", dropped)
    return _without_edges(msgspec.structs.replace(recommendation, unreadable=tuple(dropped)))


def _lenient(tree: dict[str, Any], model: type[Model]) -> Model:
    return _read_object(tree, model, "", [])


def _object(tree: Any, where: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise TGCResponseError("The TGC's answer is not the object that its API documents.", where=where)
    return tree


def _read_object(tree: dict[str, Any], model: type[Model], pointer: str, dropped: list[str]) -> Model:
    parts = {}
    for name, key, kind in _fields(model):
        part = _read(tree.get(key), kind, f"{pointer}/{key}", dropped)
        if part is not None:
            parts[name] = part
    return model(**parts)


def _read(tree: Any, kind: Any, pointer: str, dropped: list[str]) -> Any:
    """Read `tree` as `kind`; None for null, and for what is mistyped, whose pointer goes to `dropped`."""
    if tree is None:
        return None
    if isinstance(tree, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _read_object(tree, kind, pointer, dropped)
    if isinstance(tree, list) and get_origin(kind) is tuple:
        element = get_args(kind)[0]
        parts = [_read(part, element, f"{pointer}/{index}", dropped) for index, part in enumerate(tree)]
        return tuple(part for part in parts if part is not None)
    if _is_sound(tree):
        try:
            return msgspec.convert(tree, kind)
        except msgspec.ValidationError:
            pass
    dropped.append(pointer)
    return None


@cache
def _fields(model: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Attribute, key and type without its `| None`."""
    return tuple((field.name, field.encode_name, _present(field.type)) for field in msgspec.structs.fields(model))


def _present(kind: Any) -> Any:
    alternatives = [alternative for alternative in get_args(kind) if alternative is not NoneType]
    return alternatives[0] if NoneType in get_args(kind) else kind


def _is_sound(leaf: Any) -> bool:
    """Not NaN, not beyond all bounds, and text that can be written down again."""
    if isinstance(leaf, float):
        return math.isfinite(leaf)
    return not isinstance(leaf, str) or _is_text(leaf)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
