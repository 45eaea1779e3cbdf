"""What the ledger says in the end: named anomalies, a judgement of each group and of the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kafka_load.ledger.copies import Doubled
from kafka_load.serialization import wired

TopicPartition = tuple[str, int]

NAMED = 100  # anomalies listed of each kind and group; all are counted


@dataclass(frozen=True)
class Anomaly:
    """`count` consecutive sequences of one producer, beginning with `sequence`, of which the first lies at `offset`.

    `offset` is None where only the broker knew it; `sequence` is None for records that cannot be read. `at_ns` is
    when the record was delivered, or, for a missing one, about when it was acknowledged.
    """

    kind: str
    group: str
    topic: str
    partition: int
    offset: int | None
    producer: int | None
    sequence: int | None
    count: int
    at_ns: int
    note: str = ""


@wired
@dataclass(frozen=True)
class Gap:
    """The longest time without an acknowledgement although records were due, and when it began."""

    longest_ns: int = 0
    at_ns: int = 0


@dataclass(frozen=True)
class Produced:
    """What became of the records that producers were given."""

    acknowledged: int = 0
    failed: int = 0
    indeterminate: int = 0
    aborted: int = 0


class PlannedGroup(Protocol):
    """What the ledger needs to know of a group that the plan has (see `kafka_load.run.readiness.Group`)."""

    @property
    def name(self) -> str:
        """Its id."""

    @property
    def mode(self) -> str:
        """`queue`, `pubsub` or `share`."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What it reads."""


@dataclass(frozen=True)
class Drain:
    """How far a group has still to read, when it is judged.

    `unread` has each partition that the group has not read to its end: how many offsets are left, or None where the
    log's end could not be read, so that nobody knows. Of a share group, which passes over no offsets, it is how many
    acknowledged records it was not given. `joined`: it had a member at least once. `cut_short`: the user did not wait
    for it. `settled`: a share group that was given nothing for longer than a member may keep a record to itself: what
    it was not given of what lies before its last record, it will not be given any more.
    """

    unread: Mapping[TopicPartition, int | None] = field(default_factory=dict)
    joined: bool = True
    cut_short: bool = False
    settled: bool = False

    @property
    def drained(self) -> bool:
        """It has read all that was written, as far as anybody can tell."""
        return self.joined and not self.unread

    @property
    def offsets(self) -> int:
        """Offsets that are left, of the partitions whose end is known."""
        return sum(left or 0 for left in self.unread.values())

    @property
    def unknown(self) -> int:
        """Partitions whose end nobody knows."""
        return sum(left is None for left in self.unread.values())


@dataclass
class ProcessingJudgement:
    """What a group did with its records; counts of records, but for `retried`, which counts attempts.

    `unprocessed` were certainly neither processed nor sent to the dead-letter topic, though the group is done with
    them; of `unverifiable` ones nobody knows. The word `again` stands for what was delivered again and done again.
    """

    processed: int = 0
    processed_again: int = 0
    retried: int = 0
    dead_lettered: int = 0
    dead_lettered_again: int = 0
    unprocessed: int = 0
    unverifiable: int = 0


@dataclass
class TransformJudgement:
    """What became of the output of a group that transforms its records; counts of records, as anybody may read them.

    `transformed` input records have an output record. `missing_outputs` are acknowledged ones that the group is done
    with and that have none; of `unverifiable` ones nobody knows. `aborted` counts transactions.
    """

    transformed: int = 0
    missing_outputs: int = 0
    doubled_outputs: int = 0
    reordered_outputs: int = 0
    unverifiable: int = 0
    aborted: int = 0


@dataclass
class GroupJudgement:
    """What became of the acknowledged records in one group; counts of records.

    `lost` is what is certainly lost. A record that was not delivered to a group and is not called lost is `unread` (the
    group had not read to the log's end) or `unverifiable`: a reader that died may have read it after its last report,
    or its topic was compacted or made again. `overflow`: the group was given a stream in so many pieces that the rest
    was not followed (see `runs.LIMIT`), so the counts are lower bounds, and nothing of that stream is called lost.
    """

    group: str
    mode: str
    consumed: int = 0  # deliveries of this run's records, redeliveries included
    lost: int = 0
    deleted: int = 0  # the part of `lost` that retention removed before the group read it
    unread: int = 0
    unverifiable: int = 0
    drain: Drain = field(default_factory=Drain)
    duplicated_in_log: int = 0
    duplicated_by_broker: int = 0  # the part under one producer id, epoch and sequence (see `ledger.copies`)
    duplicated_by_client: int = 0  # the part that the client wrote again under another identity
    redelivered: int = 0
    reordered: int = 0
    phantom: int = 0
    diverged: int = 0  # places at which the log that it was given differs from what others were given or acknowledged
    offset_regressions: int = 0
    lag_at_end: int = 0
    indeterminate_delivered: int = 0
    foreign: int = 0
    other_runs: int = 0
    overflow: bool = False
    processing: ProcessingJudgement | None = None
    transform: TransformJudgement | None = None


@dataclass
class Judgement:
    """The verdict's raw material.

    `doubled` are, by group, the records that are in the log more than once, at most `copies.LOOKED_UP` of them.
    """

    produced: Produced = field(default_factory=Produced)
    groups: list[GroupJudgement] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    availability: dict[TopicPartition, Gap] = field(default_factory=dict)
    dead_workers: list[str] = field(default_factory=list)
    doubled: dict[str, list[Doubled]] = field(default_factory=dict)
