"""The timeline: what happened in each second of the run, merged from all processes, as timeline.csv.

A process reports a second as a difference (`Bin`), and reports each one several times; the merge keys them by process
and second, so that a report that is lost or comes twice changes nothing.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kafka_load.histogram import Histogram

Row = dict[str, Any]

QUEUE_RECORDS, QUEUE_BYTES = "client_queue_records", "client_queue_bytes"
THROTTLE_MS = "throttle_ms"
RTT_COUNT, RTT_SUM_US, RTT_P99_US = "rtt_count.", "rtt_sum_us.", "rtt_p99_us."
"""Counts and peaks of the round trips to a broker, by its id."""
WARM_UP = "warm_up."
"""Counts of records that were due in the warm-up (`due`, `sent`, `acknowledged`), by topic; latencies of those."""
OF_TOPIC = "produce."
"""Latencies to the acknowledgement of one topic, where its windows are limited."""
RATES = ("due", "sent", "acknowledged", "failed")
PATIENCE_S = 6
"""A second is written without the processes that have not reported it by then."""


@dataclass
class Bin:
    """One second of one process: what was counted in it, levels at its end, latencies in it, the highest of values.

    Of several processes all are added up, but for `peaks`, of which the highest counts.
    """

    second: int
    counts: dict[str, int] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)

    def add(self, other: Bin) -> None:
        """Add what another process did in the same second."""
        for name, value in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + value
        for name, value in other.levels.items():
            self.levels[name] = self.levels.get(name, 0) + value
        for name, histogram in other.histograms.items():
            self.histograms[name] = self.histograms.get(name, Histogram()) + histogram
        for name, value in other.peaks.items():
            self.peaks[name] = max(value, self.peaks.get(name, value))

    def to_wire(self) -> list[Any]:
        """Plain data for Locust's report."""
        latencies = {name: histogram.to_wire() for name, histogram in self.histograms.items()}
        return [self.second, self.counts, self.levels, latencies, self.peaks]

    @classmethod
    def from_wire(cls, wire: Sequence[Any]) -> Self:
        """The inverse of `to_wire`."""
        second, counts, levels, latencies, peaks = wire
        histograms = {name: Histogram.from_wire(latency) for name, latency in latencies.items()}
        return cls(second, dict(counts), dict(levels), histograms, dict(peaks))


def merged(second: int, bins: Iterable[Bin]) -> Bin:
    """The sum of what several processes counted."""
    whole = Bin(second)
    for one in bins:
        whole.add(one)
    return whole


def columns(groups: Iterable[str]) -> list[str]:
    """The columns of timeline.csv for these groups."""
    groups = list(groups)
    return [
        "t_s",
        *RATES,
        "indeterminate",
        *(f"delivered.{group}" for group in groups),
        *(f"lag.{group}" for group in groups),
        "produce_p50_us",
        "produce_p99_us",
        *(f"e2e_{q}_us.{group}" for group in groups for q in ("p50", "p99")),
        QUEUE_RECORDS,
        QUEUE_BYTES,
        THROTTLE_MS,
        "rtt_avg_us",
        "rtt_p99_us",
        "lost_so_far",
        "redelivered",
        "marks",
    ]


def to_row(whole: Bin, groups: Iterable[str], marks: str) -> Row:
    """One row of timeline.csv; a percentile of nothing is empty, not zero."""
    counts, levels = whole.counts, whole.levels
    row: Row = {"t_s": whole.second} | {name: counts.get(name, 0) for name in RATES}
    row["indeterminate"] = levels.get("indeterminate", 0)
    row |= _percentiles("produce_{}_us", whole.histograms.get("produce"))
    for group in groups:
        row[f"delivered.{group}"] = counts.get(f"delivered.{group}", 0)
        row[f"lag.{group}"] = levels.get(f"lag.{group}", 0)
        row |= _percentiles(f"e2e_{{}}_us.{group}", whole.histograms.get(f"e2e.{group}"))
    row |= {name: levels.get(name, 0) for name in (QUEUE_RECORDS, QUEUE_BYTES)}
    row[THROTTLE_MS] = whole.peaks.get(THROTTLE_MS, 0)
    row |= _round_trips(whole)
    return row | {"lost_so_far": levels.get("lost", 0), "redelivered": levels.get("redelivered", 0), "marks": marks}


def _round_trips(whole: Bin) -> Row:
    """Of all brokers: the average, and the 99th percentile of the slowest one and its slowest client."""
    count, total = (
        sum(value for name, value in whole.counts.items() if name.startswith(prefix))
        for prefix in (RTT_COUNT, RTT_SUM_US)
    )
    if not count:
        return {"rtt_avg_us": "", "rtt_p99_us": ""}
    slowest = max(value for name, value in whole.peaks.items() if name.startswith(RTT_P99_US))
    return {"rtt_avg_us": round(total / count), "rtt_p99_us": slowest}


def _percentiles(name: str, histogram: Histogram | None) -> Row:
    if histogram is None or not histogram.count:
        return {name.format("p50"): "", name.format("p99"): ""}
    return {name.format("p50"): histogram.percentile(50), name.format("p99"): histogram.percentile(99)}


class Timeline:
    """Merges bins and writes each second once it is complete; memory holds the open seconds only."""

    def __init__(self, path: Path, groups: Sequence[str], written: Callable[[Bin, Row], None]) -> None:
        self._groups = groups
        self._open: dict[int, dict[str, Bin]] = {}
        self._next = 0
        self._written = written
        self._file = path.open("w", newline="", encoding="utf-8")
        self._csv = csv.DictWriter(self._file, columns(groups))
        self._csv.writeheader()

    def add(self, process: str, bins: Iterable[Bin]) -> None:
        """Take what a process reports; seconds that were written already are left alone."""
        for one in bins:
            if one.second >= self._next:
                self._open.setdefault(one.second, {})[process] = one

    def write(self, now_s: float, processes: Iterable[str], marks: Mapping[int, str]) -> None:
        """Write the seconds that all of `processes` have reported, or that are too long past to wait for."""
        expected = set(processes)
        while self._next + 1 <= now_s:
            reported = self._open.get(self._next, {})
            if not (expected <= reported.keys() or self._next + PATIENCE_S < now_s):
                break
            whole = merged(self._next, self._open.pop(self._next, {}).values())
            row = to_row(whole, self._groups, marks.get(self._next, ""))
            self._csv.writerow(row)
            self._next += 1
            self._written(whole, row)
        self._file.flush()

    def close(self, end_s: float, marks: Mapping[int, str]) -> None:
        """Write what is left up to `end_s`."""
        self.write(math.ceil(end_s), (), marks)
        self._file.close()
