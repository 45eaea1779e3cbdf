"""The warm-up of a run: what was due in it counts in no limit of latency, rate or gaps."""

from __future__ import annotations

from kafka_load.histogram import Histogram
from kafka_load.records.stamp import Int64s


class WarmUp:
    """When the warm-up of a run ends, as an engine is told it by another thread; the due times before it are in it."""

    def __init__(self) -> None:
        self.until_ns = 0


class Latencies:
    """Latencies of all records, and beside them of those that were due in the warm-up."""

    def __init__(self, warm_up: WarmUp) -> None:
        self.all, self.in_warm_up = Histogram(), Histogram()
        self._warm_up = warm_up

    def add(self, due_ns: Int64s, latency_us: Int64s) -> None:
        """Records that were due at these times had these latencies (µs)."""
        self.all.add(latency_us)
        if (until_ns := self._warm_up.until_ns) and len(due_ns) and int(due_ns.min()) < until_ns:
            self.in_warm_up.add(latency_us[due_ns < until_ns])
