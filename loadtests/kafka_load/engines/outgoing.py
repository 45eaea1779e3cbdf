"""Records on their way to the client, and those that are under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kafka_load.librdkafka import MESSAGE, Messages
from kafka_load.records import Packed
from kafka_load.records.stamp import Int64s


@dataclass(frozen=True)
class Outgoing:
    """Records of one producer, shape (n,). `memory` is what `messages` point to: it lives as long as they do."""

    messages: Messages
    sequences: Int64s
    due_ns: Int64s
    memory: tuple[Packed, ...]

    @classmethod
    def of(
        cls,
        values: Packed,
        keys: Packed,
        chosen: Int64s,
        partitions: NDArray[np.int16],
        sequences: Int64s,
        due_ns: Int64s,
    ) -> Self:
        """Record i has `values` i and of `keys` the one numbered `chosen[i]`."""
        messages = np.zeros(len(chosen), MESSAGE)
        messages["partition"] = partitions
        messages["payload"] = values.data.ctypes.data + values.starts
        messages["len"] = values.lengths
        messages["key"] = keys.data.ctypes.data + keys.starts[chosen]
        messages["key_len"] = keys.lengths[chosen]
        return cls(messages, sequences, due_ns, (values, keys))

    def __len__(self) -> int:
        return len(self.messages)

    def part(self, which: slice | NDArray[np.bool_]) -> Outgoing:
        """Some of them."""
        return Outgoing(self.messages[which], self.sequences[which], self.due_ns[which], self.memory)


class InFlight:
    """Which records the client has: a row each, whose number goes with the record and comes back with its report.

    `bytes` are those of their values.
    """

    def __init__(self, most: int) -> None:
        self.bytes = 0
        self._sequences, self._due_ns = np.empty(most, np.int64), np.empty(most, np.int64)
        self._free = np.arange(most)
        self._count = 0  # rows in use: those before this place in `_free`

    def __len__(self) -> int:
        return self._count

    def enter(self, records: Outgoing) -> Int64s:
        """Rows for these records. Raises ValueError if there are not as many."""
        rows = self._free[self._count : self._count + len(records)].copy()
        if len(rows) < len(records):
            raise ValueError(f"{len(self._free)} records are in flight, and no more may be")
        self._count += len(records)
        self.bytes += int(records.messages["len"].sum())
        self._sequences[rows], self._due_ns[rows] = records.sequences, records.due_ns
        return rows

    def leave(self, rows: Int64s, size: int) -> tuple[Int64s, Int64s]:
        """Give back rows of records of `size` bytes; returns their sequences and when they were due (ns)."""
        self._count -= len(rows)
        self.bytes -= size
        self._free[self._count : self._count + len(rows)] = rows
        return self._sequences[rows], self._due_ns[rows]
