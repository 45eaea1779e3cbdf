"""Cumulative snapshots: what an engine, and a whole worker process, knows so far.

Each stands for everything since the start, so a message lost or received twice changes nothing: the newest version
counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from kafka_load.histogram import Histogram
from kafka_load.ledger.delays import Delays
from kafka_load.ledger.digest import Digest, joined
from kafka_load.ledger.findings import Gap, TopicPartition
from kafka_load.ledger.producer_account import StreamAccount
from kafka_load.ledger.runs import NONE, Runs, merge
from kafka_load.ledger.spans import EMPTY, Spans, difference, intersection, size, span, union
from kafka_load.ledger.stream_judgement import scan_runs
from kafka_load.serialization import wired

Stream = tuple[str, int, int]  # topic, partition, producer

# Records that belong to no producer's stream are logged as streams of their own, with their offset as their sequence.
ALTERED_LOG = -1
MISPLACED_LOG = -2


@wired
@dataclass(frozen=True)
class StreamLog:
    """Runs of one stream as one or more readers of a group saw it, and how many deliveries they stand for."""

    runs: Runs = field(default_factory=lambda: NONE)
    delivered: int = 0
    overflow: bool = False

    def joined(self, other: StreamLog) -> StreamLog:
        """Both readers' view."""
        runs = merge(np.concatenate([self.runs, other.runs])).runs
        return StreamLog(runs, self.delivered + other.delivered, self.overflow or other.overflow)


@wired
@dataclass(frozen=True)
class ProducerSnapshot:
    """One producer engine. `closed`: it will send nothing more, so a sequence it never sent is nobody's.

    `lateness_own` is the part of `lateness` that the harness caused; `blocked_ns` says how long nothing could be sent
    because of the cluster, by cause (`window`, `queue`, `transaction`). Neither counts what was due in the warm-up;
    `latency` does, and `latency_in_warm_up` is that part of it.
    """

    engine: str
    version: int
    topic: str
    producer: int
    closed: bool
    streams: dict[int, StreamAccount]
    latency: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    gaps: dict[TopicPartition, Gap] = field(default_factory=dict)
    lateness_own: Histogram = field(default_factory=Histogram)
    blocked_ns: dict[str, int] = field(default_factory=dict)
    delays: dict[TopicPartition, Delays] = field(default_factory=dict)
    latency_in_warm_up: Histogram = field(default_factory=Histogram)


@wired
@dataclass(frozen=True)
class ProcessingSnapshot:
    """What a group member has done with its records: those it has `settled` (processed, or sent to the dead-letter
    topic and acknowledged there), and how far it has settled each partition.

    `processed` and `dead_lettered` count records, again if they were delivered again; `retried` counts attempts after
    the first. `latency` is from due to settled. A member that transforms has settled what its transactions committed.
    """

    settled: dict[Stream, Spans]
    positions: dict[TopicPartition, int]
    processed: int = 0
    retried: int = 0
    dead_lettered: int = 0
    aborted: int = 0  # transactions
    latency: Histogram = field(default_factory=Histogram)

    def folded(self, other: ProcessingSnapshot) -> ProcessingSnapshot:
        """This member's and another one's of the group together."""
        settled, positions = dict(self.settled), dict(self.positions)
        for stream, spans in other.settled.items():
            settled[stream] = union(settled.get(stream, EMPTY), spans)
        for tp, position in other.positions.items():
            positions[tp] = max(position, positions.get(tp, 0))
        return ProcessingSnapshot(
            settled,
            positions,
            self.processed + other.processed,
            self.retried + other.retried,
            self.dead_lettered + other.dead_lettered,
            self.aborted + other.aborted,
            self.latency + other.latency,
        )


@wired
@dataclass(frozen=True)
class ReaderSnapshot:
    """One group member, or all members of a group that have left (folded into one).

    `early` records were delivered before they were due, by the clocks of two workers, by up to `earliest_us`.
    """

    engine: str
    version: int
    group: str
    mode: str
    topics: tuple[str, ...]
    from_start: bool
    read_committed: bool
    closed: bool
    streams: dict[Stream, StreamLog]
    positions: dict[TopicPartition, int]  # offset after the last one seen
    foreign: int = 0
    other_runs: int = 0
    latency: Histogram = field(default_factory=Histogram)
    digests: dict[TopicPartition, Digest] = field(default_factory=dict)
    early: int = 0
    earliest_us: int = 0
    processing: ProcessingSnapshot | None = None
    latency_in_warm_up: Histogram = field(default_factory=Histogram)

    @property
    def passed(self) -> dict[TopicPartition, int]:
        """The offset after the last record that it is done with: it has read it, or processed it if it does so."""
        return self.positions if self.processing is None else self.processing.positions

    def folded(self, other: ReaderSnapshot) -> ReaderSnapshot:
        """This snapshot with another member's of the same group added."""
        streams = dict(self.streams)
        for stream, log in other.streams.items():
            streams[stream] = streams[stream].joined(log) if stream in streams else log
        digests = dict(self.digests)
        for tp, digest in other.digests.items():
            digests[tp] = joined(digests[tp], digest) if tp in digests else digest
        return replace(
            self,
            version=self.version + 1,
            topics=tuple(sorted({*self.topics, *other.topics})),
            from_start=self.from_start and other.from_start,
            read_committed=self.read_committed and other.read_committed,
            closed=self.closed and other.closed,
            streams=streams,
            positions=reached([self, other], read=True),
            foreign=self.foreign + other.foreign,
            other_runs=self.other_runs + other.other_runs,
            latency=self.latency + other.latency,
            digests=digests,
            early=self.early + other.early,
            earliest_us=max(self.earliest_us, other.earliest_us),
            processing=_both(self.processing, other.processing),
            latency_in_warm_up=self.latency_in_warm_up + other.latency_in_warm_up,
        )


def _both(one: ProcessingSnapshot | None, other: ProcessingSnapshot | None) -> ProcessingSnapshot | None:
    return one.folded(other) if one and other else one or other


class NotGiven(NamedTuple):
    """How many acknowledged records of a partition a group was not given; `last` of them lie behind those it was."""

    records: int = 0
    last: int = 0


def reached(readers: Iterable[ReaderSnapshot], *, read: bool = False) -> dict[TopicPartition, int]:
    """How far a group is, by partition: the furthest of its members. It counts what they are done with; or, with
    `read`, what they have read.
    """
    positions: dict[TopicPartition, int] = {}
    for reader in readers:
        for tp, position in (reader.positions if read else reader.passed).items():
            positions[tp] = max(positions.get(tp, 0), position)
    return positions


def given(members: Iterable[ReaderSnapshot], stream: Stream) -> Spans:
    """The sequences of a stream that these members were given, whatever they have done with them."""
    runs = [log.runs for member in members if (log := member.streams.get(stream))]
    return scan_runs(merge(np.concatenate(runs)).runs, ordered=False).seen if runs else EMPTY


def not_given(
    readers: Iterable[ReaderSnapshot], group: str, accounts: Mapping[Stream, StreamAccount]
) -> dict[TopicPartition, NotGiven]:
    """Acknowledged records that no member of a group was given, by partition; empty once there are none."""
    members = [reader for reader in readers if reader.group == group]
    topics = {topic for member in members for topic in member.topics}
    found: dict[TopicPartition, NotGiven] = {}
    for stream, account in accounts.items():
        if stream[0] not in topics:
            continue
        seen = given(members, stream)
        missing = difference(account.acknowledged, seen)
        if records := size(missing):
            behind = int(seen[-1, 1]) if len(seen) else 0
            last = size(intersection(missing, span(behind, account.sent)))
            before = found.get(stream[:2], NotGiven())
            found[stream[:2]] = NotGiven(before.records + records, before.last + last)
    return found


def undrained(
    readers: Iterable[ReaderSnapshot], group: str, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Offsets that the group's members have still to pass, by partition; empty once they have drained."""
    passed = reached(reader for reader in readers if reader.group == group)
    return {tp: end - passed.get(tp, 0) for tp, end in ends.items() if end > passed.get(tp, 0)}
