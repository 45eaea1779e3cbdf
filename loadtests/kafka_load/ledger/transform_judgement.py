"""The verdict on a group that transforms its records: each has exactly one output record, in the order of the input.

The output is judged as it was read back: what members say that they have produced counts for nothing. Copies and order
are told by the input's offsets, so that a record that is in the input twice may have two outputs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kafka_load.ledger.findings import TopicPartition, TransformJudgement
from kafka_load.ledger.group_judgement import AnomalyCollector, Evidence, cut, read_to, removed
from kafka_load.ledger.snapshot import Stream, given
from kafka_load.ledger.spans import EMPTY, SpanSet, difference, holds
from kafka_load.ledger.stream_judgement import SequenceRange, acknowledged_range

DOUBLED, REORDERED = "doubled_output", "reordered_output"


@dataclass
class InputPartition:
    """What the output shows of one partition of the input, in the order of the output.

    `found` are the offsets that have an output; `doubled` and `reordered` have a first offset and a count each.
    """

    found: SpanSet = field(default_factory=SpanSet)
    highest: int = -1
    doubled: list[tuple[int, int]] = field(default_factory=list)
    reordered: list[tuple[int, int]] = field(default_factory=list)

    def add(self, offsets: NDArray[np.int64]) -> None:
        """Take the input offsets of output records, in the order in which these lie."""
        breaks = np.flatnonzero(np.diff(offsets) != 1) + 1
        for stretch in np.split(offsets, breaks):
            first, end = int(stretch[0]), int(stretch[-1]) + 1
            fresh = self.found.add(first, end)
            if known := end - first - sum(b - a for a, b in fresh):
                self.doubled.append((first, known))
            self.reordered += [(a, b - a) for a, b in fresh if a < self.highest]
            self.highest = max(self.highest, end - 1)


@dataclass
class TransformWork:
    """The output of a group, as it was read back from `topic`; `known`: to its end."""

    known: bool = True
    streams: dict[Stream, SpanSet] = field(default_factory=lambda: defaultdict(SpanSet))
    inputs: dict[TopicPartition, InputPartition] = field(default_factory=lambda: defaultdict(InputPartition))
    topic: str = ""


def judge_transform(evidence: Evidence, work: TransformWork, collector: AnomalyCollector) -> TransformJudgement:
    """What became of the group's input; what has no output, or more than one, is entered as an anomaly."""
    judgement = TransformJudgement(aborted=sum(member.aborted for member in evidence.work))
    for (topic, partition), found in sorted(work.inputs.items()):
        if topic in evidence.remade:
            continue
        judgement.transformed += found.found.size
        if work.topic in evidence.remade:
            continue
        for kind, stretches in ((DOUBLED, found.doubled), (REORDERED, found.reordered)):
            for offset, count in stretches:
                place = SequenceRange(offset, count, offset, 0)
                collector.enter(kind, (topic, partition, -1), place, "offset and count are those of the input")
    judgement.doubled_outputs = collector.count[DOUBLED]
    judgement.reordered_outputs = collector.count[REORDERED]
    known = work.known and work.topic not in evidence.incomplete
    for stream, account in evidence.owed:
        there = work.streams[stream].spans() if stream in work.streams else EMPTY
        left = difference(account.acknowledged, there)
        if not len(left):
            continue
        behind = read_to(stream[:2], account, there, evidence) if known else 0
        unknown = removed(stream, account, given(evidence.readers, stream), evidence)
        for first, last in cut(left, behind, *unknown.ravel().tolist()):
            if first >= behind or holds(unknown, first):
                judgement.unverifiable += last - first
                continue
            judgement.missing_outputs += last - first
            stretch = acknowledged_range(account, first, last)
            collector.enter("missing_output", stream, stretch, "no output record of it can be read")
    return judgement
