"""What a producer knows of its records: sent, acknowledged, failed for certain, taken back. The rest is
indeterminate.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kafka_load.clock import MILLISECOND
from kafka_load.ledger.digest import PRODUCER_BLOCKS, Digest, GrowingDigest
from kafka_load.ledger.spans import EMPTY, Spans, SpanSet, difference, size, span, union
from kafka_load.serialization import wired

_MARKS = 256

Marks = NDArray[np.int64]  # shape (n, 3): sequence, its offset, when it was acknowledged (ns)


@wired
@dataclass(frozen=True)
class StreamAccount:
    """State of the records of one producer in one partition; sequences 0 … `sent`-1 were handed to the client."""

    sent: int
    acknowledged: Spans
    failed: Spans
    aborted: Spans
    marks: Marks
    places: Digest = field(default_factory=Digest)  # where the broker said that acknowledged records lie

    @property
    def indeterminate(self) -> Spans:
        """Sent, with neither success nor certain failure known."""
        return difference(span(0, self.sent), union(union(self.acknowledged, self.failed), self.aborted))

    def offsets_around(self, sequence: int) -> tuple[int, int | None]:
        """Lowest and highest offset (None: unknown) that an acknowledged record can have, by its neighbours."""
        place = int(np.searchsorted(self.marks[:, 0], sequence, side="right"))
        before, after = self.marks[:place][-1:], self.marks[place:][:1]
        low = int(before[0, 1] + sequence - before[0, 0]) if len(before) else 0
        return low, int(after[0, 1] - (after[0, 0] - sequence)) if len(after) else None

    def acknowledged_at(self, sequence: int) -> int:
        """About when a record was acknowledged (ns); 0 if nothing is known."""
        return int(np.interp(sequence, self.marks[:, 0], self.marks[:, 2])) if len(self.marks) else 0


class Account:
    """A `StreamAccount` while it grows."""

    __slots__ = (
        "_every_ns",
        "_marked",
        "_marks",
        "_next_mark_ns",
        "aborted",
        "acknowledged",
        "failed",
        "places",
        "sent",
    )

    def __init__(self) -> None:
        self.sent = 0
        self.acknowledged, self.failed, self.aborted = SpanSet(), SpanSet(), SpanSet()
        self.places = GrowingDigest(PRODUCER_BLOCKS)
        self._marks, self._marked = np.empty((_MARKS + 1, 3), np.int64), 0  # room, and how much of it is used
        self._every_ns, self._next_mark_ns = 50 * MILLISECOND, 0

    def acknowledge(self, start: int, end: int, offset: int | None, at_ns: int) -> None:
        """Sequences [start, end) were acknowledged, the first of them at `offset` (None: the broker did not say)."""
        self.acknowledged.add(start, end)
        if offset is not None and at_ns >= self._next_mark_ns:
            self._marks[self._marked] = start, offset, at_ns
            self._marked += 1
            if self._marked > _MARKS:  # as many marks however long the run: from now on as far apart as those kept
                kept = self._marks[::2].copy()
                self._marked, self._every_ns = len(kept), int(kept[-1, 2] - kept[0, 2]) // (len(kept) - 1)
                self._marks[: self._marked] = kept
            self._next_mark_ns = at_ns + self._every_ns

    @property
    def indeterminate(self) -> int:
        """Records sent whose fate is not known (yet)."""
        return self.sent - self.acknowledged.size - self.failed.size - self.aborted.size

    def freeze(self) -> StreamAccount:
        """The state now."""
        marks = self._marks[: self._marked].copy()
        if (marks[1:, 0] < marks[:-1, 0]).any():  # acknowledged in another order than sent
            marks = marks[np.lexsort(marks.T[::-1])]
        acknowledged, failed, aborted = (one.spans() for one in (self.acknowledged, self.failed, self.aborted))
        return StreamAccount(self.sent, acknowledged, failed, aborted, marks, self.places.freeze())


NOTHING = StreamAccount(0, EMPTY, EMPTY, EMPTY, np.empty((0, 3), np.int64))


def total(accounts: list[StreamAccount]) -> tuple[int, int, int, int]:
    """Records acknowledged, failed, indeterminate, aborted."""
    return (
        sum(size(a.acknowledged) for a in accounts),
        sum(size(a.failed) for a in accounts),
        sum(size(a.indeterminate) for a in accounts),
        sum(size(a.aborted) for a in accounts),
    )
