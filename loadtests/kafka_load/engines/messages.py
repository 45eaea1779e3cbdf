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

from kafka_load.records import Stamps


class Reported(Protocol):
    """A record whose delivery to the broker was reported."""

    def __len__(self) -> int:
        """Bytes of its payload."""

    def value(self) -> bytes | None:
        """The payload."""

    def offset(self) -> int | None:
        """Its place in the log; None if the broker only said that it had the record already."""


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
    breaks = np.flatnonzero((sequence[1:] - sequence[:-1] != 1) | (origin[1:] != origin[:-1]))
    return pairwise([0, *(breaks + 1).tolist(), len(stamps)])
