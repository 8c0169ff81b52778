"""What the numbers of one VMstore say: short for a card, whole for details."""

from collections.abc import Iterable

from bot.rendering import bars, limits, numbers
from bot.rendering.escape import clean, shorten
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

_ALL_SPACE_PERCENT = 100.0
_LIKELY_PERCENT = 50.0


def issues(analysis: Analysis) -> tuple[str, ...]:
    """One phrase for each issue, `space 94 % used, growing 412 GiB a week`; else what the TGC says in words."""
    found = (
        analysis.space_info and _selected(analysis.space_info, _space(analysis.space_info)),
        analysis.iops_info and _selected(analysis.iops_info, _load(analysis.iops_info)),
        analysis.flash_info and _selected(analysis.flash_info, _flash(analysis.flash_info)),
    )
    return tuple(fact for fact in found if fact) or _said(analysis.summary)


def issue_details(analysis: Analysis) -> tuple[str, ...]:
    """The same and every other number there is."""
    space, load, flash = analysis.space_info, analysis.iops_info, analysis.flash_info
    details = [
        *issues(analysis),
        *(() if analysis.vm_store_is_selected is not False else ("this VMstore is not chosen to be solved",)),
    ]
    if space:
        details += _present(
            ("physical space used {}", numbers.gib(space.space_used_physical_gib)),
            ("space threshold {}", numbers.percent(space.space_threshold_percent)),
            ("risk of reaching it within 7 days {}", numbers.chance(space.probability)),
            ("space severity {}", numbers.count(space.severity)),
        )
    if load:
        details += _present(
            ("storage latency {}", numbers.ms(load.latency_storage_ms)),
            ("{} IOPS", numbers.count(load.total_iops)),
            ("throughput {}", numbers.mbps(load.throughput_total_mbps)),
            ("load severity {}", numbers.count(load.severity)),
        )
    if flash:
        details += _present(
            ("flash hits at least {}", numbers.percent(flash.flash_hit_rate_percent_minimum)),
            ("at most {}", numbers.percent(flash.flash_hit_rate_percent_maximum)),
            ("flash latency {}", numbers.ms(flash.latency_flash_ms)),
            ("flash severity {}", numbers.count(flash.severity)),
        )
    summaries = (analysis.summary, *(part.summary for part in (space, load, flash) if part))
    return _without_repeats([*details, *(text for summary in summaries for text in _said(summary))])


def finding(analysis: Analysis, name: str) -> tuple[tuple[int, int, float], str] | None:
    """The worst that is found on one VMstore as a clause, with its rank (higher is worse)."""
    space, load, flash = analysis.space_info, analysis.iops_info, analysis.flash_info
    found = [
        (_rank(space, 3, numbers.chance_percent(space.probability)), _space_finding(space, name)) if space else None,
        (_rank(load, 2, load.percent_of_week_under_load), _load_finding(load, name)) if load else None,
        (_rank(flash, 1, None), _flash_finding(flash, name)) if flash else None,
    ]
    told = [(rank, clause) for rank, clause in filter(None, found) if clause]
    if told:
        return max(told)
    return next((((0, 0, 0.0), f"{name}: {summary}") for summary in _said(analysis.summary)), None)


def outcomes(outcome: Outcome, before: Analysis | None) -> tuple[str, ...]:
    """One phrase for each kind, before → after."""
    space, load, flash = outcome.space_info, outcome.iops_info, outcome.flash_info
    found = (
        space and _space_outcome(space, before.space_info if before else None),
        load and _load_outcome(load, before.iops_info if before else None),
        flash and _flash_outcome(flash, before.flash_info if before else None),
    )
    return tuple(fact for fact in found if fact) or _said(outcome.summary)


def outcome_bars(outcome: Outcome, before: Analysis | None) -> tuple[str, ...]:
    """A bar before → after for each percentage that is known of both, and in a word what it shows."""
    space, load, flash = outcome.space_info, outcome.iops_info, outcome.flash_info
    drawn = (
        ("risk", space and _risk_bars(space, before.space_info if before else None)),
        ("load", load and bars.change(*_loads(load, before.iops_info if before else None))),
        ("flash", flash and bars.change(*_hits(flash, before.flash_info if before else None))),
    )
    return tuple(f"{change} {label}" for label, change in drawn if change)


def outcome_details(outcome: Outcome, before: Analysis | None) -> tuple[str, ...]:
    """The same and every other number there is."""
    space, load, flash = outcome.space_info, outcome.iops_info, outcome.flash_info
    details = list(outcomes(outcome, before))
    if space:
        details += _present(("space threshold {}", numbers.percent(space.space_threshold_percent)))
    if load:
        details += _present(("load threshold {}", numbers.percent(load.load_threshold_percent)))
    if flash:
        details += _present(("latency changes by {}", numbers.ms(flash.changed_latency_ms)))
    parts = (space, load, flash, outcome.protection_info)
    summaries = (outcome.summary, *(part.summary for part in parts if part))
    return _without_repeats([*details, *(text for summary in summaries for text in _said(summary))])


def _space(space: SpaceAnalysis) -> str | None:
    used = numbers.whole_percent(space.space_used_physical_percent) or numbers.gib(space.space_used_physical_gib)
    risk = numbers.chance(space.probability)
    parts = [f"{used} used"] if used else []
    parts += [growth] if (growth := _growth(space.space_used_physical_change)) else []
    parts += [f"{risk} risk of filling up"] if risk and not parts else []
    return f"space {', '.join(parts)}" if parts else _named("space", space.summary)


def _growth(change_gib_a_week: float | None) -> str | None:
    change = numbers.finite(change_gib_a_week)
    if not change:
        return None
    return f"{'growing' if change > 0 else 'shrinking'} {numbers.gib(abs(change))} a week"


def _load(load: IopsAnalysis) -> str | None:
    share = numbers.percent(load.percent_of_week_under_load)
    if not share:
        return _named("load", load.summary)
    threshold = numbers.percent(load.load_threshold_percent)
    return f"above {threshold} load for {share} of the week" if threshold else f"overloaded for {share} of the week"


def _flash(flash: FlashAnalysis) -> str | None:
    hits = numbers.percent(flash.flash_hit_rate_percent)
    if not hits:
        return _named("flash hits", flash.summary)
    goal = numbers.percent(flash.flash_hit_rate_threshold_percent)
    return f"flash hits {hits}, goal {goal}" if goal else f"flash hits {hits}"


def _space_finding(space: SpaceAnalysis, name: str) -> str | None:
    chance = numbers.chance_percent(space.probability)
    if chance is None:
        used = numbers.whole_percent(space.space_used_physical_percent)
        return f"{name} has {used} of its space used" if used else _clause(name, space.summary)
    threshold = numbers.finite(space.space_threshold_percent)
    limit = "fill up" if threshold in {None, _ALL_SPACE_PERCENT} else f"reach {numbers.percent(threshold)} space used"
    verb = "is likely to" if chance >= _LIKELY_PERCENT else "may"
    return f"{name} {verb} {limit} within 7 days ({numbers.chance(space.probability)})"


def _load_finding(load: IopsAnalysis, name: str) -> str | None:
    if numbers.finite(load.percent_of_week_under_load) is None:
        return _clause(name, load.summary)
    return f"{name} is {_load(load)}"


def _flash_finding(flash: FlashAnalysis, name: str) -> str | None:
    if numbers.finite(flash.flash_hit_rate_percent) is None:
        return _clause(name, flash.summary)
    return f"{name} has {_flash(flash)}"


def _space_outcome(space: SpaceOutcome, before: SpaceAnalysis | None) -> str | None:
    changed = numbers.finite(space.space_changed_physical_gib)
    parts = []
    if changed is not None:
        parts.append(f"{numbers.gib(abs(changed))} {'freed' if changed < 0 else 'added'}")
    risk_before, risk_after = map(numbers.chance, _risks(space, before))
    if risk_after:
        parts.append(f"risk of filling up {_change(risk_before, risk_after)}")
    return ", ".join(parts) or _named("space", space.summary)


def _load_outcome(load: IopsOutcome, before: IopsAnalysis | None) -> str | None:
    share_before, share_after = map(numbers.percent, _loads(load, before))
    return f"load {_change(share_before, share_after)} of the week" if share_after else _named("load", load.summary)


def _flash_outcome(flash: FlashOutcome, before: FlashAnalysis | None) -> str | None:
    hits_before, hits_after = map(numbers.percent, _hits(flash, before))
    return f"flash hits {_change(hits_before, hits_after)}" if hits_after else _named("flash hits", flash.summary)


_BeforeAfter = tuple[float | None, float | None]


def _risks(space: SpaceOutcome, before: SpaceAnalysis | None) -> _BeforeAfter:
    """Of filling up, as the TGC gives them."""
    return before.probability if before else None, space.probability


def _risk_bars(space: SpaceOutcome, before: SpaceAnalysis | None) -> str:
    return bars.change(*map(numbers.chance_percent, _risks(space, before)))


def _loads(load: IopsOutcome, before: IopsAnalysis | None) -> _BeforeAfter:
    """Percents of the week."""
    predicted = numbers.finite(load.predicted_load_week_percent)
    if predicted is None and before:
        predicted = before.percent_of_week_under_load
    return predicted, load.predicted_outcome_load_week_percent


def _hits(flash: FlashOutcome, before: FlashAnalysis | None) -> _BeforeAfter:
    return before.flash_hit_rate_percent if before else None, flash.flash_hit_rate_percent


def _change(before: str | None, after: str) -> str:
    return f"{before} → {after}" if before else after


def _rank(part: SpaceAnalysis | IopsAnalysis | FlashAnalysis, kind: int, share: float | None) -> tuple[int, int, float]:
    """What was chosen to be solved before what was not, then by severity, kind and how likely or long."""
    severity = part.severity or 0
    return (severity if part.is_selected is not False else min(severity, 0) - 1, kind, numbers.finite(share) or 0.0)


def _selected(part: SpaceAnalysis | IopsAnalysis | FlashAnalysis, fact: str | None) -> str | None:
    return f"{fact} (not chosen to be solved)" if fact and part.is_selected is False else fact


def _named(kind: str, summary: str | None) -> str | None:
    return next((f"{kind}: {text}" for text in _said(summary)), None)


def _clause(name: str, summary: str | None) -> str | None:
    return next((f"{name}: {text}" for text in _said(summary)), None)


def _said(summary: str | None) -> tuple[str, ...]:
    """What the TGC says in words, if anything."""
    text = shorten(clean(summary or ""), limits.SENTENCE)
    return (text,) if text else ()


def _present(*named: tuple[str, str | None]) -> list[str]:
    return [form.format(value) for form, value in named if value]


def _without_repeats(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
