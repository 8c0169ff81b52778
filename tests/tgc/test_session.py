"""One shared session: when it opens, when it is opened again, and when it must not be."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from tests.tgc.conftest import PASSWORD, POOL, USERNAME, VM, Connect, SmallTgc, raw_server, sample, tintri_error
from tgc.client import TGCClient, connect
from tgc.errors import (
    TGCConnectionError,
    TGCError,
    TGCForbiddenError,
    TGCLoginError,
    TGCResponseError,
    TGCSessionError,
    TGCStatusError,
    TGCUnavailableError,
    TGCUnsupportedError,
)
from tgc.tls import TLSPolicy

ACCEPT = "POST /vmstorePool/P/recommendation/R/accept"


class RememberingGuard:
    def __init__(self, *, forbids: bool = False) -> None:
        self.forbids = forbids
        self.told: list[str] = []

    async def check(self) -> None:
        self.told.append("check")
        if self.forbids:
            raise TGCLoginError("Refused a moment ago; wait or change the password.", status=403)

    async def refused(self) -> None:
        self.told.append("refused")
        self.forbids = True

    async def accepted(self) -> None:
        self.told.append("accepted")


def expired() -> web.Response:
    return tintri_error(401, "ERR-API-0104", "Session has expired")


class TestOpening:
    async def test_parallel_first_calls_cause_one_login(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vm/{VM}", {"vmware": {"name": "vm"}})
        await asyncio.gather(*(client.vm_name(VM) for _ in range(40)))
        assert (tgc.logins, tgc.count(f"GET /vm/{VM}")) == (1, 40)
        assert [one.path for one in tgc.arrived].count("/api/info") == 1

    async def test_the_login_says_who_and_which_api(self, client: TGCClient, tgc: SmallTgc) -> None:
        await client.login()
        assert client.role == "Admin"
        assert tgc.arrived[1].path == "/api/v310/session/login"
        assert json.loads(tgc.arrived[1].body) == {
            "typeId": "com.tintri.api.rest.vcommon.dto.rbac.RestApiCredentials",
            "username": USERNAME,
            "password": PASSWORD,
            "fullApiVersion": "v310.191",
        }

    async def test_a_session_in_force_is_not_opened_again(self, client: TGCClient, tgc: SmallTgc) -> None:
        await client.login()
        await client.login()
        assert tgc.logins == 1

    async def test_the_cookie_goes_back_as_it_came_to_all_paths_of_a_bare_address(
        self, client: TGCClient, tgc: SmallTgc
    ) -> None:
        tgc.answer("GET /session/current", {})
        await client.session()
        assert tgc.arrived[-1].headers["Cookie"] == "JSESSIONID=cookie/1+secret=="

    @pytest.mark.parametrize("role", [b"null", b"5", b'{"name": "Admin"}'])
    async def test_a_role_that_is_no_text_is_unknown(self, client: TGCClient, tgc: SmallTgc, role: bytes) -> None:
        tgc.answer("POST /session/login", role)
        await client.login()
        assert client.role is None

    @pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>"])
    async def test_a_login_answered_by_a_web_page_is_an_error(
        self, client: TGCClient, tgc: SmallTgc, body: bytes
    ) -> None:
        tgc.answer("POST /session/login", body)
        with pytest.raises(TGCResponseError) as error:
            await client.login()
        assert error.value.where == "POST /api/v310/session/login"

    async def test_a_cancelled_caller_does_not_cut_off_the_login_of_the_others(
        self, client: TGCClient, tgc: SmallTgc
    ) -> None:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> web.Response:
            arrived.set()
            await go_on.wait()
            return web.json_response("Admin")

        tgc.answer("POST /session/login", slow)
        first = asyncio.create_task(client.login())
        await arrived.wait()
        second = asyncio.create_task(client.login())
        await asyncio.sleep(0)
        first.cancel()
        go_on.set()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first
        assert tgc.logins == 1


class TestUnsupported:
    @pytest.mark.parametrize(
        ("info", "words"),
        [
            ({"productName": "Tintri VMstore", "preferredVersion": "v310.191"}, "VMstore"),
            ({"preferredVersion": "v310.191"}, "VMstore"),
            ({"productName": 5, "preferredVersion": "v310.191"}, "VMstore"),
            ({"productName": "Tintri Global Center", "preferredVersion": "v310.50"}, "v310.50"),
            ({"productName": "Tintri Global Center", "preferredVersion": "v310.9"}, "v310.9,"),
            ({"productName": "Tintri Global Center", "preferredVersion": "v309.191"}, "v309.191"),
            ({"productName": "Tintri Global Center", "preferredVersion": "v311.60"}, "v311.60"),
            ({"productName": "Tintri Global Center", "preferredVersion": "newest"}, "unknown"),
            ({"productName": "Tintri Global Center"}, "unknown"),
        ],
    )
    async def test_it_is_refused_before_the_password_is_sent(
        self, client: TGCClient, tgc: SmallTgc, info: Any, words: str
    ) -> None:
        tgc.info = info
        with pytest.raises(TGCUnsupportedError, match=words):
            await client.pools()
        assert tgc.logins == 0

    @pytest.mark.parametrize("version", ["v310.51", "v310.100", "v310.51.2"])
    async def test_newer_versions_are_told_to_the_login(self, client: TGCClient, tgc: SmallTgc, version: str) -> None:
        tgc.info = {"productName": "Tintri Global Center", "preferredVersion": version}
        await client.login()
        assert version.encode() in tgc.arrived[1].body

    async def test_it_is_asked_once(self, client: TGCClient, tgc: SmallTgc) -> None:
        await client.login()
        await client.logout()
        await client.login()
        assert [one.path for one in tgc.arrived].count("/api/info") == 1


class TestExpiry:
    async def test_it_costs_one_login_and_one_repeat(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /session/current", {})
        await client.session()
        tgc.expire_sessions()
        await client.session()
        assert (tgc.logins, tgc.count("GET /session/current")) == (2, 3)

    async def test_all_who_notice_it_share_one_login(self, connected: Connect, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vm/{VM}", {"vmware": {"name": "vm"}})
        async with connected(concurrency=8) as client:
            await client.login()
            tgc.expire_sessions()
            names = await asyncio.gather(*(client.vm_name(VM) for _ in range(40)))
        assert names == ["vm"] * 40
        assert tgc.logins == 2
        assert tgc.count(f"GET /vm/{VM}") <= 48, "only those under way were repeated"

    async def test_the_expired_cookie_is_not_sent_with_the_login(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /session/current", {})
        await client.session()
        tgc.expire_sessions()
        await client.session()
        login = [one for one in tgc.arrived if one.path.endswith("/login")][1]
        assert "Cookie" not in login.headers

    async def test_a_write_is_repeated_once_because_it_was_not_executed(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(ACCEPT, None)
        await client.login()
        tgc.expire_sessions()
        await client.accept("P", "R")
        assert (tgc.logins, tgc.count(ACCEPT)) == (2, 2)

    @pytest.mark.parametrize("verb", ["read", "write"])
    async def test_a_second_one_is_told(self, client: TGCClient, tgc: SmallTgc, verb: str) -> None:
        tgc.answer("GET /session/current", expired)
        tgc.answer(ACCEPT, expired)
        with pytest.raises(TGCSessionError) as error:
            await (client.session() if verb == "read" else client.accept("P", "R"))
        assert error.value.code == "ERR-API-0104"
        assert tgc.logins == 2
        assert tgc.count("GET /session/current" if verb == "read" else ACCEPT) == 2

    async def test_a_tgc_that_takes_no_session_at_all_is_not_stormed(self, connected: Connect, tgc: SmallTgc) -> None:
        tgc.answer(f"GET /vm/{VM}", expired)
        async with connected(concurrency=4) as client:
            answers = await asyncio.gather(*(client.vm_name(VM) for _ in range(40)), return_exceptions=True)
        assert all(isinstance(answer, TGCSessionError) for answer in answers)
        assert tgc.logins == 2

    @pytest.mark.parametrize(
        "answer",
        [
            lambda: tintri_error(401, "ERR-API-0001"),
            lambda: web.Response(status=401, body=b"<html>"),
            lambda: tintri_error(403, "ERR-API-0104"),
            lambda: web.Response(status=403),
        ],
    )
    @pytest.mark.parametrize("verb", ["read", "write"])
    async def test_a_missing_privilege_is_told_without_a_new_login(
        self, client: TGCClient, tgc: SmallTgc, answer: Any, verb: str
    ) -> None:
        tgc.answer("GET /session/current", answer)
        tgc.answer(ACCEPT, answer)
        with pytest.raises(TGCForbiddenError, match="privilege"):
            await (client.session() if verb == "read" else client.accept("P", "R"))
        assert (tgc.logins, len(tgc.arrived)) == (1, 3)


class TestRefusedLogin:
    @pytest.mark.parametrize(
        "answer",
        [
            lambda: tintri_error(403, None, "Invalid credentials"),
            lambda: tintri_error(401, "ERR-API-0104", "Invalid credentials"),
            lambda: web.Response(status=401),
            lambda: tintri_error(200, "ERR-API-0001", "Invalid credentials"),
        ],
    )
    async def test_it_is_told_and_not_tried_again(self, client: TGCClient, tgc: SmallTgc, answer: Any) -> None:
        tgc.answer("POST /session/login", answer)
        with pytest.raises(TGCLoginError, match=rf"login of {USERNAME} .*accounts lock\.$"):
            await client.pools()
        assert tgc.logins == 1

    async def test_all_who_wait_for_it_share_the_refusal(self, connected: Connect, tgc: SmallTgc) -> None:
        async with connected(password="wrong", concurrency=4) as client:
            answers = await asyncio.gather(*(client.pool(POOL) for _ in range(40)), return_exceptions=True)
        assert all(isinstance(answer, TGCLoginError) for answer in answers)
        assert tgc.logins == 1

    async def test_all_who_wait_share_the_refusal_after_an_expiry(self, connected: Connect, tgc: SmallTgc) -> None:
        async with connected(concurrency=4) as client:
            await client.login()
            tgc.expire_sessions()
            tgc.answer("POST /session/login", lambda: tintri_error(403))
            assert await client.vm_names(str(number) for number in range(40)) == {}
        assert tgc.logins == 2

    async def test_without_a_guard_a_later_call_tries_again(self, connected: Connect, tgc: SmallTgc) -> None:
        async with connected(password="wrong") as client:
            for _ in range(2):
                with pytest.raises(TGCLoginError):
                    await client.pools()
        assert tgc.logins == 2

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (lambda: tintri_error(503), TGCUnavailableError),
            (lambda: tintri_error(500), TGCStatusError),
            (lambda: web.Response(status=302, headers={"Location": "/sso"}), TGCResponseError),
        ],
    )
    async def test_a_login_that_failed_otherwise_is_not_repeated_either(
        self, client: TGCClient, tgc: SmallTgc, answer: Any, error: type[TGCError]
    ) -> None:
        tgc.answer("POST /session/login", answer)
        with pytest.raises(error):
            await client.pools()
        assert tgc.logins == 1

    async def test_a_login_whose_answer_was_lost_is_not_repeated(self) -> None:
        async with (
            raw_server(lambda _: None, login=None) as raw,
            connect(raw.url, USERNAME, PASSWORD, tls=TLSPolicy()) as client,
        ):
            answers = await asyncio.gather(client.pools(), client.pools(), return_exceptions=True)
        assert [type(answer) for answer in answers] == [TGCConnectionError] * 2
        assert raw.requests.count("POST /session/login") == 1


class TestGuard:
    async def test_it_hears_of_an_accepted_login(self, connected: Connect) -> None:
        guard = RememberingGuard()
        async with connected(guard=guard) as client:
            await asyncio.gather(client.login(), client.login())
            await client.login()
        assert guard.told == ["check", "accepted"]

    async def test_it_hears_of_a_refused_login_and_forbids_the_next(self, connected: Connect, tgc: SmallTgc) -> None:
        guard = RememberingGuard()
        async with connected(password="wrong", guard=guard) as client:
            for _ in range(3):
                with pytest.raises(TGCLoginError):
                    await client.pools()
        assert guard.told == ["check", "refused", "check", "check"]
        assert tgc.logins == 1

    async def test_nothing_is_sent_when_it_forbids(self, connected: Connect, tgc: SmallTgc) -> None:
        async with connected(guard=RememberingGuard(forbids=True)) as client:
            with pytest.raises(TGCLoginError, match="a moment ago"):
                await client.pools()
        assert tgc.arrived == []

    async def test_it_hears_nothing_of_a_login_that_failed_otherwise(self, connected: Connect, tgc: SmallTgc) -> None:
        guard = RememberingGuard()
        tgc.answer("POST /session/login", lambda: tintri_error(500))
        async with connected(guard=guard) as client:
            with pytest.raises(TGCStatusError):
                await client.login()
        assert guard.told == ["check"]

    async def test_it_is_asked_again_after_an_expiry(self, connected: Connect, tgc: SmallTgc) -> None:
        guard = RememberingGuard()
        tgc.answer("GET /session/current", {})
        async with connected(guard=guard) as client:
            await client.session()
            tgc.expire_sessions()
            await client.session()
        assert guard.told == ["check", "accepted"] * 2


class TestLogout:
    async def test_leaving_logs_out(self, connected: Connect, tgc: SmallTgc) -> None:
        async with connected() as client:
            await client.login()
        assert (tgc.logouts, tgc.sessions) == (1, set())
        assert tgc.arrived[-1].body == b"null"

    async def test_nobody_logs_in_to_log_out(self, connected: Connect, tgc: SmallTgc) -> None:
        async with connected() as client:
            await client.info()
            await client.logout()
        assert (tgc.logins, tgc.logouts) == (0, 0)

    async def test_leaving_by_an_error_logs_out(self, connected: Connect, tgc: SmallTgc) -> None:
        async def fail() -> None:
            async with connected() as client:
                await client.login()
                raise KeyError

        with pytest.raises(KeyError):
            await fail()
        assert tgc.logouts == 1

    async def test_being_cancelled_logs_out(self, connected: Connect, tgc: SmallTgc) -> None:
        inside = asyncio.Event()

        async def use() -> None:
            async with connected() as client:
                await client.login()
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(use())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tgc.logouts == 1

    async def test_a_login_under_way_is_awaited_and_logged_out(self, connected: Connect, tgc: SmallTgc) -> None:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> web.Response:
            arrived.set()
            await go_on.wait()
            tgc.sessions.add("late")
            return web.json_response("Admin", headers={"Set-Cookie": "JSESSIONID=late; Path=/"})

        tgc.answer("POST /session/login", slow)
        async with connected() as client:
            login = asyncio.create_task(client.login())
            await arrived.wait()
            login.cancel()
            go_on.set()
        assert tgc.sessions == set()

    async def test_a_call_that_comes_late_opens_no_session_that_nobody_ends(
        self, connected: Connect, tgc: SmallTgc
    ) -> None:
        async with connected() as client:
            await client.login()
        with pytest.raises(TGCConnectionError, match="closed"):
            await client.pools()
        assert (tgc.logins, tgc.sessions) == (1, set())

    @pytest.mark.parametrize("answer", [expired, lambda: tintri_error(500), lambda: web.Response(body=b"<html>")])
    async def test_a_logout_that_fails_is_not_raised(self, connected: Connect, tgc: SmallTgc, answer: Any) -> None:
        tgc.answer("POST /session/logout", answer)
        async with connected() as client:
            await client.login()
        assert (tgc.logins, tgc.logouts) == (1, 1)

    async def test_a_logout_that_hangs_is_left_alone(
        self, connected: Connect, tgc: SmallTgc, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        never = asyncio.Event()

        async def hang() -> web.Response:
            await never.wait()
            return web.Response(status=204)

        monkeypatch.setattr("tgc.client.LOGOUT_TIMEOUT_S", 0.05)
        tgc.answer("POST /session/logout", hang)
        async with connected() as client:
            await client.login()
        never.set()
        assert tgc.logouts == 1

    async def test_after_a_logout_the_next_call_logs_in_again(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer("GET /vmstorePool?limit=200", sample("recommendation_not_needed"))
        await client.login()
        await client.logout()
        await client.logout()
        await client.pools()
        assert (tgc.logins, tgc.logouts) == (2, 1)
