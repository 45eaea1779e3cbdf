"""What a group makes of its records, as a profile declares it: consume, transform, produce, exactly once."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "kafka-load.source"
"""The header of an output record that says which input record it was made of: `TOPIC-PARTITION@OFFSET`."""


@dataclass(frozen=True)
class Transform:
    """Each input record becomes one record of the topic `output`, in transactions that commit the input's offsets, too.

    A transaction ends after so many `records` or `interval_s`, whichever comes first.
    """

    output: str
    records: int = 500
    interval_s: float = 0.2


def source_of(topic: str, partition: int, offset: int) -> bytes:
    """The value of the header `SOURCE`."""
    return f"{topic}-{partition}@{offset}".encode()


def read_source(value: bytes) -> tuple[str, int, int]:
    """Topic, partition and offset of the input record. Raises ValueError for anything else."""
    where, _, offset = value.decode().rpartition("@")
    topic, _, partition = where.rpartition("-")
    return topic, int(partition), int(offset)
