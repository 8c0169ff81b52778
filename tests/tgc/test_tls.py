import hashlib
import logging
import ssl
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import stamina
import stamina.instrumentation
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.tgc.conftest import PASSWORD, USERNAME, VM, SmallTgc, serving
from tgc.client import connect
from tgc.errors import TGCCertificateError, TGCConnectionError
from tgc.models import AffinityRule
from tgc.tls import SettingNames, TLSPolicy

CA = trustme.CA()
OTHER_CA = trustme.CA()
ISSUED = CA.issue_cert("127.0.0.1")
ELSEWHERE = CA.issue_cert("tgc.example.com")


def server_context(issued: trustme.LeafCert) -> ssl.SSLContext:
    """TLS 1.2 and nothing newer, as a TGC of 5.6 speaks it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    issued.configure_cert(context)
    return context


def fingerprint_of(issued: trustme.LeafCert) -> str:
    pem = issued.cert_chain_pems[0].bytes().decode()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return path


def with_colons(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()


async def visit(tgc: SmallTgc, tls: TLSPolicy) -> None:
    """Log in, read and write, as a read may reuse a connection and a write never does."""
    tgc.answer(f"GET /vm/{VM}", {"vmware": {"name": "vm"}})
    tgc.answer(f"PUT /vm/{VM}/affinity", None)
    async with connect(tgc.url, USERNAME, PASSWORD, tls=tls) as client:
        assert await client.vm_name(VM) == "vm"
        await client.set_affinity(VM, AffinityRule())


async def test_a_tgc_of_the_given_ca_is_trusted_at_its_bare_address(ca_file: Path) -> None:
    async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
        await visit(tgc, TLSPolicy(ca_file=ca_file))
        assert tgc.sessions == set()


@pytest.mark.parametrize("written", [str, str.upper, with_colons, "  {}\n".format])
async def test_a_pinned_certificate_is_trusted_by_itself(written: Callable[[str], str]) -> None:
    """Its CA is unknown and it is for another name."""
    async with serving(SmallTgc(), server_context(ELSEWHERE)) as tgc:
        await visit(tgc, TLSPolicy(fingerprint=written(fingerprint_of(ELSEWHERE))))


async def test_a_self_signed_certificate_serves_as_its_own_ca_file(tmp_path: Path) -> None:
    certificate, key = tmp_path / "own.pem", tmp_path / "key.pem"
    write_self_signed(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with serving(SmallTgc(), context) as tgc:
        await visit(tgc, TLSPolicy(ca_file=certificate))


async def test_an_issued_certificate_serves_as_ca_file_without_its_ca(tmp_path: Path) -> None:
    path = tmp_path / "leaf.pem"
    ISSUED.cert_chain_pems[0].write_to_path(str(path))
    async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
        await visit(tgc, TLSPolicy(ca_file=path))


async def test_an_unknown_certificate_is_refused_with_the_fix() -> None:
    async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
        with pytest.raises(TGCCertificateError, match=r"of the CA that signed it with the CA file, or pin it"):
            await visit(tgc, TLSPolicy())
        assert tgc.arrived == []


EXPIRED = CA.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
NAMES = SettingNames(url="MY_URL", ca_file="MY_CA", fingerprint="MY_PIN")
PIN = r"or pin it with MY_PIN\.$"


@pytest.mark.parametrize(
    ("issued", "fix"),
    [
        (OTHER_CA.issue_cert("127.0.0.1"), rf"signed it with MY_CA, {PIN}"),
        (ELSEWHERE, rf"mismatch.*; give MY_URL with a name that is in the certificate, {PIN}"),
        (EXPIRED, rf"expired.*; renew it at the TGC, {PIN}"),
    ],
    ids=["another CA", "another name", "expired"],
)
async def test_the_sentence_names_the_setting_that_mends_it(issued: trustme.LeafCert, fix: str, ca_file: Path) -> None:
    async with serving(SmallTgc(), server_context(issued)) as tgc:
        with pytest.raises(TGCCertificateError, match=fix):
            await visit(tgc, TLSPolicy(ca_file=ca_file, names=NAMES))
        assert tgc.arrived == []
        await visit(tgc, TLSPolicy(fingerprint=fingerprint_of(issued)))  # and it does mend it


async def test_a_wrong_pin_names_its_setting() -> None:
    async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
        with pytest.raises(TGCCertificateError, match=r"pin it with MY_PIN if you know"):
            await visit(tgc, TLSPolicy(fingerprint="00" * 32, names=NAMES))


async def test_tls_older_than_1_2_is_not_spoken(ca_file: Path) -> None:
    context = server_context(ISSUED)
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # else OpenSSL itself would not let this server speak it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(SmallTgc(), context) as tgc:
        for policy in (
            TLSPolicy(ca_file=ca_file),
            TLSPolicy(fingerprint=fingerprint_of(ISSUED)),
            TLSPolicy(verify=False),
        ):
            with pytest.raises(TGCConnectionError, match="no connection"):
                await visit(tgc, policy)
        assert tgc.arrived == []


async def test_a_certificate_that_is_refused_is_not_tried_again() -> None:
    tries: list[stamina.instrumentation.RetryDetails] = []

    def note(details: stamina.instrumentation.RetryDetails) -> None:
        tries.append(details)

    stamina.instrumentation.set_on_retry_hooks([note])
    try:
        async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
            with pytest.raises(TGCCertificateError):
                await visit(tgc, TLSPolicy())
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert tries == []


async def test_a_certificate_of_another_ca_is_refused(ca_file: Path) -> None:
    async with serving(SmallTgc(), server_context(OTHER_CA.issue_cert("127.0.0.1"))) as tgc:
        with pytest.raises(TGCCertificateError, match=r"127\.0\.0\.1:\d+ is not trusted"):
            await visit(tgc, TLSPolicy(ca_file=ca_file))


async def test_a_certificate_for_another_name_is_refused(ca_file: Path) -> None:
    async with serving(SmallTgc(), server_context(ELSEWHERE)) as tgc:
        with pytest.raises(TGCCertificateError, match="mismatch"):
            await visit(tgc, TLSPolicy(ca_file=ca_file))


async def test_another_certificate_than_the_pinned_one_is_shown_and_refused() -> None:
    async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
        with pytest.raises(TGCCertificateError) as error:
            await visit(tgc, TLSPolicy(fingerprint="00" * 32))
        assert with_colons(fingerprint_of(ISSUED)) in str(error.value)
        assert tgc.arrived == []


async def test_a_pin_holds_even_where_verification_is_off() -> None:
    async with serving(SmallTgc(), server_context(ISSUED)) as tgc:
        with pytest.raises(TGCCertificateError):
            await visit(tgc, TLSPolicy(verify=False, fingerprint="00" * 32))


async def test_no_verification_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(SmallTgc(), server_context(ELSEWHERE)) as tgc:
        await visit(tgc, TLSPolicy(verify=False))
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in warnings] == ["tgc"]
    assert "not verified" in warnings[0].getMessage()


async def test_a_server_without_tls_is_told() -> None:
    async with serving(SmallTgc()) as tgc:
        tgc.url = tgc.url.replace("http:", "https:")
        with pytest.raises(TGCConnectionError, match=r"no connection to .* check its URL") as error:
            await visit(tgc, TLSPolicy())
        assert not isinstance(error.value, TGCCertificateError)


@pytest.mark.parametrize("fingerprint", ["", "abc", "00" * 31, "00" * 33, "zz" * 32, "00" * 20])
def test_a_malformed_fingerprint_is_refused_in_one_sentence(fingerprint: str) -> None:
    with pytest.raises(ValueError, match=r"^The fingerprint .* 64 hex digits, with or without colons\.$"):
        TLSPolicy(fingerprint=fingerprint)


def test_an_unusable_ca_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path, words in ((tmp_path / "missing.pem", "cannot be read"), (tmp_path, ""), (text, "PEM"), (empty, "PEM")):
        with pytest.raises(ValueError, match=rf"^The CA file .*{words}.*\.$"):
            TLSPolicy(ca_file=path)


def write_self_signed(certificate: Path, key: Path) -> None:
    """Like an appliance's: no CA, and none of the extensions that a CA would set."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tgc")])
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
