"""From delivery reports to the producer's accounts, in bulk: one entry for each run of consecutive sequences."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from confluent_kafka import KafkaError
from numpy.typing import NDArray

from kafka_load.engines.messages import Reported, consecutive
from kafka_load.histogram import Histogram
from kafka_load.ledger.account import Account
from kafka_load.ledger.findings import Gap, TopicPartition
from kafka_load.records import decode

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
    """One partition's longest time without an acknowledgement while records were due."""

    __slots__ = ("_acknowledged_ns", "_waiting", "longest")

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int]] = deque()  # (sequence after the batch, when its first record was due)
        self._acknowledged_ns = 0
        self.longest = Gap()

    def sent(self, end: int, due_ns: int) -> None:
        """A batch that ends before sequence `end` was handed to the client."""
        self._waiting.append((end, due_ns))

    def acknowledged(self, end: int, at_ns: int) -> None:
        """Sequences before `end` are answered."""
        self.look(at_ns)
        self._acknowledged_ns = at_ns
        while self._waiting and self._waiting[0][0] <= end:
            self._waiting.popleft()

    def look(self, now_ns: int) -> Gap:
        """The longest gap, counting the one that may be going on."""
        if self._waiting:
            begin = max(self._acknowledged_ns, self._waiting[0][1])
            if now_ns - begin > self.longest.longest_ns:
                self.longest = Gap(now_ns - begin, begin)
        return self.longest


class Batch(NamedTuple):
    """Acknowledged sequences [first, end) of one partition, the first of them at `offset` (None: not said)."""

    partition: int
    first: int
    end: int
    offset: int | None
    due_ns: NDArray[np.int64]


class Unanswered:
    """When the records of one partition that are under way were due."""

    __slots__ = ("_chunks",)

    def __init__(self) -> None:
        self._chunks: deque[tuple[int, NDArray[np.int64]]] = deque()  # each with its first sequence

    def add(self, first: int, due_ns: NDArray[np.int64]) -> None:
        """The records from sequence `first` on, due at these times, go to the client."""
        self._chunks.append((first, due_ns))

    def take(self, first: int, end: int) -> NDArray[np.int64]:
        """When the records [first, end) were due. All before them are answered, and forgotten."""
        parts = []
        while self._chunks and self._chunks[0][0] < end:
            begin, due_ns = self._chunks[0]
            parts.append(due_ns[max(first - begin, 0) : end - begin])
            if begin + len(due_ns) > end:
                break
            self._chunks.popleft()
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Acknowledgements:
    """Accounts, latencies and gaps of one producer. In a transaction nothing counts before its commit.

    `ordered`: the client reports each partition's records in the order of their sequences, as an idempotent one does.
    Then n reports whose first and last sequences are n - 1 apart are those of all the sequences in between, and looking
    into these two records is enough: looking into each of them would double what a report costs the accounts.
    """

    def __init__(self, topic: str, transactional: bool, ordered: bool) -> None:
        self.topic = topic
        self.accounts: dict[int, Account] = {}
        self.latency = Histogram()
        self.bytes = 0
        self._transactional = transactional
        self._ordered = ordered
        self._available: dict[int, Availability] = {}
        self._unanswered: dict[int, Unanswered] = {}
        self._pending: list[Batch] = []

    def account(self, partition: int) -> Account:
        """The account of a partition."""
        if partition not in self.accounts:
            self.accounts[partition] = Account()
            self._available[partition] = Availability()
            self._unanswered[partition] = Unanswered()
        return self.accounts[partition]

    def sent(self, partition: int, due_ns: NDArray[np.int64]) -> None:
        """The next records, due at these times (ascending), go to the client."""
        account = self.account(partition)
        if self._ordered:
            self._unanswered[partition].add(account.sent, due_ns)
        account.sent += len(due_ns)
        self._available[partition].sent(account.sent, int(due_ns[0]))

    def take(self, reports: Mapping[int, Sequence[Reported]], now: int) -> None:
        """Take records whose delivery was reported, by partition in the order of the reports, none of them empty."""
        batches: list[Batch] = []
        ends = decode([message.value() for messages in reports.values() for message in (messages[0], messages[-1])])
        sequences = ends.sequence.reshape(-1, 2).tolist()
        for (partition, messages), (first, last) in zip(reports.items(), sequences, strict=True):
            self.bytes += sum(map(len, messages))
            if self._ordered and last - first == len(messages) - 1:
                due_ns = self._unanswered[partition].take(first, last + 1)
                batches.append(Batch(partition, first, last + 1, messages[0].offset(), due_ns))
            else:
                batches += _one_by_one(partition, messages)
        if self._transactional:
            self._pending += batches
        else:
            self._enter(batches, now)

    def _enter(self, batches: Sequence[Batch], now: int) -> None:
        for batch in batches:
            self.accounts[batch.partition].acknowledge(batch.first, batch.end, batch.offset, now)
            self._available[batch.partition].acknowledged(batch.end, now)
        if batches:
            self.latency.add((now - np.concatenate([batch.due_ns for batch in batches])) // 1_000)

    def commit(self, now: int) -> None:
        """The transaction is committed: its records count as acknowledged now."""
        self._enter(self._pending, now)
        self._pending.clear()

    def abort(self, since: dict[int, int], now: int) -> None:
        """The transaction is aborted: all sequences since `since` (by partition) were taken back."""
        self._pending.clear()
        for partition, account in self.accounts.items():
            if (first := since.get(partition, 0)) < account.sent:
                account.aborted.add(first, account.sent)
                self._available[partition].acknowledged(account.sent, now)

    def fail(self, error: KafkaError, value: bytes | None) -> None:
        """Take a record that was reported as failed; unless the failure is certain it stays indeterminate."""
        if error.code() in CERTAIN and value:
            stamp = decode([value])
            sequence = int(stamp.sequence[0])
            self.accounts[int(stamp.partition[0])].failed.add(sequence, sequence + 1)

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


def _one_by_one(partition: int, messages: Sequence[Reported]) -> list[Batch]:
    """The batches of records in any order, by looking into each of them."""
    stamps = decode([message.value() for message in messages])
    return [
        Batch(
            partition,
            first := int(stamps.sequence[begin]),
            first + end - begin,
            messages[begin].offset(),
            stamps.due_ns[begin:end],
        )
        for begin, end in consecutive(stamps)
    ]
