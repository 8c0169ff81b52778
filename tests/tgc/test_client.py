import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from aiohttp import web

from tests.tgc.conftest import (
    POOL,
    RECOMMENDATION,
    SAMPLES,
    USERNAME,
    VM,
    Connect,
    SmallTgc,
    sample,
    tintri_error,
)
from tgc.client import API_CLIENT, TGCClient, connect
from tgc.errors import TGCNotFoundError, TGCResponseError, TGCStatusError, TGCWrongStateError
from tgc.models import AffinityRule, AffinityRuleType, Feedback, IssueSelection, IssueType, RecommendationState
from tgc.tls import TLSPolicy

CONTRACT = json.loads((SAMPLES.parent / "openapi.json").read_text())
RECO_PATH = f"/vmstorePool/{POOL}/recommendation/{RECOMMENDATION}"


def page(*uuids: str | None, following: str | None = None) -> dict[str, Any]:
    items = [{"name": f"pool {uuid}", "uuid": {"uuid": uuid}} for uuid in uuids]
    return {"items": items, "next": following}


async def test_info_needs_no_session(client: TGCClient, tgc: SmallTgc) -> None:
    assert (await client.info()).preferred_version == "v310.191"
    assert tgc.logins == 0


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/"])
async def test_the_base_url_may_end_in_a_slash_or_api(tgc: SmallTgc, suffix: str) -> None:
    async with connect(tgc.url + suffix, USERNAME, "", tls=TLSPolicy()) as client:
        assert (await client.info()).product_name == "Tintri Global Center"


async def test_a_base_url_may_have_a_prefix(tgc: SmallTgc) -> None:
    async with connect(f"{tgc.url}/api/v310/proxy/api", USERNAME, "", tls=TLSPolicy()) as client:
        with pytest.raises(TGCStatusError):
            await client.info()
    assert tgc.arrived[0].path == "/api/v310/proxy/api/info"


@pytest.mark.parametrize(
    "url",
    ["", "tgc.example.com", "ftp://tgc.example.com", "https://", "https://me:pw@tgc", "https://tgc?x=1", "https://["],
)
async def test_an_unusable_base_url_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The TGC's URL is not usable.*\.$") as refusal:
        async with connect(url, USERNAME, "", tls=TLSPolicy()):
            pass
    assert "pw" not in str(refusal.value)


async def test_every_request_tells_what_it_accepts_and_who_asks(client: TGCClient, tgc: SmallTgc) -> None:
    await client.login()
    for request in tgc.arrived:
        assert request.headers["Accept"] == "application/json"
        assert request.headers["Tintri-Api-Client"] == API_CLIENT


async def test_the_current_session_is_read(client: TGCClient, tgc: SmallTgc) -> None:
    told = {"userName": USERNAME, "roles": ["Admin", 7], "expirationTime": "2026-03-10T06:30:00.000-07:00"}
    tgc.answer("GET /session/current", told)

    session = await client.session()

    assert (session.user_name, session.roles) == (USERNAME, ("Admin",))
    assert session.expiration_time == datetime(2026, 3, 10, 13, 30, tzinfo=UTC)


class TestPools:
    async def test_all_pages_are_read(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", page("a", "b", following="offset=2&limit=2"))
        tgc.answer("GET /vmstorePool?offset=2&limit=2", page("c"))
        assert [pool.uuid for pool in await client.pools()] == ["a", "b", "c"]

    async def test_the_next_query_is_sent_as_it_came(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", page("a", following="?offset=1&name=a%26b%2Bc d"))
        tgc.answer("GET /vmstorePool?offset=1&name=a%26b%2Bc%20d", page("b"))
        assert len(await client.pools()) == 2

    async def test_the_documented_page_is_read(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", sample("pools_page"))
        tgc.answer("GET /vmstorePool?offset=1&limit=1", page())

        (pool,) = await client.pools()

        assert (pool.name, len(pool.members)) == ("Production", 3)
        assert pool.members[0].uuid is not None
        assert pool.stat is not None
        assert pool.stat.vms_count == 412

    @pytest.mark.parametrize("last", [page(following="offset=9"), {"items": None}, {}])
    async def test_an_empty_page_is_the_last(self, client: TGCClient, tgc: SmallTgc, last: Any) -> None:
        tgc.answer("GET /vmstorePool?limit=200", page("a", following="offset=1"))
        tgc.answer("GET /vmstorePool?offset=1", last)
        assert [pool.uuid for pool in await client.pools()] == ["a"]
        assert len(tgc.arrived) == 4

    async def test_a_next_that_repeats_ends_the_list(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", page("a", following="offset=1"))
        tgc.answer("GET /vmstorePool?offset=1", page("b", following="offset=1"))
        assert [pool.uuid for pool in await client.pools()] == ["a", "b"]

    async def test_a_server_that_ignores_the_offset_ends_the_list(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", page("a", following="offset=1"))
        tgc.answer("GET /vmstorePool?offset=1", page("a", following="offset=2"))
        assert [pool.uuid for pool in await client.pools()] == ["a"]

    async def test_a_pool_without_a_usable_uuid_is_left_out(self, client: TGCClient, tgc: SmallTgc) -> None:
        uuids = [None, "flat", *({"uuid": uuid} for uuid in (None, "", 7, "\ud800"))]
        odd = [None, 5, "text", {}, *({"uuid": uuid} for uuid in uuids)]
        tgc.answer("GET /vmstorePool?limit=200", {"items": [*odd, *page("a")["items"]]})
        assert [pool.uuid for pool in await client.pools()] == ["a"]

    async def test_a_page_of_unusable_pools_does_not_end_the_list(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", page(None, following="offset=1"))
        tgc.answer("GET /vmstorePool?offset=1", page("a"))
        assert [pool.uuid for pool in await client.pools()] == ["a"]

    @pytest.mark.parametrize("odd", [[], "text", 5, {"items": 5}])
    async def test_what_is_no_page_is_an_error(self, client: TGCClient, tgc: SmallTgc, odd: Any) -> None:
        tgc.answer("GET /vmstorePool?limit=200", json.dumps(odd))
        with pytest.raises(TGCResponseError) as error:
            await client.pools()
        assert error.value.where == "GET /api/v310/vmstorePool"

    async def test_one_pool_is_read(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vmstorePool/{POOL}", page(POOL)["items"][0])
        assert (await client.pool(POOL)).uuid == POOL

    async def test_a_pool_without_a_uuid_is_an_error_when_asked_for(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vmstorePool/{POOL}", {"name": "x"})
        with pytest.raises(TGCResponseError) as error:
            await client.pool(POOL)
        assert error.value.where == f"GET /api/v310/vmstorePool/{POOL}"


class TestRecommendations:
    async def test_current_and_single_ones_are_read(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vmstorePool/{POOL}/recommendation/current", sample("recommendation_not_needed"))
        tgc.answer(f"GET {RECO_PATH}", sample("recommendation_available"))

        current = await client.current_recommendation(POOL)
        single = await client.recommendation(POOL, RECOMMENDATION)

        assert current.state is RecommendationState.NO_RECOMMENDATION_NEEDED
        assert [len(group.actions) for group in single.action_groups] == [2, 2]

    async def test_the_history_is_newest_first(self, client: TGCClient, tgc: SmallTgc) -> None:
        times = [
            None,
            "2026-03-10T06:00:00.000-07:00",
            "2026-03-10T23:00:00.000+14:00",
            "2026-03-11T06:00:00.000-07:00",
        ]
        history = [{"id": str(number), "creationTime": time} for number, time in enumerate(times)]
        tgc.answer(f"GET /vmstorePool/{POOL}/recommendationHistory", json.dumps(history))
        assert [one.id for one in await client.recommendation_history(POOL)] == ["3", "1", "2", "0"]

    async def test_a_pool_that_vanished_is_told_with_tintris_words(self, client: TGCClient) -> None:
        with pytest.raises(TGCNotFoundError, match=r"ERR-API-8001: No such object") as error:
            await client.current_recommendation(POOL)
        assert (error.value.status, error.value.code) == (404, "ERR-API-8001")


Write = Callable[[TGCClient], Awaitable[None]]
SELECTIONS = [
    IssueSelection(vmstore_id="S1", issue_types=(IssueType.SPACE, IssueType.FLASH)),
    IssueSelection(vmstore_id="S2", issue_types=()),
]
BEANS = "com.tintri.api.rest.v310.dto.domain.beans"
TYPE = f"{BEANS}.loadbalance.recommendation"

WRITES: dict[str, tuple[Write, str, Any]] = {
    "accept": (lambda tgc: tgc.accept(POOL, RECOMMENDATION), f"POST {RECO_PATH}/accept", None),
    "acknowledge": (lambda tgc: tgc.acknowledge(POOL, RECOMMENDATION), f"POST {RECO_PATH}/acknowledge", None),
    "cancel": (lambda tgc: tgc.cancel(POOL, RECOMMENDATION), f"POST {RECO_PATH}/cancel", None),
    "reset": (lambda tgc: tgc.reset(POOL, RECOMMENDATION), f"POST {RECO_PATH}/reset", None),
    "issues": (
        lambda tgc: tgc.select_issues(POOL, RECOMMENDATION, SELECTIONS),
        f"PUT {RECO_PATH}/issues",
        [
            {"typeId": f"{TYPE}.RecommendationIssueSelection", "vmstoreId": "S1", "issueTypes": ["SPACE", "FLASH"]},
            {"typeId": f"{TYPE}.RecommendationIssueSelection", "vmstoreId": "S2", "issueTypes": []},
        ],
    ),
    "feedback": (
        lambda tgc: tgc.send_feedback(POOL, RECOMMENDATION, Feedback(state="VERY_HELPFUL", comment="gut „so“ \ud83d")),
        f"PUT {RECO_PATH}",
        {
            "typeId": "com.tintri.api.rest.v310.dto.Request",
            "objectsWithNewValues": [
                {
                    "typeId": f"{TYPE}.Recommendation",
                    "feedback": {
                        "typeId": f"{TYPE}.RecommendationFeedback",
                        "state": "VERY_HELPFUL",
                        "comment": "gut „so“ \ud83d",
                    },
                }
            ],
            "propertiesToBeUpdated": ["feedback"],
        },
    ),
    "not now": (
        lambda tgc: tgc.set_not_now(POOL, RECOMMENDATION, ["V1", "V2"], keep_current=True),
        f"PUT {RECO_PATH}",
        {
            "typeId": "com.tintri.api.rest.v310.dto.Request",
            "objectsWithNewValues": [
                {
                    "typeId": f"{TYPE}.Recommendation",
                    "vmAffinityNotNowTintriUuids": ["V1", "V2"],
                    "keepCurrent": True,
                }
            ],
            "propertiesToBeUpdated": ["vmAffinityNotNowTintriUuids"],
        },
    ),
    "never move": (
        lambda tgc: tgc.set_affinity(VM, AffinityRule(rule_type=AffinityRuleType.NEVER, recommendation_uuid="R")),
        f"PUT /vm/{VM}/affinity",
        {"typeId": f"{BEANS}.vm.VirtualMachineAffinityRule", "ruleType": "NEVER", "recommendationUuid": "R"},
    ),
    "not to these": (
        lambda tgc: tgc.set_affinity(
            VM, AffinityRule(rule_type=AffinityRuleType.EXCLUDE_DATASTORES, vmstore_tintri_uuids=("S1", "S2"))
        ),
        f"PUT /vm/{VM}/affinity",
        {
            "typeId": f"{BEANS}.vm.VirtualMachineAffinityRule",
            "ruleType": "EXCLUDE_DATASTORES",
            "vmstoreTintriUuids": ["S1", "S2"],
        },
    ),
    "clear the rule": (
        lambda tgc: tgc.set_affinity(VM, AffinityRule()),
        f"PUT /vm/{VM}/affinity",
        {"typeId": f"{BEANS}.vm.VirtualMachineAffinityRule"},
    ),
}


def schema_of(request_line: str) -> dict[str, Any] | None:
    method, path = request_line.split(" ")
    template = path.replace(POOL, "{poolUuid}").replace(RECOMMENDATION, "{recoUuid}").replace(VM, "{vmUuid}")
    operation = CONTRACT["paths"][f"/v310{template}"][method.lower()]
    if "requestBody" not in operation:
        return None
    content: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return content | {"components": CONTRACT["components"]}


class TestWrites:
    @pytest.mark.parametrize(("write", "request_line", "body"), WRITES.values(), ids=WRITES)
    async def test_the_documented_body_is_sent(
        self, client: TGCClient, tgc: SmallTgc, write: Write, request_line: str, body: Any
    ) -> None:
        tgc.answer(request_line, None)

        await write(client)

        (arrived,) = tgc.arrived[2:]
        sent = json.loads(arrived.body)
        assert f"{arrived.method} {arrived.path}" == request_line.replace(" ", " /api/v310")
        assert arrived.headers["Content-Type"] == "application/json"
        assert sent == body
        if (schema := schema_of(request_line)) is not None:
            jsonschema.validate(sent, schema)

    @pytest.mark.parametrize(("write", "request_line", "_"), WRITES.values(), ids=WRITES)
    async def test_a_refusal_is_told_and_not_repeated(
        self, client: TGCClient, tgc: SmallTgc, write: Write, request_line: str, _: Any
    ) -> None:
        tgc.answer(request_line, lambda: tintri_error(400, "ERR-API-7107", "Invalid accept Recommendation request."))
        with pytest.raises(TGCWrongStateError, match=r"400 ERR-API-7107: Invalid accept Recommendation request\."):
            await write(client)
        assert tgc.count(request_line) == 1

    @pytest.mark.parametrize("body", [b"", b"null", b"{}"])
    async def test_a_200_is_as_good_as_a_204(self, client: TGCClient, tgc: SmallTgc, body: bytes) -> None:
        tgc.answer(f"POST {RECO_PATH}/accept", body)
        await client.accept(POOL, RECOMMENDATION)

    async def test_a_200_that_is_no_json_is_not_taken_for_done(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(f"POST {RECO_PATH}/accept", "<html>Please log in to the proxy</html>")
        with pytest.raises(TGCResponseError) as error:
            await client.accept(POOL, RECOMMENDATION)
        assert error.value.where == f"POST /api/v310{RECO_PATH}/accept"


class TestVmNames:
    async def test_the_name_is_vmwares_whatever_the_hypervisor(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vm/{VM}", {"name": "not this", "vmware": {"name": "erp-db-01"}})
        assert await client.vm_name(VM) == "erp-db-01"

    @pytest.mark.parametrize(
        "vm", [{}, {"vmware": None}, {"vmware": 5}, {"vmware": {"name": 5}}, {"vmware": {"name": ""}}]
    )
    async def test_a_vm_may_have_no_name(self, client: TGCClient, tgc: SmallTgc, vm: Any) -> None:
        tgc.answer(f"GET /vm/{VM}", vm)
        assert await client.vm_name(VM) is None

    async def test_a_deleted_vm_has_no_name(self, client: TGCClient) -> None:
        assert await client.vm_name(VM) is None

    async def test_each_vm_that_fails_costs_its_own_name_only(self, client: TGCClient, tgc: SmallTgc) -> None:
        for number in range(4):
            tgc.answer(f"GET /vm/{number}", {"vmware": {"name": f"vm {number}"}})
        tgc.answer("GET /vm/broken", lambda: web.Response(status=500))
        tgc.answer("GET /vm/html", "<html>")

        names = await client.vm_names(["0", "broken", "1", "deleted", "2", "html", "", "3", "0"])

        assert names == {"0": "vm 0", "1": "vm 1", "2": "vm 2", "3": "vm 3"}
        assert tgc.count("GET /vm/0") == 1

    async def test_names_that_do_not_come_in_time_are_left_out(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vm/0", {"vmware": {"name": "vm 0"}})
        tgc.answer("GET /vm/1", lambda: asyncio.get_running_loop().create_future())
        await client.login()
        assert await client.vm_names(["0", "1"], within_s=0.5) == {"0": "vm 0"}


class TestIds:
    @pytest.mark.parametrize(
        ("identifier", "segment"),
        [
            ("a/b", "a%2Fb"),
            ("a?b=c", "a%3Fb%3Dc"),
            ("a#b", "a%23b"),
            ("a%2Fb", "a%252Fb"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("...", "%2E%2E%2E"),
            ("../../session", "..%2F..%2Fsession"),
            ("é \n", "%C3%A9%20%0A"),
            ("\ud800", "%3F"),
            ("a.b~c-d_e", "a.b~c-d_e"),
        ],
    )
    async def test_an_id_is_one_quoted_segment(
        self, client: TGCClient, tgc: SmallTgc, identifier: str, segment: str
    ) -> None:
        tgc.answer(f"PUT /vm/{segment}/affinity", None)
        await client.set_affinity(identifier, AffinityRule())
        assert tgc.arrived[-1].path == f"/api/v310/vm/{segment}/affinity"

    async def test_an_empty_id_is_never_asked_for(self, client: TGCClient, tgc: SmallTgc) -> None:
        with pytest.raises(TGCResponseError, match="empty id"):
            await client.recommendation(POOL, "")
        assert tgc.arrived == []


class TestClock:
    @pytest.mark.parametrize(
        ("date", "offset"),
        [
            ("Tue, 10 Mar 2026 13:00:42 GMT", timedelta(seconds=42)),
            ("Tue, 10 Mar 2026 12:59:00 GMT", timedelta(minutes=-1)),
        ],
    )
    async def test_the_offset_is_the_tgcs_clock_minus_ours(
        self, connected: Connect, tgc: SmallTgc, date: str, offset: timedelta
    ) -> None:
        tgc.answer("GET /session/current", lambda: web.json_response({}, headers={"Date": date}))
        async with connected(now=lambda: datetime(2026, 3, 10, 13, 0, tzinfo=UTC)) as client:
            assert client.clock_offset is None
            await client.session()
            assert client.clock_offset == offset

    @pytest.mark.parametrize(
        "date", ["", "yesterday", "Tue, 10 Mar 99999 13:00:42 GMT", "Tue, 10 Mar 2026 13:00:42 -0000"]
    )
    async def test_a_date_that_says_nothing_changes_nothing(self, connected: Connect, tgc: SmallTgc, date: str) -> None:
        tgc.answer("GET /session/current", lambda: web.json_response({}, headers={"Date": date}))
        async with connected() as client:
            await client.info()
            known = client.clock_offset
            assert known is not None
            await client.login()
            known = client.clock_offset
            await client.session()
            assert client.clock_offset == known


async def test_a_login_waits_for_its_turn_too(connected: Connect, tgc: SmallTgc) -> None:
    go_on = asyncio.Event()

    async def slow() -> web.Response:
        await go_on.wait()
        return web.json_response({})

    async with connected(concurrency=1) as client:
        await client.login()
        await client.logout()
        tgc.answer("GET /api/info", slow)
        info, login = asyncio.create_task(client.info()), asyncio.create_task(client.login())
        await asyncio.wait({login}, timeout=0.05)
        go_on.set()
        await asyncio.gather(info, login)
    assert (tgc.logins, tgc.most_at_once) == (2, 1)


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_requests_than_allowed_are_under_way(connected: Connect, tgc: SmallTgc, concurrency: int) -> None:
    tgc.answer(f"GET /vm/{VM}", {"vmware": {"name": "vm"}})
    tgc.answer(f"POST {RECO_PATH}/accept", None)
    async with connected(concurrency=concurrency) as client:
        reads = [client.vm_name(VM) for _ in range(12)]
        await asyncio.gather(*reads, client.accept(POOL, RECOMMENDATION), client.info())
        tgc.expire_sessions()
        await asyncio.gather(*(client.vm_name(VM) for _ in range(12)))
    assert tgc.most_at_once == concurrency
    assert tgc.logins == 2
