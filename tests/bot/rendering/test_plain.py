from zoneinfo import ZoneInfo

from bot.rendering.plain import WIDTH, plain_report
from bot.rendering.views import Action, PoolAnswer, Report, Standing
from tests.bot.rendering.samples import AT, act, pool, view

ZONE = ZoneInfo("America/Los_Angeles")

OFFERED = """\
tgc.example.com, read 2026-03-10 07:12 PDT
1 of 3 pools has a recommendation, 1 could not be read

Production: 4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)
  ! 1 VM would lose replication: erp-db-01
  Issues
    vmstore01  space 94 % used, growing 412 GiB a week
               above 80 % load for 12.5 % of the week
    vmstore02  flash hits 91.2 %, goal 95 %
  Moves: 2 waves, 4 VMs
    1  erp-db-01  vmstore01 → vmstore02  space, load
    1  erp-db-02  vmstore01 → vmstore03  space
    2  erp-db-03  vmstore01 → vmstore02  space
    2  erp-db-04  vmstore01 → vmstore03  space, load
  Expected
    vmstore01  2,210 GiB freed, risk of filling up 83 % → 2 %
               load 12.5 % → 3.1 % of the week
               ▇▇▇▇▇▇▇▁ → ▁▁▁▁▁▁▁▁ risk
               ▇▁▁▁▁▁▁▁ → ▁▁▁▁▁▁▁▁ load
    vmstore02  flash hits 91.2 % → 97.4 %
               ▇▇▇▇▇▇▇▁ → ▇▇▇▇▇▇▇▁ flash
  Made 2026-03-10 06:00, expires 2026-03-10 18:00

Test: The TGC failed: try again.

Lab: balanced, nothing to move, looked at 2026-03-10 06:00
"""

FAILED = """\
Production: 3 of 4 VMs moved, erp-db-04 failed: Storage migration failed
  (hypervisor) · 2026-03-10 07:12 to 09:40 · accepted by U0ALICE
  ! 1 VM may have lost replication: erp-db-01
  Moves: 2 waves, 4 VMs
    1  erp-db-01  vmstore01 → vmstore02  moved
    1  erp-db-02  vmstore01 → vmstore03  moved
    2  erp-db-03  vmstore01 → vmstore02  moved
    2  erp-db-04  vmstore01 → vmstore03  failed
       Storage migration failed (hypervisor)
  What to do: Look at the migration task in the hypervisor: is the host
    connected, may it move this VM's storage?
  Made 2026-03-10 06:00
"""


def _report(*pools: PoolAnswer) -> str:
    return plain_report(Report(tgc_name="tgc.example.com", read_at=AT, pools=pools), zone=ZONE)


def test_the_report_tells_each_pool_in_columns() -> None:
    balanced = PoolAnswer(pool_name="Lab", view=view("sparse", Standing.BALANCED, pool_name="Lab"))
    unread = PoolAnswer(pool_name="Test", problem="The TGC failed: try again.")
    assert _report(balanced, unread, pool("Production", Standing.OFFERED)) == OFFERED


def test_a_failure_tells_which_vm_why_and_what_to_do() -> None:
    failed = PoolAnswer(pool_name="Production", view=view("failed", Standing.FAILED, act=act(Action.ACCEPT)))
    assert _report(failed).split("\n\n")[1] == FAILED


def test_what_runs_has_a_bar() -> None:
    running = PoolAnswer(pool_name="Production", view=view("running", Standing.RUNNING))
    assert "\n  ▇▇▇▁▁▁▁▁  1 of 4 VMs moved\n  Moves: 2 waves, 4 VMs\n" in _report(running)


def test_all_moves_of_a_large_plan_are_there_within_the_width() -> None:
    lines = _report(pool("Production", Standing.OFFERED, "large")).splitlines()
    assert sum(" → vmstore0" in line for line in lines) == 240
    assert max(map(len, lines)) <= WIDTH


def test_a_terminal_is_not_taken_over_by_a_name() -> None:
    hostile = pool("\x1b[2J\x1b]0;owned\x07\rProd\n\nFake: fine", Standing.OFFERED)
    report = _report(hostile)
    assert not [character for character in report if character != "\n" and not character.isprintable()]
    assert "\nFake" not in report
