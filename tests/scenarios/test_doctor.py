"""What the doctor finds between the two far ends, and that it disturbs neither them nor a running bot."""

import asyncio
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.config_file import Config, PoolConfig
from bot.doctor import tgc_checks
from bot.pool_rules import Approvers, SecondApprover
from bot.print_doctor import examine
from bot.rendering import ids
from bot.rendering.views import Finding, Mark
from bot.routes import Route
from bot.settings import Secret
from playground.tgc_faults import Fault
from tests.scenarios.records import outcomes
from tests.scenarios.stage import PASSWORD, Stage, free_port
from tests.scenarios.test_certificates import STRANGE, ca_file, serve_with
from tests.tgc.test_tls import ISSUED, fingerprint_of

pytestmark = pytest.mark.extended

__all__ = ["ca_file"]

OF_THE_TGC = ("TGC", "certificate", "clock", "version", "login", "role", "pools", "time zone")
OF_SLACK = ("Slack", "bot token", "scopes", "channel", "approvers", "app token")


async def findings(stage: Stage) -> list[Finding]:
    """As `tintri-bot doctor` has them, by the stage's clock."""
    return await examine(stage.settings, stage.clock)


def by_mark(found: list[Finding], mark: Mark) -> list[str]:
    return [finding.name for finding in found if finding.mark is mark]


def of(found: list[Finding], name: str) -> Finding:
    """The one line of that name."""
    (finding,) = [finding for finding in found if finding.name == name]
    return finding


async def test_beside_a_running_bot_all_is_well_and_nothing_is_disturbed(stage: Stage) -> None:
    await serve_with(stage, ISSUED)
    stage.set(tgc_fingerprint=fingerprint_of(ISSUED))
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.settle()
    shown, sockets = [message.text for message in stage.cards], list(stage.slack.sockets.connections)
    writes = [call for call in stage.slack.calls if call.method.startswith(("chat.", "views."))]

    found = await findings(stage)
    assert {finding.name: finding.mark for finding in found} == dict.fromkeys(
        (*OF_THE_TGC, "database", "schedule", *OF_SLACK, "mail"), Mark.OK
    )
    assert of(found, "certificate").sentence == (
        f"It is the one pinned by TGC_FINGERPRINT. SHA-256 {fingerprint_of(ISSUED)}."
    )
    assert of(found, "pools").sentence == "3 pools: Production, Test, VDI."
    assert stage.tgc.sessions == 1  # the bot's own
    assert {call.method for call in stage.tgc.calls if "session" not in call.path} == {"GET"}
    assert [message.text for message in stage.cards] == shown
    assert list(stage.slack.sockets.connections) == sockets
    assert [call for call in stage.slack.calls if call.method.startswith(("chat.", "views."))] == writes


async def test_where_nothing_answers_each_line_says_so_or_that_it_was_not_checked(stage: Stage) -> None:
    (stage.folder / "bot.db").unlink()
    await stage.tgc.stop()
    await stage.slack.stop()
    stage.set(smtp_url=Secret(f"smtp://127.0.0.1:{free_port()}"))
    found = await findings(stage)
    assert [(finding.name, finding.mark) for finding in found] == [
        ("TGC", Mark.ERROR),
        *((name, Mark.WARNING) for name in OF_THE_TGC[1:]),
        ("database", Mark.WARNING),
        ("schedule", Mark.OK),
        ("Slack", Mark.ERROR),
        *((name, Mark.WARNING) for name in OF_SLACK[1:]),
        ("mail", Mark.ERROR),
    ]
    assert "There is no connection to 127.0.0.1" in of(found, "TGC").sentence
    assert of(found, "Slack").sentence == f"Slack gives no answer at {stage.settings.slack_api_url}."
    assert of(found, "mail").sentence == "The mail server cannot be reached: check SMTP_URL, and that it runs."
    for name in (*OF_THE_TGC[1:], *OF_SLACK[1:5]):
        assert of(found, name).sentence.startswith("Not checked, as ")
    assert list(stage.folder.iterdir()) == []


class TestTheTgc:
    async def test_a_certificate_of_another_ca_is_shown_with_its_fingerprint_and_nothing_is_sent(
        self, stage: Stage, ca_file: Path
    ) -> None:
        await serve_with(stage, STRANGE)
        stage.set(tgc_ca_file=ca_file)
        found = await findings(stage)
        certificate = of(found, "certificate")
        assert certificate.mark is Mark.ERROR
        assert certificate.sentence.endswith(f"SHA-256 {fingerprint_of(STRANGE)}.")
        assert "Compare that with the TGC's own page, then set TGC_FINGERPRINT" in certificate.fix
        assert by_mark(found, Mark.ERROR) == ["certificate"]
        assert of(found, "login").sentence == "Not checked, as “certificate” above is not settled."
        assert stage.tgc.calls == []

    async def test_one_that_nobody_checks_is_to_look_at(self, stage: Stage) -> None:
        await serve_with(stage, STRANGE)
        stage.set(tgc_verify_tls=False)
        certificate = of(await findings(stage), "certificate")
        assert certificate.mark is Mark.WARNING
        assert fingerprint_of(STRANGE) in certificate.sentence

    async def test_a_wrong_password_is_tried_once_where_there_is_a_database(self, stage: Stage) -> None:
        await stage.start_bot()
        await stage.cards_posted(3)
        await stage.stop_bot()
        stage.set(tgc_password=Secret("a-wrong-one"))
        for said in ("refused the login of bot", "none is tried for 15 minutes", "none is tried for 15 minutes"):
            found = await findings(stage)
            assert by_mark(found, Mark.ERROR) == ["login"]
            assert said in of(found, "login").sentence
            assert "a-wrong-one" not in str(found)
        assert of(found, "pools").sentence == "Not checked, as “login” above is not settled."
        assert stage.tgc.refused_logins == 1

    async def test_none_is_tried_where_it_could_not_be_remembered(self, stage: Stage) -> None:
        (stage.folder / "bot.db").write_text("This is no database.\n" * 100)
        found = await findings(stage)
        assert by_mark(found, Mark.ERROR) == ["database"]
        assert "accounts lock" in of(found, "login").sentence
        assert stage.tgc.logins == 0

    async def test_clocks_and_zones_that_differ_are_to_look_at(self, stage: Stage) -> None:
        stage.clock.set_ahead(minutes=-5)
        stage.set(reco_timezone=ZoneInfo("Europe/Berlin"))
        found = await findings(stage)
        assert of(found, "clock").sentence == "The TGC's clock is 5 minutes ahead of this machine's."
        zone = of(found, "time zone")
        assert "The TGC's offset is +0000, and that of RECO_TIMEZONE (Europe/Berlin) +0100" in zone.sentence
        assert {"clock", "time zone"} <= set(by_mark(found, Mark.WARNING))
        stage.world.zone = timezone(timedelta(hours=1))
        assert of(await findings(stage), "time zone").mark is Mark.OK

    async def test_roles_products_and_pools_are_told(self, stage: Stage) -> None:
        for role, mark in (("Read Only", Mark.WARNING), ("Night shift", Mark.WARNING), ("System Admin", Mark.OK)):
            stage.tgc.role = role
            told = of(await findings(stage), "role")
            assert (told.mark, role in told.sentence) == (mark, True)
        stage.set(config=Config(file="tintri-bot.toml", pools=(("Prodction", PoolConfig()), ("V*", PoolConfig()))))
        rules = of(await findings(stage), "pool rules")
        assert (rules.mark, "Prodction" in rules.sentence, "V*" in rules.sentence) == (Mark.WARNING, True, False)
        stage.world.pools.clear()
        assert of(await findings(stage), "pools").mark is Mark.WARNING
        stage.tgc.product_name = "Tintri VMstore"
        found = await findings(stage)
        assert by_mark(found, Mark.ERROR) == ["version"]
        assert "not a Tintri Global Center but a VMstore" in of(found, "version").sentence

    async def test_one_that_never_answers_is_not_waited_for(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tgc_checks, "_REACHED_WITHIN_S", 0.2)
        stage.tgc.fault(Fault("hang_before", "/info", times=None))
        found = await findings(stage)
        assert by_mark(found, Mark.ERROR) == ["TGC"]
        assert "gave no answer within" in of(found, "TGC").sentence


class TestSlack:
    async def test_tokens_that_it_refuses_are_told_apart(self, stage: Stage) -> None:
        stage.slack.tokens[stage.slack.bot_token].error = "token_revoked"
        stage.slack.tokens[stage.slack.app_token].scopes.clear()
        found = await findings(stage)
        assert by_mark(found, Mark.ERROR) == ["bot token", "app token"]
        assert of(found, "bot token").sentence == "Slack refuses SLACK_BOT_TOKEN (token_revoked)."
        assert "SLACK_APP_TOKEN (missing_scope)" in of(found, "app token").sentence
        assert of(found, "approvers").sentence.startswith("Not checked")

    async def test_a_scope_that_is_missing_is_named_with_what_it_is_for(self, stage: Stage) -> None:
        for scope in ("chat:write", "channels:history", "usergroups:read"):
            stage.slack.scopes.discard(scope)
        found = await findings(stage)
        scopes = {finding.sentence: finding.mark for finding in found if finding.name == "scopes"}
        assert scopes == {
            "chat:write is missing; it is for posting cards.": Mark.ERROR,
            "channels:history is missing; it is for finding posts whose answer was lost, in a public channel.": (
                Mark.WARNING
            ),
            "usergroups:read is missing; it is for approvers by user group.": Mark.WARNING,
        }
        channel = of(found, "channel")
        assert (channel.mark, "cannot be told without the scope channels:history" in channel.sentence) == (
            Mark.WARNING,
            True,
        )

    @pytest.mark.parametrize(
        ("channel", "said"),
        [("general", "The bot is not in the channel"), ("secret", "Slack shows the bot no channel")],
    )
    async def test_a_channel_without_the_bot_is_told_with_the_way_in(
        self, stage: Stage, channel: str, said: str
    ) -> None:
        stage.set(reco_channel=stage.slack.channel(channel).id)
        found = of(await findings(stage), "channel")
        assert found.mark is Mark.ERROR
        assert found.sentence.startswith(said)
        assert "/invite @tintri" in found.fix

    async def test_what_a_route_names_and_is_not_there_is_told(self, stage: Stage) -> None:
        general = stage.slack.channel("general").id
        lost = Route(channels=(general,), pools=("Prodution",), mentions=("S0STORAGE", "U0NOBODY0", "here"))
        stage.set(config=Config(file="tintri-bot.toml", routes=(Route(channels=(general,), pools=("Test",)), lost)))
        found = await findings(stage)
        assert of(found, "routes").sentence == "No pool is routed by number 2 of the sections [[routes]]."
        main, routed = (finding for finding in found if finding.name == "channel")
        assert main.mark is Mark.OK
        assert (routed.mark, routed.sentence) == (Mark.ERROR, f"The bot is not in the channel {general}.")
        assert routed.fix == "Type /invite @tintri in it, or correct the route to it in tintri-bot.toml."
        assert [(finding.mark, finding.sentence) for finding in found if finding.name == "mentions"] == [
            (Mark.OK, "S0STORAGE can be mentioned."),
            (Mark.WARNING, "Slack knows no U0NOBODY0 here (user_not_found)."),
        ]

    async def test_approvers_who_do_not_exist_or_cannot_act_are_named(self, stage: Stage) -> None:
        dave, gina = (stage.slack.person(name).user.id for name in ("dave", "gina"))
        stage.slack.workspace.groups["S0STORAGE"].users.clear()
        stage.set(
            reco_approvers=Approvers(
                user_ids=frozenset({"U0ALICE00", "U0NOBODY0", dave, gina}), group_ids=frozenset({"S0STORAGE", "S0NONE"})
            ),
            config=Config(
                file="tintri-bot.toml",
                pools=(
                    ("Production", PoolConfig(second_approver=SecondApprover(always=True))),
                    ("Test", PoolConfig(approvers=Approvers(user_ids=frozenset({dave})))),
                    ("VDI", PoolConfig(approvers=Approvers())),
                ),
            ),
        )
        told = [(finding.mark, finding.sentence) for finding in await findings(stage) if finding.name == "approvers"]
        assert told[0] == (Mark.OK, "RECO_APPROVERS names 1 person who can act.")
        assert told[1] == (Mark.ERROR, "Two people must accept, and RECO_APPROVERS names only one who can.")
        assert (told[2][0], 'none of those that approvers of [pools."Test"]' in told[2][1]) == (Mark.ERROR, True)
        assert (told[3][0], "is empty: nobody may act" in told[3][1]) == (Mark.WARNING, True)
        assert {mark for mark, _ in told[4:]} == {Mark.WARNING}
        for said, (_, sentence) in zip(
            (
                "Dave (U0DAVE000) is no active full member",
                "Gina (U0GINA000) is no active full member",
                "Slack knows no U0NOBODY0 here",
                "Slack knows no S0NONE here",
                "The user group S0STORAGE has no members",
            ),
            told[4:],
            strict=True,
        ):
            assert sentence.startswith(said)

    async def test_whom_nobody_can_check_nobody_can_count_on(self, stage: Stage) -> None:
        stage.slack.scopes.discard("users:read")
        found = of(await findings(stage), "approvers")
        assert (found.mark, "whom the bot can check" in found.sentence) == (Mark.ERROR, True)

    async def test_what_it_does_not_say_is_not_known(self, stage: Stage) -> None:
        stage.slack.faults.fail("users.info", "internal_error", times=None)
        stage.slack.faults.fail("conversations.history", retry_after_s=30, times=None)
        found = await findings(stage)
        assert by_mark(found, Mark.ERROR) == []
        assert {"channel", "approvers"} <= set(by_mark(found, Mark.WARNING))


class TestAskedInSlack:
    async def test_approvers_are_shown_how_the_running_bot_is_and_many_at_once_the_same(self, stage: Stage) -> None:
        stage.use_http()
        await stage.start_bot()
        await stage.cards_posted(3)
        await stage.settle()
        looks = len(stage.slack.calls_of("conversations.history"))
        await asyncio.gather(*(stage.slack.person(who).command("/tintri doctor") for who in ("alice", "bob", "alice")))
        await stage.until(lambda: len(stage.slack.ephemerals("alice")) == 2)
        answer = await stage.answer("bob", "1 to look at. certificate: There is none: TGC_URL is http")
        assert "Slack's requests come in: this was one." in str(answer.blocks)
        assert len(stage.slack.calls_of("conversations.history")) == looks + 1
        assert stage.tgc.logins == stage.tgc.sessions == 1
        assert PASSWORD not in str(answer.blocks)

        stage.slack.channel("storage").members.discard("U0TINTRIB")
        await stage.live(seconds=6)
        await stage.slack.person("alice").command("/tintri doctor")
        await stage.answer("alice", "1 failed, 1 to look at. channel: The bot is not in the channel C0STORAGE.")

    async def test_nobody_else_is(self, stage: Stage) -> None:
        await stage.start_bot()
        await stage.cards_posted(3)
        for who, said in (("carol", "not an approver"), ("gina", "a guest")):
            await stage.slack.person(who).command("/tintri doctor")
            answer = await stage.answer(who, said)
            assert "check" not in answer.text


async def ended(stage: Stage, looking: asyncio.Task[list[Finding]]) -> list[Finding]:
    await stage.until(looking.done)
    return looking.result()


class TestAClick:
    @pytest.mark.parametrize("way", ["Socket Mode", "HTTP"])
    async def test_the_running_bot_hears_it_and_the_command_line_sees_that(self, stage: Stage, way: str) -> None:
        if way == "HTTP":
            stage.use_http()
        await stage.start_bot()
        await stage.cards_posted(3)
        sockets = list(stage.slack.sockets.connections)
        waiting = asyncio.create_task(examine(stage.settings, stage.clock, click="U0CAROL00"))
        (posted,) = await stage.until(lambda: stage.slack.direct("carol"))
        pressed = await stage.slack.person("carol").click(posted, ids.DOCTOR_CLICK)
        await stage.answer("carol", "Heard: your press reached the bot.")
        found = of(await ended(stage, waiting), "click")
        assert (found.mark, found.sentence) == (Mark.OK, "The bot heard carol press the button.")
        assert list(stage.slack.sockets.connections) == sockets

        await stage.slack.redeliver(pressed)
        await stage.slack.person("carol").click(posted, ids.DOCTOR_CLICK)
        forged = {**pressed.payload["actions"][0], "value": "made-up"}
        await stage.slack.forge(pressed, actions=[forged])
        await stage.answer("carol", "this button is none of the doctor's")
        await stage.settle()
        assert outcomes(stage) == [("carol", "doctor", "done")]

    async def test_a_press_that_does_not_come_is_not_known(self, stage: Stage) -> None:
        await stage.start_bot()
        await stage.cards_posted(3)
        waiting = asyncio.create_task(examine(stage.settings, stage.clock, click="U0CAROL00"))
        found = of(await ended(stage, waiting), "click")
        assert found.mark is Mark.WARNING
        assert found.sentence == "The bot heard no press of U0CAROL00 within 60 s."

    async def test_without_a_database_nothing_is_posted_and_who_cannot_be_written_to_is_told(
        self, stage: Stage
    ) -> None:
        (stage.folder / "bot.db").unlink()
        found = of(await examine(stage.settings, stage.clock, click="U0CAROL00"), "click")
        assert found.sentence.startswith("Not checked, as a running bot writes presses down in its database")
        assert stage.slack.calls_of("chat.postMessage") == []
        await stage.start_bot()
        found = of(await examine(stage.settings, stage.clock, click="U0DAVE000"), "click")
        assert (found.mark, "channel_not_found" in found.sentence) == (Mark.ERROR, True)
