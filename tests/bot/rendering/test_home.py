import math

import pytest

from bot.rendering.home import CARDS_SHOWN, POOLS_SHOWN, render_home
from bot.rendering.views import Action, AuditEntry, HomeView, PoolGlance, Standing, TgcGlance
from playground.blockkit import validate_view
from tests.bot.rendering.checks import buttons
from tests.bot.rendering.samples import AT, act, reading, unparted, view
from tgc.models import PoolStat

STAT = PoolStat(
    space_total_gib=61440.0, space_used_physical_gib=47923.2, operations_total_iops=38211, latency_total_ms=1.9
)
WAITING = view("available", Standing.OFFERED)
RUNNING = view("running", Standing.RUNNING, act=act(Action.ACCEPT))
DECIDED = AuditEntry(
    id=1,
    decided_at=AT,
    action="accept",
    outcome="done",
    user_id="U0ALICE",
    user_name="alice",
    team_id="T1",
    channel_id=None,
    tgc="default",
    pool_uuid="p1",
    pool_name="Production",
    recommendation_id="r1",
    moves=None,
    loses_replication=None,
    typed=None,
    told=None,
    tgc_answer=None,
    offer_id=None,
)
HOME = HomeView(
    tgcs=(TgcGlance(name="tgc.example.com", url="https://tgc.example.com", read_at=AT),),
    pools=(
        PoolGlance(pool_name="Lab", stat=PoolStat(space_used_physical_gib=-1, operations_total_iops=-1)),
        PoolGlance(pool_name="Production", stat=STAT, view=WAITING),
    ),
    waiting=(WAITING,),
    running=(RUNNING,),
    decided=(DECIDED,),
)
READS = """\
Waits for you
Production: 4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %). 1 VM would lose replication: erp-db-01.
Running
Production  ▇▇▇▇▁▁▁▁▁▁  1 of 4 VMs moved, running · accepted by U0ALICE 2026-03-10 14:12 UTC
Pools
2 pools, 1 to decide
red_circle Production  4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)
▇▇▇▇▁ 78 % of 61,440 GiB · 38,211 IOPS · 1.9 ms latency
white_circle Lab  nothing to decide
Decided last
By people in Slack
Production  accepted by U0ALICE 2026-03-10 14:12 UTC
"""


def test_it_tells_what_waits_what_runs_the_pools_and_who_decided() -> None:
    lines = reading([block for block in render_home(HOME)["blocks"] if block["type"] not in {"actions", "context"}])
    assert lines + "\n" == unparted(READS)
    pressed = [(button["text"]["text"], button["value"]) for button in buttons(tuple(render_home(HOME)["blocks"]))]
    assert [label for label, _ in pressed] == ["Accept", "Dismiss", "Details", "Cancel", "Details"]
    assert {value for _, value in pressed} == {"offer-1"}


@pytest.mark.parametrize(
    ("stat", "told"),
    [
        (PoolStat(space_total_gib=0, space_used_physical_gib=5.5), "5.5 GiB used"),
        (PoolStat(space_total_gib=100, space_used_physical_gib=250), "250 % of 100 GiB"),
        (PoolStat(space_total_gib=math.nan, space_used_physical_gib=1, latency_total_ms=-1), "1 GiB used"),
        (PoolStat(latency_total_ms=0.4), "0.4 ms latency"),
    ],
)
def test_figures_are_told_as_far_as_they_are_real(stat: PoolStat, told: str) -> None:
    home = render_home(HomeView(tgcs=(TgcGlance(name="tgc", url=""),), pools=(PoolGlance(pool_name="Lab", stat=stat),)))
    assert f"Lab  nothing to decide\n{unparted(told)}\n" in reading(home["blocks"])


def test_of_what_is_too_much_it_says_how_much_more_there_is() -> None:
    many = HomeView(
        tgcs=(TgcGlance(name="tgc", url=""),),
        pools=(PoolGlance(pool_name="Lab"),) * (POOLS_SHOWN + 2),
        waiting=(WAITING,) * (CARDS_SHOWN + 1),
        running=(RUNNING,) * (CARDS_SHOWN + 3),
    )
    home = render_home(many)
    assert validate_view(home) == []
    read = reading(home["blocks"])
    for more in ("and 2 more pools:", "1 more recommendation waits:", "3 more recommendations run:"):
        assert more in read
