"""A member of a group that commits before it processes, and is killed in between.

A program of its own, which shares nothing with those who judge what it did. It prints how many records it took along.

    commit_before_process.py BOOTSTRAP GROUP TOPIC RECORDS
"""

from __future__ import annotations

import os
import signal
import sys

from confluent_kafka import Consumer


def main(bootstrap: str, group: str, topic: str, records: int) -> None:
    """Take so many records, say that they are done, and die."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "partition.assignment.strategy": "cooperative-sticky",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    taken = 0
    while taken < records:
        record = consumer.poll(1.0)
        taken += record is not None and record.error() is None
    consumer.commit(asynchronous=False)
    print(taken, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
