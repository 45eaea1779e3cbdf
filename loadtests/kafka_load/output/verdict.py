"""The verdict: what a run proved, as the dictionary that becomes verdict.json.

`judge` is pure: facts and limits in, verdict out. Each limit and each group is judged by itself. A limit that was
certainly broken fails the run, whatever else is in doubt. A limit whose value could lie on either side, given what the
harness could not see or was too late to do, is undecided. A run with an undecided limit, a group that has not read to
the end of the log, a harness that was too late, or too few records proves nothing and is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from kafka_load.config.slo import Result, evaluate, titled
from kafka_load.ledger import GroupJudgement
from kafka_load.ledger.runs import LIMIT
from kafka_load.output.limit_values import after_warm_up, longest_gap_s, measured, part_of, too_few, too_late
from kafka_load.output.measurements import USUAL_REQUIREMENTS, Facts, Percentiles, Requirements, TopicFacts

SCHEMA = 4
PASS, FAIL, INCONCLUSIVE, REFUSED = 0, 1, 2, 3
"""Exit statuses; REFUSED stands for bad options or an unreachable cluster and never reaches a verdict."""

# Of a group's judgement, what verdict.json tells.
_TOLD = (
    *("group", "mode", "consumed", "lost", "duplicated_in_log", "duplicated_by_broker", "duplicated_by_client"),
    *("redelivered", "reordered", "phantom", "diverged"),
    *("offset_regressions", "lag_at_end", "unread", "unverifiable", "deleted"),
)
_OUTCOMES = {PASS: "pass", FAIL: "fail", INCONCLUSIVE: "inconclusive"}


def judge(
    facts: Facts,
    limits: Mapping[str, float],
    requirements: Requirements = USUAL_REQUIREMENTS,
    judged: Sequence[Result] = (),
    limits_of: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> dict[str, Any]:
    """verdict.json for `facts` under `limits` and what was `judged` elsewhere already.

    `limits_of` are limits of one group or topic each, by `group NAME` or `topic NAME`.

    `failures` says in sentences what else failed the run than a limit, `reasons` why it is not conclusive; `notes` says
    both and what the numbers cannot.
    """
    values = measured(facts, requirements)
    results = [*evaluate(limits, values), *judged]
    unmeasured, unproven = [(name, name) for name in limits if name not in values], list[str]()
    for of, own in limits_of.items():
        part = part_of(facts, of)
        values = measured(part, requirements)
        results += evaluate(own, values, of)
        if (records := after_warm_up(part).acknowledged) < requirements.min_records:
            unproven.append(f"the limits of {of} prove nothing: it had only {records:,} records")
        unmeasured += [(titled(name, of), name) for name in own if name not in values]
    failures = [found.sentence for found in facts.shortfalls if found.outcome == "fail"]
    reasons = [found.sentence for found in facts.shortfalls if found.outcome != "fail"]
    reasons += [*facts.inconclusive_reasons, *_reasons(facts, requirements)]
    reasons += [f"{title} could not be judged: {_why_unmeasured(name)}" for title, name in unmeasured]
    reasons += unproven
    reasons += [f"{result.title} is undecided: {result.undecided}" for result in results if result.undecided]
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
            "end_to_end": _with_uncertainty(facts, facts.end_to_end),
            **({"processing": _with_uncertainty(facts, facts.processing)} if facts.processing else {}),
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
        "client": dict(facts.client),
        "slo": [result.as_dict() for result in results],
        "faults": [asdict(fault) for fault in facts.faults],
        "plan": {
            "duration_s": facts.planned_s,
            "load_s": round(facts.load_s, 3),
            "warmup_s": facts.warmup_s,
            "ended_by": facts.ended_by,
            "users": dict(facts.users),
            "records": round(facts.planned),
            "due": facts.due,
            "topics": _records(facts.topics),
            "warmup": _records({name: topic for name, topic in facts.warmup.items() if name}),
            "shortfalls": [found.as_dict() for found in facts.shortfalls],
        },
        "windows": {
            "length_s": facts.window_s,
            "p99_us": {name: found.p99_us for name, found in sorted(facts.windows.items())},
            "topics_p99_us": {name: found.p99_us for name, found in sorted(facts.topic_windows.items())},
        },
        **({"saturation": dict(facts.saturation)} if facts.saturation is not None else {}),
        "failures": failures,
        "reasons": reasons,
        "notes": [*failures, *reasons, *facts.notes],
    }


def _records(topics: Mapping[str, TopicFacts]) -> dict[str, dict[str, int]]:
    """How many records of each topic were planned, due and acknowledged."""
    return {
        name: {"records": round(topic.planned), "due": topic.due, "acknowledged": topic.acknowledged}
        for name, topic in sorted(topics.items())
    }


def _with_uncertainty(facts: Facts, latencies: Mapping[str, Percentiles]) -> dict[str, dict[str, int]]:
    """Latencies by group, each with by how much it may be wrong."""
    unsure = facts.uncertainty_us
    return {group: asdict(latency) | {"uncertainty": unsure.get(group, 0)} for group, latency in latencies.items()}


def _told(group: GroupJudgement) -> dict[str, Any]:
    told = {name: getattr(group, name) for name in _TOLD} | {"drained": group.drain.drained}
    work = {"processing": group.processing, "transform": group.transform}
    return told | {name: asdict(judged) for name, judged in work.items() if judged is not None}


def _late(late: Percentiles) -> dict[str, int]:
    return {"p50": late.p50, "p99": late.p99, "max": late.max}


def _why_unmeasured(name: str) -> str:
    return "no fault was marked as seen in the run" if name == "recovery_s" else "it was not measured"


def _reasons(facts: Facts, requirements: Requirements) -> list[str]:
    reasons = [few] if (few := too_few(after_warm_up(facts), requirements)) else []
    if too_late(facts, requirements):
        reasons.append(
            f"the harness itself sent 1 % of the records more than {facts.late_own.p99 / 1000:,.0f} ms late"
            f" (at most {requirements.max_late_ms:,.0f} ms): the load was not the one that was asked for"
        )
    if not facts.groups:
        reasons.append("no group was to read, so nothing shows that the acknowledged records are there")
    reasons += [
        f"{group.group} was given a producer's records of a partition in more than {LIMIT:,} pieces; the rest was not"
        " followed, so its counts are lower bounds"
        for group in facts.groups
        if group.overflow
    ]
    return [*reasons, *(reason for group in facts.groups if (reason := _why_undrained(group)))]


def _why_undrained(group: GroupJudgement) -> str:
    """Why nobody can say that the group got all it should, in a sentence; empty if it has read all there is."""
    drain, others = group.drain, group.foreign + group.other_runs
    if not drain.joined:
        return f"{group.group} had no member, so it read none of {group.unread:,} records"
    if drain.unknown:
        return (
            f"{group.group} may not have read everything: the end of a log could not be read ({drain.unknown} of them)"
        )
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
