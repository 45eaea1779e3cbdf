"""What was measured in a run, as the verdict is given it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kafka_load.config.slo import Measured
from kafka_load.ledger import GroupJudgement
from kafka_load.output.shortfall import Shortfall


@dataclass(frozen=True)
class Requirements:
    """What a run must have done to prove anything."""

    min_records: int = 100
    max_late_ms: float = 1000.0


USUAL_REQUIREMENTS = Requirements()
"""What is required where nobody says otherwise."""


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

    It was seen at `injected_at_s`; it was ordered at `ordered_at_s`, None if nobody says. So long after it the cluster
    had recovered, `recovered_after_s` (see `output.recovery`); None if nobody saw that.
    """

    name: str
    target: str
    injected_at_s: float | None
    healed_at_s: float | None
    ordered_at_s: float | None = None
    recovered_after_s: float | None = None


class Clock(Protocol):
    """A worker's clock (see `kafka_load.run.clock_offset.ClockError`)."""

    @property
    def offset_ns(self) -> int:
        """What had to be added to it."""

    @property
    def worst_ns(self) -> int:
        """By how much the sum was wrong at most."""


@dataclass(frozen=True)
class WindowFacts:
    """The 99th percentile (µs) of the slowest window, and how many latencies are missing in the windows."""

    p99_us: int
    missing: int = 0


@dataclass(frozen=True)
class TopicFacts:
    """What was measured of one topic; `acknowledged` includes what was aborted on purpose. See `Facts`."""

    planned: float = 0.0
    due: int = 0
    sent: int = 0
    acknowledged: int = 0
    produce: Percentiles = Percentiles()

    def minus(self, part: TopicFacts) -> TopicFacts:
        """Without a part of the records; the latencies stay as they are."""
        return TopicFacts(
            max(0.0, self.planned - part.planned),
            self.due - part.due,
            self.sent - part.sent,
            self.acknowledged - part.acknowledged,
            self.produce,
        )


@dataclass(frozen=True)
class Facts:
    """All that was measured; times in seconds, latencies in microseconds, rates in records/s.

    `planned` is how many records were planned at least until the load ended, which lasted `load_s` of `planned_s`;
    `due` is how many the producers were given to send; `shortfalls` is what did not go by the plan (see `plan_check`).
    `late` is how late records were sent, `late_own` the part of it that the harness caused; the rest is due to the
    cluster. `p99_without_own` is what the 99th percentile of a latency is at least if the harness's part is taken off,
    by `produce` or the group's name. `uncertainty_us` is by how much an end-to-end latency may be wrong because several
    workers have several `clocks`, by group. `lag_unknown` says by group why its lag is not known. `gone` are the topics
    that somebody deleted during the run, each with its records that were sent and not acknowledged. `unreported` are
    records of workers that died before they could say what became of them. `recovery` is the longest time until the
    cluster had recovered from a fault, of all partitions by the name "" and of those of each topic. `client` is what
    librdkafka's clients said of themselves. `topics` is what was measured of each alone.
    `processing` is how long it took from due to processed (or acknowledged as a dead letter), by group.

    Latencies, lateness and gaps are of what was due after the first `warmup_s`; `warmup` is what was due before, of all
    topics by the name "" and of each. `delivered` is how many records due after it each group was delivered.
    `windows` are the slowest ones of `window_s`, by `produce` or the group's name; `topic_windows` those of the records
    of one topic, where they are limited.
    `saturation` is what the search for the highest rate found, if the run was one.
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
    processing: Mapping[str, Percentiles] = field(default_factory=dict)
    uncertainty_us: Mapping[str, int] = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)
    target_rate: float = 0.0
    sent_rate: float = 0.0
    late: Percentiles = Percentiles()
    late_own: Percentiles = Percentiles()
    blocked_s: Mapping[str, float] = field(default_factory=dict)
    p99_without_own: Mapping[str, int] = field(default_factory=dict)
    lag_unknown: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    unreported: int = 0
    topics: Mapping[str, TopicFacts] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    recovery: Mapping[str, Measured] = field(default_factory=dict)
    warmup_s: float = 0.0
    warmup: Mapping[str, TopicFacts] = field(default_factory=dict)
    delivered: Mapping[str, int] = field(default_factory=dict)
    window_s: float = 0.0
    windows: Mapping[str, WindowFacts] = field(default_factory=dict)
    topic_windows: Mapping[str, WindowFacts] = field(default_factory=dict)
    saturation: Mapping[str, object] | None = None
    notes: Sequence[str] = ()
    inconclusive_reasons: Sequence[str] = ()
