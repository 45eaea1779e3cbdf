"""The verdict on a group that processes its records: each acknowledged one processed, or in the dead-letter topic.

What members say they have processed is believed of records that can be processed. A record all of whose attempts fail
must be in the dead-letter topic itself, as the harness read it back: what members say of it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from kafka_load.config.processing import Processing
from kafka_load.ledger.findings import ProcessingJudgement
from kafka_load.ledger.group_judgement import AnomalyCollector, Evidence, cut, read_to, removed, unreported
from kafka_load.ledger.producer_account import StreamAccount
from kafka_load.ledger.snapshot import Stream, given
from kafka_load.ledger.spans import EMPTY, Spans, difference, holds, intersection, size, spans_of, union
from kafka_load.ledger.stream_judgement import SequenceRange, acknowledged_range
from kafka_load.records.stamp import origins

_CHUNK = 1 << 20


@dataclass(frozen=True)
class GroupWork:
    """What a group was to do, and what was found in its dead-letter topic.

    `seed` is what its failures are drawn from (see `config.processing.seed_of`). `dead_letters` are the records that it
    sent there, None if nobody could read them; `dead_lettered` counts them, with those that are there twice.
    """

    processing: Processing
    seed: int
    dead_letters: Mapping[Stream, Spans] | None = field(default_factory=dict)
    dead_lettered: int = 0

    def must_be_dead_letters(self, stream: Stream, spans: Spans) -> Spans:
        """Of a stream's records those all of whose attempts fail."""
        _, partition, producer = stream
        found = [EMPTY]
        for start, end in spans.tolist() if self.processing.failures else ():
            for first in range(start, end, _CHUNK):
                sequences = np.arange(first, min(end, first + _CHUNK), dtype=np.int64)
                records = origins(producer, np.full(len(sequences), partition))
                failed = self.processing.failed_attempts(self.seed, records, sequences)
                found.append(spans_of(sequences[failed > self.processing.retries]))
        return np.concatenate(found)


def judge_processing(evidence: Evidence, work: GroupWork, collector: AnomalyCollector) -> ProcessingJudgement:
    """What became of the acknowledged records in the group; what was not processed is entered as an anomaly."""
    members = evidence.work
    judgement = ProcessingJudgement(
        retried=sum(member.retried for member in members),
        dead_lettered_again=max(0, work.dead_lettered - sum(map(size, (work.dead_letters or {}).values()))),
    )
    done = 0
    letters_known = work.dead_letters is not None and work.processing.dead_letter_topic not in evidence.incomplete
    for stream, account in evidence.owed:
        settled = EMPTY
        for member in members:
            settled = union(settled, member.settled.get(stream, EMPTY))
        dead = work.must_be_dead_letters(stream, union(account.acknowledged, settled))
        there = (work.dead_letters or {}).get(stream, EMPTY)
        processed = difference(settled, dead)
        done += size(processed)
        judgement.dead_lettered += size(there)
        left = difference(account.acknowledged, union(processed, there))
        if not letters_known:
            unknown = intersection(left, intersection(settled, dead))
            judgement.unverifiable += size(unknown)
            left = difference(left, unknown)
        for stretch, certain in _left(stream, account, settled, left, dead if letters_known else EMPTY, evidence):
            if certain:
                judgement.unprocessed += stretch.length
                collector.enter("unprocessed", stream, stretch, "neither processed nor in the dead-letter topic")
            else:
                judgement.unverifiable += stretch.length
    judgement.processed = done
    judgement.processed_again = max(0, sum(member.processed for member in members) - done)
    return judgement


def _left(
    stream: Stream, account: StreamAccount, settled: Spans, left: Spans, letters: Spans, evidence: Evidence
) -> Iterator[tuple[SequenceRange, bool]]:
    """What was not processed, in stretches, each with whether the group certainly is done with it and should have.

    It is not certain if the group had not come so far when the run ended, if a member that died may have done it, or
    if the record may have been removed before the group came to it. `letters` are records that no member can have
    processed, and that are not in the dead-letter topic.
    """
    if not len(left):
        return
    seen = given(evidence.readers, stream)
    hidden = difference(unreported(stream[:2], account, seen, evidence), letters)
    unknown = union(hidden, removed(stream, account, seen, evidence))
    behind = read_to(stream[:2], account, settled, evidence)
    for first, last in cut(left, behind, *unknown.ravel().tolist()):
        yield acknowledged_range(account, first, last), first < behind and not holds(unknown, first)
