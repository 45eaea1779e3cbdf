"""Sets of sequence numbers as sorted half-open spans.

Producers number their records densely, so a set of ten million of them is usually one span. What breaks a span is
what the ledger looks for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int64]  # shape (n, 2), sorted, disjoint, half-open
Bools = NDArray[np.bool_]

EMPTY: Spans = np.empty((0, 2), np.int64)


def size(spans: Spans) -> int:
    """How many numbers the spans hold."""
    return int((spans[:, 1] - spans[:, 0]).sum())


def combine(a: Spans, b: Spans, keep: Callable[[Bools, Bools], Bools]) -> Spans:
    """Spans of the numbers for which `keep(in a, in b)` holds."""
    edges = np.unique(np.concatenate([a.ravel(), b.ravel()]))
    if len(edges) < 2:
        return EMPTY
    kept = keep(_holds(a, edges[:-1]), _holds(b, edges[:-1]))
    steps = np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8))
    return np.stack([edges[np.flatnonzero(steps == 1)], edges[np.flatnonzero(steps == -1)]], axis=1)


def _holds(spans: Spans, numbers: NDArray[np.int64]) -> Bools:
    place = np.searchsorted(spans[:, 0], numbers, side="right") - 1
    inside = place >= 0
    inside[inside] = numbers[inside] < spans[place[inside], 1]
    return inside


def holds(spans: Spans, number: int) -> bool:
    """Whether the number is one of theirs."""
    return bool(_holds(spans, np.array([number], np.int64))[0])


def union(a: Spans, b: Spans) -> Spans:
    """Numbers in either."""
    return combine(a, b, np.logical_or)


def difference(a: Spans, b: Spans) -> Spans:
    """Numbers in `a` and not in `b`."""
    return combine(a, b, lambda in_a, in_b: in_a & ~in_b)


def intersection(a: Spans, b: Spans) -> Spans:
    """Numbers in both."""
    return combine(a, b, np.logical_and)


def span(start: int, end: int) -> Spans:
    """One span (none if it would be empty)."""
    return np.array([[start, end]], np.int64) if end > start else EMPTY


def spans_of(numbers: NDArray[np.int64]) -> Spans:
    """A set of numbers, given in ascending order."""
    if not len(numbers):
        return EMPTY
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    return np.stack([numbers[np.concatenate([[0], breaks + 1])], numbers[np.concatenate([breaks, [-1]])] + 1], axis=1)


class SpanSet:
    """A growing set; adding at its end, the usual case, costs a comparison, and so does asking for what it was."""

    __slots__ = ("_ends", "_frozen", "_starts", "_unchanged", "size")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._frozen, self._unchanged = EMPTY, 0  # as last asked for, and how many spans of it are still the same
        self.size = 0

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, start: int, end: int) -> list[tuple[int, int]]:
        """Add [start, end); returns the spans of it that were new."""
        starts, ends = self._starts, self._ends
        if not ends or start > ends[-1]:
            starts.append(start)
            ends.append(end)
            self.size += end - start
            return [(start, end)]
        self._unchanged = min(self._unchanged, len(ends) - 1)
        if start == ends[-1]:
            ends[-1] = end
            self.size += end - start
            return [(start, end)]
        low, high = bisect_left(ends, start), bisect_right(starts, end)  # spans that touch [start, end]
        self._unchanged = min(self._unchanged, low)
        fresh = list(self._gaps(start, end, low, high))
        if low < high:
            starts[low:high], ends[low:high] = [min(start, starts[low])], [max(end, ends[high - 1])]
        else:
            starts.insert(low, start)
            ends.insert(low, end)
        self.size += sum(b - a for a, b in fresh)
        return fresh

    def _gaps(self, start: int, end: int, low: int, high: int) -> Iterator[tuple[int, int]]:
        for covered_start, covered_end in zip(self._starts[low:high], self._ends[low:high], strict=True):
            if start < covered_start:
                yield start, covered_start
            start = max(start, covered_end)
        if start < end:
            yield start, end

    def spans(self) -> Spans:
        """The set as an array, which later additions do not change."""
        same = self._unchanged
        if same < len(self._starts) or same < len(self._frozen):
            changed = np.array([self._starts[same:], self._ends[same:]], np.int64).T.reshape(-1, 2)
            self._frozen = np.concatenate([self._frozen[:same], changed]) if same else np.ascontiguousarray(changed)
            self._unchanged = len(self._frozen)
        return self._frozen
