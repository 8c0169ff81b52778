"""Any answer of a TGC, from its bytes to what Slack gets: an error in one sentence, or something legal and harmless.

The whole bot meets fewer of them in tests/scenarios/test_hostile_tgc.py.
"""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from yarl import URL

from bot.pool_names import TgcPool
from bot.pools import find_pools
from bot.readings import PoolReading, Tgc, pool_name, view_of_reading
from bot.recommendations import is_building, is_expired, is_final, is_other_plan, plan_of, progress_of
from bot.rendering.answers import render_pool, render_report
from bot.rendering.card import render_card
from bot.rendering.details import render_details
from bot.rendering.live import bars, changes
from bot.rendering.plain import plain_report
from bot.rendering.report_json import report_as_json
from bot.rendering.terminal import accept_question, nothing_to_accept, report_tables
from bot.rendering.views import CardView, PoolAnswer, Report
from playground.blockkit import validate_view
from tests.bot.rendering.checks import UNSEEN, check, check_harmless, sent
from tests.fuzzing import Fuzz, fuzzed
from tests.mutations import bodies
from tests.tgc.conftest import SAMPLES
from tgc.client import _pool_path
from tgc.decipher import Answer, expect_body, expect_role
from tgc.decode import (
    decode_info,
    decode_page,
    decode_pool,
    decode_recommendation,
    decode_recommendations,
    decode_session,
    decode_vm_name,
    pool_of,
)
from tgc.errors import TGCError
from tgc.models import Pool, Recommendation
from tgc.transport import _QUERY_SAFE

WHERE = "GET /api/v310/x"
NOW = datetime(2026, 3, 10, 14, 12, tzinfo=UTC)
ZONES = (ZoneInfo("America/Los_Angeles"), ZoneInfo("Pacific/Kiritimati"))
TREES = {path.stem: json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("*.json"))}
RECOMMENDATIONS = [tree for name, tree in TREES.items() if name.startswith("recommendation_")]
OTHERS = [tree for name, tree in TREES.items() if not name.startswith("recommendation_")]


TGC = Tgc(key="default", name="tgc.example.com", url="https://tgc.example.com", client=None)  # type: ignore[arg-type]  # nothing here reads


def body_of(status: int, answer: bytes) -> bytes | None:
    """None for what is an error, told in a sentence that can be shown."""
    try:
        return expect_body(Answer(where=WHERE, status=status, body=answer))
    except TGCError as error:
        check_sentence(error)
        return None


def check_sentence(error: TGCError) -> None:
    assert str(error).isprintable()
    assert str(error).endswith((".", "?"))
    assert len(str(error)) < 500


def check_recommendation(recommendation: Recommendation) -> None:
    kept = msgspec.json.decode(msgspec.json.encode(recommendation), type=Recommendation)
    assert kept == recommendation, "what the database keeps is not what was read"
    plan = plan_of(recommendation)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=type(plan)).fingerprint == plan.fingerprint
    assert not is_other_plan(plan, plan)
    is_building(recommendation), is_expired(recommendation, NOW), is_final(recommendation)
    for moment in (recommendation.creation_time, recommendation.expiration_time, recommendation.accepted_time):
        for zone in ZONES:
            assert moment is None or moment.astimezone(zone) == moment
    check_views(recommendation)


def check_views(recommendation: Recommendation) -> None:
    reading = PoolReading(tgc_key=TGC.key, pool=Pool(uuid="pool-1"), read_at=NOW, recommendation=recommendation)
    bare = view_of_reading(TGC, reading, NOW)
    offered = msgspec.structs.replace(
        bare, offer_id="offer-1", can_act=True, can_accept=True, previous=progress_of(recommendation)
    )
    for view in (bare, offered):
        check_view(view)


def check_view(view: CardView) -> None:
    check(render_card(view))
    for page in (0, 1, 10**6):
        modal = render_details(view, page)
        assert validate_view(sent(modal)) == []
        check_harmless(modal)
    answer = PoolAnswer(pool_name=view.pool_name, view=view)
    check_report(Report(tgc_name=TGC.name, read_at=NOW, pools=(answer, answer)))


def check_report(report: Report) -> None:
    check(render_report(report, page=0, filter_text=""))
    for answer in report.pools:
        check(render_pool(answer))
    for zone in ZONES:
        assert not UNSEEN.search(plain_report(report, zone=zone))
    json.loads(report_as_json(report))
    check_terminal(report)


def check_terminal(report: Report) -> None:
    """Nothing takes the terminal over, and no line is longer than it is wide."""
    views = [answer.view for answer in report.pools if answer.view is not None]
    console = Console(file=StringIO(), width=80)
    console.print(*report_tables(report, zone=ZONES[0]), bars(views), sep="\n")
    said = [
        *map(accept_question, views),
        *map(nothing_to_accept, views),
        *(line for v in views for line in changes(None, v)),
    ]
    printed = cast("StringIO", console.file).getvalue()
    assert not UNSEEN.search("\n".join((printed, *said)))
    assert max(map(cell_len, printed.splitlines())) <= 80


@fuzzed(few=40, many=10_000)
def test_a_recommendation(fuzz: Fuzz) -> None:
    @given(bodies(st.sampled_from(RECOMMENDATIONS)), st.sampled_from([200] * 8 + [204, 206, 302, 400, 401, 403, 500]))
    @example(b'{"creationTime": "0001-01-01T00:00:00+14:00"}', 200)
    @example(b'{"expirationTime": "9999-12-31T23:59:59-14:00"}', 200)
    def check_answer(answer: bytes, status: int) -> None:
        body = body_of(status, answer)
        if body is None:
            return
        try:
            recommendation = decode_recommendation(body, WHERE)
        except TGCError as error:
            check_sentence(error)
        else:
            check_recommendation(recommendation)

    fuzz(check_answer)


@fuzzed(few=15, many=3_000)
def test_a_history(fuzz: Fuzz) -> None:
    @given(bodies(st.lists(st.sampled_from(RECOMMENDATIONS[:2]), max_size=2)))
    def check_answer(answer: bytes) -> None:
        try:
            history = decode_recommendations(answer, WHERE)
        except TGCError as error:
            check_sentence(error)
        else:
            for recommendation in history:
                check_recommendation(recommendation)

    fuzz(check_answer)


@fuzzed(few=100, many=10_000)
def test_everything_else(fuzz: Fuzz) -> None:
    @given(bodies(st.sampled_from(OTHERS)), st.sampled_from([200, 200, 200, 400, 401, 403, 404, 500, 503]))
    def check_answer(answer: bytes, status: int) -> None:
        try:
            expect_role(Answer(where=WHERE, status=status, body=answer), "bot")
        except TGCError as error:
            check_sentence(error)
        body = body_of(status, answer)
        if body is None:
            return
        for decode in (decode_info, decode_pool, decode_session, decode_vm_name):
            try:
                decode(body, WHERE)
            except TGCError as error:
                check_sentence(error)
        check_pools(body)

    fuzz(check_answer)


def check_pools(body: bytes) -> None:
    try:
        items, following = decode_page(body, WHERE)
    except TGCError as error:
        check_sentence(error)
        return
    assert following is None or URL(f"https://tgc/?{quote(following, safe=_QUERY_SAFE)}", encoded=True).host == "tgc"
    pools = [pool for pool in map(pool_of, items) if pool is not None]
    unread = (PoolAnswer(pool_name=pool_name(pool), problem="It failed.") for pool in pools)
    balanced = (PoolAnswer(pool_name=pool_name(pool), view=view_of(pool)) for pool in pools)
    check_report(Report(tgc_name=TGC.name, read_at=NOW, pools=(*unread, *balanced)))
    for pool in pools:
        assert URL(f"https://tgc{_pool_path(pool.uuid)}", encoded=True).raw_path == _pool_path(pool.uuid)
        known = [TgcPool(TGC.key, one) for one in pools]
        assert TgcPool(TGC.key, pool) in find_pools(known, pool_name(pool))


def view_of(pool: Pool) -> CardView:
    return view_of_reading(
        TGC, PoolReading(tgc_key=TGC.key, pool=pool, read_at=NOW, recommendation=Recommendation()), NOW
    )
