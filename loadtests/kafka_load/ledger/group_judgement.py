"""The verdict on a group: every stream judged, every kind of anomaly counted and the first hundred of it named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise

import numpy as np

from kafka_load.ledger.copies import LOOKED_UP, Doubled, doubled
from kafka_load.ledger.findings import NAMED, Anomaly, Drain, GroupJudgement, TopicPartition
from kafka_load.ledger.producer_account import NOTHING, StreamAccount
from kafka_load.ledger.runs import NONE, Merged, merge, rows
from kafka_load.ledger.snapshot import ALTERED_LOG, MISPLACED_LOG, ProcessingSnapshot, ReaderSnapshot, Stream, reached
from kafka_load.ledger.spans import EMPTY, Spans, difference, holds, intersection, size, span, union
from kafka_load.ledger.stream_judgement import SequenceRange, acknowledged_range, missing, scan_runs

PHANTOMS = ("altered", "misplaced", "unsent", "failed", "aborted")
LOSSES = ("lost", "deleted")
_MAY_BE_READ = "a member that died may have read it after its last report"
_TOO_BROKEN = "the group was given the stream in too many pieces to be followed"


@dataclass(frozen=True)
class Evidence:
    """What there is to judge a group by.

    `mode` and `topics` are the group's, which may have no reader. `dead_readers` is the part of `readers` that ended
    without a last word and may have committed more than they say. `silent` has an entry for each worker that died with
    what its members wrote down: how far they had read by its last report, if it made one. `open_producers` may have
    sent more than they say. The logs' bounds and the commits are what the cluster says; empty if nobody asked it.
    `remade` are topics that were deleted in the run, and perhaps made again: of two logs under one name nothing can be
    said. From `compacted` ones a record may be removed. Both may be topics that the group reads, or that it writes.
    """

    mode: str
    topics: frozenset[str]
    readers: list[ReaderSnapshot]
    dead_readers: list[ReaderSnapshot]
    accounts: Mapping[Stream, StreamAccount]
    open_producers: frozenset[int]
    all_producers_known: bool
    log_start: Mapping[TopicPartition, int]
    log_end: Mapping[TopicPartition, int]
    committed: Mapping[TopicPartition, int]
    final: bool
    drain: Drain = field(default_factory=Drain)
    silent: Sequence[Mapping[TopicPartition, int]] = ()
    remade: frozenset[str] = frozenset()
    compacted: frozenset[str] = frozenset()

    @property
    def incomplete(self) -> frozenset[str]:
        """The topics in which records that were written need not be any more."""
        return self.remade | self.compacted

    @property
    def work(self) -> list[ProcessingSnapshot]:
        """What each member has done with its records, of members that do more than read."""
        return [reader.processing for reader in self.readers if reader.processing is not None]

    @property
    def owed(self) -> list[tuple[Stream, StreamAccount]]:
        """The accounts of what the group had to deal with, in the order of their streams."""
        own = self.topics - self.remade
        return sorted(((s, account) for s, account in self.accounts.items() if s[0] in own), key=lambda item: item[0])


class AnomalyCollector:
    """Collects one group's anomalies: all are counted, the first of each kind are named."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.count: Counter[str] = Counter()
        self.named: list[Anomaly] = []
        self.doubled: list[Doubled] = []
        self._rows: Counter[str] = Counter()

    def enter(self, kind: str, stream: Stream, stretch: SequenceRange, note: str = "") -> None:
        """Count a stretch of records, and name it if there is room."""
        self.count[kind] += stretch.length
        self._rows[kind] += 1
        if self._rows[kind] <= NAMED:
            topic, partition, producer = stream
            readable = producer >= 0
            self.named.append(
                Anomaly(
                    kind=kind,
                    group=self.group,
                    topic=topic,
                    partition=partition,
                    offset=stretch.offset,
                    producer=producer if readable else None,
                    sequence=stretch.sequence if readable else None,
                    count=stretch.length,
                    at_ns=stretch.at_ns,
                    note=note,
                )
            )


def judge_group(group: str, evidence: Evidence) -> tuple[GroupJudgement, AnomalyCollector]:
    """The group's judgement and its anomalies."""
    readers = evidence.readers
    collector = AnomalyCollector(group)
    judgement = GroupJudgement(group, evidence.mode, drain=evidence.drain)
    streams = {stream for reader in readers for stream in reader.streams}
    streams |= {stream for stream in evidence.accounts if stream[0] in evidence.topics}
    for stream in sorted(streams):
        logs = [log for reader in readers if (log := reader.streams.get(stream))]
        merged = merge(np.concatenate([log.runs for log in logs])) if logs else Merged(NONE, [])
        broken = any(log.overflow for log in logs)
        judgement.overflow |= broken
        if stream[2] < 0:
            kind = {ALTERED_LOG: "altered", MISPLACED_LOG: "misplaced"}[stream[2]]
            for run in rows(merged.runs):
                collector.enter(kind, stream, SequenceRange(run.seq, run.length, run.first, run.at_ns))
        else:
            delivered = sum(log.delivered for log in logs)
            judgement.consumed += delivered
            told = None if broken else delivered
            judgement.indeterminate_delivered += _judge_stream(stream, merged, told, evidence, collector)
    count = collector.count
    judgement.lost = sum(count[kind] for kind in LOSSES)
    judgement.deleted = count["deleted"]
    judgement.unread, judgement.unverifiable = count["unread"], count["unverifiable"]
    judgement.duplicated_in_log, judgement.reordered = count["duplicated_in_log"], count["reordered"]
    judgement.redelivered = count["redelivered"]
    judgement.diverged = count["diverged"]
    judgement.phantom = sum(count[kind] for kind in PHANTOMS)
    judgement.foreign = sum(reader.foreign for reader in readers)
    judgement.other_runs = sum(reader.other_runs for reader in readers)
    undelivered = judgement.lost + judgement.unread + judgement.unverifiable
    judgement.lag_at_end = undelivered if judgement.mode == "share" else _lag(evidence)
    return judgement, collector


def _lag(evidence: Evidence) -> int:
    """Offsets between what the group has committed and the logs' ends."""
    ends = {tp: end for tp, end in evidence.log_end.items() if tp[0] in evidence.topics}
    return sum(max(0, end - evidence.committed.get(tp, evidence.log_start.get(tp, 0))) for tp, end in ends.items())


def _judge_stream(
    stream: Stream, merged: Merged, delivered: int | None, evidence: Evidence, collector: AnomalyCollector
) -> int:
    """Enter what is wrong with one stream; returns how many indeterminate records turned up.

    `delivered` is how often the group was given one of its records; None if `merged` does not show all of them.
    """
    readers = evidence.readers
    account = evidence.accounts.get(stream, NOTHING)
    observed = scan_runs(merged.runs, ordered=evidence.mode != "share")
    if stream[0] in evidence.remade:
        if evidence.final:
            collector.count["unverifiable"] += size(difference(account.acknowledged, observed.seen))
        return size(intersection(observed.seen, account.indeterminate))
    for offset, sequence, length, at_ns in merged.again:
        collector.enter("redelivered", stream, SequenceRange(sequence, length, offset, at_ns))
    # A reader folds what it read twice itself; those redeliveries are in its total and have no name.
    if delivered is not None:
        collector.count["redelivered"] += delivered - int(merged.runs[:, 3].sum()) - sum(row[2] for row in merged.again)
    for offset, sequence, length, at_ns in merged.contradictions:
        note = "members of the group were given another record at this offset"
        collector.enter("diverged", stream, SequenceRange(sequence, length, offset, at_ns), note)
    for stretch in observed.duplicated:
        collector.enter("duplicated_in_log", stream, stretch)
        room = LOOKED_UP - len(collector.doubled)
        collector.doubled += doubled(*stream, stretch.sequence, min(stretch.length, room), merged.runs)
    for stretch in observed.reordered:
        collector.enter("reordered", stream, stretch)

    unwanted = {"failed": account.failed}
    if all(reader.read_committed for reader in readers):
        unwanted["aborted"] = account.aborted
    phantoms = {kind: intersection(observed.seen, spans) for kind, spans in unwanted.items()}
    producer_told_all = stream in evidence.accounts and stream[2] not in evidence.open_producers
    nobody_sent_it = stream not in evidence.accounts and evidence.all_producers_known
    if evidence.final and (producer_told_all or nobody_sent_it):
        phantoms["unsent"] = difference(observed.seen, span(0, account.sent))
    for kind, spans in phantoms.items():
        for stretch in _located(spans, merged):
            collector.enter(kind, stream, stretch)

    _enter_missing(stream, observed.seen, delivered is None, evidence, collector)
    return size(intersection(observed.seen, account.indeterminate))


def _enter_missing(stream: Stream, seen: Spans, broken: bool, evidence: Evidence, collector: AnomalyCollector) -> None:
    """Enter what of one stream the group was not given: it is unread, unverifiable, or lost.

    Of a stream that is `broken`, so that not all that it was given is in `seen`, nothing is lost.
    """
    account = evidence.accounts.get(stream, NOTHING)
    lost = missing(account, seen, evidence.final, all(reader.from_start for reader in evidence.readers))
    if not len(lost):
        return
    known_to = read_to(stream[:2], account, seen, evidence)
    unknown = span(0, account.sent) if broken else unreported(stream[:2], account, seen, evidence)
    for start, end in cut(lost, known_to, *unknown.ravel().tolist()):
        stretch = acknowledged_range(account, start, end)
        if start >= known_to:
            collector.count["unread"] += stretch.length
        elif holds(unknown, start):
            collector.enter("unverifiable", stream, stretch, _TOO_BROKEN if broken else _MAY_BE_READ)
        else:
            low, high = account.offsets_around(start)
            kind, why = _why_lost(stream[:2], low, evidence)
            collector.enter(kind, stream, stretch, why or f"at an offset from {low} to {'?' if high is None else high}")


def read_to(tp: TopicPartition, account: StreamAccount, seen: Spans, evidence: Evidence) -> int:
    """The sequence up to which the group has certainly read a stream: what is missing behind it is unread, not lost.

    A group that has read its partition to the end has read all of it. One that has not has passed what lies before its
    last record of the stream, and what must lie at lower offsets than it has reached. A share group is given records in
    no order, and passes nothing before it has settled.
    """
    if tp not in evidence.drain.unread:
        return account.sent
    if evidence.mode == "share" and not evidence.drain.settled:
        return 0
    behind = int(seen[-1, 1]) if len(seen) else 0
    return max(behind, _up_to_offset(account, reached(evidence.readers).get(tp, 0)))


def unreported(tp: TopicPartition, account: StreamAccount, seen: Spans, evidence: Evidence) -> Spans:
    """The sequences that a member that died may have dealt with without anybody knowing.

    They may lie behind what it had reported, and before what the group has committed. A record that nobody has `seen`,
    although a member read the log all around it, is none of them: it was not there for the one that died either. A
    share group commits no offsets: each record is acknowledged by itself, in no order, and no member reads a whole log.
    """
    told = [reader.passed[tp] for reader in evidence.dead_readers if tp in reader.passed]
    told += [positions.get(tp, 0) for positions in evidence.silent]
    if evidence.mode == "share":
        return span(0, account.sent) if evidence.dead_readers or evidence.silent else EMPTY
    if not told:
        return EMPTY
    hidden = span(_up_to_offset(account, min(told)), _from_offset(account, evidence.committed.get(tp, 0)))
    return difference(hidden, difference(_read_through(tp, account, evidence), seen)) if len(hidden) else EMPTY


def _read_through(tp: TopicPartition, account: StreamAccount, evidence: Evidence) -> Spans:
    """The sequences that certainly lie where a member has read all that is in the log.

    In the end every acknowledged record lies before the log's end, if that could be read.
    """
    digests = [reader.digests[tp] for reader in evidence.readers if tp in reader.digests]
    ended = evidence.final and tp in evidence.log_end and tp not in evidence.drain.unread
    found = EMPTY
    for start, stop in reduce(union, (digest.covered for digest in digests), EMPTY).tolist():
        end = account.sent if ended and stop >= evidence.log_end[tp] else _up_to_offset(account, stop)
        found = union(found, span(_from_offset(account, start), end))
    return found


def removed(stream: Stream, account: StreamAccount, seen: Spans, evidence: Evidence) -> Spans:
    """The sequences that the group has not `seen`, and that compaction or retention may have removed before it came."""
    topic, partition, _ = stream
    kept_from = _from_offset(account, evidence.log_start.get((topic, partition), 0))
    return difference(span(0, account.sent if topic in evidence.compacted else kept_from), seen)


def _up_to_offset(account: StreamAccount, offset: int) -> int:
    """The first sequence that may lie at this offset or behind it."""

    def may_lie_behind(sequence: int) -> bool:
        highest = account.offsets_around(sequence)[1]
        return highest is None or highest >= offset

    return _first(0, account.sent, may_lie_behind)


def _from_offset(account: StreamAccount, offset: int) -> int:
    """The first sequence that certainly lies at this offset or behind it."""
    return _first(0, account.sent, lambda sequence: account.offsets_around(sequence)[0] >= offset)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first sequence in [low, high) for which something holds that holds for all after it; `high` if for none."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def cut(spans: Spans, *places: int) -> list[tuple[int, int]]:
    """The spans, each cut in pieces at those places that it reaches over."""
    pieces: list[tuple[int, int]] = []
    for start, end in spans.tolist():
        cuts = [start, *sorted({place for place in places if start < place < end}), end]
        pieces += pairwise(cuts)
    return pieces


def _located(spans: Spans, merged: Merged) -> list[SequenceRange]:
    """Delivered sequences with the place of the run that shows them first."""
    stretches = []
    for start, end in spans.tolist():
        run = next(run for run in rows(merged.runs) if run.seq <= start < run.end)
        stretches.append(SequenceRange(start, end - start, run.offset_of(start), run.at_ns))
    return stretches


def _why_lost(tp: TopicPartition, offset: int, evidence: Evidence) -> tuple[str, str]:
    """The kind of a loss and its explanation, if there is one, for a record at `offset` or a little later."""
    if tp[0] in evidence.compacted:
        return "unverifiable", "its topic is compacted, so it may have been removed for a later one of its key"
    if offset < (start := evidence.log_start.get(tp, 0)):
        return "deleted", f"deleted by retention before the group read it: the log starts at {start}"
    return "lost", ""
