import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import jsonschema
import pytest
import trustme

from playground.estate import Json, Pool
from playground.tgc import SimulatedTgc
from playground.tgc_faults import Fault, FaultKind
from playground.world import World
from tests.playground.clock import Clock
from tests.playground.schemas import check_answer, gets

RECOMMENDATION_TYPE = "com.tintri.api.rest.v310.dto.domain.beans.loadbalance.recommendation.Recommendation"
RULE_TYPE = "com.tintri.api.rest.v310.dto.domain.beans.vm.VirtualMachineAffinityRule"
POOLS = "/v310/vmstorePool"
PASSWORD = "only-for-the-playground"
LOGOUT = "/v310/session/logout"


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str | None:
        code: str | None = self.body.get("code")
        return code


class Api:
    """A client that does what it is told and checks nothing."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = url
        self.http = http

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        async with self.http.request(method, self._url + "/api" + path, **options) as response:
            is_json = response.content_type == "application/json"
            body = await response.json() if is_json else await response.text()
            return Answer(response.status, body, response.headers)

    async def get(self, path: str) -> Answer:
        return await self.send("GET", path)

    async def do(self, path: str) -> Answer:
        """A verb, with the body null."""
        return await self.send("POST", path, data=b"null", headers={"Content-Type": "application/json"})

    async def put(self, path: str, body: Any) -> Answer:
        return await self.send("PUT", path, json=body)

    async def log_in(self, username: str = "bot", password: str = PASSWORD) -> Answer:
        return await self.send("POST", "/v310/session/login", json=credentials(username, password))


def credentials(username: str, password: str) -> Json:
    return {
        "typeId": "com.tintri.api.rest.vcommon.dto.rbac.RestApiCredentials",
        "username": username,
        "password": password,
        "fullApiVersion": "v310.51",
    }


def in_pool(pool: Pool, rest: str = "") -> str:
    return f"{POOLS}/{pool.uuid}{rest}"


def current_path(world: World, pool: Pool, verb: str = "") -> str:
    return in_pool(pool, f"/recommendation/{world.current(pool).id}{verb}")


def update_body(**new: Any) -> Json:
    """As a client sends it that wants to change these properties."""
    return {
        "typeId": "com.tintri.api.rest.v310.dto.Request",
        "objectsWithNewValues": [{"typeId": RECOMMENDATION_TYPE, **new}],
        "propertiesToBeUpdated": [name for name in new if name != "keepCurrent"],
    }


def feedback(comment: str = "thanks") -> Json:
    return {"typeId": RECOMMENDATION_TYPE + "Feedback", "state": "VERY_HELPFUL", "comment": comment}


def selection(vmstore_id: str, *issue_types: str) -> Json:
    return {
        "typeId": RECOMMENDATION_TYPE + "IssueSelection",
        "vmstoreId": vmstore_id,
        "issueTypes": list(issue_types),
    }


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Api]:
    # A jar drops cookies of a bare IP address unless told otherwise.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Api(url, http)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World.seeded(now=clock)


@pytest.fixture
def pool(world: World) -> Pool:
    return world.pools[0]


@pytest.fixture
def tgc(world: World) -> SimulatedTgc:
    return SimulatedTgc(world)


@pytest.fixture
async def stranger(tgc: SimulatedTgc) -> AsyncIterator[Api]:
    """Nobody logged in."""
    async with tgc.serve() as url, client(url) as api:
        yield api


@pytest.fixture
async def api(stranger: Api) -> Api:
    assert (await stranger.log_in()).status == 200
    return stranger


# What every GET answers.


def filled(template: str, world: World, pool: Pool) -> str:
    return (
        template.replace("{poolUuid}", pool.uuid)
        .replace("{recoUuid}", quote(pool.recommendations()[-1].id or "", safe=""))
        .replace("{vmUuid}", quote(next(iter(world.vms)), safe=""))
    )


def as_seeded(_world: World, _pool: Pool) -> None:
    pass


def large(world: World, pool: Pool) -> None:
    world.new_recommendation(pool, moves=240, waves=6, lose_replication=40)


def accepted(world: World, pool: Pool) -> None:
    world.fail_move(pool, world.current(pool).moves[0].vm)
    world.accept_in_gui(pool)


def cancelled(world: World, pool: Pool) -> None:
    world.accept_in_gui(pool)
    world.cancel_in_gui(pool)


def invalidated(world: World, pool: Pool) -> None:
    world.invalidate(pool, "INVALID_VMS_CHANGED")


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize(
    "happens",
    [as_seeded, large, accepted, cancelled, invalidated, World.balanced, World.under_construction, World.expire],
)
async def test_every_get_answers_what_the_api_documents(
    *, happens: Callable[[World, Pool], object], hostile: bool, clock: Clock
) -> None:
    world = World.seeded(hostile=hostile, now=clock)
    for pool in world.pools:
        happens(world, pool)
    clock.advance(minutes=15)
    async with SimulatedTgc(world).serve() as url, client(url) as api:
        await api.log_in()
        for template in gets():
            answer = await api.get(filled(template, world, world.pools[0]))
            assert answer.status == 200
            check_answer("GET", template, 200, answer.body)


async def test_the_schema_check_can_fail(api: Api, world: World, pool: Pool) -> None:
    read = await api.get(current_path(world, pool))
    template = "/v310/vmstorePool/{poolUuid}/recommendation/{recoUuid}"
    for wrong in ({"state": "ODD"}, {"creationTime": "today"}, {"actionGroups": [{"actions": [{"result": 1}]}]}):
        with pytest.raises(jsonschema.ValidationError):
            check_answer("GET", template, 200, read.body | wrong)


async def test_names_arrive_as_they_are(clock: Clock) -> None:
    world = World.seeded(hostile=True, moves=20, now=clock)
    async with SimulatedTgc(world).serve() as url, client(url) as api:
        await api.log_in()
        pools = (await api.get(POOLS)).body["items"]
        assert [one["name"] for one in pools] == [pool.name for pool in world.pools]
        for uuid, vm in world.vms.items():
            assert (await api.get("/v310/vm/" + uuid)).body["vmware"]["name"] == vm.name


async def test_reading_does_not_acknowledge(api: Api, world: World, pool: Pool) -> None:
    await api.get(in_pool(pool, "/recommendation/current"))
    await api.get(current_path(world, pool))
    assert world.current(pool).state == "AVAILABLE"


async def test_the_history_is_a_bare_array_with_all_that_have_an_id(api: Api, world: World, pool: Pool) -> None:
    known = [world.current(pool).id, world.new_recommendation(pool).id]
    world.balanced(pool)
    history = await api.get(in_pool(pool, "/recommendationHistory"))
    assert sorted(one["id"] for one in history.body) == sorted(known, key=str)
    assert {one["state"] for one in history.body} == {"EXPIRED"}


async def test_the_date_header_follows_the_clock(stranger: Api, clock: Clock) -> None:
    clock.advance(hours=1)
    assert (await stranger.get("/info")).headers["Date"] == "Tue, 10 Mar 2026 07:00:04 GMT"


@pytest.mark.parametrize(("product", "version"), [("Tintri VMstore", "v310.191"), ("Tintri Global Center", "v310.31")])
async def test_it_can_play_a_vmstore_or_an_old_api(
    tgc: SimulatedTgc, stranger: Api, product: str, version: str
) -> None:
    tgc.product_name, tgc.preferred_version = product, version
    info = await stranger.get("/info")
    assert (info.body["productName"], info.body["preferredVersion"]) == (product, version)


# States and verbs.


def acked(world: World, pool: Pool) -> None:
    world.acknowledge(pool.uuid, world.current(pool).id or "")


STATES: dict[str, Callable[[World, Pool], object]] = {
    "AVAILABLE": as_seeded,
    "AVAILABLE_ACKED": acked,
    "ACCEPTED": World.accept_in_gui,
    "CANCELLED": cancelled,
    "INVALIDATED": invalidated,
    "EXPIRED": World.expire,
}
OPEN = {"AVAILABLE", "AVAILABLE_ACKED"}
VERBS: dict[str, tuple[set[str], str, str]] = {
    "acknowledge": ({"AVAILABLE"}, "AVAILABLE_ACKED", "ERR-API-7111"),
    "accept": (OPEN, "ACCEPTED", "ERR-API-7107"),
    "cancel": ({"ACCEPTED"}, "CANCELLED", "ERR-API-7109"),
    "reset": (OPEN, "INVALIDATED", "ERR-API-7113"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_is_obeyed_in_its_states_only(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, state: str, verb: str
) -> None:
    STATES[state](world, pool)
    allowed, then, code = VERBS[verb]
    answer = await api.do(current_path(world, pool, "/" + verb))
    if state in allowed:
        assert (answer.status, world.current(pool).state) == (204, then)
    else:
        assert (answer.status, answer.code, world.current(pool).state) == (400, code, state)
    assert tgc.mistakes == []


@pytest.mark.parametrize("state", STATES)
async def test_puts_are_obeyed_only_while_a_recommendation_can_be_decided(
    api: Api, world: World, pool: Pool, state: str
) -> None:
    STATES[state](world, pool)
    update = await api.put(current_path(world, pool), update_body(feedback=feedback()))
    issues = await api.put(current_path(world, pool, "/issues"), [selection(pool.members[0].uuid, "SPACE")])
    if state in OPEN:
        assert (update.status, issues.status) == (204, 204)
    else:
        assert (update.status, update.code) == (400, "ERR-API-7106")
        assert (issues.status, issues.code) == (400, "ERR-API-7117")


@pytest.mark.parametrize(
    ("method", "rest", "code"),
    [
        ("GET", "", "ERR-API-7102"),
        ("POST", "/accept", "ERR-API-7108"),
        ("POST", "/acknowledge", "ERR-API-7112"),
        ("POST", "/cancel", "ERR-API-7110"),
        ("POST", "/reset", "ERR-API-7114"),
    ],
)
async def test_a_recommendation_that_vanished_fails_with_500(
    api: Api, world: World, pool: Pool, method: str, rest: str, code: str
) -> None:
    path = current_path(world, pool, rest)
    world.vanish(pool)
    answer = await (api.get(path) if method == "GET" else api.do(path))
    assert (answer.status, answer.code) == (500, code)
    template = "/v310/vmstorePool/{poolUuid}/recommendation/{recoUuid}" + rest
    check_answer(method, template, 500, answer.body)


async def test_a_deleted_pool_is_a_404_by_itself_and_a_500_for_recommendations(
    api: Api, world: World, pool: Pool
) -> None:
    world.delete_pool(pool)
    by_itself = await api.get(in_pool(pool))
    current = await api.get(in_pool(pool, "/recommendation/current"))
    history = await api.get(in_pool(pool, "/recommendationHistory"))
    assert (by_itself.status, by_itself.code) == (404, "ERR-API-8001")
    assert (current.status, current.code) == (500, "ERR-API-7103")
    assert (history.status, history.code) == (500, "ERR-API-7102")


async def test_a_deleted_vm_is_a_404(api: Api, world: World) -> None:
    vm = next(iter(world.vms.values()))
    world.delete_vm(vm)
    answer = await api.get("/v310/vm/" + vm.uuid)
    assert (answer.status, answer.code) == (404, "ERR-API-8001")


async def test_an_unknown_path_is_answered_by_the_servlet_container(api: Api) -> None:
    answer = await api.get("/v310/nowhere")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


async def test_feedback_is_kept_and_shown(api: Api, world: World, pool: Pool) -> None:
    await api.put(current_path(world, pool), update_body(feedback=feedback("more of it")))
    read = await api.get(current_path(world, pool))
    assert read.body["feedback"] == feedback("more of it")


async def test_not_now_works_with_and_without_keep_current(api: Api, world: World, pool: Pool, clock: Clock) -> None:
    first, second, *_ = (move.vm.uuid for move in world.current(pool).moves)
    path = current_path(world, pool)
    kept = update_body(vmAffinityNotNowTintriUuids=[first], keepCurrent=True)
    assert (await api.put(path, kept)).status == 204
    assert (await api.get(path)).body["state"] == "AVAILABLE"
    assert (await api.put(path, update_body(vmAffinityNotNowTintriUuids=[first, second]))).status == 204
    assert (await api.get(path)).body["state"] == "INVALIDATED"
    assert (await api.get(in_pool(pool, "/recommendation/current"))).body["state"] == "REFRESH"
    clock.advance(minutes=10)
    new = (await api.get(in_pool(pool, "/recommendation/current"))).body
    assert (new["state"], new["vmAffinityNotNowTintriUuids"]) == ("AVAILABLE", [first, second])


async def test_a_rule_is_set_and_cleared(api: Api, world: World, pool: Pool) -> None:
    vm = world.current(pool).moves[0].vm
    path = f"/v310/vm/{vm.uuid}/affinity"
    never = {"typeId": RULE_TYPE, "ruleType": "NEVER", "recommendationUuid": world.current(pool).id}
    assert (await api.put(path, never)).status == 204
    assert vm.rule is not None
    assert len(world.current(pool).moves) == 3
    assert (await api.put(path, {"typeId": RULE_TYPE})).status == 204
    assert vm.rule is None


# What no correct client sends.


@pytest.mark.parametrize(
    "body",
    [
        {**update_body(feedback=feedback()), "typeId": "Request"},
        {**update_body(feedback=feedback()), "propertiesToBeUpdated": []},
        {**update_body(feedback=feedback()), "propertiesToBeUpdated": ["vmAffinityNotNowTintriUuids"]},
        {**update_body(feedback=feedback()), "objectsWithNewValues": []},
        update_body(feedback={"comment": "no typeId"}),
        update_body(state="ACCEPTED"),
        update_body(vmAffinityNotNowTintriUuids="not a list"),
        update_body(keepCurrent=True),
        None,
    ],
)
async def test_a_wrong_update_is_refused_and_noted(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, body: Any
) -> None:
    answer = await api.put(current_path(world, pool), body)
    assert (answer.status, answer.code) == (400, "ERR-API-7106")
    assert len(tgc.mistakes) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{"vmstoreId": "X", "issueTypes": ["SPACE"]}],
        [{**selection("X", "SPACE"), "vmStoreId": "the spelling of an analysis"}],
        [selection("X", "PROTECTION")],
    ],
)
async def test_a_wrong_choice_of_issues_is_refused_and_noted(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, body: Any
) -> None:
    answer = await api.put(current_path(world, pool, "/issues"), body)
    assert (answer.status, answer.code) == (400, "ERR-API-7117")
    assert len(tgc.mistakes) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"ruleType": "NEVER"},
        {"typeId": RULE_TYPE, "ruleType": "SOMETIMES"},
        {"typeId": RULE_TYPE, "ruleType": "EXCLUDE_DATASTORES"},
        {"typeId": RULE_TYPE, "ruleType": "NEVER", "vmstoreTintriUuids": ["X"]},
    ],
)
async def test_a_wrong_rule_is_refused_and_noted(api: Api, world: World, tgc: SimulatedTgc, body: Any) -> None:
    answer = await api.put(f"/v310/vm/{next(iter(world.vms))}/affinity", body)
    assert answer.status == 400
    assert len(tgc.mistakes) == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": b"null", "headers": {"Content-Type": "text/plain"}},
        {"data": b"", "headers": {"Content-Type": "application/json"}},
        {"json": {}},
    ],
)
async def test_a_verb_wants_null_as_json(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, options: dict[str, Any]
) -> None:
    answer = await api.send("POST", current_path(world, pool, "/accept"), **options)
    assert (answer.status, world.current(pool).state) == (400, "AVAILABLE")
    assert len(tgc.mistakes) == 1
    assert "/accept" in tgc.mistakes[0]


async def test_a_wrong_login_body_is_noted_without_the_password(stranger: Api, tgc: SimulatedTgc) -> None:
    body = {"username": "bot", "password": "hunter2"}
    answer = await stranger.send("POST", "/v310/session/login", json=body)
    assert (answer.status, tgc.refused_logins) == (400, 0)
    assert "typeId" in tgc.mistakes[0]
    assert "hunter2" not in tgc.mistakes[0] + str(answer.body)


@pytest.mark.parametrize("query", ["?offset=-1", "?limit=0", "?limit=x", "?offset=1.5"])
async def test_a_wrong_page_is_refused_and_noted(api: Api, tgc: SimulatedTgc, query: str) -> None:
    assert (await api.get(POOLS + query)).status == 400
    assert len(tgc.mistakes) == 1


# Sessions and roles.


async def test_a_login_answers_the_role_and_sets_the_cookie(stranger: Api, tgc: SimulatedTgc) -> None:
    answer = await stranger.log_in()
    assert (answer.status, answer.body) == (200, "Admin")
    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name == "JSESSIONID"
    assert "HttpOnly" in attributes
    assert "Path=/" in attributes
    assert (tgc.sessions, tgc.logins) == (1, 1)


async def test_nothing_but_info_and_login_goes_without_a_session(stranger: Api, world: World, pool: Pool) -> None:
    for template in gets():
        answer = await stranger.get(filled(template, world, pool))
        if template == "/info":
            assert answer.status == 200
        else:
            assert (answer.status, answer.code) == (401, "ERR-API-0104")
            check_answer("GET", template, 401, answer.body)
    accept = await stranger.do(current_path(world, pool, "/accept"))
    assert (accept.status, accept.code) == (401, "ERR-API-0104")


async def test_a_logout_ends_the_session(api: Api, tgc: SimulatedTgc) -> None:
    assert (await api.do(LOGOUT)).status == 204
    assert tgc.sessions == 0
    assert (await api.get(POOLS)).code == "ERR-API-0104"


async def test_an_unused_session_ends_at_its_expiration_time(api: Api, tgc: SimulatedTgc, clock: Clock) -> None:
    told = (await api.get("/v310/session/current")).body
    assert (told["userName"], told["roles"]) == ("bot", ["Admin"])
    assert told["expirationTime"] == "2026-03-10T06:30:04.221+00:00"
    clock.advance(minutes=29)
    assert (await api.get(POOLS)).status == 200
    clock.advance(minutes=29)
    assert (await api.get(POOLS)).status == 200
    clock.advance(minutes=30)
    assert (await api.get(POOLS)).code == "ERR-API-0104"
    assert tgc.sessions == 0


async def test_wrong_credentials_are_a_403_and_lock_the_account(stranger: Api, tgc: SimulatedTgc) -> None:
    for _ in range(5):
        assert not tgc.locked
        assert (await stranger.log_in(password="wrong")).status == 403
    assert tgc.locked
    answer = await stranger.log_in()
    assert (answer.status, tgc.logins, tgc.sessions) == (403, 6, 0)
    check_answer("POST", "/v310/session/login", 403, answer.body)
    tgc.refused_logins = 0
    assert (await stranger.log_in()).status == 200


async def test_a_good_login_forgets_the_refused_ones(stranger: Api, tgc: SimulatedTgc) -> None:
    await stranger.log_in(username="nobody")
    await stranger.log_in()
    assert tgc.refused_logins == 0


async def test_the_number_of_sessions_is_limited(world: World) -> None:
    async with SimulatedTgc(world, max_sessions=2).serve() as url, client(url) as api:
        statuses = [(await api.log_in()).status for _ in range(3)]
        await api.do(LOGOUT)
        assert [*statuses, (await api.log_in()).status] == [200, 200, 503, 200]


async def test_read_only_may_read_and_log_out_and_no_more(world: World, pool: Pool) -> None:
    tgc = SimulatedTgc(world, role="Read Only")
    async with tgc.serve() as url, client(url) as api:
        assert (await api.log_in()).body == "Read Only"
        assert (await api.get(POOLS)).status == 200
        refused = [
            await api.do(current_path(world, pool, "/accept")),
            await api.put(current_path(world, pool), update_body(feedback=feedback())),
            await api.put(f"/v310/vm/{next(iter(world.vms))}/affinity", {"typeId": RULE_TYPE}),
        ]
        assert [answer.status for answer in refused] == [403] * 3
        assert world.current(pool).state == "AVAILABLE"
        assert (await api.do(LOGOUT)).status == 204


# Pages.


async def pages(api: Api, query: str, most: int = 20) -> list[list[str]]:
    """The names on each page, following `next` until there is none."""
    found = []
    for _ in range(most):
        page = (await api.get(POOLS + query)).body
        check_answer("GET", POOLS, 200, page)
        found.append([one["name"] for one in page["items"]])
        if "next" not in page:
            break
        query = "?" + page["next"]
    return found


async def test_pages_follow_next(api: Api) -> None:
    assert await pages(api, "") == [["Production", "Test", "VDI"]]
    assert await pages(api, "?limit=2") == [["Production", "Test"], ["VDI"]]
    assert await pages(api, "?offset=1&limit=1") == [["Test"], ["VDI"]]
    assert await pages(api, "?offset=9") == [[]]


async def test_a_page_counts_as_documented(api: Api) -> None:
    page = (await api.get(POOLS + "?limit=1&offset=1")).body
    counts = ("absoluteTotal", "filteredTotal", "total", "page", "pageTotal", "offset", "limit")
    assert [page[count] for count in counts] == [3, 3, 3, 2, 3, 1, 1]
    assert page["next"] == "offset=2&limit=1"


async def test_the_page_limit_cannot_be_exceeded(world: World) -> None:
    async with SimulatedTgc(world, page_limit=2).serve() as url, client(url) as api:
        await api.log_in()
        assert await pages(api, "?limit=100") == [["Production", "Test"], ["VDI"]]


async def test_pools_are_found_by_name_and_next_keeps_it(api: Api, world: World) -> None:
    for _ in range(2):
        world.add_pool("A & B/ü?")
    assert await pages(api, "?limit=1&name=" + quote("A & B/ü?")) == [["A & B/ü?"], ["A & B/ü?"]]


async def test_the_last_page_can_be_empty(api: Api, tgc: SimulatedTgc) -> None:
    tgc.empty_last_page = True
    assert await pages(api, "") == [["Production", "Test", "VDI"], []]


async def test_next_can_repeat_for_ever(api: Api, tgc: SimulatedTgc) -> None:
    tgc.repeat_next = True
    assert await pages(api, "?limit=1", most=5) == [["Production"]] * 5


# Over time.


async def test_an_accepted_recommendation_runs_as_the_clock_moves(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, clock: Clock
) -> None:
    tgc.session_table.life = timedelta(days=1)
    await api.log_in()
    path = current_path(world, pool)
    assert (await api.do(path + "/accept")).status == 204
    seen = []
    for minutes in (0, 10, 60):
        clock.advance(minutes=minutes)
        read = (await api.get(path)).body
        seen.append((read["state"], read["executionState"], "completionTime" in read))
    assert seen == [
        ("ACCEPTED", "PENDING", False),
        ("ACCEPTED", "RUNNING", False),
        ("ACCEPTED", "COMPLETED_OK", True),
    ]


async def test_two_accepts_at_once_are_obeyed_once(api: Api, world: World, pool: Pool, tgc: SimulatedTgc) -> None:
    path = current_path(world, pool, "/accept")
    answers = await asyncio.gather(*(api.do(path) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [204, 400, 400, 400, 400]
    assert [call.recommendation for call in tgc.accepts] == [world.current(pool).id]


# Records.


async def test_every_request_is_recorded(api: Api, world: World, pool: Pool, tgc: SimulatedTgc, clock: Clock) -> None:
    clock.advance(minutes=1)
    await api.do(current_path(world, pool, "/accept"))
    await api.get(POOLS + "?limit=1")
    login, accept, read = tgc.calls
    assert (login.method, login.path, login.status, login.session) == ("POST", "/api/v310/session/login", 200, None)
    assert (accept.recommendation, accept.done, accept.status) == (world.current(pool).id, 204, 204)
    assert (accept.at, accept.session is None) == (clock(), False)
    assert (read.method, read.query, read.session) == ("GET", "limit=1", accept.session)


# Faults.


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (Fault("answer", "/current$", status=503), "error"),
        (Fault("answer", "/current$", status=500, code="ERR-API-7103"), "error"),
        (Fault("answer", "/current$", status=502, body="html"), "html"),
        (Fault("answer", "/current$", status=500, body="empty"), "empty"),
        (Fault("answer", "/current$", status=200, code="ERR-API-7103"), "error"),
    ],
)
async def test_an_answer_can_be_replaced_once(api: Api, pool: Pool, tgc: SimulatedTgc, fault: Fault, body: str) -> None:
    tgc.fault(fault)
    path = in_pool(pool, "/recommendation/current")
    answer = await api.get(path)
    assert answer.status == fault.status
    match body:
        case "error":
            assert (answer.body["message"], answer.code) == ("The server failed.", fault.code)
        case "html":
            assert answer.body.startswith("<html>")
        case _:
            assert answer.body == ""
    assert (await api.get(path)).body["state"] == "AVAILABLE"


async def test_any_json_can_be_answered(api: Api, tgc: SimulatedTgc) -> None:
    tgc.fault(Fault("answer", "/info$", status=200, body={"productName": None}))
    assert (await api.get("/info")).body == {"productName": None}


async def test_garbage_is_no_json(api: Api, tgc: SimulatedTgc) -> None:
    tgc.fault(Fault("garbage", "/info$"))
    with pytest.raises(ValueError, match="Expecting value"):
        await api.get("/info")


async def test_a_fault_meets_only_what_it_fits(api: Api, world: World, tgc: SimulatedTgc) -> None:
    first, second, _ = world.pools
    tgc.fault(Fault("answer", first.uuid, method="GET", times=None))
    statuses = [
        (await api.get(in_pool(first))).status,
        (await api.get(in_pool(second))).status,
        (await api.do(current_path(world, first, "/accept"))).status,
        (await api.get(in_pool(first))).status,
    ]
    assert statuses == [500, 200, 204, 500]
    tgc.clear_faults()
    assert (await api.get(in_pool(first))).status == 200


async def test_faults_queue(api: Api, tgc: SimulatedTgc) -> None:
    tgc.fault(Fault("answer", "/info$", status=503, times=2))
    tgc.fault(Fault("answer", "/info$", status=502))
    assert [(await api.get("/info")).status for _ in range(4)] == [503, 503, 502, 200]


@pytest.mark.parametrize(
    ("kind", "done", "state"), [("drop_before", None, "AVAILABLE"), ("drop_after", 204, "ACCEPTED")]
)
async def test_a_connection_can_drop_before_or_after_it_is_done(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, kind: FaultKind, done: int | None, state: str
) -> None:
    tgc.fault(Fault(kind, "/accept$"))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await api.do(current_path(world, pool, "/accept"))
    assert world.current(pool).state == state
    assert (tgc.calls[-1].done, tgc.calls[-1].status) == (done, None)
    assert len(tgc.accepts) == (1 if done else 0)


async def test_an_answer_can_break_off(api: Api, tgc: SimulatedTgc) -> None:
    tgc.fault(Fault("truncated", "/vmstorePool$"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await api.get(POOLS)
    assert (await api.get(POOLS)).status == 200


@pytest.mark.parametrize(("kind", "state"), [("hang_before", "AVAILABLE"), ("hang_after", "ACCEPTED")])
async def test_a_request_can_hang_until_released(
    api: Api, world: World, pool: Pool, tgc: SimulatedTgc, kind: FaultKind, state: str
) -> None:
    fault = tgc.fault(Fault(kind, "/accept$"))
    under_way = asyncio.create_task(api.do(current_path(world, pool, "/accept")))
    await fault.reached.wait()
    assert world.current(pool).state == state
    assert not under_way.done()
    fault.release()
    assert (await under_way).status == 204
    assert world.current(pool).state == "ACCEPTED"


async def test_stopping_does_not_wait_for_what_hangs(api: Api, world: World, pool: Pool, tgc: SimulatedTgc) -> None:
    fault = tgc.fault(Fault("hang_before", "/accept$"))
    under_way = asyncio.create_task(api.do(current_path(world, pool, "/accept")))
    await fault.reached.wait()
    started = time.monotonic()
    await tgc.stop()
    assert time.monotonic() - started < 1
    with pytest.raises(aiohttp.ClientError):
        await under_way
    assert world.current(pool).state == "AVAILABLE"


async def test_an_answer_can_be_late(api: Api, tgc: SimulatedTgc) -> None:
    tgc.fault(Fault("latency", "/info$", seconds=0.05))
    started = time.monotonic()
    assert (await api.get("/info")).status == 200
    assert time.monotonic() - started >= 0.05


async def test_all_answers_can_be_late(world: World) -> None:
    async with SimulatedTgc(world, latency_s=0.05).serve() as url, client(url) as api:
        started = time.monotonic()
        await api.get("/info")
        assert time.monotonic() - started >= 0.05


async def test_a_session_can_expire_at_any_request(api: Api, tgc: SimulatedTgc) -> None:
    tgc.fault(Fault("expired_session", "/vmstorePool$"))
    answer = await api.get(POOLS)
    assert (answer.status, answer.code) == (401, "ERR-API-0104")
    await api.log_in()
    assert (await api.get(POOLS)).status == 200


async def test_a_hook_acts_just_before_a_request_is_done(api: Api, world: World, pool: Pool, tgc: SimulatedTgc) -> None:
    async def somebody_else_accepts() -> None:
        world.accept_in_gui(pool)

    tgc.fault(Fault("hook_before", "/accept$", hook=somebody_else_accepts))
    answer = await api.do(current_path(world, pool, "/accept"))
    assert (answer.status, answer.code, tgc.accepts) == (400, "ERR-API-7107", [])


async def test_a_hook_acts_just_after_a_request_was_done(api: Api, world: World, pool: Pool, tgc: SimulatedTgc) -> None:
    async def moves_change() -> None:
        world.change_moves(pool)

    tgc.fault(Fault("hook_after", "/current$", hook=moves_change))
    path = in_pool(pool, "/recommendation/current")
    before, after = await api.get(path), await api.get(path)
    assert before.body["id"] == after.body["id"]
    assert before.body["actionGroups"] != after.body["actionGroups"]


def test_a_hook_fault_without_a_hook_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a hook"):
        Fault("hook_before")


# Down and up again.


async def test_it_comes_back_on_the_same_port_with_its_sessions(api: Api, tgc: SimulatedTgc) -> None:
    url = tgc.url
    await tgc.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await api.get("/info")
    await tgc.start()
    assert tgc.url == url
    assert (await api.get(POOLS)).status == 200


async def test_it_can_come_back_without_its_sessions(api: Api, tgc: SimulatedTgc) -> None:
    await tgc.stop()
    tgc.session_table.close_all()
    await tgc.start()
    assert (await api.get(POOLS)).code == "ERR-API-0104"


async def test_it_does_not_serve_twice(tgc: SimulatedTgc) -> None:
    async with tgc.serve():
        with pytest.raises(RuntimeError, match="already serving"):
            await tgc.start()


async def test_a_port_that_is_taken_is_an_error(world: World, tgc: SimulatedTgc) -> None:
    async with tgc.serve():
        port = int(tgc.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with SimulatedTgc(world).serve(port=port):
                pass


async def test_it_serves_https(world: World) -> None:
    authority = trustme.CA()
    served, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    tgc = SimulatedTgc(world)
    async with tgc.serve(ssl_context=served) as url, client(url) as api:
        assert url.startswith("https://127.0.0.1:")
        login = await api.send("POST", "/v310/session/login", json=credentials("bot", tgc.password), ssl=trusting)
        assert "Secure" in login.headers["Set-Cookie"]
        assert (await api.send("GET", POOLS, ssl=trusting)).status == 200
