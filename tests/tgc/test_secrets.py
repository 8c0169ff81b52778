"""No password, cookie or token is told: in no log, error or repr, at no level."""

import logging
import traceback
from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.tgc.conftest import PASSWORD, USERNAME, VM, Connect, LastWords, SmallTgc, raw_server, tintri_error
from tgc.client import connect
from tgc.errors import TGCError
from tgc.models import AffinityRule
from tgc.tls import TLSPolicy

COOKIE = "cookie/1+secret=="


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_silent(caplog: pytest.LogCaptureFixture, *errors: BaseException, cookie: str = COOKIE) -> None:
    told = [record.getMessage() + repr(record.args) for record in caplog.records]
    for error in errors:
        told += ["".join(traceback.format_exception(error)), *(f"{one!r} {one}" for one in chain(error))]
    for text in told:
        assert PASSWORD not in text
        assert cookie not in text


@pytest.fixture(autouse=True)
def all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


async def test_the_client_shows_where_and_as_whom_only(connected: Connect, tgc: SmallTgc) -> None:
    async with connected() as client:
        await client.login()
        assert repr(client) == f"<TGCClient {tgc.url} as {USERNAME}>"


async def test_a_refusal_that_echoes_the_password_does_not(
    connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = f"{PASSWORD} but wrong"
    async with connected(password=wrong) as client:
        with pytest.raises(TGCError, match=r"Wrong password \*\*\*") as error:
            await client.login()
    assert_silent(caplog, error.value)


async def test_an_error_that_echoes_the_cookie_does_not(
    connected: Connect, tgc: SmallTgc, caplog: pytest.LogCaptureFixture
) -> None:
    tgc.answer(f"GET /vm/{VM}", lambda: tintri_error(500, "E", f"session {COOKIE} of {VM}"))
    tgc.answer("GET /session/current", f"<html>{COOKIE}</html>")
    tgc.answer("POST /session/logout", lambda: tintri_error(500, "E", f"session {COOKIE} stays"))
    async with connected() as client:
        with pytest.raises(TGCError, match=r"session \*\*\* of") as first:
            await client.vm_name(VM)
        with pytest.raises(TGCError) as second:
            await client.session()
    assert any("*** stays" in record.getMessage() for record in caplog.records)
    assert_silent(caplog, first.value, second.value)


@pytest.mark.parametrize("verb", ["read", "write"])
@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"garbage\r\n\r\n",
        b"HTTP/1.1 banana\r\nSet-Cookie: JSESSIONID=new-cookie\r\n\r\n",
        LastWords(b"HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=new-cookie\r\n"),
        LastWords(b"HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=new-cookie\r\nContent-Length: 9\r\n\r\n12"),
        b"HTTP/1.1 302 Found\r\nLocation: /x;jsessionid=new-cookie\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_broken_answers_do_not(verb: str, answer: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    login = b'HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=old-cookie; Path=/\r\nContent-Length: 7\r\n\r\n"Admin"'
    async with (
        raw_server(lambda _: answer, login=login) as raw,
        connect(raw.url, USERNAME, PASSWORD, tls=TLSPolicy()) as client,
    ):
        with pytest.raises(TGCError) as error:
            await (client.vm_name(VM) if verb == "read" else client.set_affinity(VM, AffinityRule()))
    for cookie in ("old-cookie", "new-cookie"):
        assert_silent(caplog, error.value, cookie=cookie)


@pytest.mark.parametrize("cut", [None, LastWords(b"HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=cut-off\r\n")])
async def test_a_login_cut_off_does_not(cut: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        raw_server(lambda _: None, login=cut) as raw,
        connect(raw.url, USERNAME, PASSWORD, tls=TLSPolicy()) as client,
    ):
        with pytest.raises(TGCError) as error:
            await client.login()
    assert_silent(caplog, error.value, cookie="cut-off")


async def test_a_redirected_login_does_not(connected: Connect, tgc: SmallTgc, caplog: pytest.LogCaptureFixture) -> None:
    tgc.answer("POST /session/login", lambda: web.Response(status=307, headers={"Location": f"/?p={PASSWORD}"}))
    async with connected() as client:
        with pytest.raises(TGCError) as error:
            await client.login()
    assert tgc.logins == 1
    assert_silent(caplog, error.value)
