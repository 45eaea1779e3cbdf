"""Records that tell who wrote them: run, producer, partition, sequence, when they were due, and a checksum over it
all.

`Stamps` is the decoded form, one array a field, whatever the format on the wire. Sequences are dense for each
(producer, partition), so what is missing, doubled or out of order can be told exactly.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kafka_load.records import binary, events, pool
from kafka_load.records.binary import decode_uniform
from kafka_load.records.packed import Packed
from kafka_load.records.stamp import ALTERED, FOREIGN, INTACT, Int64s, Stamps, unknown

__all__ = [
    "ALTERED",
    "FOREIGN",
    "INTACT",
    "Encoder",
    "Packed",
    "Stamps",
    "decode",
    "decode_uniform",
    "encoder",
    "fresh_id",
    "fresh_run",
]


class Encoder(Protocol):
    """Makes the values of one producer's records; `mean_size` is about how many bytes one has."""

    mean_size: int

    def __call__(
        self, partitions: NDArray[np.int16], sequences: Int64s, due_ns: Int64s, keys: NDArray[np.object_]
    ) -> Packed:
        """Values of records with these partitions, sequences, due times (ns) and keys, all of shape (n,)."""


def fresh_run() -> int:
    """A run id, 63 random bits."""
    return secrets.randbits(63)


def fresh_id() -> int:
    """A producer id, 32 random bits: unique in the run without anybody handing them out."""
    return secrets.randbits(32)


def encoder(
    format_: str,
    event: str,
    size: int,
    run: int,
    producer: int,
    entropy: float = 1.0,
    sizes: tuple[tuple[int, float], ...] = (),
    payload_file: str = "",
) -> Encoder:
    """The encoder for `json` events (`order`, `click`) or `binary` records of `size` bytes. Raises ValueError.

    `entropy` (0 to 1) is the share of a binary record that no compression can make less of. Binary records have the
    `sizes` (bytes, each with its share of the records) instead if there are any, or the lines of `payload_file`.
    """
    if format_ == "json":
        return events.EventEncoder(event, run, producer)
    if format_ == "binary" and (payload_file or sizes):
        chosen = pool.of_file(payload_file) if payload_file else pool.of_sizes(sizes, entropy)
        return pool.PoolEncoder(chosen, run, producer)
    if format_ == "binary":
        return binary.BinaryEncoder(size, run, producer, entropy)
    raise ValueError(f"unknown record format {format_!r}: json or binary")


def decode(values: Sequence[bytes | None]) -> Stamps:
    """Stamps of the values, in their order; `state` says which are intact, altered, or not of this harness."""
    if (quick := decode_uniform(values)) is not None:
        return quick
    stamps = unknown(len(values), FOREIGN)
    by_shape: dict[tuple[bool, int], list[int]] = {}
    for index, value in enumerate(values):
        if value and (value.startswith(binary.MAGIC) or events.is_event(value)):
            is_binary = value.startswith(binary.MAGIC)
            by_shape.setdefault((is_binary, len(value) if is_binary else 0), []).append(index)
    for (is_binary, _), places in by_shape.items():
        chosen = [value for place in places if (value := values[place]) is not None]
        stamps.put(np.array(places, np.int64), (binary if is_binary else events).decode(chosen))
    return stamps
