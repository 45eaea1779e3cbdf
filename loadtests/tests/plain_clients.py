"""Plain clients for independent checks: nothing of the harness."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, TopicPartition
from mock_cluster import MockCluster

PARTITIONS = {"orders": 3, "clicks": 12}


def written(cluster: MockCluster, topic: str) -> int:
    """Records in a topic's log, counted by a plain consumer that asks nobody where the log begins or ends."""
    return len(records(cluster, topic, PARTITIONS[topic]))


def records(cluster: MockCluster, topic: str, partitions: int) -> list[Any]:
    """All records of a topic as a plain consumer gets them, those of each partition in order."""
    client = plain_client(cluster, "independent-check")
    client.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    found, ended = [], 0
    while ended < partitions:
        message = client.poll(5)
        assert message is not None, "the independent check saw no end of the log"
        if message.error():
            ended += 1
        else:
            found.append(message)
    client.close()
    return found


def plain_client(cluster: MockCluster, group: str) -> Consumer:
    settings = {"bootstrap.servers": cluster.bootstrap, "group.id": group, "log_level": 0}
    return Consumer({**settings, "enable.partition.eof": True, "auto.offset.reset": "earliest"})


def committed(cluster: MockCluster, group: str, topic: str) -> int:
    """The sum of a group's committed offsets, by a plain client."""
    client = plain_client(cluster, group)
    try:
        offsets = client.committed([TopicPartition(topic, n) for n in range(PARTITIONS[topic])], timeout=5)
    finally:
        client.close()
    return sum(max(0, one.offset) for one in offsets)
