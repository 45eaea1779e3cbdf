"""Producers that have ended, in a form whose size does not depend on how much they sent.

A producer that is stopped and started again is a new one, and each is judged to the end of the run. Of most there is
little to tell: all that they sent was acknowledged. Those are rows of one table; their latencies and gaps are added up.
A stream that failed, was aborted or was left open in part keeps its account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kafka_load.histogram import Histogram
from kafka_load.ledger.delays import Delays
from kafka_load.ledger.digest import Digest
from kafka_load.ledger.findings import Gap, TopicPartition
from kafka_load.ledger.producer_account import StreamAccount
from kafka_load.ledger.snapshot import ProducerSnapshot
from kafka_load.ledger.spans import EMPTY, size, span
from kafka_load.serialization import wired

Table = NDArray[np.int64]

_MARKS = 8
_WIDTH = 5  # producer, partition, sent, length of its blocks, how many blocks


@wired
@dataclass(frozen=True)
class ClosedProducers:
    """All producers of one topic that have ended in one process.

    `whole` has a row for each stream of which every record was acknowledged, `marks` as many rows for each of them
    (see `account.Marks`), and `blocks` those of all digests one after the other. `broken` are all other streams.
    """

    engine: str
    topic: str
    whole: Table = field(default_factory=lambda: np.empty((0, _WIDTH), np.int64))
    marks: Table = field(default_factory=lambda: np.empty((0, 3), np.int64))
    blocks: Table = field(default_factory=lambda: np.empty((0, 4), np.int64))
    broken: dict[int, dict[int, StreamAccount]] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    lateness_own: Histogram = field(default_factory=Histogram)
    blocked_ns: dict[str, int] = field(default_factory=dict)
    gaps: dict[TopicPartition, Gap] = field(default_factory=dict)
    delays: dict[TopicPartition, Delays] = field(default_factory=dict)
    latency_in_warm_up: Histogram = field(default_factory=Histogram)

    def folded(self, last: ProducerSnapshot) -> ClosedProducers:
        """With one more that has ended."""
        whole, marks, blocks, broken = [], [self.marks], [self.blocks], dict[int, StreamAccount]()
        for partition, account in last.streams.items():
            if size(account.acknowledged) != account.sent or len(account.failed) or len(account.aborted):
                broken[partition] = account
                continue
            places = account.places
            whole.append((last.producer, partition, account.sent, places.length, len(places.blocks)))
            marks.append(_thinned(account.marks))
            blocks.append(places.blocks)
        gaps = dict(self.gaps)
        for tp, gap in last.gaps.items():
            gaps[tp] = max(gap, gaps.get(tp, Gap()), key=lambda one: one.longest_ns)
        delays = {where: self.delays.get(where, Delays()).joined(more) for where, more in last.delays.items()}
        return ClosedProducers(
            self.engine,
            self.topic,
            np.concatenate([self.whole, np.array(whole, np.int64).reshape(-1, _WIDTH)]),
            np.concatenate(marks),
            np.concatenate(blocks),
            self.broken | ({last.producer: broken} if broken else {}),
            self.latency + last.latency,
            self.lateness + last.lateness,
            self.lateness_own + last.lateness_own,
            {cause: self.blocked_ns.get(cause, 0) + ns for cause, ns in last.blocked_ns.items()} or self.blocked_ns,
            gaps,
            self.delays | delays,
            self.latency_in_warm_up + last.latency_in_warm_up,
        )

    @cached_property
    def snapshots(self) -> list[ProducerSnapshot]:
        """Each of them as it was, but that one more, of no stream, has the latencies and gaps of all."""
        streams: dict[int, dict[int, StreamAccount]] = {producer: dict(own) for producer, own in self.broken.items()}
        place = 0
        for row, (producer, partition, sent, length, count) in enumerate(self.whole.tolist()):
            marks = self.marks[row * _MARKS : (row + 1) * _MARKS]
            streams.setdefault(producer, {})[partition] = StreamAccount(
                sent,
                span(0, sent),
                EMPTY,
                EMPTY,
                np.unique(marks[marks[:, 2] > 0], axis=0),
                Digest(length, self.blocks[place : place + count]),
            )
            place += count
        sums = ProducerSnapshot(
            self.engine,
            1,
            self.topic,
            -1,
            True,
            {},
            self.latency,
            self.lateness,
            self.gaps,
            self.lateness_own,
            self.blocked_ns,
            self.delays,
            self.latency_in_warm_up,
        )
        return [
            *(
                ProducerSnapshot(f"{self.engine}/{producer}", 1, self.topic, producer, True, own)
                for producer, own in streams.items()
            ),
            sums,
        ]


def fold(
    closed: Mapping[str, ClosedProducers], worker: str, ended: Iterable[ProducerSnapshot]
) -> dict[str, ClosedProducers]:
    """Those that have ended, by topic, with some more."""
    folded = dict(closed)
    for last in ended:
        known = folded.get(last.topic) or ClosedProducers(f"{worker}/left/{last.topic}", last.topic)
        folded[last.topic] = known.folded(last)
    return folded


def _thinned(marks: Table) -> Table:
    """So many marks of these, evenly, the first and the last among them; repeated where there are fewer."""
    if not len(marks):
        return np.zeros((_MARKS, 3), np.int64)
    return marks[np.linspace(0, len(marks) - 1, _MARKS).astype(np.int64)]
