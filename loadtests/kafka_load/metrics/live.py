"""The figures of the run that is on, each with a name, a meaning and its labels, whoever publishes them.

Counters begin anew with each run. Figures of the last second are those of the last complete one in the timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from kafka_load.histogram import Histogram
from kafka_load.output.timeline import QUEUE_BYTES, QUEUE_RECORDS, RATES, THROTTLE_MS
from kafka_load.run import run_annotations
from kafka_load.run.coordinator import RunCoordinator

FINDINGS = (
    *("lost", "unread", "redelivered", "reordered", "duplicated_in_log", "phantom", "diverged"),
    *("offset_regressions", "unverifiable"),
)
_RATE_MEANINGS = {
    "due": "Records that were to be sent",
    "sent": "Records that were given to librdkafka",
    "acknowledged": "Records that the cluster has acknowledged",
    "failed": "Records that were certainly not written",
}

Values = Mapping[tuple[str, ...], float]
Read = Callable[[RunCoordinator], Values]


@dataclass(frozen=True)
class Figure:
    """A number for each set of values of `labels`; without a `unit` it is what `name` says."""

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    read: Read
    labels: tuple[str, ...] = ()
    unit: Literal["", "seconds", "bytes"] = ""


@dataclass(frozen=True)
class LatencyFigure:
    """Latencies since the run's start for each set of values of `labels`."""

    name: str
    meaning: str
    read: Callable[[RunCoordinator], Mapping[tuple[str, ...], Histogram]]
    labels: tuple[str, ...] = ()


def _count(name: str) -> Read:
    return lambda run: {(): run.total.counts.get(name, 0)}


def _last(name: str, per_unit: int = 1) -> Read:
    return lambda run: {(): run.last_second.get(name, 0) / per_unit}


def _about(run: RunCoordinator) -> Values:
    return {(run.plan.run_id, run.plan.profile.name, run.phase): 1}


def _outcome(run: RunCoordinator) -> Values:
    return {} if run.verdict is None else {(run.verdict["outcome"],): 1}


def _delivered(run: RunCoordinator) -> Values:
    counts = run.total.counts
    return {(group.name,): counts.get(f"delivered.{group.name}", 0) for group in run.groups}


def _rates(run: RunCoordinator) -> Values:
    return {(name,): run.last_second.get(name, 0) for name in RATES}


def _lags(run: RunCoordinator) -> Values:
    return {(group.name,): run.lag(group) for group in run.groups}


def _findings(run: RunCoordinator) -> Values:
    judged = run.judgement.groups if run.judgement is not None else []
    return {(group.group, name): getattr(group, name) for group in judged for name in FINDINGS}


def _processing(run: RunCoordinator) -> Values:
    judged = run.judgement.groups if run.judgement is not None else []
    worked = {group.group: asdict(group.processing) for group in judged if group.processing is not None}
    return {(group, outcome): count for group, counts in worked.items() for outcome, count in counts.items()}


def _round_trips(name: str) -> Read:
    return lambda run: {(broker,): times[name] / 1e6 for broker, times in run.clients.round_trips().items()}


def _faults(run: RunCoordinator) -> Values:
    return {(mark.name, mark.target): int(not mark.healed) for mark in run_annotations.read(run.plan.run_dir)}


FIGURES = (
    Figure("run", "gauge", "The run that is on; always 1", _about, ("run_id", "profile", "phase")),
    Figure("verdict", "gauge", "The verdict of a run that has ended; always 1", _outcome, ("outcome",)),
    Figure("elapsed", "gauge", "Time since the run's start", lambda run: {(): run.elapsed_s}, unit="seconds"),
    *(Figure(f"records_{name}", "counter", meaning, _count(name)) for name, meaning in _RATE_MEANINGS.items()),
    Figure("records_delivered", "counter", "Records delivered to a group", _delivered, ("group",)),
    Figure("records_per_second", "gauge", "Rates in the last second", _rates, ("of",)),
    Figure("records_in_flight", "gauge", "Records that were sent and not answered yet", _last("indeterminate")),
    Figure("lag_records", "gauge", "Records that a group has not committed yet", _lags, ("group",)),
    Figure("finding_records", "gauge", "Records that are lost, reordered, … so far", _findings, ("group", "finding")),
    Figure(
        "processing_records", "gauge", "What became of records in processing groups", _processing, ("group", "outcome")
    ),
    Figure("client_queue_records", "gauge", "Records that wait in all producers", _last(QUEUE_RECORDS)),
    Figure("client_queue", "gauge", "Bytes that wait in all producers", _last(QUEUE_BYTES), unit="bytes"),
    Figure(
        "throttle",
        "gauge",
        "The longest throttling by a broker in the last second",
        _last(THROTTLE_MS, per_unit=1_000),
        unit="seconds",
    ),
    Figure(
        "round_trip_average",
        "gauge",
        "From a producer's request to the broker's answer, in the whole run so far",
        _round_trips("avg"),
        ("broker",),
        "seconds",
    ),
    Figure(
        "round_trip_p99",
        "gauge",
        "The same, 99th percentile of the worst second and client",
        _round_trips("p99_max"),
        ("broker",),
        "seconds",
    ),
    Figure("fault_active", "gauge", "1 while a marked fault is not healed", _faults, ("name", "target")),
)

LATENCIES = (
    LatencyFigure(
        "produce_latency",
        "From when a record was due to its acknowledgement",
        lambda run: {(): run.total.histograms.get("produce", Histogram())},
    ),
    LatencyFigure(
        "end_to_end_latency",
        "From when a record was due to its delivery to the group",
        lambda run: {(group.name,): run.total.histograms.get(f"e2e.{group.name}", Histogram()) for group in run.groups},
        ("group",),
    ),
)
