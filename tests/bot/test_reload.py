"""What a reload takes over, and what it names instead."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from bot.config_file import Config, PoolConfig
from bot.pool_names import PoolName
from bot.pool_rules import Approvers
from bot.reload import become, needing_restart, taken
from bot.settings import Secret, Settings

BEFORE = Settings(
    tgc_url="https://tgc.example.com",
    tgc_username="bot",
    tgc_password=Secret("secret"),
    reco_channel="C0STORAGE",
    reco_timezone=ZoneInfo("UTC"),
)
OTHER = {
    Path: Path("other"),
    Secret: Secret("hunter2"),
    ZoneInfo: ZoneInfo("Asia/Tokyo"),
    Approvers: Approvers(everyone=True),
    bool: None,
    tuple: ("other@example.com",),
}


@pytest.mark.parametrize("field", [name for name in Settings.__struct_fields__ if name not in {"warnings", "config"}])
def test_each_setting_is_either_taken_over_or_named(field: str) -> None:
    value = getattr(BEFORE, field)
    other: object = f"other {value}"
    for kind, sample in OTHER.items():
        if isinstance(value, kind):
            other = (not value) if kind is bool else sample
    if field == "tgc_passwords":
        other = {"berlin": Secret("hunter2")}
    read = msgspec.structs.replace(BEFORE, **{field: other})
    is_taken = getattr(taken(BEFORE, read), field) == other
    named = needing_restart(BEFORE, read)
    assert bool(named) is not is_taken
    assert "hunter2" not in str(named)


@pytest.mark.parametrize("field", Config.__struct_fields__)
def test_each_section_is_either_taken_over_or_named(field: str) -> None:
    is_time = field in {"audit_retention", "approval_lapse", "stall_after", "reminder_before"}
    other = timedelta(days=40) if is_time else ("x",)
    read = msgspec.structs.replace(BEFORE, config=msgspec.structs.replace(Config(), **{field: other}))
    is_taken = getattr(taken(BEFORE, read).config, field) == other
    assert bool(needing_restart(BEFORE, read)) is not is_taken


def test_whoever_holds_the_rules_goes_by_the_new_ones() -> None:
    held = BEFORE.pool_rules
    config = Config(file="tintri-bot.toml", pools=(("Production", PoolConfig(approvers=Approvers(everyone=True))),))
    become(held, msgspec.structs.replace(BEFORE, config=config).pool_rules)
    assert not held.of(PoolName("default", "Production")).approvers.nobody
    assert held.of(PoolName("default", "Test")).approvers.nobody
