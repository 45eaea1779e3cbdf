"""Questions to the cluster before and after a run. They block: under gevent call them through `native.native_call`."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from kafka_load.cluster.admin import Silence, admin_client, answer
from kafka_load.cluster.cluster_view import log_bounds
from kafka_load.cluster.unreachable import Listener, why_unreachable
from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger.findings import TopicPartition
from kafka_load.native_threads import native_sleep


def metadata_client(client: ClientSettings, group: str = "kafka-load") -> Consumer:
    """A client for questions about topics, and about offsets of a group, which it does not join.

    To it a log ends behind its last record, whether that is committed or not: to who reads what is committed, it would
    end where its first open transaction begins, and nothing would show that there are records behind.
    """
    return Consumer(dict(client.properties(group_id=group, isolation_level="read_uncommitted")), logger=Silence())


def check_cluster(client: ClientSettings, topics: Sequence[str], timeout_s: float = 8) -> list[str]:
    """What stands in the way of a run, in sentences; empty if nothing does."""
    listener = Listener()
    # A broker that is spoken to in another protocol than its own closes the connection and says nothing.
    settings = {**client.properties(group_id="kafka-load"), "log.connection.close": True}
    try:
        asker = Consumer({**settings, "error_cb": listener.failed}, logger=listener)
    except KafkaException as refusal:
        return [f"The client's options are not valid: {refusal.args[0].str()}."]
    try:
        known = asker.list_topics(timeout=timeout_s).topics
    except KafkaException:
        asker.poll(0)  # what the client has to say is heard in here
        return [why_unreachable(listener.said, client.bootstrap, timeout_s)]
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
    asker, deadline = metadata_client(client), time.monotonic() + timeout_s
    try:
        while True:
            try:
                return log_bounds(asker, partitions_of(asker, topics, timeout_s))
            except KafkaException:
                if time.monotonic() >= deadline:
                    raise
                native_sleep(0.1)
    finally:
        asker.close()


def partitions_of(asker: Consumer, topics: Sequence[str], timeout_s: float) -> list[TopicPartition]:
    """All partitions of these topics. Raises KafkaException if nobody answers or a topic is not there."""
    known = asker.list_topics(timeout=timeout_s).topics
    if any(topic not in known for topic in topics):
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
    return [(topic, number) for topic in topics for number in known[topic].partitions]


# Refusals that no second question changes.
PERMANENT = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
PERMANENT |= {KafkaError.GROUP_AUTHORIZATION_FAILED}


def readable_ends(
    client: ClientSettings, partitions: Collection[TopicPartition], timeout_s: float
) -> tuple[dict[TopicPartition, int], str]:
    """The offset after the last record of each of the `partitions`, and of those that were added to their topics.

    A partition whose end could not be read within `timeout_s` is left out, and the second value says why one was.
    """
    asker, deadline = metadata_client(client), time.monotonic() + timeout_s
    topics = {topic for topic, _ in partitions}
    found: dict[TopicPartition, int] = {}
    refused: dict[TopicPartition, str] = {}
    try:
        while True:
            why = ""
            try:
                known = asker.list_topics(timeout=timeout_s).topics
                there = {(topic, number) for topic in topics if topic in known for number in known[topic].partitions}
                why = next((f"{topic} has no partition {n} any more" for topic, n in {*partitions} - there), "")
                for tp in sorted(there - found.keys() - refused.keys()):
                    try:
                        found |= {tp: log_bounds(asker, [tp])[tp][1]}
                    except KafkaException as error:
                        why = f"{tp[0]}-{tp[1]}: {error.args[0].str()}"
                        if error.args[0].code() in PERMANENT:
                            refused[tp] = why
                    if time.monotonic() >= deadline:
                        break
                complete = there <= found.keys() | refused.keys()
            except KafkaException as error:
                why, complete = str(error.args[0].str()), False
            if complete or time.monotonic() >= deadline:
                return found, next(iter(refused.values()), why)
            native_sleep(0.1)
    finally:
        asker.close()


def committed_offsets(
    client: ClientSettings, group: str, partitions: Collection[TopicPartition], timeout_s: float
) -> dict[TopicPartition, int]:
    """What the group has committed of these partitions; one without a committed offset is left out.

    Raises KafkaException when its coordinator has not answered within `timeout_s`.
    """
    asker = Consumer(dict(client.properties(group_id=group, enable_auto_commit=False)), logger=Silence())
    deadline = time.monotonic() + timeout_s
    try:
        while True:
            try:
                return _committed(asker, partitions, timeout_s)
            except KafkaException as error:
                if error.args[0].code() in PERMANENT or time.monotonic() >= deadline:
                    raise
                native_sleep(0.1)
    finally:
        asker.close()


def _committed(asker: Consumer, partitions: Collection[TopicPartition], timeout_s: float) -> dict[TopicPartition, int]:
    answers = asker.committed([Place(*tp) for tp in partitions], timeout=timeout_s)
    for one in answers:
        if one.error:
            raise KafkaException(one.error)
    return {(one.topic, one.partition): one.offset for one in answers if one.offset >= 0}


def prepare_share_group(
    client: ClientSettings, group: str, timeout_s: float = 10, read_committed: bool = True
) -> float:
    """Let a share group start at the log's beginning and, unless told otherwise, skip aborted records.

    Both are settings of the group on the broker, not of its members. Returns how long, in seconds, the broker lets a
    member keep a record before it gives it to another one. Raises KafkaException.
    """
    admin = admin_client(client)
    wanted = {
        "share.auto.offset.reset": "earliest",
        "share.isolation.level": "read_committed" if read_committed else "read_uncommitted",
    }
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    resource = ConfigResource(ConfigResource.Type.GROUP, group, incremental_configs=entries)
    [altered] = admin.incremental_alter_configs([resource], request_timeout=timeout_s).values()
    answer(altered, timeout_s)
    [described] = admin.describe_configs([ConfigResource(ConfigResource.Type.GROUP, group)]).values()
    return float(answer(described, timeout_s)["share.record.lock.duration.ms"].value) / 1_000
