"""Questions to the cluster before and after a run. They block: under gevent call them through `native.native_call`."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from kafka_load.engines.settings import ClientSettings
from kafka_load.engines.watch import log_bounds
from kafka_load.ledger.findings import TopicPartition
from kafka_load.native import native_sleep


class _Silence:
    def log(self, *_: object) -> None:
        """The answer, or its absence, says enough."""


def _asker(client: ClientSettings) -> Consumer:
    return Consumer(dict(client.properties(group_id="kafka-load")), logger=_Silence())


def check_cluster(client: ClientSettings, topics: Sequence[str], timeout_s: float = 8) -> list[str]:
    """What stands in the way of a run, in sentences; empty if nothing does."""
    try:
        asker = _asker(client)
    except KafkaException as refusal:
        return [f"The client's options are not valid: {refusal.args[0].str()}."]
    try:
        known = asker.list_topics(timeout=timeout_s).topics
    except KafkaException:
        return [f"No broker of {client.bootstrap} answered within {timeout_s:g} s."]
    finally:
        asker.close()
    return [f"Topic {topic} does not exist on {client.bootstrap}." for topic in topics if topic not in known]


def end_offsets(
    client: ClientSettings, topics: Sequence[str], timeout_s: float = 10
) -> dict[TopicPartition, tuple[int, int]]:
    """First offset and offset after the last of each partition.

    A leader that has just moved away refuses, and whoever asks has to learn of the new one: so it is asked again for
    `timeout_s`. Raises KafkaException when a leader has not answered by then.
    """
    asker, deadline = _asker(client), time.monotonic() + timeout_s
    try:
        while True:
            try:
                known = asker.list_topics(timeout=timeout_s).topics
                return log_bounds(asker, [(topic, number) for topic in topics for number in known[topic].partitions])
            except KafkaException:
                if time.monotonic() >= deadline:
                    raise
                native_sleep(0.1)
    finally:
        asker.close()


def prepare_share_group(client: ClientSettings, group: str, timeout_s: float = 10, read_committed: bool = True) -> None:
    """Let a share group start at the log's beginning and, unless told otherwise, skip aborted records.

    Both are settings of the group on the broker, not of its members. Raises KafkaException.
    """
    admin = AdminClient(dict(client.properties()), logger=_Silence())
    wanted = {
        "share.auto.offset.reset": "earliest",
        "share.isolation.level": "read_committed" if read_committed else "read_uncommitted",
    }
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    resource = ConfigResource(ConfigResource.Type.GROUP, group, incremental_configs=entries)
    [answer] = admin.incremental_alter_configs([resource], request_timeout=timeout_s).values()
    end = time.monotonic() + timeout_s
    while not answer.done() and time.monotonic() < end:
        native_sleep(0.01)  # waiting on the future would use a lock that gevent may have replaced
    answer.result(timeout=0)
