"""The verdict on one stream (one producer and partition) in one group: pure, from the account and the merged runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafka_load.ledger.producer_account import StreamAccount
from kafka_load.ledger.runs import Run, Runs, rows
from kafka_load.ledger.spans import EMPTY, Spans, SpanSet, difference, intersection, span


class SequenceRange(NamedTuple):
    """Consecutive sequences that stand out; `offset` is of the first (None: not known), `at_ns` of its delivery."""

    sequence: int
    length: int
    offset: int | None
    at_ns: int


def acknowledged_range(account: StreamAccount, first: int, end: int) -> SequenceRange:
    """Acknowledged sequences [first, end), with the place of the first if its neighbours tell it."""
    low, high = account.offsets_around(first)
    return SequenceRange(first, end - first, low if low == high else None, account.acknowledged_at(first))


@dataclass
class Observed:
    """What a group saw of a stream."""

    seen: Spans
    duplicated: list[SequenceRange] = field(default_factory=list)
    reordered: list[SequenceRange] = field(default_factory=list)


def scan_runs(runs: Runs, ordered: bool) -> Observed:
    """Follow merged runs in offset order.

    A sequence seen before, at a lower offset, is a duplicate. Of the rest, one that comes after a later sequence is
    reordered; a share group promises no order, so there nothing is (`ordered=False`).
    """
    if not len(runs):
        return Observed(EMPTY)
    ends = runs[:, 2] + runs[:, 3]
    if (runs[1:, 2] >= ends[:-1]).all():
        return Observed(_joined(runs[:, 2], ends))
    observed, covered, later = Observed(EMPTY), SpanSet(), 0
    for run in rows(runs):
        fresh = covered.add(run.seq, run.end)
        observed.duplicated += [_stretch(run, start, end) for start, end in _between(fresh, run.seq, run.end)]
        if ordered:
            observed.reordered += [_stretch(run, start, min(end, later)) for start, end in fresh if start < later]
        later = max(later, run.end)
    observed.seen = covered.spans()
    return observed


def _joined(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Spans:
    """Spans of ascending runs, joined where one begins as the last ends."""
    breaks = np.flatnonzero(starts[1:] != ends[:-1])
    return np.stack([starts[np.r_[0, breaks + 1]], ends[np.r_[breaks, len(ends) - 1]]], axis=1)


def _stretch(run: Run, start: int, end: int) -> SequenceRange:
    return SequenceRange(start, end - start, run.offset_of(start), run.at_ns)


def _between(fresh: list[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """What of [start, end) was not fresh."""
    for fresh_start, fresh_end in fresh:
        if start < fresh_start:
            yield start, fresh_start
        start = fresh_end
    if start < end:
        yield start, end


def missing(account: StreamAccount, seen: Spans, final: bool, from_start: bool) -> Spans:
    """Acknowledged and never delivered. Until the group has drained, what lies behind its last record is only lag.

    A group that started at the log's end is owed nothing before the first record it got.
    """
    if not len(seen):
        return account.acknowledged if final and from_start else EMPTY
    low = 0 if from_start else int(seen[0, 0])
    high = account.sent if final else int(seen[-1, 1])
    return difference(intersection(account.acknowledged, span(low, high)), seen)
