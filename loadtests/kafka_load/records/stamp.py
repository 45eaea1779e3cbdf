"""The decoded form of records, shared by all formats: one array a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INTACT = 0  # written by this harness (in this run or another) and unchanged
ALTERED = 1  # written by this harness, but its checksum does not fit
FOREIGN = 2  # written by somebody else

Words = NDArray[np.uint64]
Int64s = NDArray[np.int64]

_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Stamps:
    """Who wrote the records, where to, which of theirs it was, and when it was due (ns). All arrays have one length.

    `origin` is the producer in the upper and the partition in the lower 32 bits: comparing one number compares both.
    """

    run: Words
    origin: Words
    sequence: Int64s
    due_ns: Int64s
    state: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.state)

    @property
    def producer(self) -> Words:
        """Producer ids."""
        return self.origin >> _HALF

    @property
    def partition(self) -> Words:
        """Partitions that the records were meant for."""
        return self.origin & _LOW

    def part(self, begin: int, end: int) -> Stamps:
        """The stamps of the records [begin, end)."""
        cut = slice(begin, end)
        return Stamps(self.run[cut], self.origin[cut], self.sequence[cut], self.due_ns[cut], self.state[cut])

    def at(self, places: Int64s) -> Stamps:
        """The stamps of the records at these places."""
        due_ns, state = self.due_ns[places], self.state[places]
        return Stamps(self.run[places], self.origin[places], self.sequence[places], due_ns, state)

    def put(self, places: Int64s, others: Stamps) -> None:
        """Overwrite the stamps at some places."""
        for name in ("run", "origin", "sequence", "due_ns", "state"):
            getattr(self, name)[places] = getattr(others, name)


def unknown(count: int, state: int) -> Stamps:
    """Stamps of records that say nothing about themselves."""
    zeros = np.zeros(count, np.int64)
    states = np.full(count, state, np.int8)
    return Stamps(zeros.astype(np.uint64), zeros.astype(np.uint64), zeros, zeros.copy(), states)


def origins(producer: int, partitions: NDArray[np.integer[Any]]) -> Words:
    """The `origin` of one producer's records."""
    return partitions.astype(np.uint64) | np.uint64(producer << 32)


def of_origin(origin: int | np.uint64) -> tuple[int, int]:
    """The producer and the partition that make up an `origin`."""
    return divmod(int(origin), 1 << 32)
