"""A topic to measure on, for as long as it is needed: of a mock cluster of its own, or of the real cluster.

What is written is counted by a bystander, as the growth of the log up to the high watermark: with `acks=all` that is
what was acknowledged, and it is counted alike whoever writes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from kafka_load.native_threads import wait_until
from mock_cluster import MockCluster

MOCK_KEEPS = 37_500  # records of 100 bytes that the mock keeps of a partition, a little less than its 5 MB
REPLICAS = 3
ANSWER_S = 30.0


@dataclass(frozen=True)
class Topic:
    """A topic; `keeps` is how many records a partition may be given to be read again."""

    bootstrap: str
    name: str
    partitions: int
    keeps: int

    @cached_property
    def admin(self) -> AdminClient:
        """The bystander; quiet, since what it does not get it says by its result."""
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def written(self) -> tuple[float, int]:
        """Records in the log so far, and when (s) that was so."""
        latest: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(self.name, number): latest for number in range(self.partitions)}
        asked = time.perf_counter()
        answers = self.admin.list_offsets(wanted, request_timeout=ANSWER_S)
        count = sum(answer.result().offset for answer in answers.values())
        return (asked + time.perf_counter()) / 2, count


@contextmanager
def fresh_topic(bootstrap: str | None, partitions: int) -> Iterator[Topic]:
    """An empty topic of the cluster at `bootstrap`, or of a mock one.

    A real cluster gives its disks back only after the brokers' `log.segment.delete.delay.ms`, by default a minute.
    """
    name = f"bench-{secrets.token_hex(4)}"
    if bootstrap is None:
        with MockCluster() as cluster:
            cluster.topic(name, partitions)
            yield Topic(cluster.bootstrap, name, partitions, MOCK_KEEPS)
        return
    topic = Topic(bootstrap, name, partitions, 4 * MOCK_KEEPS)
    replicas = min(REPLICAS, len(topic.admin.list_topics(timeout=ANSWER_S).brokers))
    topic.admin.create_topics([NewTopic(name, partitions, replicas)])[name].result(ANSWER_S)
    try:
        if not wait_until(lambda: _served(topic), ANSWER_S):
            raise TimeoutError(f"not every partition of {name} has a leader that serves it after {ANSWER_S:.0f} s")
        yield topic
    finally:
        topic.admin.delete_topics([name])[name].result(ANSWER_S)


def _served(topic: Topic) -> bool:
    """Whether each leader knows that it is one; they hear of a new topic later than those who ask for it."""
    try:
        topic.admin.list_topics(topic.name, timeout=ANSWER_S)  # Asked again at once, it would not look anew.
        topic.written()
    except KafkaException:
        return False
    return True
