"""When records of a partition waited too long for their acknowledgement, as spans of time (ns).

A span reaches from when the first such record was due until the last one was acknowledged, and `SETTLED_NS` beyond:
what follows within that time belongs to it. So there are few, and two spans that overlap are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kafka_load.clock import SECOND
from kafka_load.ledger.spans import EMPTY, Spans, union
from kafka_load.serialization import wired

LATE_NS = SECOND
"""A record that is acknowledged so long after it was due, or never, is late."""
SETTLED_NS = 10 * SECOND
"""Records have been on time again once none was late for so long."""
NEVER = 2**62
"""The end of a span whose records were not acknowledged."""
MOST = 64
"""So many spans of a partition are kept."""


@wired
@dataclass(frozen=True)
class Delays:
    """The spans of one partition; of `cluster` those that are left without the harness's own lateness.

    Where there would be too many, `total` has some of them joined and `cluster` lacks some: the first is an upper
    bound, the second a lower one.
    """

    total: Spans = field(default_factory=lambda: EMPTY)
    cluster: Spans = field(default_factory=lambda: EMPTY)

    def joined(self, other: Delays) -> Delays:
        """Those of both."""
        return Delays(_fewer(union(self.total, other.total)), _longest(union(self.cluster, other.cluster)))


class DelayTracker:
    """Collects the delays of one producer in one partition."""

    __slots__ = ("_cluster", "_total")

    def __init__(self) -> None:
        self._total: list[list[int]] = []
        self._cluster: list[list[int]] = []

    def acknowledged(self, due_ns: int, sendable_ns: int, at_ns: int) -> None:
        """Records were acknowledged, of which the first was due at `due_ns`.

        At `sendable_ns` it would have been sent if the harness itself had not been late.
        """
        if at_ns - due_ns > LATE_NS:
            _add(self._total, due_ns, at_ns + SETTLED_NS)
            if len(self._total) > MOST:
                self._total = _fewer(_array(self._total)).tolist()
        if at_ns - sendable_ns > LATE_NS:
            _add(self._cluster, sendable_ns, at_ns + SETTLED_NS)
            if len(self._cluster) > MOST:
                self._cluster = _longest(_array(self._cluster)).tolist()

    def delays(self, due_ns: int = NEVER, sendable_ns: int = NEVER, now_ns: int = 0) -> Delays:
        """All so far, with that of the records that wait at `now_ns`: see `acknowledged`."""
        total, cluster = self._total, self._cluster
        if now_ns - due_ns > LATE_NS:
            _add(total := [*total], due_ns, NEVER)
        if now_ns - sendable_ns > LATE_NS:
            _add(cluster := [*cluster], sendable_ns, NEVER)
        return Delays(_array(total), _array(cluster))


def _add(spans: list[list[int]], begin: int, end: int) -> None:
    """One more span, which ends last: acknowledgements come in the order of time."""
    while spans and spans[-1][1] >= begin:
        begin = min(begin, spans.pop()[0])
    spans.append([begin, end])


def _array(spans: list[list[int]]) -> Spans:
    return np.array(spans, np.int64).reshape(-1, 2)


def _fewer(spans: Spans) -> Spans:
    """At most `MOST` spans: those next to each other are joined."""
    if len(spans) <= MOST:
        return spans
    gaps = spans[1:, 0] - spans[:-1, 1]
    kept = np.sort(np.argsort(gaps, kind="stable")[len(spans) - MOST :])
    return np.stack([spans[np.r_[0, kept + 1], 0], spans[np.r_[kept, len(spans) - 1], 1]], axis=1)


def _longest(spans: Spans) -> Spans:
    """At most `MOST` spans: the shortest are left out."""
    if len(spans) <= MOST:
        return spans
    return spans[np.sort(np.argsort(spans[:, 1] - spans[:, 0], kind="stable")[len(spans) - MOST :])]
