"""What one worker process knows, as it reports it to the process that judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kafka_load.ledger.ended_producers import ClosedProducers
from kafka_load.ledger.snapshot import ProducerSnapshot, ReaderSnapshot
from kafka_load.serialization import pack, unpack, wired


@wired
@dataclass(frozen=True)
class LedgerSnapshot:
    """Everything one worker process knows; `running` are its producers that have not ended."""

    worker: str
    version: int
    running: list[ProducerSnapshot]
    readers: list[ReaderSnapshot]
    closed: list[ClosedProducers] = field(default_factory=list)

    @property
    def producers(self) -> list[ProducerSnapshot]:
        """All producers, also those that have ended."""
        return [*(snapshot for one in self.closed for snapshot in one.snapshots), *self.running]

    def to_wire(self) -> dict[str, Any]:
        """Plain data for a message."""
        return dict(pack(self))

    @classmethod
    def from_wire(cls, wire: Any) -> LedgerSnapshot:
        """The inverse of `to_wire`. Raises ValueError for anything else."""
        if isinstance(snapshot := unpack(wire), cls):
            return snapshot
        raise ValueError("not a ledger snapshot")
