"""A reader that shares no code with the harness: tells, from the log itself, which of a run's records are there.

It uses kafka-python where the harness uses librdkafka, and a JSON parser where the harness uses its own decoder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CorruptRecordError, KafkaError

from .identities import Stamp

TOPICS = ("orders", "clicks")
CRC_AT, CRC_END = -10, -2  # …, "crc": "1c291ca3"}: over all that stands before it.


@dataclass(frozen=True)
class Audit:
    """What the log holds of one run: its records, further copies of them, and how many are damaged.

    `places` has the offsets of each record that is there more than once, by its partition.
    """

    records: frozenset[Stamp]
    copies: int
    damaged: int
    places: Mapping[tuple[str, int], Sequence[Sequence[int]]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The counts and places, as JSON has them."""
        places = {f"{topic}-{number}": at for (topic, number), at in self.places.items()}
        return {"records": len(self.records), "copies": self.copies, "damaged": self.damaged, "places": places}


def _consumer(bootstrap: Sequence[str]) -> KafkaConsumer:
    return KafkaConsumer(bootstrap_servers=list(bootstrap), enable_auto_commit=False, consumer_timeout_ms=15_000)


def audit(bootstrap: Sequence[str], since_ns: int, timeout_s: float = 120) -> Audit:
    """Read all topics of the shop for the records that were due at `since_ns` or later.

    Raises:
        TimeoutError: The end was not reached.
    """
    found: dict[Stamp, list[int]] = {}
    damaged = 0
    with _consumer(bootstrap) as consumer:
        partitions = [
            TopicPartition(topic, number) for topic in TOPICS for number in consumer.partitions_for_topic(topic) or ()
        ]
        ends = consumer.end_offsets(partitions)
        since = consumer.offsets_for_times(dict.fromkeys(partitions, since_ns // 1_000_000))
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, since[partition].offset if since.get(partition) else ends[partition])
        deadline = time.monotonic() + timeout_s
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the end of the log was not reached within {timeout_s:.0f} s")
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    said = json.loads(record.value)
                    damaged += not _intact(record.value)
                    if said["due_ns"] >= since_ns:
                        stamp = (said["producer"], record.topic, said["partition"], said["sequence"])
                        found.setdefault(stamp, []).append(record.offset)
    places: dict[tuple[str, int], list[Sequence[int]]] = {}
    for (_, topic, number, _), offsets in found.items():
        if len(offsets) > 1:
            places.setdefault((topic, number), []).append(offsets)
    return Audit(frozenset(found), sum(map(len, found.values())) - len(found), damaged, places)


def readable(bootstrap: Sequence[str], partition: tuple[str, int]) -> bool:
    """Whether a partition's first records can be read now."""
    try:
        return bool(_first(bootstrap, TopicPartition(*partition), 1))
    except KafkaError:
        return False


def checksum(bootstrap: Sequence[str], partition: tuple[str, int]) -> str:
    """What reading a partition from its start meets: `refused` (by a checksum), `damaged` (records), or `whole`."""
    try:
        values = _first(bootstrap, TopicPartition(*partition), None)
    except CorruptRecordError:
        return "refused"
    return "whole" if all(map(_intact, values)) else "damaged"


def _first(bootstrap: Sequence[str], partition: TopicPartition, count: int | None) -> list[bytes]:
    values: list[bytes] = []
    with _consumer(bootstrap) as consumer:
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        deadline = time.monotonic() + 10
        while (
            consumer.position(partition) < end
            and (count is None or len(values) < count)
            and time.monotonic() < deadline
        ):
            values += [record.value for records in consumer.poll(timeout_ms=500).values() for record in records]
    return values


def _intact(value: bytes) -> bool:
    return int(value[CRC_AT:CRC_END], 16) == crc32(value[:CRC_AT])
