import pytest

from bot.rendering import facts
from tests.bot.rendering.samples import unparted
from tgc.models import (
    Analysis,
    FlashAnalysis,
    FlashOutcome,
    IopsAnalysis,
    IopsOutcome,
    Outcome,
    SpaceAnalysis,
    SpaceOutcome,
)


@pytest.mark.parametrize(
    ("analysis", "said"),
    [
        (Analysis(), ()),
        (Analysis(summary="Too full"), ("Too full",)),
        (Analysis(space_info=SpaceAnalysis(probability=0.6)), ("space 60 % risk of filling up",)),
        (Analysis(space_info=SpaceAnalysis(space_used_physical_gib=1200)), ("space 1,200 GiB used",)),
        (Analysis(space_info=SpaceAnalysis(space_used_physical_change=-5.5)), ("space shrinking 5.5 GiB a week",)),
        (Analysis(space_info=SpaceAnalysis(summary="full\nsoon")), ("space: full soon",)),
        (Analysis(iops_info=IopsAnalysis(percent_of_week_under_load=3)), ("overloaded for 3 % of the week",)),
        (
            Analysis(flash_info=FlashAnalysis(flash_hit_rate_percent=90, is_selected=False)),
            ("flash hits 90 % (not chosen to be solved)",),
        ),
    ],
)
def test_an_issue_is_told_with_the_numbers_there_are(analysis: Analysis, said: tuple[str, ...]) -> None:
    assert facts.issues(analysis) == tuple(map(unparted, said))


@pytest.mark.parametrize(
    ("outcome", "before", "said"),
    [
        (Outcome(space_info=SpaceOutcome(space_changed_physical_gib=1105)), None, ("1,105 GiB added",)),
        (Outcome(space_info=SpaceOutcome(probability=2)), None, ("risk of filling up ▇▁▁▁▁ 2 %",)),
        (
            Outcome(iops_info=IopsOutcome(predicted_outcome_load_week_percent=3.1)),
            Analysis(iops_info=IopsAnalysis(percent_of_week_under_load=12.5)),
            ("load ▇▁▁▁▁ 12.5 % → ▇▁▁▁▁ 3.1 % of the week",),
        ),
        (
            Outcome(flash_info=FlashOutcome(flash_hit_rate_percent=97.4)),
            Analysis(flash_info=FlashAnalysis(flash_hit_rate_percent=91.2)),
            ("flash hits ▇▇▇▇▁ 91.2 % → ▇▇▇▇▁ 97.4 %",),
        ),
        (Outcome(summary="Better"), None, ("Better",)),
        (Outcome(), None, ()),
    ],
)
def test_an_outcome_is_told_before_and_after(outcome: Outcome, before: Analysis | None, said: tuple[str, ...]) -> None:
    assert facts.outcomes(outcome, before) == tuple(map(unparted, said))


@pytest.mark.parametrize(
    ("analysis", "clause"),
    [
        (Analysis(space_info=SpaceAnalysis(probability=0.2)), "vs may fill up within 7 days (20 %)"),
        (
            Analysis(space_info=SpaceAnalysis(probability=80, space_threshold_percent=90)),
            "vs is likely to reach 90 % space used within 7 days (80 %)",
        ),
        (Analysis(space_info=SpaceAnalysis(space_used_physical_percent=94.1)), "vs has 94 % of its space used"),
        (
            Analysis(
                space_info=SpaceAnalysis(severity=1, probability=0.9),
                iops_info=IopsAnalysis(severity=2, load_threshold_percent=80, percent_of_week_under_load=12.5),
            ),
            "vs is above 80 % load for 12.5 % of the week",
        ),
        (
            Analysis(
                space_info=SpaceAnalysis(severity=3, probability=0.9, is_selected=False),
                flash_info=FlashAnalysis(severity=1, flash_hit_rate_percent=91.2, flash_hit_rate_threshold_percent=95),
            ),
            "vs has flash hits 91.2 %, goal 95 %",
        ),
        (Analysis(summary="Too full"), "vs: Too full"),
    ],
)
def test_the_finding_is_the_worst_of_what_is_to_be_solved(analysis: Analysis, clause: str) -> None:
    found = facts.finding(analysis, "vs")
    assert found is not None
    assert found[1] == unparted(clause)


def test_details_hold_every_number() -> None:
    analysis = Analysis(
        space_info=SpaceAnalysis(space_threshold_percent=100, space_used_physical_gib=19271.7, severity=2),
        iops_info=IopsAnalysis(latency_storage_ms=6.4, total_iops=41210, throughput_total_mbps=611),
        flash_info=FlashAnalysis(
            flash_hit_rate_percent_minimum=84, flash_hit_rate_percent_maximum=99, latency_flash_ms=3
        ),
    )
    told = " · ".join(facts.issue_details(analysis))
    for number in ("19,272 GiB", "100 %", "severity 2", "6.4 ms", "41,210 IOPS", "611 MBps", "84 %", "99 %", "3 ms"):
        assert unparted(number) in told
