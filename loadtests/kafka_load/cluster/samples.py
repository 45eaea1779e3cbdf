"""The first and the last record of each partition: what tells who writes into a topic."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as TopicPartitionOffset

from kafka_load.cluster.admin import Silence
from kafka_load.engines.messages import Delivered
from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger.findings import TopicPartition
from kafka_load.ownership import SHOP_HEADER, Sample
from kafka_load.records import FOREIGN, decode


class Record(Delivered, Protocol):
    """A record with its headers."""

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """The record's headers, if it has any."""


def sample_records(
    client: ClientSettings, bounds: Mapping[TopicPartition, tuple[int, int]], timeout_s: float = 10
) -> list[Sample]:
    """The first and the last record that can be read between the `bounds` of each partition.

    Raises KafkaException if a leader does not answer within `timeout_s`.
    """
    properties = client.properties(
        group_id="kafka-load",
        enable_auto_commit=False,
        enable_partition_eof=True,
        isolation_level="read_uncommitted",
        fetch_message_max_bytes=65_536,
    )
    reader, deadline = Consumer(dict(properties), logger=Silence()), time.monotonic() + timeout_s
    ends = {tp: high for tp, (low, high) in bounds.items() if high > low}
    try:
        first = _read(reader, {tp: bounds[tp][0] for tp in ends}, ends, deadline, only_first=True)
        last: dict[TopicPartition, Sample] = {}
        back = 1
        # The end of a log may be transaction markers, or compacted away: then it is read from further back.
        while missing := first.keys() - last.keys():
            starts = {tp: max(bounds[tp][0], ends[tp] - back) for tp in missing}
            last |= _read(reader, starts, ends, deadline, only_first=False)
            back *= 8
    finally:
        reader.close()
    return [*first.values(), *last.values()]


def _read(
    reader: Consumer,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    deadline: float,
    *,
    only_first: bool,
) -> dict[TopicPartition, Sample]:
    """The first, or else the last, record of each partition from `starts` up to `ends`."""
    found: dict[TopicPartition, Sample] = {}
    reader.assign([TopicPartitionOffset(*tp, offset) for tp, offset in starts.items()])
    reading = set(starts)
    while reading:
        if time.monotonic() > deadline:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        message = cast("Record | None", reader.poll(0.1))
        if message is None or (tp := (message.topic(), message.partition())) not in reading:
            continue
        error = message.error()
        if error is None:
            found[tp] = Sample(*tp, message.offset(), _is_own(message))
        elif error.code() != KafkaError._PARTITION_EOF:
            continue  # a leader that has just moved away: the client asks the next one
        if error is not None or only_first or message.offset() >= ends[tp] - 1:
            reading.remove(tp)
            reader.incremental_unassign([TopicPartitionOffset(*tp)])
    return found


def _is_own(message: Record) -> bool:
    """Whether a record, or what is left of it after a damage, is the project's own."""
    return int(decode([message.value()]).state[0]) != FOREIGN or any(
        name == SHOP_HEADER for name, _ in message.headers() or ()
    )
