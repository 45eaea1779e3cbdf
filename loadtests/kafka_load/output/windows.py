"""The slowest window of a run: the 99th percentile of the latencies in each window of some seconds.

A stall of a few seconds is not seen in the percentile of an hour. The windows are made of the seconds that the workers
report, one beginning with each second; what a second costs does not depend on how long the run lasts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from kafka_load.histogram import Histogram
from kafka_load.output.measurements import WindowFacts
from kafka_load.output.timeline import OF_TOPIC, WARM_UP, Bin

PRODUCE, END_TO_END = "produce", "e2e."
"""Names of the latencies of a second: to the acknowledgement, to a group. `OF_TOPIC`: those of one topic."""


class WorstWindows:
    """Takes the seconds of a run in order; `least` records make a window worth judging.

    `p99_us` has the worst 99th percentile by the latencies' name (`produce`, `e2e.GROUP`, `produce.TOPIC`); `records`
    is how many latencies were seen of each. Records that were due in the warm-up are left out.
    """

    def __init__(self, length_s: int, least: int) -> None:
        self.length_s = length_s
        self.p99_us: dict[str, int] = {}
        self.records: dict[str, int] = {}
        self._least = least
        self._seconds: deque[Mapping[str, Histogram]] = deque()
        self._sums: dict[str, Histogram] = {}

    def add(self, second: Bin) -> None:
        """Take the next second."""
        parts = {
            name: _after_warm_up(name, second.histograms)
            for name in second.histograms
            if name == PRODUCE or name.startswith((END_TO_END, OF_TOPIC))
        }
        self._seconds.append(parts)
        for name, part in parts.items():
            self._sums[name] = self._sums.get(name, Histogram()) + part
            self.records[name] = self.records.get(name, 0) + part.count
        if len(self._seconds) > self.length_s:
            for name, part in self._seconds.popleft().items():
                self._sums[name] = self._sums[name].minus(part)
        if len(self._seconds) == self.length_s:
            for name, whole in self._sums.items():
                if whole.count >= self._least:
                    self.p99_us[name] = max(self.p99_us.get(name, 0), whole.percentile(99))

    def slowest(self, name: str, latency: Histogram) -> WindowFacts | None:
        """The slowest window of these latencies, None if none was worth judging; `latency` is all of them."""
        if name not in self.p99_us:
            return None
        return WindowFacts(self.p99_us[name], latency.count - self.records[name])


def _after_warm_up(name: str, histograms: Mapping[str, Histogram]) -> Histogram:
    whole, warm = histograms[name], histograms.get(f"{WARM_UP}{name}")
    return whole if warm is None else whole.minus(warm)
