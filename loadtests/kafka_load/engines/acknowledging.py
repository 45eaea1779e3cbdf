"""From delivery reports to the producer's accounts, in bulk: one entry for each run of consecutive sequences."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from confluent_kafka import KafkaError
from numpy.typing import NDArray

from kafka_load.engines.messages import ALONE, stretches
from kafka_load.engines.warm_up import Latencies, WarmUp
from kafka_load.ledger.delays import Delays, DelayTracker
from kafka_load.ledger.findings import Gap, TopicPartition
from kafka_load.ledger.producer_account import Account
from kafka_load.records.stamp import Int64s

# Errors that say for certain that the record is not in the log: it never left, or the broker refused it for good.
CERTAIN = frozenset(
    {
        KafkaError._PURGE_QUEUE,
        KafkaError._QUEUE_FULL,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)


class Availability:
    """One partition's longest time without an acknowledgement while records were due, and its late records."""

    __slots__ = ("_acknowledged_ns", "_delays", "_waiting", "_warm_up", "longest")

    def __init__(self, warm_up: WarmUp | None = None) -> None:
        self._warm_up = warm_up or WarmUp()
        # (sequence after the batch, when its first record was due, how late the harness itself sent it)
        self._waiting: deque[tuple[int, int, int]] = deque()
        self._acknowledged_ns = 0
        self._delays = DelayTracker()
        self.longest = Gap()

    def sent(self, end: int, due_ns: int, own_ns: int = 0) -> None:
        """A batch that ends before sequence `end` was handed to the client, `own_ns` late by the harness's fault."""
        self._waiting.append((end, due_ns, own_ns))

    def acknowledged(self, end: int, at_ns: int) -> None:
        """Sequences before `end` are answered."""
        self.look(at_ns)
        self._acknowledged_ns = at_ns
        if not self._waiting or self._waiting[0][0] > end:
            return
        due_ns, sendable_ns = self._waiting[0][1], at_ns
        while self._waiting and self._waiting[0][0] <= end:
            _, batch_due_ns, own_ns = self._waiting.popleft()
            sendable_ns = min(sendable_ns, batch_due_ns + own_ns)
        self._delays.acknowledged(due_ns, sendable_ns, at_ns)

    def due_in_warm_up(self, first: int) -> int:
        """Records under way from sequence `first` on that were due in the warm-up, as whole batches."""
        begin, count = first, 0
        for end, due_ns, _ in self._waiting:
            if due_ns < self._warm_up.until_ns:
                count += max(0, end - begin)
            begin = max(begin, end)
        return count

    def look(self, now_ns: int) -> Gap:
        """The longest gap, counting the one that may be going on; none for records that were due in the warm-up."""
        if self._waiting and self._waiting[-1][1] >= self._warm_up.until_ns:
            begin = max(self._acknowledged_ns, self._waiting[0][1], self._warm_up.until_ns)
            if now_ns - begin > self.longest.longest_ns:
                self.longest = Gap(now_ns - begin, begin)
        return self.longest

    def delays(self, now_ns: int) -> Delays:
        """When records were late, counting those that may be waiting."""
        if not self._waiting:
            return self._delays.delays()
        _, due_ns, own_ns = self._waiting[0]
        return self._delays.delays(due_ns, due_ns + own_ns, now_ns)


@dataclass(frozen=True)
class Reports:
    """Records whose delivery was reported, in the order of the reports; all arrays have shape (n,).

    `offset` is negative where the broker only said that it had the record already.
    """

    partition: NDArray[np.int32]
    sequence: Int64s
    offset: Int64s
    due_ns: Int64s
    size: Int64s

    def part(self, which: NDArray[np.bool_]) -> Reports:
        """Some of them."""
        return Reports(*(getattr(self, one.name)[which] for one in fields(self)))

    def runs(self) -> Iterator[tuple[int, int]]:
        """[begin, end) of the stretches with one partition and sequences that rise by one."""
        sequence, partition = self.sequence, self.partition
        if len(sequence) == 1:
            return iter(ALONE)
        return stretches((sequence[1:] - sequence[:-1] != 1) | (partition[1:] != partition[:-1]))

    def blocks(self) -> Iterator[tuple[int, int]]:
        """[begin, end) of the stretches with one partition, and sequences and offsets that rise by one."""
        sequence, partition, offset = self.sequence, self.partition, self.offset
        if len(sequence) == 1:
            return iter(ALONE)
        steps = (sequence[1:] - sequence[:-1] != 1) | (offset[1:] - offset[:-1] != 1)
        return stretches(steps | (partition[1:] != partition[:-1]))


class Acknowledgements:
    """Accounts, latencies and gaps of one producer. In a transaction nothing counts before its commit."""

    def __init__(self, topic: str, transactional: bool, producer: int = 0, warm_up: WarmUp | None = None) -> None:
        self.topic = topic
        self.producer = producer
        self.accounts: dict[int, Account] = {}
        self._warm_up = warm_up or WarmUp()
        self.latency = Latencies(self._warm_up)
        self.aborted_in_warm_up = 0
        self.bytes = 0
        self._transactional = transactional
        self._available: dict[int, Availability] = {}
        self._pending: list[Reports] = []

    def account(self, partition: int) -> Account:
        """The account of a partition."""
        if partition not in self.accounts:
            self.accounts[partition] = Account()
            self._available[partition] = Availability(self._warm_up)
        return self.accounts[partition]

    def sent(self, partition: int, count: int, due_ns: int, own_ns: int = 0) -> None:
        """The next `count` records, the first of them due at `due_ns`, go to the client.

        The harness itself is `own_ns` late with it.
        """
        account = self.account(partition)
        account.sent += count
        self._available[partition].sent(account.sent, due_ns, own_ns)

    def take(self, reports: Reports, now: int) -> None:
        """Take records whose delivery was reported; none, if all that was reported were failures."""
        if not len(reports.sequence):
            return
        self.bytes += int(reports.size.sum())
        if self._transactional:
            self._pending.append(reports)
        else:
            self._enter(reports, now)

    def _enter(self, reports: Reports, now: int) -> None:
        for begin, end in reports.runs():
            partition, first, offset = (int(c[begin]) for c in (reports.partition, reports.sequence, reports.offset))
            after = first + end - begin
            self.accounts[partition].acknowledge(first, after, offset if offset >= 0 else None, now)
            self._available[partition].acknowledged(after, now)
        for begin, end in reports.blocks():
            partition, first, offset = (int(c[begin]) for c in (reports.partition, reports.sequence, reports.offset))
            if offset >= 0:
                self.accounts[partition].places.add(offset, end - begin, self.producer, first)
        self.latency.add(reports.due_ns, (now - reports.due_ns) // 1_000)

    def commit(self, now: int) -> None:
        """The transaction is committed: its records count as acknowledged now."""
        for reports in self._pending:
            self._enter(reports, now)
        self._pending.clear()

    def abort(self, since: dict[int, int], now: int) -> None:
        """The transaction is aborted: all sequences since `since` (by partition) were taken back."""
        self._pending.clear()
        for partition, account in self.accounts.items():
            if (first := since.get(partition, 0)) < account.sent:
                account.aborted.add(first, account.sent)
                self.aborted_in_warm_up += self._available[partition].due_in_warm_up(first)
                self._available[partition].acknowledged(account.sent, now)

    def fail(self, code: int, partition: int, sequence: int) -> None:
        """Take a record that was reported as failed; unless the failure is certain it stays indeterminate."""
        if code in CERTAIN:
            self.accounts[partition].failed.add(sequence, sequence + 1)

    def sums(self) -> tuple[int, int, int, int, int]:
        """Records sent, acknowledged, failed, indeterminate, aborted."""
        accounts = self.accounts.values()
        return (
            sum(a.sent for a in accounts),
            sum(a.acknowledged.size for a in accounts),
            sum(a.failed.size for a in accounts),
            sum(a.indeterminate for a in accounts),
            sum(a.aborted.size for a in accounts),
        )

    def gaps(self, now: int) -> dict[TopicPartition, Gap]:
        """The longest gap of each partition so far."""
        return {(self.topic, partition): available.look(now) for partition, available in self._available.items()}

    def delays(self, now: int) -> dict[TopicPartition, Delays]:
        """When records of each partition were late, of those where some were."""
        known = {(self.topic, partition): available.delays(now) for partition, available in self._available.items()}
        return {where: delays for where, delays in known.items() if len(delays.total)}
