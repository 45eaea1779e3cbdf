"""From delivered messages to a reader's ledger, in bulk: one entry for each run of consecutive sequences.

Asking a message for its offset costs as much as everything else done with it, so only the first and the last of a run
are asked: consecutive sequences between two offsets that are as far apart leave no room for anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from confluent_kafka import KafkaError
from numpy.typing import NDArray

from kafka_load.engines.client_log import log_once
from kafka_load.engines.messages import Delivered, consecutive, stretches
from kafka_load.engines.settings import ReaderSettings
from kafka_load.engines.warm_up import Latencies, WarmUp
from kafka_load.histogram import Histogram
from kafka_load.ledger.digest import READER_BLOCKS, GrowingDigest
from kafka_load.ledger.findings import TopicPartition
from kafka_load.ledger.runs import Run, RunLog
from kafka_load.ledger.snapshot import (
    ALTERED_LOG,
    MISPLACED_LOG,
    ReaderSnapshot,
    Stream,
    StreamLog,
)
from kafka_load.records import ALTERED, FOREIGN, INTACT, Stamps, decode, decode_uniform
from kafka_load.records.stamp import of_origin


@dataclass(frozen=True)
class ReaderTotals:
    """Cumulative counts of records since the start; `assigned` is of now."""

    at_ns: int = 0
    delivered: int = 0
    bytes_delivered: int = 0
    foreign: int = 0
    other_runs: int = 0
    phantom: int = 0
    rebalances: int = 0
    assigned: tuple[TopicPartition, ...] = ()
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    latency_in_warm_up: Histogram = field(default_factory=Histogram)


class Reading:
    """One reader's ledger while it reads."""

    def __init__(self, settings: ReaderSettings, warm_up: WarmUp | None = None) -> None:
        self.settings = settings
        self.latency = Latencies(warm_up or WarmUp())
        self.delivered = self.bytes = self.foreign = self.other_runs = self.phantom = 0
        self.early = self.earliest_us = 0
        self.positions: dict[TopicPartition, int] = {}  # offset after the furthest one seen
        self._contiguous = settings.mode == "share"
        self._expected: dict[TopicPartition, int] = {}  # offset after the last one seen
        self._sessions: dict[TopicPartition, int] = {}
        self._logs: dict[Stream, RunLog] = {}
        self._digests: dict[TopicPartition, GrowingDigest] = {}

    def begin(self, tp: TopicPartition) -> None:
        """Reading of a partition starts anew: what comes need not follow what was there before."""
        self._sessions[tp] = self._sessions.get(tp, 0) + 1
        self._expected.pop(tp, None)

    def passed(self, tp: TopicPartition, offset: int) -> None:
        """Nothing is left to read before `offset`."""
        if (expected := self._expected.get(tp)) is not None and expected < offset and not self._contiguous:
            self._digest(tp).cover(expected, offset)
        self._expected[tp] = max(offset, self._expected.get(tp, 0))
        self.positions[tp] = max(offset, self.positions.get(tp, 0))

    def next_offset(self, tp: TopicPartition) -> int | None:
        """Where reading goes on, as far as known."""
        return self._expected.get(tp)

    def take(self, messages: Sequence[Delivered], now: int) -> None:
        """Account for delivered messages and events (a partition's end, an error), in the order of their delivery."""
        values = [message.value() for message in messages]
        stamps = decode_uniform(values)
        if stamps is not None:
            self.bytes += len(values) * len(values[0] or b"")
        else:
            if events := [message for message in messages if message.error() is not None]:
                if records := [message for message in messages if message.error() is None]:
                    self.take(records, now)
                self._take_events(events)
                return
            stamps = decode(values)
            self.bytes += sum(map(len, filter(None, values)))
        ours = (stamps.state == INTACT) & (stamps.run == self.settings.run)
        if ours.all():
            self._take_ours(messages, stamps, now)
            return
        # All else is taken one by one, between the runs it interrupts, so that offsets keep rising.
        for begin, end in stretches(ours[1:] != ours[:-1]):
            if ours[begin]:
                self._take_ours(messages[begin:end], stamps.part(begin, end), now)
            else:
                for message, state in zip(messages[begin:end], stamps.state[begin:end].tolist(), strict=True):
                    self._take_stranger(message, state, now)

    def _take_ours(self, messages: Sequence[Delivered], stamps: Stamps, now: int) -> None:
        self.delivered += len(messages)
        latency_us = (now - stamps.due_ns) // 1_000
        if (lowest := int(latency_us.min())) < 0:
            self.early += int((latency_us < 0).sum())
            self.earliest_us = max(self.earliest_us, -lowest)
        self.latency.add(stamps.due_ns, latency_us)
        for begin, end in consecutive(stamps):
            first, last = messages[begin], messages[end - 1]
            producer, claimed = of_origin(stamps.origin[begin])
            sequence, spread = int(stamps.sequence[begin]), last.offset() - first.offset()
            if spread == end - 1 - begin and first.partition() == last.partition() == claimed:
                tp = (first.topic(), claimed)
                self._add((*tp, producer), run := Run(first.offset(), last.offset(), sequence, end - begin, now))
                if not self._contiguous:
                    self._digests[tp].observe(run.first, run.length, producer, sequence)
            else:
                self._take_scattered(messages[begin:end], claimed, producer, sequence, now)

    def _take_scattered(
        self, messages: Sequence[Delivered], claimed: int, producer: int, sequence: int, now: int
    ) -> None:
        """Consecutive sequences whose offsets are not: transaction markers, other producers, or a wrong partition."""
        at_home = [message.partition() == claimed for message in messages]
        offsets = np.array([message.offset() for message in messages], np.int64)
        steps = np.diff(offsets)
        broken = (steps != 1) if self._contiguous else (steps < 1)
        for begin, end in stretches(broken | ~np.array(at_home[1:]) | ~np.array(at_home[:-1])):
            if at_home[begin]:
                run = Run(int(offsets[begin]), int(offsets[end - 1]), sequence + begin, end - begin, now)
                tp = (messages[begin].topic(), claimed)
                self._add((*tp, producer), run)
                if not self._contiguous:
                    self._observe(tp, offsets[begin:end], producer, run.seq)
            else:
                self.delivered -= 1
                self._take_phantom(messages[begin], MISPLACED_LOG, now)

    def _take_events(self, events: Sequence[Delivered]) -> None:
        for event in events:
            if (error := event.error()) is not None and error.code() == KafkaError._PARTITION_EOF:
                self.passed((event.topic(), event.partition()), event.offset())
            elif error is not None:
                log_once(f"{self.settings.group}: {error.str()}")

    def _take_stranger(self, message: Delivered, state: int, now: int) -> None:
        if state == ALTERED:
            self._take_phantom(message, ALTERED_LOG, now)
            return
        self.foreign += state == FOREIGN
        self.other_runs += state == INTACT
        self._move((message.topic(), message.partition()), message.offset(), message.offset())

    def _take_phantom(self, message: Delivered, log: int, now: int) -> None:
        self.phantom += 1
        offset = message.offset()
        self._add((message.topic(), message.partition(), log), Run(offset, offset, offset, 1, now))

    def _add(self, stream: Stream, run: Run) -> None:
        session = self._move(stream[:2], run.first, run.last)
        log = self._logs.get(stream)
        if log is None:
            log = self._logs[stream] = RunLog()
        log.add(session, run)

    def _move(self, tp: TopicPartition, first: int, last: int) -> int:
        """Note how far a partition is read; returns the number of the contiguous reading that this is part of.

        A group member reads everything between two offsets, but for what the broker has removed. A share-group member
        does not: there every gap begins a new reading.
        """
        expected = self._expected.get(tp)
        if expected is not None and (first < expected or (self._contiguous and first > expected)):
            self.begin(tp)
            expected = None
        if not self._contiguous:
            self._digest(tp).cover(first if expected is None else expected, last + 1)
        self._expected[tp] = last + 1
        if last >= self.positions.get(tp, 0):
            self.positions[tp] = last + 1
        return self._sessions.setdefault(tp, 0)

    def _digest(self, tp: TopicPartition) -> GrowingDigest:
        if tp not in self._digests:
            self._digests[tp] = GrowingDigest(READER_BLOCKS)
        return self._digests[tp]

    def _observe(self, tp: TopicPartition, offsets: NDArray[np.int64], producer: int, sequence: int) -> None:
        """Sum up records with consecutive sequences from `sequence` on, which lie at these offsets."""
        for begin, end in stretches(np.diff(offsets) != 1):
            self._digests[tp].observe(int(offsets[begin]), end - begin, producer, sequence + begin)

    def snapshot(self, engine: str, version: int, closed: bool) -> ReaderSnapshot:
        """Everything read so far."""
        chosen = self.settings
        return ReaderSnapshot(
            engine=engine,
            version=version,
            group=chosen.group,
            mode=chosen.mode,
            topics=chosen.topics,
            from_start=chosen.from_start,
            read_committed=chosen.read_committed,
            closed=closed,
            streams={s: StreamLog(log.runs(), log.delivered, log.overflow) for s, log in self._logs.items()},
            positions=dict(self.positions),
            foreign=self.foreign,
            other_runs=self.other_runs,
            latency=self.latency.all.copy(),
            latency_in_warm_up=self.latency.in_warm_up.copy(),
            digests={tp: digest.freeze() for tp, digest in self._digests.items()},
            early=self.early,
            earliest_us=self.earliest_us,
        )

    def totals(self, now: int, rebalances: int = 0, assigned: tuple[TopicPartition, ...] = ()) -> ReaderTotals:
        """Everything read so far, in numbers."""
        return ReaderTotals(
            at_ns=now,
            delivered=self.delivered,
            bytes_delivered=self.bytes,
            foreign=self.foreign,
            other_runs=self.other_runs,
            phantom=self.phantom,
            rebalances=rebalances,
            assigned=assigned,
            positions=dict(self.positions),
            latency=self.latency.all.copy(),
            latency_in_warm_up=self.latency.in_warm_up.copy(),
        )
