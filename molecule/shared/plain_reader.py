"""The independent check of what is in a log: a plain consumer of committed records."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from confluent_kafka import Consumer, TopicPartition

READ_S = 120


def read(bootstrap: str, begin: Collection[TopicPartition]) -> list[Any]:
    """All committed records from these offsets to the end of the log, each partition in its order."""
    client = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "group.id": "check",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    client.assign(list(begin))
    ended: set[int | None] = set()
    found, deadline = [], time.monotonic() + READ_S
    while len(ended) < len(begin):
        assert time.monotonic() < deadline, "the independent check saw no end of the log"
        for message in client.consume(1_000, 1):
            if message.error():
                ended.add(message.partition())
            else:
                found.append(message)
    client.close()
    return found
