"""Finds, creates and deletes topics, and deletes groups.

These calls block: under gevent call them through `native.native_call`. All raise KafkaException if nobody answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as TopicPartitionOffset
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from kafka_load.cluster.admin import admin_client, answer
from kafka_load.cluster.queries import metadata_client
from kafka_load.config.profile_types import DeclaredTopic
from kafka_load.engines.settings import ClientSettings
from kafka_load.native_threads import native_sleep

GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND})


@dataclass(frozen=True)
class FoundTopic:
    """A topic as it is; `config` has those of its configs that were asked for."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


def find_topics(client: ClientSettings, declared: Sequence[DeclaredTopic], timeout_s: float) -> dict[str, FoundTopic]:
    """Those of the declared topics that exist, by name, with the configs that are declared."""
    admin = admin_client(client)
    known = admin.list_topics(timeout=timeout_s).topics
    found = {}
    for topic in declared:
        if topic.name in known:
            replicas = [len(partition.replicas) for partition in known[topic.name].partitions.values()]
            config = _config(admin, topic, timeout_s) if topic.config else {}
            found[topic.name] = FoundTopic(len(replicas), min(replicas, default=0), config)
    return found


def _config(admin: AdminClient, topic: DeclaredTopic, timeout_s: float) -> dict[str, str]:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name)
    [described] = admin.describe_configs([resource], request_timeout=timeout_s).values()
    return {name: str(entry.value) for name, entry in answer(described, timeout_s).items() if name in topic.config}


def create_topics(client: ClientSettings, topics: Sequence[DeclaredTopic], timeout_s: float) -> dict[str, str]:
    """Create topics; why not, by topic, for those that could not be."""
    admin = admin_client(client)
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions or -1,  # -1: as many as the brokers make by default
            replication_factor=topic.replication_factor or -1,
            config=dict(topic.config),
        )
        for topic in topics
    ]
    return _refusals(admin.create_topics(wanted, request_timeout=timeout_s), timeout_s)


def await_leaders(client: ClientSettings, topics: Sequence[str], timeout_s: float) -> None:
    """Wait until all partitions of these topics have leaders. Raises KafkaException if they have none in time."""
    admin, deadline = admin_client(client), time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        known = admin.list_topics(timeout=timeout_s).topics
        leaders = [part.leader for name in topics if name in known for part in known[name].partitions.values()]
        if all(name in known for name in topics) and min(leaders, default=0) >= 0:
            return
        native_sleep(0.1)
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "not all of their partitions have a leader"))


def topic_ids(client: ClientSettings, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
    """The ids of those of the topics that exist."""
    admin = admin_client(client)
    described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
    ids = {}
    for name, future in described.items():
        try:
            ids[name] = str(answer(future, timeout_s).topic_id)
        except KafkaException as refusal:
            if refusal.args[0].code() not in GONE:
                raise
    return ids


def ids_of_new(client: ClientSettings, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
    """The ids of topics that were made just now: any broker may be asked, and not each knows them at once.

    Raises:
        KafkaException: if one of them is not known in time.
    """
    deadline = time.monotonic() + timeout_s
    while len(ids := topic_ids(client, topics, timeout_s)) < len(topics):
        if time.monotonic() >= deadline:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "not every broker knows them"))
        native_sleep(0.1)
    return ids


def offset_metadata_of(client: ClientSettings, group: str, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
    """The metadata of the offsets that a group has committed in partition 0 of topics; without one, none."""
    asker = metadata_client(client, group)
    try:
        offsets = asker.committed([TopicPartitionOffset(topic, 0) for topic in topics], timeout=timeout_s)
    finally:
        asker.close()
    return {one.topic: one.metadata or "" for one in offsets if one.error is None and one.offset >= 0}


def delete_topics(client: ClientSettings, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
    """Delete topics and wait until they are gone; why not, by topic, for those it could not."""
    if not topics:
        return {}
    admin = admin_client(client)
    refused = _refusals(admin.delete_topics(list(topics), request_timeout=timeout_s), timeout_s)
    deadline = time.monotonic() + timeout_s
    while left := (set(topics) - refused.keys()) & admin.list_topics(timeout=timeout_s).topics.keys():
        if time.monotonic() >= deadline:
            return refused | dict.fromkeys(left, "it is still there")
        native_sleep(0.1)
    return refused


def delete_groups(client: ClientSettings, groups: Sequence[str], timeout_s: float) -> dict[str, str]:
    """Delete groups that have no members; why not, by group, for those it could not."""
    if not groups:
        return {}
    admin = admin_client(client)
    return _refusals(admin.delete_consumer_groups(list(groups), request_timeout=timeout_s), timeout_s)


def _refusals(asked: Mapping[str, Future[None]], timeout_s: float) -> dict[str, str]:
    refused = {}
    for name, future in asked.items():
        try:
            answer(future, timeout_s)
        except KafkaException as refusal:
            if refusal.args[0].code() not in GONE:
                refused[name] = str(refusal.args[0].str())
    return refused
