"""The producer engine: sends what its schedule says is due, whatever became of what it sent before.

Everything is done for thousands of records at once: partitioning, encoding, handing over, reports, accounts, latencies.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from confluent_kafka import KafkaError
from numpy.typing import NDArray

from kafka_load.clock import MILLISECOND, now_ns
from kafka_load.config.schedule import Schedule, constant
from kafka_load.engines.acknowledging import Acknowledgements, Reports
from kafka_load.engines.arrivals import Arrivals
from kafka_load.engines.base import Engine
from kafka_load.engines.lateness import Lateness
from kafka_load.engines.messages import stretches
from kafka_load.engines.outgoing import InFlight, Outgoing
from kafka_load.engines.settings import ClientSettings, ProducerSettings
from kafka_load.engines.transaction import Transaction
from kafka_load.histogram import Histogram
from kafka_load.ledger.findings import Gap, TopicPartition
from kafka_load.ledger.snapshot import ProducerSnapshot
from kafka_load.librdkafka import BulkProducer, Messages
from kafka_load.native_threads import native_sleep
from kafka_load.records import encoder
from kafka_load.records.keys import KeyStream
from kafka_load.records.stamp import Int64s

CHUNK = 2_000  # records made at once when so many are due; more would no longer fit into the cache
CHUNK_BYTES = 8 << 20
# Records put in the order of their partitions at once when so many are due. What a partition is given in one go shares
# a batch, and a broker's work is counted in batches rather than in records.
ROUND = 24 * CHUNK
TICK_NS = MILLISECOND
IDLE_NS = 10 * MILLISECOND
METADATA_S = 10.0


@dataclass(frozen=True)
class ProducerTotals:
    """Cumulative counts of records since the start. While the engine runs, `indeterminate` is what is in flight.

    `lateness` is of the records after the warm-up, `lateness_own` is the part of it that the harness caused;
    `blocked_ns` says how long nothing could be sent because of the cluster, by cause (see `engines.lateness`). What of
    the records was due in the warm-up is told beside; acknowledged are there also those that were aborted on purpose.
    """

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
    lateness_own: Histogram = field(default_factory=Histogram)
    blocked_ns: dict[str, int] = field(default_factory=dict)
    gaps: dict[TopicPartition, Gap] = field(default_factory=dict)
    due_in_warm_up: int = 0
    sent_in_warm_up: int = 0
    acknowledged_in_warm_up: int = 0
    latency_in_warm_up: Histogram = field(default_factory=Histogram)


class ProducerEngine(Engine[ProducerTotals, ProducerSnapshot]):
    """Sends to one topic. Without a schedule it sends as fast as records are acknowledged (a closed loop)."""

    def __init__(
        self, client: ClientSettings, settings: ProducerSettings, schedule: Schedule | None, flush_s: float = 30
    ) -> None:
        super().__init__(client)
        self.settings = settings
        self.totals = ProducerTotals()
        self.snapshot = ProducerSnapshot(self.id, 0, settings.topic, settings.producer, False, {})
        self._encode = encoder(
            settings.format,
            settings.event,
            settings.size,
            settings.run,
            settings.producer,
            settings.entropy,
            settings.sizes,
            settings.payload_file,
        )
        self._chunk = max(1, min(CHUNK, CHUNK_BYTES // self._encode.mean_size))
        self._flush_s = flush_s
        self._ends_s = 0.0
        transactional = settings.transaction is not None
        self._acks = Acknowledgements(settings.topic, transactional, settings.producer, self.warm_up)
        self._lateness = Lateness(self.warm_up)
        self._due_in_warm_up, self._warm = 0, False
        self._full_since_ns: int | None = None
        self._in_flight = InFlight(settings.in_flight_max)
        self._endless = schedule is None
        self._arrivals = Arrivals(schedule or constant(0))

    def set_rate(self, per_second: float) -> None:
        """From now on send evenly at this rate; 0 pauses."""
        self.set_schedule(constant(per_second))

    def set_schedule(self, schedule: Schedule, at_ns: int | None = None) -> None:
        """Follow another schedule from `at_ns` (now by default) on. What was due until then is still sent."""
        self._endless = False
        self._arrivals.switch(schedule, now_ns() if at_ns is None else at_ns)

    def _run(self) -> None:
        self._client = BulkProducer(
            self.settings.properties(self.client), self.settings.topic, self._listener, self.settings.headers
        )
        try:
            self._produce(self._client)
        finally:
            self._client.close()

    def _produce(self, client: BulkProducer) -> None:
        self._keys = KeyStream(self.settings.popularity, client.partitions(METADATA_S), seed=self.settings.producer)
        chosen = self.settings.transaction
        transaction = Transaction(client, chosen, self._flush_s) if chosen else None
        at_most = ROUND
        self._arrivals.begin(now_ns())
        while not self._stopping:
            if transaction:
                at_most = min(ROUND, transaction.room)
            busy = self._send_due(at_most)
            if busy:
                self._serve(0.0)
            if transaction:
                began = now_ns()
                if transaction.step(self._acks, self._drain):
                    self._lateness.blocked("transaction", began, now_ns())
            self._publish()
            self._raise_fatal()
            if not busy:
                self._rest()
        if not self._killed:
            self._drain(self._flush_s)
            if transaction:
                transaction.finish(self._acks, self._drain)

    def _send_due(self, at_most: int) -> bool:
        """Send what is due, at most about so many records; whether there is more to do at once."""
        room, now = self._room(), now_ns()
        if room <= 0:
            self._full_since_ns = self._full_since_ns or now
            self._serve(0.001)
            return True
        if self._full_since_ns:
            self._lateness.blocked("window", self._full_since_ns, now)
            self._full_since_ns = None
        at_most = min(at_most, room)
        due_ns = np.full(at_most, now, np.int64) if self._endless else self._arrivals.take(now, at_most)
        if len(due_ns):
            self._send(due_ns)
        return self._endless or self._arrivals.next_ns < now

    def _room(self) -> int:
        """How many records more may be in flight; 0 if the window is (about) full."""
        in_flight, most = self._in_flight, self.settings.in_flight_max
        records = most - len(in_flight)
        if records < min(CHUNK, most):
            return 0
        left = self.settings.in_flight_bytes - in_flight.bytes
        return min(records, max(0, left) // self._encode.mean_size)

    def _rest(self) -> None:
        """Take reports and wait for the tick in which something is due, or, if that is far off, for another report."""
        now = now_ns()
        due = min(max(self._arrivals.next_ns, now + 1), now + IDLE_NS)
        rest = -(-due // TICK_NS) * TICK_NS - now
        if rest > 2 * TICK_NS:
            self._serve(rest // MILLISECOND / 1e3)
        else:
            self._serve(0.0)
            native_sleep(rest / 1e9)

    def _send(self, due_ns: Int64s) -> None:
        """Make the records due at these times, and hand them over in the order of their partitions."""
        count = len(due_ns)
        now = now_ns()
        self._lateness.begin(int(due_ns[0]), now)
        keys = self._keys.draw(count)
        order = np.argsort(self._keys.partitions[keys], kind="stable")
        keys, due_ns = keys[order], due_ns[order]
        partitions = self._keys.partitions[keys]
        sequences = np.arange(count)
        for begin, end in stretches(partitions[1:] != partitions[:-1]):
            partition = int(partitions[begin])
            sequences[begin:end] += self._acks.account(partition).sent - begin
            first_ns = int(due_ns[begin])
            self._acks.sent(partition, end - begin, first_ns, self._lateness.own_ns(first_ns, now))
        for start in range(0, count, self._chunk):
            if start:
                self._serve(0.0)
            part = slice(start, start + self._chunk)
            stamp = (partitions[part], sequences[part], due_ns[part])
            values = self._encode(*stamp, self._keys.names[keys[part]])
            if not self._endless:
                self._lateness.sent(due_ns[part], now_ns())
            self._hand_over(Outgoing.of(values, self._keys.packed, keys[part], *stamp))

    def _hand_over(self, records: Outgoing) -> None:
        """Give records to the client.

        A full queue refuses all that follow, so offering those again keeps the order; anything else that is refused is
        lost to the client for good. So is what a producer that is to end cannot hand over: for certain it is not sent.
        """
        while len(records):
            messages = records.messages
            if self._gives_up():
                messages["err"] = KafkaError._QUEUE_FULL
                self._fail(messages, records.sequences, np.ones(len(records), np.bool_))
                return
            rows = messages["opaque"] = self._in_flight.enter(records)
            if self._client.produce(messages) == len(records):
                return
            refused, full = messages["err"] != 0, messages["err"] == KafkaError._QUEUE_FULL
            self._in_flight.leave(rows[refused], int(messages["len"][refused].sum()))
            self._fail(messages, records.sequences, refused & ~full)
            records, began = records.part(full), now_ns()
            self._serve(0.001)
            self._lateness.blocked("queue", began, now_ns())
            self._publish()

    def _gives_up(self) -> bool:
        """It is to end at once, or was to end so long ago that nothing is waited for any more."""
        if not self._stopping:
            return False
        self._ends_s = self._ends_s or time.monotonic() + self._flush_s
        return self._killed or time.monotonic() > self._ends_s

    def _serve(self, wait_s: float) -> None:
        """Take delivery reports."""
        reports = self._client.poll(wait_s)
        if not len(reports):
            return
        sequences, due_ns = self._in_flight.leave(reports["opaque"], int(reports["len"].sum()))
        failed = reports["err"] != 0
        if failed.any():
            self._fail(reports, sequences, failed)
        taken = Reports(reports["partition"], sequences, reports["offset"], due_ns, reports["len"])
        self._acks.take(taken.part(~failed) if failed.any() else taken, now_ns())

    def _fail(self, messages: Messages, sequences: Int64s, which: NDArray[np.bool_]) -> None:
        refused = messages[which]
        columns = (refused["err"].tolist(), refused["partition"].tolist(), sequences[which].tolist())
        for code, partition, sequence in zip(*columns, strict=True):
            self._acks.fail(code, partition, sequence)

    def _drain(self, timeout_s: float) -> bool:
        """Wait until every record is answered (what is not by then is indeterminate); whether that was so."""
        end = time.monotonic() + timeout_s
        while len(self._in_flight) and not self._killed and time.monotonic() < end:
            self._serve(0.01)
            self._publish()
        return not len(self._in_flight)

    def _target(self, now: int) -> tuple[int, float]:
        """Records due by now, and the rate wanted now."""
        if self._endless:
            return self._acks.sums()[0], 0.0
        return self._arrivals.taken if self._stopping else self._arrivals.due(now), self._arrivals.rate(now)

    def _blocked_ns(self, now: int) -> dict[str, int]:
        """How long nothing could be sent, by cause, counting the wait that may be going on."""
        blocked = self._lateness.blocked_ns.copy()
        if self._full_since_ns:
            blocked["window"] += now - self._full_since_ns
        return blocked

    def _count_warm_up(self, now: int) -> int:
        """Records due in the warm-up by now."""
        until_ns = self.warm_up.until_ns
        if until_ns and not self._warm:
            at_ns = min(now, until_ns)
            self._due_in_warm_up = self._arrivals.taken if self._stopping else self._arrivals.due(at_ns)
            self._warm = now >= until_ns
        return self._due_in_warm_up

    def _publish_totals(self, now: int) -> None:
        due, rate = self._target(now)
        latency = self._acks.latency
        self.totals = ProducerTotals(
            now,
            due,
            *self._acks.sums(),
            bytes_acknowledged=self._acks.bytes,
            target_rate=rate,
            latency=latency.all.copy(),
            lateness=self._lateness.total.copy(),
            lateness_own=self._lateness.own.copy(),
            blocked_ns=self._blocked_ns(now),
            gaps=self._acks.gaps(now),
            due_in_warm_up=self._count_warm_up(now),
            sent_in_warm_up=self._lateness.sent_in_warm_up,
            acknowledged_in_warm_up=latency.in_warm_up.count + self._acks.aborted_in_warm_up,
            latency_in_warm_up=latency.in_warm_up.copy(),
        )

    def _publish_snapshot(self, closed: bool) -> None:
        self.snapshot = ProducerSnapshot(
            self.id,
            self.snapshot.version + 1,
            self.settings.topic,
            self.settings.producer,
            closed,
            {partition: account.freeze() for partition, account in self._acks.accounts.items()},
            self._acks.latency.all.copy(),
            self._lateness.total.copy(),
            self._acks.gaps(now_ns()),
            self._lateness.own.copy(),
            self._blocked_ns(now_ns()),
            self._acks.delays(now_ns()),
            self._acks.latency.in_warm_up.copy(),
        )
