"""The producer engine: sends what its schedule says is due, whatever became of what it sent before.

Everything is done for thousands of records at once: partitioning, encoding, handing over, reports, accounts, latencies.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from confluent_kafka import KafkaError
from numpy.typing import NDArray

from kafka_load.clock import MILLISECOND, now_ns
from kafka_load.engines.acknowledging import Acknowledgements, Reports
from kafka_load.engines.base import Engine
from kafka_load.engines.outgoing import InFlight, Outgoing
from kafka_load.engines.settings import ClientSettings, ProducerSettings
from kafka_load.engines.transaction import Transaction
from kafka_load.histogram import Histogram
from kafka_load.keys import KeyStream, Popularity
from kafka_load.ledger.findings import Gap, TopicPartition
from kafka_load.ledger.snapshot import ProducerSnapshot
from kafka_load.librdkafka import BulkProducer
from kafka_load.native import native_sleep
from kafka_load.records import encoder
from kafka_load.records.stamp import Int64s
from kafka_load.schedule import Schedule, constant

CHUNK = 2_000  # records made at once when so many are due; more would no longer fit into the cache
# Records put in the order of their partitions at once when so many are due. What a partition is given in one go shares
# a batch, and a broker's work is counted in batches rather than in records.
ROUND = 24 * CHUNK
TICK_NS = MILLISECOND
METADATA_S = 10.0


@dataclass(frozen=True)
class ProducerTotals:
    """Cumulative counts of records since the start. While the engine runs, `indeterminate` is what is in flight."""

    at_ns: int = 0
    due: int = 0
    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    indeterminate: int = 0
    aborted: int = 0
    bytes_acknowledged: int = 0
    target_rate: float = 0.0
    latency: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    gaps: dict[TopicPartition, Gap] = field(default_factory=dict)


class ProducerEngine(Engine[ProducerTotals, ProducerSnapshot]):
    """Sends to one topic. Without a schedule it sends as fast as records are acknowledged (a closed loop)."""

    def __init__(
        self, client: ClientSettings, settings: ProducerSettings, schedule: Schedule | None, flush_s: float = 30
    ) -> None:
        super().__init__(client)
        self.settings = settings
        self.totals = ProducerTotals()
        self.snapshot = ProducerSnapshot(self.id, 0, settings.topic, settings.producer, False, {})
        self._encode = encoder(settings.format, settings.event, settings.size, settings.run, settings.producer)
        self._flush_s = flush_s
        self._acks = Acknowledgements(settings.topic, settings.transaction is not None)
        self._lateness = Histogram()
        self._in_flight = InFlight(settings.in_flight_max)
        # Schedules with the time at which each takes over from the one before; the last one is for ever.
        self._plan: deque[tuple[int, Schedule | None]] = deque([(0, schedule)])
        self._cursor = 0
        self._passed = 0  # records due under schedules that are over

    def set_rate(self, per_second: float) -> None:
        """From now on send evenly at this rate; 0 pauses."""
        self.set_schedule(constant(per_second))

    def set_schedule(self, schedule: Schedule) -> None:
        """Follow another schedule from now on. What was due until now is still sent."""
        self._plan.append((now_ns(), schedule))

    def _run(self) -> None:
        self._client = BulkProducer(self.settings.properties(self.client), self.settings.topic, self._listener)
        try:
            self._produce(self._client)
        finally:
            self._client.close()

    def _produce(self, client: BulkProducer) -> None:
        popularity = Popularity(self.settings.keys, self.settings.zipf)
        self._keys = KeyStream(popularity, client.partitions(METADATA_S), seed=self.settings.producer)
        chosen = self.settings.transaction
        transaction = Transaction(client, chosen, self._flush_s) if chosen else None
        at_most = ROUND
        self._cursor = now_ns()
        self._plan[0] = (self._cursor, self._plan[0][1])
        while not self._stopping:
            if transaction:
                at_most = min(ROUND, transaction.room)
            busy = self._send_due(at_most)
            self._serve(0.0)
            if transaction:
                transaction.step(self._acks, self._drain)
            self._publish()
            self._raise_fatal()
            if not busy:
                native_sleep((TICK_NS - now_ns() % TICK_NS) / 1e9)
        if not self._killed:
            self._drain(self._flush_s)
            if transaction:
                transaction.finish(self._acks, self._drain)

    def _send_due(self, at_most: int) -> bool:
        """Send what is due, at most about so many records; whether there is more to do at once."""
        room = self.settings.in_flight_max - len(self._in_flight)
        if room < CHUNK:
            self._serve(0.001)
            return True
        at_most = min(at_most, room)
        (start, schedule), now = self._plan[0], now_ns()
        if schedule is None:
            self._send(np.full(at_most, now, np.int64))
            return True
        until = min(now, self._plan[1][0]) if len(self._plan) > 1 else now
        end = schedule.window_end(self._cursor - start, until - start, at_most) + start
        due = schedule.due_between(self._cursor - start, end - start)
        self._cursor = max(self._cursor, end)
        if len(due):
            self._send(due + start)
        if len(self._plan) > 1 and self._cursor >= self._plan[1][0]:
            self._passed += schedule.count(self._plan[1][0] - start)
            self._plan.popleft()
            return True
        return end < until

    def _send(self, due_ns: Int64s) -> None:
        """Make the records due at these times, and hand them over partition by partition."""
        count = len(due_ns)
        keys = self._keys.draw(count)
        order = np.argsort(self._keys.partitions[keys], kind="stable")
        keys, due_ns = keys[order], due_ns[order]
        partitions = self._keys.partitions[keys]
        changes = np.flatnonzero(np.diff(partitions)) + 1
        sequences = np.arange(count)
        for begin, end in pairwise([0, *changes.tolist(), count]):
            sequences[begin:end] += self._acks.account(int(partitions[begin])).sent - begin
        for start in range(0, count, CHUNK):
            if start:
                self._serve(0.0)
            chunk = slice(start, start + CHUNK)
            which = keys[chunk]
            values = self._encode(partitions[chunk], sequences[chunk], due_ns[chunk], self._keys.names[which])
            records = Outgoing.of(values, self._keys.packed, which, sequences[chunk], due_ns[chunk])
            if self._plan[0][1] is not None:
                self._lateness.add((now_ns() - due_ns[chunk]) // 1_000)
            inside = changes[(changes > start) & (changes < start + len(records))] - start
            for begin, end in pairwise([0, *inside.tolist(), len(records)]):
                partition = int(partitions[start + begin])
                self._acks.sent(partition, end - begin, int(due_ns[start + begin]))
                self._hand_over(partition, records.part(slice(begin, end)))

    def _hand_over(self, partition: int, records: Outgoing) -> None:
        """Give records of one partition to the client.

        A full queue refuses all that follow, so offering those again keeps the order; anything else that is refused is
        lost to the client for good.
        """
        while len(records):
            rows = records.messages["opaque"] = self._in_flight.enter(records)
            if self._client.produce(partition, records.messages) == len(records):
                return
            errors = records.messages["err"]
            self._in_flight.leave(rows[errors != 0])
            full = errors == KafkaError._QUEUE_FULL
            self._fail(errors, np.full(len(records), partition), records.sequences, (errors != 0) & ~full)
            records = records.part(full)
            self._serve(0.001)

    def _serve(self, wait_s: float) -> None:
        """Take delivery reports."""
        reports = self._client.poll(wait_s)
        if not len(reports):
            return
        sequences, due_ns = self._in_flight.leave(reports["opaque"])
        errors, partitions = reports["err"], reports["partition"]
        if (failed := errors != 0).any():
            self._fail(errors, partitions, sequences, failed)
        taken = Reports(partitions, sequences, reports["offset"], due_ns, reports["len"])
        self._acks.take(taken.part(~failed) if failed.any() else taken, now_ns())

    def _fail(
        self, errors: NDArray[np.int32], partitions: NDArray[np.int32], sequences: Int64s, which: NDArray[np.bool_]
    ) -> None:
        for one in zip(errors[which].tolist(), partitions[which].tolist(), sequences[which].tolist(), strict=True):
            self._acks.fail(*one)

    def _drain(self, timeout_s: float) -> bool:
        """Wait until every record is answered (what is not by then is indeterminate); whether that was so."""
        end = time.monotonic() + timeout_s
        while len(self._in_flight) and not self._killed and time.monotonic() < end:
            self._serve(0.01)
            self._publish()
        return not len(self._in_flight)

    def _target(self, now: int) -> tuple[int, float]:
        """Records due by now, and the rate wanted now."""
        start, schedule = self._plan[0]
        if schedule is None or not start:
            return self._acks.sums()[0], 0.0
        return self._passed + schedule.count(now - start), schedule.rate_at(now - start)

    def _publish_totals(self, now: int) -> None:
        due, rate = self._target(self._cursor if self._stopping else now)
        self.totals = ProducerTotals(
            now,
            due,
            *self._acks.sums(),
            bytes_acknowledged=self._acks.bytes,
            target_rate=rate,
            latency=self._acks.latency.copy(),
            lateness=self._lateness.copy(),
            gaps=self._acks.gaps(now),
        )

    def _publish_snapshot(self, closed: bool) -> None:
        self.snapshot = ProducerSnapshot(
            self.id,
            self.snapshot.version + 1,
            self.settings.topic,
            self.settings.producer,
            closed,
            {partition: account.freeze() for partition, account in self._acks.accounts.items()},
            self._acks.latency.copy(),
            self._lateness.copy(),
            self._acks.gaps(now_ns()),
        )
