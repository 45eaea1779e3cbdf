"""Keys of the shop's records and the partitions they belong to.

librdkafka's default partitioner is CRC32 while Java clients (and kafka-python) use murmur2, so the same customer
would land in different partitions. So the partition is chosen here, once a key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from confluent_kafka import murmur2
from numpy.typing import NDArray

from kafka_load.records import Packed

_CHUNK = 1 << 16


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` under the Java client's default partitioner (murmur2, sign bit cleared, modulo)."""
    return int(murmur2(key, partitions))


@dataclass(frozen=True)
class Popularity:
    """How often each of `keys` keys is drawn: evenly, or by Zipf's law with exponent `zipf` (1 ≈ what shops see)."""

    keys: int
    zipf: float | None = None

    def weights(self) -> NDArray[np.float64]:
        """Probabilities, most popular key first; they sum to 1."""
        weights = np.arange(1, self.keys + 1, dtype=np.float64) ** -(self.zipf or 0.0)
        return np.asarray(weights / weights.sum(), np.float64)


class KeyStream:
    """Draws keys for one producer; the same seed draws the same keys."""

    def __init__(self, popularity: Popularity, partitions: int, seed: int) -> None:
        names = [b"c-%06d" % number for number in range(popularity.keys)]
        self.names, self.packed = np.array(names, object), Packed.of(names)
        self.partitions = np.array([partition_of(name, partitions) for name in names], np.int16)
        self._cumulated = None if popularity.zipf is None else np.cumsum(popularity.weights())
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
