"""The verdict: what a run proved, as the dictionary that becomes verdict.json.

`judge` is pure: facts and limits in, verdict out. Each limit and each group is judged by itself. A limit that was
certainly broken fails the run, whatever else is in doubt. A limit whose value could lie on either side, given what the
harness could not see or was too late to do, is undecided. A run with an undecided limit, a group that has not read to
the end of the log, a harness that was too late, or too few records proves nothing and is inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from kafka_load.config.slo import Measured, Result, evaluate
from kafka_load.ledger import GroupJudgement
from kafka_load.output.shortfall import Shortfall

SCHEMA = 3
PASS, FAIL, INCONCLUSIVE, REFUSED = 0, 1, 2, 3
"""Exit statuses; REFUSED stands for bad options or an unreachable cluster and never reaches a verdict."""

# Of a group's judgement, what verdict.json tells.
_TOLD = (
    *("group", "mode", "consumed", "lost", "duplicated_in_log", "duplicated_by_broker", "duplicated_by_client"),
    *("redelivered", "reordered", "phantom", "diverged"),
    *("offset_regressions", "lag_at_end", "unread", "unverifiable", "deleted"),
)
_COUNTS = ("duplicated_in_log", "reordered", "phantom", "diverged", "offset_regressions", "redelivered")
"""Counts of what was seen: each is at least as high as it says, whatever was not seen."""

P999_RECORDS = 10_000
"""So many records have ten beyond their 99.9th percentile."""

_OUTCOMES = {PASS: "pass", FAIL: "fail", INCONCLUSIVE: "inconclusive"}


@dataclass(frozen=True)
class Requirements:
    """What a run must have done to prove anything."""

    min_records: int = 100
    max_late_ms: float = 1000.0


@dataclass(frozen=True)
class Percentiles:
    """A latency distribution in microseconds; all zero when nothing was measured."""

    p50: int = 0
    p95: int = 0
    p99: int = 0
    p999: int = 0
    max: int = 0


@dataclass(frozen=True)
class Gap:
    """The longest time without an acknowledgement in a partition while records were due, and when it began."""

    longest_gap_s: float
    at_s: float


@dataclass(frozen=True)
class Fault:
    """A fault from outside; times count from the start of the run, None while it has not happened.

    It was seen at `injected_at_s`; it was ordered at `ordered_at_s`, None if nobody says.
    """

    name: str
    target: str
    injected_at_s: float | None
    healed_at_s: float | None
    ordered_at_s: float | None = None


class Clock(Protocol):
    """A worker's clock (see `kafka_load.run.clock_offset.ClockError`)."""

    @property
    def offset_ns(self) -> int:
        """What had to be added to it."""

    @property
    def worst_ns(self) -> int:
        """By how much the sum was wrong at most."""


@dataclass(frozen=True)
class Facts:
    """All that was measured; times in seconds, latencies in microseconds, rates in records/s.

    `planned` is how many records were planned at least until the load ended, which lasted `load_s` of `planned_s`;
    `due` is how many the producers were given to send; `shortfalls` is what did not go by the plan (see `plan_check`).
    `late` is how late records were sent, `late_own` the part of it that the harness caused; the rest is due to the
    cluster. `p99_without_own` is what the 99th percentile of a latency is at least if the harness's part is taken off,
    by `produce` or the group's name. `uncertainty_us` is by how much an end-to-end latency may be wrong because several
    workers have several `clocks`, by group. `lag_unknown` says why the groups' lag is not known. `gone` are the topics
    that somebody deleted during the run, each with its records that were sent and not acknowledged. `unreported` are
    records of workers that died before they could say what became of them.
    """

    run_id: str
    profile: str
    started: str
    duration_s: float
    planned: float = 0.0
    planned_s: float = 0.0
    load_s: float = 0.0
    ended_by: str = ""
    users: Mapping[str, int] = field(default_factory=dict)
    shortfalls: Sequence[Shortfall] = ()
    due: int = 0
    sent: int | None = None
    acknowledged: int = 0
    failed: int = 0
    indeterminate: int = 0
    aborted: int = 0
    groups: Sequence[GroupJudgement] = ()
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    produce: Percentiles = Percentiles()
    end_to_end: Mapping[str, Percentiles] = field(default_factory=dict)
    uncertainty_us: Mapping[str, int] = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    target_rate: float = 0.0
    sent_rate: float = 0.0
    late: Percentiles = Percentiles()
    late_own: Percentiles = Percentiles()
    blocked_s: Mapping[str, float] = field(default_factory=dict)
    p99_without_own: Mapping[str, int] = field(default_factory=dict)
    lag_unknown: str = ""
    gone: Mapping[str, int] = field(default_factory=dict)
    unreported: int = 0
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
    inconclusive_reasons: Sequence[str] = ()


def judge(
    facts: Facts,
    limits: Mapping[str, float],
    requirements: Requirements = Requirements(),
    judged: Sequence[Result] = (),
) -> dict[str, Any]:
    """verdict.json for `facts` under `limits` and what was `judged` elsewhere already.

    `failures` says in sentences what else failed the run than a limit, `reasons` why it is not conclusive; `notes` says
    both and what the numbers cannot.
    """
    values = measured(facts, requirements)
    results = [*evaluate(limits, values), *judged]
    failures = [found.sentence for found in facts.shortfalls if found.outcome == "fail"]
    reasons = [found.sentence for found in facts.shortfalls if found.outcome != "fail"]
    reasons += [*facts.inconclusive_reasons, *_reasons(facts, requirements)]
    reasons += [f"{name} could not be judged: it was not measured" for name in limits if name not in values]
    reasons += [f"{result.name} is undecided: {result.undecided}" for result in results if result.undecided]
    broken = failures or any(result.broken for result in results)
    exit_code = FAIL if broken else INCONCLUSIVE if reasons else PASS
    return {
        "schema": SCHEMA,
        "run_id": facts.run_id,
        "profile": facts.profile,
        "started": facts.started,
        "duration_s": round(facts.duration_s, 3),
        "outcome": _OUTCOMES[exit_code],
        "exit_code": exit_code,
        "produced": {
            "acknowledged": facts.acknowledged,
            "failed": facts.failed,
            "indeterminate": facts.indeterminate,
        },
        "groups": [_told(group) for group in facts.groups],
        "availability": {
            "longest_gap_s": longest_gap_s(facts),
            "partitions": {name: asdict(gap) for name, gap in sorted(facts.gaps.items())},
        },
        "latency_us": {
            "produce": asdict(facts.produce),
            "end_to_end": {
                group: asdict(latency) | {"uncertainty": facts.uncertainty_us.get(group, 0)}
                for group, latency in facts.end_to_end.items()
            },
        },
        "clocks": {
            worker: {"ahead_s": round(-clock.offset_ns / 1e9, 6), "uncertainty_us": -(-clock.worst_ns // 1_000)}
            for worker, clock in sorted(facts.clocks.items())
        },
        "schedule": {
            "target_rate": round(facts.target_rate, 1),
            "sent_rate": round(facts.sent_rate, 1),
            "late_us": _late(facts.late),
            "late_own_us": _late(facts.late_own),
            "blocked_s": {cause: round(seconds, 3) for cause, seconds in facts.blocked_s.items()},
        },
        "slo": [result.as_dict() for result in results],
        "faults": [asdict(fault) for fault in facts.faults],
        "plan": {
            "duration_s": facts.planned_s,
            "load_s": round(facts.load_s, 3),
            "ended_by": facts.ended_by,
            "users": dict(facts.users),
            "records": round(facts.planned),
            "due": facts.due,
            "shortfalls": [found.as_dict() for found in facts.shortfalls],
        },
        "failures": failures,
        "reasons": reasons,
        "notes": [*failures, *reasons, *facts.notes],
    }


def _told(group: GroupJudgement) -> dict[str, Any]:
    return {name: getattr(group, name) for name in _TOLD} | {"drained": group.drain.drained}


def _late(late: Percentiles) -> dict[str, int]:
    return {"p50": late.p50, "p99": late.p99, "max": late.max}


def longest_gap_s(facts: Facts) -> float:
    """The longest gap of any partition."""
    return max((gap.longest_gap_s for gap in facts.gaps.values()), default=0.0)


def measured(facts: Facts, requirements: Requirements) -> dict[str, Measured]:
    """The value that each limit is held against, with how far it can be relied on; what was not measured has none."""
    values: dict[str, Measured] = {}
    if facts.groups:
        values = {name: Measured(max(getattr(group, name) for group in facts.groups)) for name in _COUNTS}
        values |= {"lost": _lost(facts), "lag_at_end": _lag(facts), "duplicated_by_broker": _by_broker(facts)}
    few = _too_few(facts, requirements)
    if facts.acknowledged:
        values["p99_produce_ms"] = _p99(facts, {"produce": facts.produce}, few)
        values["p999_produce_ms"] = _p999(facts, {"produce": facts.produce})
    if facts.end_to_end:
        values["p99_end_to_end_ms"] = _p99(facts, facts.end_to_end, few)
        values["p999_end_to_end_ms"] = _p999(facts, facts.end_to_end)
    if facts.due:
        values["longest_gap_s"] = _gap(facts)
    if planned := max(facts.planned, facts.due):
        values["achieved_rate"] = _achieved(facts, requirements, planned)
    return values


def _achieved(facts: Facts, requirements: Requirements, planned: float) -> Measured:
    """The share of the planned records that the cluster took.

    At best it would have taken too what it was not given, what was sent to a topic that somebody deleted, and what a
    worker that died could not report any more.
    """
    taken, not_taken = facts.acknowledged + facts.aborted, sum(facts.gone.values())
    not_given = planned - facts.due
    if facts.sent is not None and (_too_late(facts, requirements) or facts.gone):
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
    return f"{', '.join(sorted(facts.gone))} was deleted during the run" if facts.gone else ""


def _gap(facts: Facts) -> Measured:
    """The longest gap; at best without the harness's own lateness and the partitions of topics that were deleted."""
    left = [gap.longest_gap_s for name, gap in facts.gaps.items() if name.rpartition("-")[0] not in facts.gone]
    own = f"the harness itself was up to {facts.late_own.max / 1000:,.0f} ms late"
    best = max(0.0, max(left, default=0.0) - facts.late_own.max / 1e6)
    return Measured(longest_gap_s(facts), best=best, why=_gone(facts) or own)


def _too_late(facts: Facts, requirements: Requirements) -> bool:
    return facts.late_own.p99 > requirements.max_late_ms * 1000


def _lost(facts: Facts) -> Measured:
    """Records that are certainly lost, and at worst those too of which nothing shows whether they are."""
    unsure = {group.group: group.unread + group.unverifiable for group in facts.groups}
    worst = max(group.lost + unsure[group.group] for group in facts.groups)
    names = ", ".join(f"{count:,} of {group}" for group, count in unsure.items() if count)
    return Measured(max(group.lost for group in facts.groups), worst=worst, why=f"nobody knows of {names}")


def _by_broker(facts: Facts) -> Measured:
    """Records that a broker wrote twice, and at worst those too of which nobody knows who did."""
    unknown = max(group.duplicated_in_log - group.duplicated_by_client for group in facts.groups)
    why = "the log does not tell who wrote some of the records twice"
    return Measured(max(group.duplicated_by_broker for group in facts.groups), worst=unknown, why=why)


def _lag(facts: Facts) -> Measured:
    lag = max(group.lag_at_end for group in facts.groups)
    if facts.lag_unknown:
        return Measured(lag, best=0, worst=math.inf, why=facts.lag_unknown)
    waited = max((group.lag_at_end for group in facts.groups if not group.drain.cut_short), default=0)
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


def _slowest(facts: Facts, latencies: Mapping[str, int], without_own: Mapping[str, int], few: str) -> Measured:
    """The highest of some latencies (µs) in ms; `without_own` is what each is at least without the harness's part."""
    value = max(latencies.values())
    unsure = {name: facts.uncertainty_us.get(name, 0) for name in latencies}
    least = max(without_own[name] - unsure[name] for name in latencies)
    most = max(us + unsure[name] for name, us in latencies.items())
    why = f"the harness itself was up to {facts.late_own.max / 1000:,.0f} ms late"
    if clocks := max(unsure.values()):
        why += f", and the workers' clocks are known to ±{clocks / 1000:,.3g} ms only"
    doubt = few or _gone(facts)
    best = 0 if doubt else max(0, least) / 1000
    return Measured(value / 1000, best=best, worst=most / 1000, why=doubt or why)


def _too_few(facts: Facts, requirements: Requirements) -> str:
    if facts.acknowledged >= requirements.min_records:
        return ""
    return f"only {facts.acknowledged:,} records were acknowledged; at least {requirements.min_records:,} must be"


def _reasons(facts: Facts, requirements: Requirements) -> list[str]:
    reasons = [few] if (few := _too_few(facts, requirements)) else []
    if _too_late(facts, requirements):
        reasons.append(
            f"the harness itself sent 1 % of the records more than {facts.late_own.p99 / 1000:,.0f} ms late"
            f" (at most {requirements.max_late_ms:,.0f} ms): the load was not the one that was asked for"
        )
    if not facts.groups:
        reasons.append("no group was to read, so nothing shows that the acknowledged records are there")
    return [*reasons, *(reason for group in facts.groups if (reason := _why_undrained(group)))]


def _why_undrained(group: GroupJudgement) -> str:
    """Why nobody can say that the group got all it should, in a sentence; empty if it has read all there is."""
    drain, others = group.drain, group.foreign + group.other_runs
    if not drain.joined:
        return f"{group.group} had no member, so it read none of {group.unread:,} records"
    if drain.unknown:
        return f"{group.group} may not have read everything: the ends of {drain.unknown} logs could not be read"
    if drain.unread:
        waited = "when the user did not wait any more" if drain.cut_short else "when it ran out of time"
        left = f"{group.unread:,} acknowledged records in {drain.offsets:,} offsets"
        return f"{group.group} had not read to the end of the log {waited}: {left} are left"
    if not group.consumed:
        return (
            f"{group.group} read {others:,} records, all of them from other runs or writers"
            if others
            else (f"{group.group} read nothing, so nothing shows that it would have got any record")
        )
    return ""
