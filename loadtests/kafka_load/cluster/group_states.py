"""What the cluster says of groups before a run: their members, and who committed their offsets.

These calls block: under gevent call them through `native.native_call`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Container, Mapping, Sequence

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException
from confluent_kafka import TopicPartition as TopicPartitionOffset
from confluent_kafka.admin import AdminClient

from kafka_load.cluster.admin import ANSWER_S, admin_client, answer
from kafka_load.cluster.queries import metadata_client, partitions_of
from kafka_load.config.profile_types import Mode
from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger.findings import TopicPartition
from kafka_load.native_threads import native_sleep
from kafka_load.ownership import GroupState, mark_group


def group_states(
    client: ClientSettings, groups: Mapping[str, Mode], topics: Sequence[str], timeout_s: float = 10
) -> list[GroupState]:
    """What the cluster says of `groups`, given with how they are to be used; `topics` are those that the run reads.

    On a fresh cluster the coordinators are still being made, so it is asked again for `timeout_s`. Raises
    KafkaException.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _asked_once(client, groups, topics, timeout_s)
        except KafkaException:
            if time.monotonic() >= deadline:
                raise
        native_sleep(0.2)


def _asked_once(
    client: ClientSettings, groups: Mapping[str, Mode], topics: Sequence[str], timeout_s: float
) -> list[GroupState]:
    """The answers, by a client of its own.

    A client whose question to a coordinator was not answered in time ends the process as soon as that broker is back
    (librdkafka#4605), unless it is gone by then.
    """
    admin = admin_client(client)
    known = _known_groups(admin, timeout_s)
    return [_group_state(client, admin, name, mode, topics, known) for name, mode in groups.items()]


def _group_state(
    client: ClientSettings, admin: AdminClient, name: str, mode: Mode, topics: Sequence[str], known: Container[str]
) -> GroupState:
    if mode == "share":
        return GroupState(name, mode, None, _offsets(client, admin, mark_group(name), topics), name in known)
    return GroupState(name, mode, _members(admin, name), _offsets(client, admin, name, topics), name in known)


def _known_groups(admin: AdminClient, timeout_s: float) -> set[str]:
    """The names of all groups of all kinds; none where the brokers do not tell (as the mock cluster)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what replaces it leaves out share groups
        try:
            return {str(group.id) for group in admin.list_groups(timeout=timeout_s)}
        except KafkaException as refusal:
            if refusal.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:
                return set()
            raise


def _members(admin: AdminClient, group: str) -> tuple[str, ...] | None:
    try:
        described = answer(admin.describe_consumer_groups([group], request_timeout=ANSWER_S)[group])
    except KafkaException as refusal:
        if refusal.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:
            return None
        raise
    return tuple(member.client_id for member in described.members)


def _offsets(
    client: ClientSettings, admin: AdminClient, group: str, topics: Sequence[str]
) -> dict[TopicPartition, str | None]:
    """The metadata of each offset that a group has committed, in any topic."""
    request = [ConsumerGroupTopicPartitions(group)]
    listed = answer(admin.list_consumer_group_offsets(request, request_timeout=ANSWER_S)[group])
    offsets = list(listed.topic_partitions or ())
    # The mock cluster answers only for the partitions that it is asked for by name.
    asker = metadata_client(client, group)
    try:
        wanted = [TopicPartitionOffset(*where) for where in partitions_of(asker, topics, ANSWER_S)]
        if wanted:  # librdkafka would ask for nothing, for ever
            offsets += asker.committed(wanted, timeout=ANSWER_S)
    finally:
        asker.close()
    for one in offsets:
        if one.error is not None:
            raise KafkaException(one.error)
    return {(one.topic, one.partition): one.metadata for one in offsets if one.offset >= 0}
