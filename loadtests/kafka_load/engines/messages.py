"""The part of a librdkafka message that engines use.

confluent-kafka types every accessor as optional, because a message may be made by hand; one that was delivered or
acknowledged always has its coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol

import numpy as np
from confluent_kafka import KafkaError
from numpy.typing import NDArray

from kafka_load.records import Stamps

ALONE = ((0, 1),)
"""The stretches of one thing, which needs no looking for breaks: numpy takes long for so little."""


class Delivered(Protocol):
    """A message that came from a broker."""

    def topic(self) -> str:
        """Topic name."""

    def partition(self) -> int:
        """Partition number."""

    def offset(self) -> int:
        """Offset; for a partition's end, the offset after the last."""

    def value(self) -> bytes | None:
        """The payload; for an error its text."""

    def error(self) -> KafkaError | None:
        """None for a record."""


def consecutive(stamps: Stamps) -> Iterator[tuple[int, int]]:
    """[begin, end) of the stretches with one producer and partition and sequences that rise by one."""
    sequence, origin = stamps.sequence, stamps.origin
    return stretches((sequence[1:] - sequence[:-1] != 1) | (origin[1:] != origin[:-1]))


def stretches(breaks: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """[begin, end) of what lies between breaks, of at least one thing; `breaks[i]` is true if something ends with i."""
    if not len(breaks):
        return iter(ALONE)
    return pairwise([0, *(np.flatnonzero(breaks) + 1).tolist(), len(breaks) + 1])
