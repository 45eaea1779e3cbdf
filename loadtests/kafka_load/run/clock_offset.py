"""How far a worker's clock is off the coordinator's, and how certain that is: pure.

A worker asks what time it is, as NTP does (RFC 5905): it notes when it asked and when the answer came, the coordinator
when it was asked and when it answered. Half the sum of the two differences is the offset. It is wrong by at most half
the round trip, however unequal its two ways are. The best exchange of the last minute counts, and what the two clocks
may have drifted apart since is added.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafka_load.clock import SECOND
from kafka_load.ledger import LedgerSnapshot

DRIFT = 500e-6
"""How fast two clocks may drift apart: as much as NTP itself changes a clock's rate, ten times what crystals do."""
WINDOW_NS = 60 * SECOND
ENOUGH = 5
"""Exchanges after which a clock counts as known: by then the connection has been used more than once."""


class Exchange(NamedTuple):
    """Four times in ns: a question left and its answer came by the worker's clock, and by the coordinator's the
    question came and the answer left.
    """

    asked_ns: int
    received_ns: int
    answered_ns: int
    came_ns: int

    @property
    def offset_ns(self) -> int:
        """What must be added to the worker's clock."""
        return (self.received_ns - self.asked_ns + self.answered_ns - self.came_ns) // 2

    @property
    def round_trip_ns(self) -> int:
        """How long question and answer travelled."""
        return (self.came_ns - self.asked_ns) - (self.answered_ns - self.received_ns)

    def uncertainty_ns(self, local_ns: int) -> int:
        """By how much `offset_ns` may be wrong at a time of the worker's clock."""
        return -(-self.round_trip_ns // 2) + int(DRIFT * (local_ns - self.asked_ns)) + 1


class Offset(NamedTuple):
    """What must be added to a worker's clock, and by how much that may be wrong at most; ns."""

    offset_ns: int
    uncertainty_ns: int


class ExchangeWindow:
    """The exchanges of the last minute with one coordinator process."""

    def __init__(self) -> None:
        self.count = 0
        self._with = ""
        self._exchanges: deque[Exchange] = deque()

    def add(self, exchange: Exchange, coordinator: str) -> None:
        """Take an exchange; `coordinator` names the process that answered, whose clock is one of its own."""
        if coordinator != self._with:
            self._with, self.count = coordinator, 0
            self._exchanges.clear()
        self.count += 1
        self._exchanges.append(exchange)

    def offset(self, local_ns: int) -> Offset | None:
        """What is known at a time of the worker's clock; None before there were `ENOUGH` exchanges."""
        if self.count < ENOUGH:
            return None
        # The last one stays: what is known grows old, but is not forgotten.
        while len(self._exchanges) > 1 and self._exchanges[0].asked_ns < local_ns - WINDOW_NS:
            self._exchanges.popleft()
        best = min(self._exchanges, key=lambda one: one.uncertainty_ns(local_ns))
        return Offset(best.offset_ns, best.uncertainty_ns(local_ns))


@dataclass(frozen=True)
class ClockError:
    """A worker's clock in one run: what is added to it now, by how much the sum may be wrong now and was at most."""

    offset_ns: int
    uncertainty_ns: int
    worst_ns: int

    def to_wire(self) -> list[int]:
        """Plain data for a message."""
        return [self.offset_ns, self.uncertainty_ns, self.worst_ns]

    @classmethod
    def from_wire(cls, wire: Any) -> ClockError:
        """The inverse of `to_wire`."""
        return cls(*map(int, wire))


def uncertainty_us(group: str, snapshots: Iterable[LedgerSnapshot], clocks: Mapping[str, ClockError | None]) -> int:
    """By how much a latency to a group may be wrong, in µs: a record is due in one worker and delivered in another.

    Two events in one process have one clock; the coordinator's own has None. A record that was delivered before it was
    due shows that the clocks were off by at least so much.
    """
    producing: set[str] = set()
    reading: set[str] = set()
    seen_us = 0
    for snapshot in snapshots:
        readers = [reader for reader in snapshot.readers if reader.group == group]
        producing |= {snapshot.worker} if snapshot.producers else set()
        reading |= {snapshot.worker} if readers else set()
        seen_us = max([seen_us, *(reader.earliest_us for reader in readers)])
    worst_ns = {worker: clock.worst_ns for worker, clock in clocks.items() if clock is not None}
    pairs = ((one, other) for one in producing for other in reading if one != other)
    measured_ns = max((worst_ns.get(one, 0) + worst_ns.get(other, 0) for one, other in pairs), default=0)
    return max(-(-measured_ns // 1_000), seen_us)
