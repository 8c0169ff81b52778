"""The report for programs. docs/command-line.md describes it, and its names are a promise."""

from typing import Any

import msgspec

from bot.rendering.content import content
from bot.rendering.views import PoolAnswer, Report


def report_as_json(report: Report) -> str:
    document: dict[str, Any] = {
        "tgc": report.tgc_name,
        "read_at": report.read_at,
        "pools": [_pool(answer, report) for answer in report.pools],
    }
    if report.are_many:
        document["unread"] = report.unread
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _pool(answer: PoolAnswer, report: Report) -> dict[str, Any]:
    """`recommendation` is in the TGC's own shape, so what is documented there holds here."""
    which = {"pool": answer.pool_name, "pool_uuid": answer.pool_uuid}
    if report.are_many:
        which["tgc"] = answer.tgc_key
    if answer.view is None:
        return {**which, "problem": answer.problem}
    return {
        **which,
        "standing": answer.view.standing,
        "finding": content(answer.view).finding,
        "vm_names": answer.view.vm_names,
        "recommendation": answer.view.recommendation,
    }
