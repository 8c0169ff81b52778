import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tgc.conftest import sample
from tgc.decipher import Answer, expect_body, expect_done, expect_role, flat
from tgc.errors import (
    TGCError,
    TGCForbiddenError,
    TGCLoginError,
    TGCNotFoundError,
    TGCResponseError,
    TGCSessionError,
    TGCStatusError,
    TGCUnavailableError,
    TGCWrongStateError,
)

WHERE = "GET /api/v310/x"
TYPE_ID = b'"typeId": "com.tintri.api.rest.v310.dto.domain.beans.TintriError"'


def answer(status: int, body: bytes = b"", *secrets: str) -> Answer:
    return Answer(where=WHERE, status=status, body=body, secrets=secrets)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ERR-API-7107", TGCWrongStateError),
        (400, None, TGCWrongStateError),
        (400, "ERR-API-8001", TGCNotFoundError),
        (401, "ERR-API-0104", TGCSessionError),
        (401, "ERR-API-1", TGCForbiddenError),
        (401, None, TGCForbiddenError),
        (403, None, TGCForbiddenError),
        (404, None, TGCNotFoundError),
        (500, "ERR-API-8001", TGCNotFoundError),
        (500, "ERR-API-7103", TGCStatusError),
        (500, None, TGCStatusError),
        (503, None, TGCUnavailableError),
        (418, None, TGCStatusError),
    ],
)
def test_status_and_code_decide_which_error_it_is(status: int, code: str | None, kind: type[TGCError]) -> None:
    body = b"<html>Apache</html>" if code is None else b'{"code": "%s"}' % code.encode()
    for expect in (expect_body, expect_done):
        with pytest.raises(TGCStatusError) as error:
            expect(answer(status, body))
        assert type(error.value) is kind
        assert (error.value.status, error.value.code) == (status, code)
        assert error.value.where == WHERE
        assert str(error.value).startswith(("The TGC ", "A service "))
        assert str(status) in str(error.value)
        assert "Apache" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (sample("error_wrong_state"), TGCWrongStateError),
        (b"{%s}" % TYPE_ID, TGCStatusError),
        (b'{"code": "ERR-API-8001", "message": "gone"}', TGCNotFoundError),
        (b'{"code": "ERR-API-1", "message": "\\ud800 \xff", "n": NaN}', TGCStatusError),
        (b'{"code": "ERR-API-1", "message": "x", "\\ud83d": 1}', TGCStatusError),
    ],
)
def test_an_error_inside_a_200_is_an_error(body: bytes, kind: type[TGCError]) -> None:
    for expect in (expect_body, expect_done):
        with pytest.raises(kind):
            expect(answer(200, body))


@pytest.mark.parametrize(
    "body",
    [
        sample("recommendation_available"),
        sample("pools_page"),
        sample("info"),
        b'{"typeId": "com.tintri.Something", "code": "x", "message": "y"}',
        b'{"code": "x"}',
        b'{"id": "x", "\\ud83d": 1}',
        b"[]",
        b"{" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_other_objects_inside_a_200_are_not_errors(body: bytes) -> None:
    assert expect_body(answer(200, body)) == body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"code": "C", "message": "M", "title": "T", "causeDetails": "D"}', "(500 C: M)"),
        (b'{"code": "C", "message": "", "title": "T", "causeDetails": "D"}', "(500 C: T)"),
        (b'{"code": null, "message": 5, "title": null, "causeDetails": "D"}', "(500: D)"),
        (b'{"code": "C"}', "(500 C)"),
        (b'{"code": 7, "message": ["x"]}', "(500)"),
        (b'{"message": "two\\nlines\\u0000 \\u202e \\ud800 end"}', "(500: two lines end)"),
        (b'{"message": "%s"}' % (b"x" * 500), "(500: " + "x" * 199 + "…)"),
        (b'{"code": "%s"}' % (b"C" * 500), "(500 " + "C" * 39 + "…)"),
        (b'{"message": "key hunter2 here"}', "(500: key *** here)"),
        (b'{"message": "{reason} {0} %s"}', "(500: {reason} {0} %s)"),
        (b'{"message": ' * 100_000, "(500)"),
        (b"", "(500)"),
        (b"null", "(500)"),
    ],
)
def test_tintris_words_are_told_on_one_short_line(body: bytes, reason: str) -> None:
    with pytest.raises(TGCStatusError) as error:
        expect_body(answer(500, body, "hunter2", ""))
    assert reason in str(error.value)


@pytest.mark.parametrize("status", [201, 202, 206, 302, 304])
def test_undocumented_statuses_are_told(status: int) -> None:
    for expect in (expect_body, expect_done):
        with pytest.raises(TGCResponseError, match=str(status)):
            expect(answer(status, b"{}"))


def test_the_documented_answers_to_writes_are_taken() -> None:
    for status, body in ((204, b""), (200, b""), (200, b"null")):
        expect_done(answer(status, body))


def test_the_role_is_the_logins_answer() -> None:
    assert expect_role(answer(200, b'"System Admin"'), "me") == "System Admin"


def test_a_refused_login_tells_neither_password_nor_line_breaks() -> None:
    with pytest.raises(TGCLoginError) as error:
        expect_role(answer(403, b'{"message": "no: hunter2"}', "hunter2"), "me\nagain")
    assert "login of me again (403: no: ***)" in str(error.value)


def test_an_answer_does_not_show_its_body_or_secrets() -> None:
    assert repr(answer(200, b"body", "hunter2")) == f"<Answer {WHERE} 200>"


@given(st.text(), st.integers(2, 300))
def test_flat_text_is_one_printable_line(text: str, limit: int) -> None:
    line = flat(text, limit)
    assert len(line) <= limit
    assert not line or line.isprintable()
    line.encode()


@given(st.integers(100, 999), st.binary() | st.from_regex(rb'\{"(code|message|typeId)": .*\}', fullmatch=True))
def test_no_answer_raises_anything_but_a_tgc_error(status: int, body: bytes) -> None:
    for expect in (expect_body, expect_done, lambda odd: expect_role(odd, "me")):
        told = ""
        try:
            expect(answer(status, body))
        except TGCError as error:
            told = str(error)
        assert not told or (told.isprintable() and len(told) < 500)
