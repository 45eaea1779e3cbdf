"""The value that each limit is held against, and how far it can be relied on: pure.

What the harness could not see or was too late to do makes a value's best or worst differ from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from kafka_load.config.slo import Measured
from kafka_load.output.console_summary import milliseconds
from kafka_load.output.measurements import Facts, Percentiles, Requirements, TopicFacts, WindowFacts

_COUNTS = ("duplicated_in_log", "reordered", "phantom", "diverged", "offset_regressions", "redelivered")
"""Counts of what was seen: each is at least as high as it says, whatever was not seen."""

P999_RECORDS = 10_000
"""So many records have ten beyond their 99.9th percentile."""


def measured(facts: Facts, requirements: Requirements) -> dict[str, Measured]:
    """The value that each limit is held against, with how far it can be relied on; what was not measured has none."""
    values: dict[str, Measured] = {}
    if facts.groups:
        values = {name: Measured(max(getattr(group, name) for group in facts.groups)) for name in _COUNTS}
        values |= {"lost": _lost(facts), "lag_at_end": _lag(facts), "duplicated_by_broker": _by_broker(facts)}
        if any(group.processing is not None for group in facts.groups):
            values["unprocessed"] = _unprocessed(facts)
        values |= _outputs(facts)
    facts = after_warm_up(facts)
    few = too_few(facts, requirements)
    if facts.processing:
        values["p99_processing_ms"] = _p99(replace(facts, p99_without_own={}), facts.processing, few)
    if facts.acknowledged:
        values["p99_produce_ms"] = _p99(facts, {"produce": facts.produce}, few)
        values["p999_produce_ms"] = _p999(facts, {"produce": facts.produce})
    if facts.end_to_end:
        values["p99_end_to_end_ms"] = _p99(facts, facts.end_to_end, few)
        values["p999_end_to_end_ms"] = _p999(facts, facts.end_to_end)
    if "produce" in facts.windows:
        values["p99_window_produce_ms"] = _slowest_window(facts, {"produce": facts.windows["produce"]})
    if groups := {name: found for name, found in facts.windows.items() if name != "produce"}:
        values["p99_window_end_to_end_ms"] = _slowest_window(facts, groups)
    if facts.due:
        values["longest_gap_s"] = _gap(facts)
    if "" in facts.recovery:
        values["recovery_s"] = facts.recovery[""]
    if planned := max(facts.planned, facts.due):
        values["achieved_rate"] = _achieved(facts, requirements, planned)
    return values


def after_warm_up(facts: Facts) -> Facts:
    """What was measured, with the counts of the records that were due after the warm-up; the latencies are so anyway.

    `acknowledged` includes what was aborted on purpose then.
    """
    if "" not in facts.warmup:
        return facts
    whole = TopicFacts(facts.planned, facts.due, facts.sent or 0, facts.acknowledged + facts.aborted)
    rest = whole.minus(facts.warmup[""])
    return replace(
        facts,
        planned=rest.planned,
        due=rest.due,
        sent=None if facts.sent is None else rest.sent,
        acknowledged=rest.acknowledged,
        aborted=0,
        warmup={},
    )


def part_of(facts: Facts, of: str) -> Facts:
    """What was measured of one group or topic, given as `group NAME` or `topic NAME`."""
    kind, _, name = of.partition(" ")
    if kind == "group":
        groups = [group for group in facts.groups if group.group == name]
        end_to_end = {group: latency for group, latency in facts.end_to_end.items() if group == name}
        windows = {group: found for group, found in facts.windows.items() if group == name}
        processing = {group: latency for group, latency in facts.processing.items() if group == name}
        consumed = sum(g.consumed for g in groups)
        # Of a group only the number of its records after the warm-up matters.
        warmup = {"": TopicFacts(acknowledged=consumed - facts.delivered.get(name, consumed))} if facts.warmup else {}
        return replace(
            facts,
            groups=groups,
            end_to_end=end_to_end,
            windows=windows,
            processing=processing,
            acknowledged=consumed,
            aborted=0,
            warmup=warmup,
        )
    topic = facts.topics.get(name, TopicFacts())
    return replace(
        facts,
        groups=(),
        windows={"produce": facts.topic_windows[name]} if name in facts.topic_windows else {},
        end_to_end={},
        processing={},
        planned=topic.planned,
        due=topic.due,
        sent=topic.sent,
        acknowledged=topic.acknowledged,
        aborted=0,
        produce=topic.produce,
        # Of one topic it is not known, so that all of the harness's lateness may be in it.
        p99_without_own={},
        gaps={where: gap for where, gap in facts.gaps.items() if where.rpartition("-")[0] == name},
        recovery={"": facts.recovery[name]} if name in facts.recovery else {},
        warmup={"": facts.warmup[name]} if name in facts.warmup else {},
        gone={topic: count for topic, count in facts.gone.items() if topic == name},
    )


def longest_gap_s(facts: Facts) -> float:
    """The longest gap of any partition."""
    return max((gap.longest_gap_s for gap in facts.gaps.values()), default=0.0)


def _achieved(facts: Facts, requirements: Requirements, planned: float) -> Measured:
    """The share of the planned records that the cluster took.

    At best it would have taken too what it was not given, what was sent to a topic that somebody deleted, and what a
    worker that died could not report any more.
    """
    taken, not_taken = facts.acknowledged + facts.aborted, sum(facts.gone.values())
    not_given = planned - facts.due
    if facts.sent is not None and (too_late(facts, requirements) or facts.gone):
        not_given += facts.due - facts.sent
    why = f"the harness did not send {not_given:,.0f} of {planned:,.0f} planned records"
    if facts.gone:
        why += f" and had no acknowledgement for {not_taken:,} sent; {_gone(facts)}"
    if facts.unreported:
        why += f"; of {facts.unreported:,} records of workers that died nobody knows what became of them"
    best = min(1.0, (taken + not_given + not_taken + facts.unreported) / planned)
    return Measured(round(taken / planned, 6), best=round(best, 6), why=why)


def _gone(facts: Facts) -> str:
    """Which topics were deleted, as a clause; empty if none was."""
    return f"deleted during the run: {', '.join(sorted(facts.gone))}" if facts.gone else ""


def _own_lateness(facts: Facts) -> str:
    return f"the harness itself was up to {facts.late_own.max / 1000:,.0f} ms late"


def _gap(facts: Facts) -> Measured:
    """The longest gap; at best without the harness's own lateness and the partitions of topics that were deleted."""
    left = [gap.longest_gap_s for name, gap in facts.gaps.items() if name.rpartition("-")[0] not in facts.gone]
    best = max(0.0, max(left, default=0.0) - facts.late_own.max / 1e6)
    return Measured(longest_gap_s(facts), best=best, why=_gone(facts) or _own_lateness(facts))


def too_late(facts: Facts, requirements: Requirements) -> bool:
    """Whether the load was not the one that was asked for, by the harness's own fault."""
    return facts.late_own.p99 > requirements.max_late_ms * 1000


def _lost(facts: Facts) -> Measured:
    """Records that are certainly lost, and at worst those too of which nothing shows whether they are."""
    unsure = {group.group: group.unread + group.unverifiable for group in facts.groups}
    worst = max(group.lost + unsure[group.group] for group in facts.groups)
    names = ", ".join(f"{count:,} of {group}" for group, count in unsure.items() if count)
    return Measured(max(group.lost for group in facts.groups), worst=worst, why=f"nobody knows of {names}")


def _unprocessed(facts: Facts) -> Measured:
    """Records that were certainly not processed, and at worst those too of which nothing shows whether they were."""
    judged = {group.group: group.processing for group in facts.groups if group.processing is not None}
    worst = max(one.unprocessed + one.unverifiable for one in judged.values())
    names = ", ".join(f"{one.unverifiable:,} of {group}" for group, one in judged.items() if one.unverifiable)
    why = f"nobody knows whether {names} were processed"
    return Measured(max(one.unprocessed for one in judged.values()), worst=worst, why=why)


def _outputs(facts: Facts) -> dict[str, Measured]:
    """What is wrong with the output of groups that transform, and at worst what nobody could see of it."""
    judged = {group.group: group.transform for group in facts.groups if group.transform is not None}
    if not judged:
        return {}
    unsure = ", ".join(f"{one.unverifiable:,} of {group}" for group, one in judged.items() if one.unverifiable)
    worst = max(one.missing_outputs + one.unverifiable for one in judged.values())
    why = f"nobody knows whether {unsure} have an output"
    return {
        "missing_outputs": Measured(max(one.missing_outputs for one in judged.values()), worst=worst, why=why),
        "doubled_outputs": Measured(max(one.doubled_outputs for one in judged.values())),
        "reordered_outputs": Measured(max(one.reordered_outputs for one in judged.values())),
    }


def _by_broker(facts: Facts) -> Measured:
    """Records that a broker wrote twice, and at worst those too of which nobody knows who did."""
    unknown = max(group.duplicated_in_log - group.duplicated_by_client for group in facts.groups)
    why = "the log does not tell who wrote some of the records twice"
    return Measured(max(group.duplicated_by_broker for group in facts.groups), worst=unknown, why=why)


def _lag(facts: Facts) -> Measured:
    lag = max(group.lag_at_end for group in facts.groups)
    known = [group for group in facts.groups if group.group not in facts.lag_unknown]
    waited = max((group.lag_at_end for group in known if not group.drain.cut_short), default=0)
    if why := next((facts.lag_unknown[group.group] for group in facts.groups if group not in known), ""):
        return Measured(lag, best=waited, worst=math.inf, why=why)
    return Measured(lag, best=waited, why="the user did not wait for the readers")


def _p99(facts: Facts, latencies: Mapping[str, Percentiles], few: str) -> Measured:
    """The highest of the 99th percentiles, in ms, and what it is at least without the harness's own lateness."""
    least = {
        name: facts.p99_without_own.get(name, max(0, latency.p99 - facts.late_own.max))
        for name, latency in latencies.items()
    }
    return _slowest(facts, {name: latency.p99 for name, latency in latencies.items()}, least, few)


def _p999(facts: Facts, latencies: Mapping[str, Percentiles]) -> Measured:
    """The highest of the 99.9th percentiles, in ms; of few records it is one record's, by chance."""
    few = ""
    if facts.acknowledged < P999_RECORDS:
        few = f"of {facts.acknowledged:,} records nobody can tell the 99.9th percentile; it takes {P999_RECORDS:,}"
    values = {name: latency.p999 for name, latency in latencies.items()}
    return _slowest(facts, values, {name: max(0, us - facts.late_own.max) for name, us in values.items()}, few)


def _slowest_window(facts: Facts, windows: Mapping[str, WindowFacts]) -> Measured:
    """The highest 99th percentile of any window, in ms; at worst any, if seconds of a worker are missing in them."""
    latencies = {name: found.p99_us for name, found in windows.items()}
    found = _slowest(facts, latencies, {name: max(0, us - facts.late_own.max) for name, us in latencies.items()}, "")
    if missing := sum(window.missing for window in windows.values()):
        return replace(found, worst=math.inf, why=f"the windows lack {missing:,} records of seconds not reported")
    return found


def _slowest(facts: Facts, latencies: Mapping[str, int], without_own: Mapping[str, int], few: str) -> Measured:
    """The highest of some latencies (µs) in ms; `without_own` is what each is at least without the harness's part."""
    value = max(latencies.values())
    unsure = {name: facts.uncertainty_us.get(name, 0) for name in latencies}
    least = max(without_own[name] - unsure[name] for name in latencies)
    most = max(us + unsure[name] for name, us in latencies.items())
    why = _own_lateness(facts)
    if clocks := max(unsure.values()):
        why += f", and the workers' clocks are known to ±{milliseconds(clocks)} only"
    doubt = few or _gone(facts)
    best = 0 if doubt else max(0, least) / 1000
    return Measured(value / 1000, best=best, worst=most / 1000, why=doubt or why)


def too_few(facts: Facts, requirements: Requirements) -> str:
    """Why there are too few records to prove anything, in a sentence; empty if there are enough."""
    if facts.acknowledged >= requirements.min_records:
        return ""
    kind = "records of those due after the warm-up" if facts.warmup_s else "records"
    return f"only {facts.acknowledged:,} {kind} were acknowledged; at least {requirements.min_records:,} must be"
