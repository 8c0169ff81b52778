"""The TGC's API description as a validator of answers."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

_DOCUMENT = Path(__file__).parent.parent / "contract" / "openapi.json"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d")

_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("date-time")
def _is_moment(value: object) -> bool:
    """As the TGC writes it: milliseconds and an offset."""
    return isinstance(value, str) and _MOMENT.fullmatch(value) is not None


@cache
def _document() -> Any:
    return json.loads(_DOCUMENT.read_text(encoding="utf-8"))


@cache
def _validator(pointer: str) -> jsonschema.Draft202012Validator:
    resource = referencing.Resource.from_contents(_document(), default_specification=DRAFT202012)
    registry: referencing.Registry[Any] = referencing.Registry().with_resource("urn:tgc", resource)
    return jsonschema.Draft202012Validator({"$ref": f"urn:tgc#{pointer}"}, registry=registry, format_checker=_formats)


def gets() -> list[str]:
    """The path templates of all documented GETs."""
    return [path for path, methods in _document()["paths"].items() if "get" in methods]


def check_answer(method: str, template: str, status: int, body: Any) -> None:
    """Raises ValidationError unless `body` is what the API documents for this answer."""
    path = template.replace("~", "~0").replace("/", "~1")
    pointer = f"/paths/{path}/{method.lower()}/responses/{status}/content/application~1json/schema"
    _validator(pointer).validate(body)


def check_record(name: str, body: Any) -> None:
    """Raises ValidationError unless `body` is a documented record such as `Recommendation`."""
    _validator(f"/components/schemas/{name}").validate(body)
