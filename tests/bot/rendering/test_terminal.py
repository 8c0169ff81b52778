"""Tables, questions and moves on a terminal of 80 columns."""

from datetime import timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from rich.console import Console

from bot.rendering.live import bars, changes, ended
from bot.rendering.phrase import Person, mrkdwn, plain, rich_text
from bot.rendering.terminal import accept_question, nothing_to_accept, report_tables
from bot.rendering.views import Act, Action, PoolAnswer, Progress, Report, Standing
from bot.screen import Screen
from tests.bot.rendering.samples import AT, pool, text, view

ZONE = ZoneInfo("America/Los_Angeles")
ALICE = Act(action=Action.ACCEPT, user_id="cli:alice@storage01", at=AT - timedelta(minutes=1))

TABLES = """\
tgc.example.com, read 2026-03-10 07:12 PDT
1 of 2 pools has a recommendation, 1 could not be read

Production: 4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)
  ! 1 VM would lose replication: erp-db-01
  VMstore    Issues
  ──────────────────────────────────────────────────
  vmstore01  space 94 % used, growing 412 GiB a week
             above 80 % load for 12.5 % of the week
  vmstore02  flash hits 91.2 %, goal 95 %

  Wave  VM         From       To         Solves
  ──────────────────────────────────────────────────
  1     erp-db-01  vmstore01  vmstore02  space, load
  1     erp-db-02  vmstore01  vmstore03  space
  2     erp-db-03  vmstore01  vmstore02  space
  2     erp-db-04  vmstore01  vmstore03  space, load

  VMstore    Expected
  ─────────────────────────────────────────────────────────────────────
  vmstore01  2,210 GiB freed, risk of filling up ▇▇▇▇▁ 83 % → ▇▁▁▁▁ 2 %
             load ▇▁▁▁▁ 12.5 % → ▇▁▁▁▁ 3.1 % of the week
  vmstore02  flash hits ▇▇▇▇▁ 91.2 % → ▇▇▇▇▁ 97.4 %

  Made 2026-03-10 06:00, expires 2026-03-10 18:00

Test: The TGC failed: try again."""


def printed(*parts: object) -> str:
    console = Console(file=StringIO(), width=80)
    console.print(*parts, sep="\n")
    assert isinstance(console.file, StringIO)
    return "\n".join(map(str.rstrip, console.file.getvalue().splitlines()))


def test_a_report_is_readable_at_80_columns() -> None:
    unread = PoolAnswer(pool_name="Test", problem="The TGC failed: try again.")
    report = Report(tgc_name="tgc.example.com", read_at=AT, pools=(unread, pool("Production", Standing.OFFERED)))
    assert printed(*report_tables(report, zone=ZONE)) == TABLES


def test_what_runs_is_told_with_its_bar_and_how_far_each_move_is() -> None:
    running = PoolAnswer(pool_name="Production", view=view("running", Standing.RUNNING))
    report = Report(tgc_name="tgc.example.com", read_at=AT, pools=(running,))
    told = printed(*report_tables(report, zone=ZONE))
    assert "▇▇▇▇▁▁▁▁▁▁ 1 of 4 VMs moved" in told
    assert "moving 42 %: Moving a virtual machine" in told


def test_the_question_names_what_will_move_and_what_will_be_lost() -> None:
    offered = view("available", Standing.OFFERED, second="it always does", previous=Progress(moved=1, total=2))
    assert accept_question(offered) == (
        "Accept Production: 4 VMs will move, 1 would lose replication, a previous recommendation still runs, "
        "once a second person accepts it, too?"
    )
    assert nothing_to_accept(view("failed", Standing.FAILED)).startswith("Production: nothing to accept: 3 of 4 VMs")


def test_each_change_is_a_line_and_what_did_not_change_is_none() -> None:
    failed = view("failed", Standing.FAILED, act=ALICE)
    assert list(changes(failed, failed)) == []
    told = list(changes(None, failed))
    assert told[-1] == (
        "Production: erp-db-04 from vmstore01 to vmstore03: failed: Storage migration failed (hypervisor)"
    )
    assert len(told) == 4
    assert ended(failed, ZONE).endswith("accepted by cli:alice@storage01")


def test_bars_show_the_whole_and_what_is_under_way() -> None:
    lines = printed(bars([view("running", Standing.RUNNING)])).splitlines()
    assert lines[0].startswith("Production")
    assert "VMs moved, " in lines[0]
    assert [line for line in lines[1:] if "moving" in line and "━" in line]


def test_a_name_in_a_sentence_does_not_take_over_the_terminal() -> None:
    console = Console(file=StringIO())
    Screen(console, ZONE).say("\x1b[2JProd\nFake: Accepted.")
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == "\N{REPLACEMENT CHARACTER}[2JProd Fake: Accepted.\n"


def test_a_system_user_is_text_and_no_mention() -> None:
    somebody = (Person("cli:al<!here>@h"),)
    assert mrkdwn(somebody, 100) == "cli:al&lt;!here&gt;@h"
    assert rich_text(somebody) == [text("cli:al<!here>@h")]
    assert plain(somebody, ZONE) == "cli:al<!here>@h"
