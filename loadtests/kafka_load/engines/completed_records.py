"""What a group member is done with: its records by stream, how far it is in each partition, how long it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from kafka_load.clock import now_ns
from kafka_load.engines.messages import Delivered, consecutive
from kafka_load.histogram import Histogram
from kafka_load.ledger.findings import TopicPartition
from kafka_load.ledger.snapshot import ProcessingSnapshot, Stream
from kafka_load.ledger.spans import SpanSet
from kafka_load.records import INTACT, Stamps
from kafka_load.records.stamp import of_origin


class Settled:
    """Grows with what is done; `count` has the numbers of `ProcessingSnapshot`, `next_offsets` where to go on."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._spans: dict[Stream, SpanSet] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._latency = Histogram()
        self.count: Counter[str] = Counter()
        self.next_offsets: dict[TopicPartition, int] = {}

    def add(self, messages: Sequence[Delivered], stamps: Stamps, measured_from_ns: int) -> None:
        """Account for records; others than of this run are left out. Latencies are of those due from then on."""
        ours = np.flatnonzero((stamps.state == INTACT) & (stamps.run == self._run))
        stamps = stamps.at(ours)
        if not len(stamps):
            return
        self._latency.add((now_ns() - stamps.due_ns[stamps.due_ns >= measured_from_ns]) // 1_000)
        for begin, end in consecutive(stamps):
            producer, partition = of_origin(stamps.origin[begin])
            stream = (messages[int(ours[begin])].topic(), partition, producer)
            first = int(stamps.sequence[begin])
            self._spans.setdefault(stream, SpanSet()).add(first, first + end - begin)

    def move(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note up to where partitions are done."""
        for key, offset in offsets.items():
            self.next_offsets[key] = offset
            self._positions[key] = max(offset, self._positions.get(key, 0))

    def snapshot(self) -> ProcessingSnapshot:
        """All that is done so far."""
        spans = {stream: found.spans() for stream, found in self._spans.items()}
        return ProcessingSnapshot(spans, dict(self._positions), **self.count, latency=self._latency.copy())
