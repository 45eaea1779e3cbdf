"""Reads topics that a run's own members wrote, from where they ended before the run up to their ends, as anybody would.

A plain consumer without a group, which sees what is committed only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as TopicPartitionOffset

from kafka_load.cluster.admin import Silence
from kafka_load.cluster.samples import Record
from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger.findings import TopicPartition

BATCH = 2_000


def read_back(
    client: ClientSettings,
    begin: Mapping[TopicPartition, int],
    take: Callable[[list[Record]], None],
    timeout_s: float,
) -> None:
    """Hand all records from `begin` on to `take`, those of each partition in order.

    Raises KafkaException if the ends were not reached within `timeout_s`, or if the broker refuses.
    """
    properties = client.properties(
        group_id="kafka-load",
        enable_auto_commit=False,
        enable_partition_eof=True,
        isolation_level="read_committed",
        auto_offset_reset="error",
    )
    reader, deadline = Consumer(dict(properties), logger=Silence()), time.monotonic() + timeout_s
    reading = set(begin)
    try:
        reader.assign([TopicPartitionOffset(*tp, offset) for tp, offset in begin.items()])
        while reading:
            if time.monotonic() > deadline:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            first = reader.poll(0.1)
            messages = cast("list[Record]", [first, *reader.consume(BATCH, 0)] if first is not None else [])
            records = []
            for message in messages:
                error = message.error()
                if error is None:
                    records.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    reading.discard((message.topic(), message.partition()))
                elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                    raise KafkaException(error)
            if records:
                take(records)
    finally:
        reader.close()
