"""Keys of the shop's records and the partitions they belong to.

librdkafka's default partitioner is CRC32 while Java clients (and kafka-python) use murmur2, so the same customer
would land in different partitions. So the partition is chosen here, once a key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from confluent_kafka import murmur2
from numpy.typing import NDArray

from kafka_load.records import Packed
from kafka_load.records.pool import lines

_CHUNK = 1 << 16


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` under the Java client's default partitioner (murmur2, sign bit cleared, modulo)."""
    return int(murmur2(key, partitions))


@dataclass(frozen=True)
class Popularity:
    """How often each of `keys` keys is drawn: evenly, or by Zipf's law with exponent `zipf` (1 ≈ what shops see).

    The keys are the lines of `file`, the most popular first, if one is named.
    """

    keys: int
    zipf: float | None = None
    file: str = ""

    @classmethod
    def of_file(cls, file: str, zipf: float | None = None) -> Popularity:
        """That of the keys in a file. Raises LinesError if it cannot be used."""
        return cls(len(lines(file)), zipf, file)

    def names(self) -> list[bytes]:
        """The keys."""
        return list(lines(self.file)) if self.file else [b"c-%06d" % number for number in range(self.keys)]

    def weights(self) -> NDArray[np.float64]:
        """Probabilities, most popular key first; they sum to 1."""
        weights = np.arange(1, self.keys + 1, dtype=np.float64) ** -(self.zipf or 0.0)
        return np.asarray(weights / weights.sum(), np.float64)


DEFAULT = Popularity(10_000)


@dataclass(frozen=True)
class KeyTable:
    """All keys, their partitions, and for a draw by popularity its cumulated probabilities. Shared: never changed.

    `names` are the keys as they stand in a JSON text, `packed` as they go to the broker.
    """

    names: NDArray[np.object_]
    packed: Packed
    partitions: NDArray[np.int16]
    cumulated: NDArray[np.float64] | None


@lru_cache(maxsize=8)
def key_table(popularity: Popularity, partitions: int) -> KeyTable:
    """The table for a topic of so many partitions: one in a process, however many producers draw from it."""
    names = popularity.names()
    return KeyTable(
        np.array([json.dumps(name.decode(), ensure_ascii=False)[1:-1].encode() for name in names], object),
        Packed.of(names),
        np.array([partition_of(name, partitions) for name in names], np.int16),
        None if popularity.zipf is None else np.cumsum(popularity.weights()),
    )


class KeyStream:
    """Draws keys for one producer; the same seed draws the same keys."""

    def __init__(self, popularity: Popularity, partitions: int, seed: int) -> None:
        table = key_table(popularity, partitions)
        self.names, self.packed, self.partitions = table.names, table.packed, table.partitions
        self._cumulated = table.cumulated
        self._random = np.random.default_rng(seed)
        self._drawn = np.empty(0, np.int64)

    def draw(self, count: int) -> NDArray[np.int64]:
        """Numbers of the next `count` keys: indices into `names`, `packed` and `partitions`."""
        while len(self._drawn) < count:
            self._drawn = np.concatenate([self._drawn, self._more()])
        taken, self._drawn = self._drawn[:count], self._drawn[count:]
        return taken

    def _more(self) -> NDArray[np.int64]:
        """Many keys at once. Even draws need no search, which costs as much as all else done with a record's key."""
        if self._cumulated is None:
            return self._random.integers(0, len(self.names), _CHUNK)
        # A search among sorted numbers walks the table once, where one among random numbers misses the cache each time.
        drawn = np.searchsorted(self._cumulated, np.sort(self._random.random(_CHUNK)), side="right")
        return self._random.permutation(np.minimum(drawn, len(self.names) - 1))
