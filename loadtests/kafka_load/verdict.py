"""The verdict: what a run proved, as the dictionary that becomes verdict.json.

`judge` is pure: facts and limits in, verdict out. A limit that was broken is a failure; a run whose harness was too
late, had not read everything or saw too little proves nothing and is inconclusive, unless what it did see is a breach
that no shortcoming of the harness could have caused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .ledger import GroupJudgement
from .slo import LIMITS, Result, evaluate

SCHEMA = 1
PASS, FAIL, INCONCLUSIVE, REFUSED = 0, 1, 2, 3
"""Exit statuses; REFUSED stands for bad options or an unreachable cluster and never reaches a verdict."""

# Of a group's judgement, what verdict.json tells.
_TOLD = (
    *("group", "mode", "consumed", "lost", "duplicated_in_log", "duplicated_by_broker", "duplicated_by_client"),
    *("redelivered", "reordered", "phantom"),
    *("offset_regressions", "lag_at_end"),
)
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
    """A fault from outside; times count from the start of the run, None while it has not happened."""

    name: str
    target: str
    injected_at_s: float | None
    healed_at_s: float | None


@dataclass(frozen=True)
class Facts:
    """All that was measured; times in seconds, latencies in microseconds, rates in records/s.

    `unread` counts, for each group, the records that nobody read because time ran out.
    """

    run_id: str
    profile: str
    started: str
    duration_s: float
    due: int = 0
    acknowledged: int = 0
    failed: int = 0
    indeterminate: int = 0
    aborted: int = 0
    groups: Sequence[GroupJudgement] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    produce: Percentiles = Percentiles()
    end_to_end: Mapping[str, Percentiles] = field(default_factory=dict)
    target_rate: float = 0.0
    sent_rate: float = 0.0
    late: Percentiles = Percentiles()
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
    doubts: Sequence[str] = ()


def judge(
    facts: Facts,
    limits: Mapping[str, float],
    requirements: Requirements = Requirements(),
    judged: Sequence[Result] = (),
) -> dict[str, Any]:
    """verdict.json for `facts` under `limits` and what was `judged` elsewhere already.

    `notes`, which the agreed schema does not know, says in sentences what the numbers cannot.
    """
    results = [*evaluate(limits, measured(facts)), *judged]
    doubts = [*facts.doubts, *_doubts(facts, requirements)]
    exit_code = _exit_code(results, doubts, any(_unread(facts, group) for group in facts.groups))
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
        "groups": [{name: getattr(group, name) for name in _TOLD} for group in facts.groups],
        "availability": {
            "longest_gap_s": longest_gap_s(facts),
            "partitions": {name: asdict(gap) for name, gap in sorted(facts.gaps.items())},
        },
        "latency_us": {
            "produce": asdict(facts.produce),
            "end_to_end": {group: asdict(latency) for group, latency in facts.end_to_end.items()},
        },
        "schedule": {
            "target_rate": round(facts.target_rate, 1),
            "sent_rate": round(facts.sent_rate, 1),
            "late_us": {"p50": facts.late.p50, "p99": facts.late.p99, "max": facts.late.max},
        },
        "slo": [result.as_dict() for result in results],
        "faults": [asdict(fault) for fault in facts.faults],
        "notes": [*doubts, *facts.notes],
    }


def longest_gap_s(facts: Facts) -> float:
    """The longest gap of any partition."""
    return max((gap.longest_gap_s for gap in facts.gaps.values()), default=0.0)


def measured(facts: Facts) -> dict[str, float]:
    """The value that each limit is held against; what was not measured has none."""
    values: dict[str, float] = {
        name: max(getattr(group, name) for group in facts.groups)
        for name in (
            "lost",
            "duplicated_in_log",
            "duplicated_by_broker",
            "reordered",
            "phantom",
            "offset_regressions",
            "redelivered",
            "lag_at_end",
        )
        if facts.groups
    }
    if facts.acknowledged:
        values["p99_produce_ms"] = facts.produce.p99 / 1000
    if facts.end_to_end:
        values["p99_end_to_end_ms"] = max(latency.p99 for latency in facts.end_to_end.values()) / 1000
    if facts.due:
        values["longest_gap_s"] = longest_gap_s(facts)
        values["achieved_rate"] = round((facts.acknowledged + facts.aborted) / facts.due, 6)
    return values


def _unread(facts: Facts, group: GroupJudgement) -> int:
    """The records of which nothing shows whether the group would have got them."""
    return facts.unread.get(group.group, 0) + group.unwitnessed


def _doubts(facts: Facts, requirements: Requirements) -> list[str]:
    doubts = []
    if facts.acknowledged < requirements.min_records:
        doubts.append(
            f"only {facts.acknowledged:,} records were acknowledged; at least {requirements.min_records:,} must be"
        )
    if facts.late.p99 > requirements.max_late_ms * 1000:
        doubts.append(
            f"the harness sent 1 % of the records more than {facts.late.p99 / 1000:,.0f} ms late"
            f" (at most {requirements.max_late_ms:,.0f} ms): the load was not the one that was asked for"
        )
    if not facts.groups:
        doubts.append("no group read anything, so nothing shows that the acknowledged records are there")
    for group in facts.groups:
        if not group.consumed and (others := group.foreign + group.other_runs):
            doubts.append(f"{group.group} read {others:,} records, all of them from other runs or writers")
        elif unread := _unread(facts, group):
            doubts.append(f"{group.group} had not read {unread:,} records when it ran out of time")
    return doubts


def _exit_code(results: Sequence[Result], doubts: Sequence[str], unread: bool) -> int:
    broken = [result for result in results if not result.ok]
    if not doubts:
        return FAIL if broken else PASS
    certain = [r for r in broken if LIMITS[r.name].certain and not (r.name == "lost" and unread)]
    return FAIL if certain else INCONCLUSIVE
