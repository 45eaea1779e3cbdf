"""Many byte strings in one piece of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kafka_load.records.stamp import Int64s


@dataclass(frozen=True)
class Packed:
    """String i is `data[starts[i] : starts[i] + lengths[i]]`; `starts` and `lengths` have shape (n,)."""

    data: NDArray[np.uint8]
    starts: Int64s
    lengths: Int64s

    @classmethod
    def of(cls, strings: Sequence[bytes]) -> Self:
        """Copies of the strings, one after the other."""
        lengths = np.fromiter(map(len, strings), np.int64, len(strings))
        return cls(np.frombuffer(b"".join(strings), np.uint8), np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def rows(cls, table: NDArray[np.uint8], length: int) -> Self:
        """The first `length` bytes of each row of a table, which is not copied."""
        count, width = table.shape
        return cls(table.reshape(-1), np.arange(count) * width, np.full(count, length))

    def tolist(self) -> list[bytes]:
        """The strings."""
        data = self.data.tobytes()
        ends = self.starts + self.lengths
        return [data[begin:end] for begin, end in zip(self.starts.tolist(), ends.tolist(), strict=True)]
