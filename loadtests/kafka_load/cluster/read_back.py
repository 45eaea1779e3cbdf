"""Reads topics that a run's own members wrote, from where they ended before the run up to their ends, as anybody would.

A plain consumer without a group, which sees what is committed only: so it waits for each transaction that is still
open, such as that of a member which died, to be aborted. What lies behind one is there, and cannot be seen yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as TopicPartitionOffset

from kafka_load.cluster.admin import ANSWER_S, Silence
from kafka_load.cluster.queries import metadata_client
from kafka_load.cluster.samples import Record
from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger.findings import TopicPartition
from kafka_load.native_threads import native_sleep

BATCH = 2_000


def read_back(
    client: ClientSettings,
    begin: Mapping[TopicPartition, int],
    take: Callable[[list[Record]], None],
    timeout_s: float,
) -> None:
    """Hand all records from `begin` on to `take`, those of each partition in order.

    Raises KafkaException if the ends were not reached within `timeout_s`, as behind a transaction that stays open, or
    if the broker refuses.
    """
    properties = client.properties(
        group_id="kafka-load",
        enable_auto_commit=False,
        enable_partition_eof=True,
        isolation_level="read_committed",
        auto_offset_reset="error",
    )
    deadline = time.monotonic() + timeout_s
    ends = _log_ends(client, begin, deadline)
    reader, reading = Consumer(dict(properties), logger=Silence()), set(begin)
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
                    where = message.topic(), message.partition()
                    # To who reads what is committed, a partition ends where its first open transaction begins.
                    if message.offset() >= ends[where]:
                        reading.discard(where)
                elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                    raise KafkaException(error)
            if records:
                take(records)
    finally:
        reader.close()


def _log_ends(
    client: ClientSettings, partitions: Mapping[TopicPartition, int], deadline: float
) -> dict[TopicPartition, int]:
    """The offset after the last record of each partition, committed or not."""
    asker = metadata_client(client)
    try:
        while True:
            try:
                return {tp: asker.get_watermark_offsets(TopicPartitionOffset(*tp), ANSWER_S)[1] for tp in partitions}
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
            native_sleep(0.1)
    finally:
        asker.close()
