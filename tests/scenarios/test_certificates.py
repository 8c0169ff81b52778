"""A TGC whose certificate is not trusted: whoever reads of it learns which setting mends it."""

from pathlib import Path

import pytest
import trustme

from playground.tgc import SimulatedTgc
from playground.world import World
from tests.bot.test_cli import CommandLine
from tests.scenarios.stage import Stage
from tests.tgc.test_tls import ELSEWHERE, EXPIRED, ISSUED, OTHER_CA, ca_file, fingerprint_of, server_context

pytestmark = pytest.mark.extended

__all__ = ["ca_file"]

STRANGE = OTHER_CA.issue_cert("127.0.0.1")


async def serve_with(stage: Stage, issued: trustme.LeafCert) -> None:
    """The same TGC, behind TLS from now on."""
    await stage.tgc.stop()
    stage.tgc._ssl_context = server_context(issued)
    await stage.tgc.start()
    stage.set(tgc_url=stage.tgc.url, reco_refresh_seconds=60)


@pytest.mark.parametrize(
    ("issued", "fix"),
    [
        (STRANGE, "with TGC_CA_FILE, or pin it with TGC_FINGERPRINT."),
        (ELSEWHERE, "give TGC_URL with a name that is in the certificate, or pin it with TGC_FINGERPRINT."),
        (EXPIRED, "renew it at the TGC, or pin it with TGC_FINGERPRINT."),
    ],
    ids=["another CA", "another name", "expired"],
)
async def test_the_command_line_says_so_in_one_line(
    issued: trustme.LeafCert, fix: str, ca_file: Path, tmp_path: Path
) -> None:
    tgc = SimulatedTgc(World.seeded(seed=1, pools=1, moves=1))
    async with tgc.serve(ssl_context=server_context(issued)):
        refused = await CommandLine(tmp_path, tgc)("reco", TGC_CA_FILE=str(ca_file))
        assert refused.code == 1
        assert refused.err.splitlines()[-1].endswith(fix)
        assert tgc.calls == []


async def test_the_command_line_takes_the_fix_and_warns_where_nothing_is_checked(tmp_path: Path) -> None:
    tgc = SimulatedTgc(World.seeded(seed=1, pools=1, moves=1))
    async with tgc.serve(ssl_context=server_context(STRANGE)):
        run = CommandLine(tmp_path, tgc)
        assert (await run("reco", TGC_FINGERPRINT=fingerprint_of(STRANGE))).code == 0
        unverified = await run("reco", TGC_VERIFY_TLS="false")
        assert unverified.code == 0
        assert "TGC_VERIFY_TLS=false lets anybody" in unverified.err


async def test_the_channel_and_whoever_asks_are_told(stage: Stage, ca_file: Path) -> None:
    stage.use_http()
    await serve_with(stage, STRANGE)
    stage.set(tgc_ca_file=ca_file)
    await stage.start_bot()
    await stage.slack.person("alice").command("/tintri reco")
    told = await stage.answer("alice", "is not trusted")
    assert told.text.endswith("with TGC_CA_FILE, or pin it with TGC_FINGERPRINT.")
    await stage.jump(seconds=60)
    await stage.jump(seconds=60)
    (notice,) = await stage.cards_posted(1)
    assert "with TGC_CA_FILE, or pin it with TGC_FINGERPRINT" in notice.text
    assert stage.tgc.calls == []

    stage.set(tgc_ca_file=None, tgc_fingerprint=fingerprint_of(STRANGE))
    await stage.restart_bot()
    await stage.cards_posted(5)  # it is back, and three cards
    assert [message.text for message in stage.cards if "is back" in message.text]


async def test_another_certificate_than_the_pinned_one_is_told_with_its_fingerprint(stage: Stage) -> None:
    stage.use_http()
    await serve_with(stage, ISSUED)
    stage.set(tgc_fingerprint=fingerprint_of(STRANGE))
    await stage.start_bot()
    await stage.slack.person("alice").command("/tintri reco")
    told = await stage.answer("alice", "which is not the pinned one; pin it with TGC_FINGERPRINT if you know")
    assert fingerprint_of(ISSUED).upper() in told.text.replace(":", "")
