"""Latencies in microseconds, counted in log-linear buckets.

Locust rounds to milliseconds and a list of samples grows with the run. Here 128 buckets an octave (error below 0.8 %)
hold any number of samples in 37 KB; merging is one addition. The same layout as
HdrHistogram's (http://hdrhistogram.org).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kafka_load.serialization import wired

Int64s = NDArray[np.int64]

_BITS = 7
_OCTAVES = 36  # up to 2**43 µs; what is longer is counted in the last bucket
BUCKETS = (_OCTAVES + 1) << _BITS


def bucket_of(values_us: Int64s) -> Int64s:
    """Bucket numbers of durations; negative ones count as zero (see `ReaderSnapshot.early`)."""
    if values_us.size == 1:  # numpy takes ten times as long for it
        return np.array([_bucket_of_one(int(values_us[0]))], np.int64)
    positive = np.maximum(values_us, 0)
    octave = np.maximum(np.frexp(positive.astype(np.float64))[1] - _BITS - 1, 0).astype(np.int64)
    return np.asarray(np.minimum((octave << _BITS) + (positive >> octave), BUCKETS - 1), np.int64)


def _bucket_of_one(value_us: int) -> int:
    positive = max(value_us, 0)
    octave = max(positive.bit_length() - _BITS - 1, 0)
    return min((octave << _BITS) + (positive >> octave), BUCKETS - 1)


def _middles() -> Int64s:
    number = np.arange(BUCKETS, dtype=np.int64)
    octave = np.maximum((number >> _BITS) - 1, 0)
    lowest = (number - (octave << _BITS)) << octave
    return np.asarray(lowest + ((np.int64(1) << octave) >> 1), np.int64)


MIDDLES_US = _middles()


@wired
@dataclass
class Histogram:
    """Counts of durations; `counts[i]` samples were about `MIDDLES_US[i]` long."""

    counts: Int64s = field(default_factory=lambda: np.zeros(BUCKETS, np.int64))

    def add(self, values_us: Int64s) -> None:
        """Count a batch of durations in µs."""
        self.add_buckets(bucket_of(values_us))

    def add_buckets(self, buckets: Int64s) -> None:
        """Count a batch of durations by their buckets."""
        np.add.at(self.counts, buckets, 1)

    @property
    def count(self) -> int:
        """Samples counted."""
        return int(self.counts.sum())

    @property
    def min(self) -> int:
        """Shortest duration in µs (0 if empty)."""
        return self.percentile(0)

    @property
    def max(self) -> int:
        """Longest duration in µs (0 if empty)."""
        return self.percentile(100)

    @property
    def mean(self) -> float:
        """Average in µs (0 if empty)."""
        total = self.count
        return float(self.counts @ MIDDLES_US) / total if total else 0.0

    def percentile(self, percent: float) -> int:
        """The duration in µs that `percent` (0-100) of the samples do not exceed; 0 if empty."""
        cumulated = np.cumsum(self.counts)
        rank = max(1, int(np.ceil(cumulated[-1] * percent / 100)))
        return int(MIDDLES_US[np.searchsorted(cumulated, rank)]) if cumulated[-1] else 0

    def copy(self) -> Histogram:
        """A copy that later samples do not change."""
        return Histogram(self.counts.copy())

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.counts + other.counts)

    def minus(self, earlier: Histogram) -> Histogram:
        """What was counted since `earlier`, a former state of this histogram."""
        return Histogram(self.counts - earlier.counts)

    def to_wire(self) -> list[list[int]]:
        """Two lists, buckets and counts, of the buckets in use."""
        used = np.flatnonzero(self.counts)
        return [used.tolist(), self.counts[used].tolist()]

    @classmethod
    def from_wire(cls, wire: Any) -> Histogram:
        """The inverse of `to_wire`."""
        histogram = cls()
        histogram.counts[np.array(wire[0], np.int64)] = wire[1]
        return histogram


def percentile_without(whole: Histogram, part: Histogram, percent: float, extra: int = 0) -> int:
    """What a percentile of `whole` is at least, in µs, if each sample is freed of a `part` of its duration.

    Which part belongs to which sample is not known. But for any y, a sample longer than x + y whose part is at most y
    is still longer than x, and no more samples have a longer part than there are longer parts (and `extra`). The bound
    is the best one over all y. With parts that are all zero it is the percentile itself.
    """
    count = whole.count
    allowed = count - max(1, int(np.ceil(count * percent / 100)))  # samples that may be longer
    used = np.r_[0, np.flatnonzero(part.counts)]
    longer_parts = part.count - np.cumsum(part.counts)[used]
    longer_than = count - np.cumsum(whole.counts)  # by bucket: samples in higher ones
    best = 0
    for y, number in zip(MIDDLES_US[used].tolist(), (longer_parts + extra).tolist(), strict=True):
        # The first bucket that at most so many samples exceed: the percentile of what is left.
        place = int(np.searchsorted(-longer_than, -(allowed + number)))
        best = max(best, int(MIDDLES_US[place]) - y)
    return best


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """The sum of any number of histograms."""
    return sum(histograms, Histogram())
