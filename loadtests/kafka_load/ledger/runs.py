"""The log as a group of readers saw it, run-length encoded.

A run says: from offset `first` to `last` the reader saw, of one producer, the sequences `seq`, `seq`+1, … (`length`
of them) in ascending order, and nothing else of that producer in between. An undisturbed reader has one run a
producer and partition however many records it reads; what breaks a run (a hole, a step back, a rebalance) is what the
ledger is about. So memory is flat, a whole ledger fits into a message, and lost, doubled, redelivered and reordered
records can be told exactly once the runs of all readers are put together: runs that overlap in offsets show the same
records (redelivered), the same sequence in runs at different offsets is a duplicate, and a sequence behind a later
one in offset order is reordered.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Runs = NDArray[np.int64]  # shape (n, 5): the fields of Run
FEW = 32  # so many runs are put together one by one
LIMIT = 500_000  # runs (20 MB) of one stream; a log more broken than that is not followed any further


class Run(NamedTuple):
    """One row of `Runs`; `at_ns`: when its first record was delivered."""

    first: int
    last: int
    seq: int
    length: int
    at_ns: int

    @property
    def end(self) -> int:
        """The sequence after the run's last."""
        return self.seq + self.length

    @property
    def dense(self) -> bool:
        """Whether no other producer's record lies in between, so that the offset of each of its records is known."""
        return self.last - self.first + 1 == self.length

    def contradicts(self, earlier: Run) -> bool:
        """Whether a run that does not begin at a lower offset shows another record where `earlier` shows one."""
        if self.first > earlier.last:
            return False
        if self.dense and earlier.dense:
            return self.first - earlier.first != self.seq - earlier.seq
        return not earlier.seq <= self.seq < earlier.end

    def offset_of(self, sequence: int) -> int | None:
        """Offset of one of the run's records, unless other producers' records lie in between."""
        if self.dense:
            return self.first + sequence - self.seq
        return {self.seq: self.first, self.end - 1: self.last}.get(sequence)


NONE: Runs = np.empty((0, 5), np.int64)


@dataclass(frozen=True)
class Merged:
    """Runs in offset order, and the (offset, sequence, count, at_ns) of what several of them had shown.

    `contradictions`, of the same form, are records that one of the runs shows at offsets at which another shows others.
    """

    runs: Runs
    again: list[tuple[int, int, int, int]]
    contradictions: list[tuple[int, int, int, int]] = field(default_factory=list)


def rows(runs: Runs) -> Iterator[Run]:
    """The runs one by one."""
    return map(Run._make, runs.tolist())


def merge(runs: Runs) -> Merged:
    """Put runs of one stream together, whoever read them and however often.

    Two runs that overlap in offsets saw the same records there, as each saw all there was. Where they contradict each
    other the log itself has changed in between (a truncation); both are kept.
    """
    ordered = runs[np.lexsort((-runs[:, 1], runs[:, 0]))]
    if (ordered[1:, 0] > ordered[:-1, 1] + 1).all():
        return Merged(ordered, [])
    if len(ordered) > FEW:
        ordered = _joined(ordered)
    merged: list[Run] = []
    again: list[tuple[int, int, int, int]] = []
    contradictions: list[tuple[int, int, int, int]] = []
    current: Run | None = None
    for run in rows(ordered):
        if current is not None and run.contradicts(current):
            count = min(run.last, current.last) - run.first + 1 if run.dense and current.dense else 1
            contradictions.append((run.first, run.seq, count, run.at_ns))
            if run.last <= current.last:
                merged.append(run)
            else:
                merged.append(current)
                current = run
        elif current is None:
            current = run
        elif run.first <= current.last:
            again.append((run.first, run.seq, min(run.end, current.end) - run.seq, run.at_ns))
            if run.last > current.last:
                current = current._replace(last=run.last, length=run.end - current.seq)
        elif run.first == current.last + 1 and run.seq == current.end:
            current = current._replace(last=run.last, length=run.end - current.seq)
        else:
            merged.append(current)
            current = run
    if current is not None:
        merged.append(current)
    merged.sort()
    return Merged(np.array(merged, np.int64).reshape(-1, 5), again, contradictions)


def _joined(ordered: Runs) -> Runs:
    """Runs in offset order, those joined that go on where one ended which shows nothing that an earlier one shows.

    Members of a share group take turns, so that together they have few runs, and each of them has thousands.
    """
    first, last, seq, length = ordered[:, :4].T
    apart = np.r_[True, first[1:] > np.maximum.accumulate(last)[:-1]]
    goes_on = apart[:-1] & (first[1:] == last[:-1] + 1) & (seq[1:] == (seq + length)[:-1])
    begins = np.flatnonzero(np.r_[True, ~goes_on])
    joined = ordered[begins]
    joined[:, 1] = last[np.r_[begins[1:], len(ordered)] - 1]
    joined[:, 3] = np.add.reduceat(length, begins)
    return joined


class RunLog:
    """One reader's runs of one producer and partition, while it reads."""

    __slots__ = (
        "_closed",
        "_count",
        "_first",
        "_last",
        "_merge_at",
        "_seq",
        "_session",
        "_start_ns",
        "delivered",
        "overflow",
    )

    def __init__(self) -> None:
        self._closed = array("q")
        self._merge_at = 256 * 5
        self._session, self._count = -1, 0
        self._first = self._last = self._seq = self._start_ns = 0
        self.delivered = 0
        self.overflow = False

    def add(self, session: int, run: Run) -> None:
        """Append what was delivered. `session` changes whenever the reader did not go on where it had stopped."""
        self.delivered += run.length
        if session == self._session and run.seq == self._seq + self._count:
            self._last = run.last
            self._count += run.length
            return
        self._close()
        self._session = session
        self._first, self._last, self._seq, self._count, self._start_ns = run

    def _close(self) -> None:
        if self._count and not self.overflow:
            self._closed.extend((self._first, self._last, self._seq, self._count, self._start_ns))
            if len(self._closed) >= self._merge_at:
                self._closed = array("q", merge(self._rows()).runs.tobytes())
                self._merge_at = max(self._merge_at, 2 * len(self._closed))
                self.overflow = len(self._closed) > LIMIT * 5
        self._count = 0

    def _rows(self) -> Runs:
        return np.frombuffer(self._closed, np.int64).reshape(-1, 5) if self._closed else NONE

    def runs(self) -> Runs:
        """All runs so far."""
        current = [(self._first, self._last, self._seq, self._count, self._start_ns)] if self._count else []
        return merge(np.concatenate([self._rows(), np.array(current, np.int64).reshape(-1, 5)])).runs
