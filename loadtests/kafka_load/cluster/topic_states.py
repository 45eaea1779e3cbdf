"""Asks the cluster again and again for the ids, partitions and cleanup policies of topics, without ever waiting."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import ConfigResource

from kafka_load.clock import SECOND
from kafka_load.cluster.admin import admin_client, answer
from kafka_load.engines.settings import ClientSettings
from kafka_load.run.topic_changes import TopicState

POLICY = "cleanup.policy"
UNANSWERED = frozenset({KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT})
WAIT_S, PAUSE_S = 2.0, 5
"""How long an answer is waited for, and after how long the next question is put where none has come."""


class TopicQueries:
    """What is asked of the topics, at most once a second; the answer of one question is taken with a later call.

    Where brokers do not tell (the mock cluster has no controller), there is no answer, and the next question follows
    some seconds later, by another client: librdkafka asks the broker that the client's metadata name as the controller.
    While that one is down two of its threads wake each other tens of thousands of times a second, and it does not learn
    of another one for minutes.
    """

    def __init__(self, client: ClientSettings, topics: tuple[str, ...]) -> None:
        self._client = client
        self._admin = admin_client(client)
        self._topics = topics
        self._asked: tuple[dict[str, Future[Any]], dict[str, Future[Any]]] | None = None
        self._next_ns = 0
        self.asked_ns = 0  # when the question was put whose answer came last

    def poll(self, now: int) -> Mapping[str, TopicState | None]:
        """The topics as described by an answer that has come since the last call; empty if none has."""
        if self._asked is None:
            if now >= self._next_ns and self._topics:
                self._asked, self._next_ns = self._ask(), now + SECOND
            return {}
        described, configs = self._asked
        if not all(future.done() for future in (*described.values(), *configs.values())):
            return {}
        self._asked = None
        self.asked_ns = self._next_ns - SECOND
        if any(map(_unanswered, (*described.values(), *configs.values()))):
            self._admin, self._next_ns = admin_client(self._client), now + PAUSE_S * SECOND
        return _states(described, configs)

    def _ask(self) -> tuple[dict[str, Future[Any]], dict[str, Future[Any]]]:
        resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in self._topics]
        configs = self._admin.describe_configs(resources, request_timeout=WAIT_S)
        described = self._admin.describe_topics(TopicCollection(list(self._topics)), request_timeout=WAIT_S)
        return described, {resource.name: future for resource, future in configs.items()}


def _unanswered(future: Future[Any]) -> bool:
    error = future.exception()
    return isinstance(error, KafkaException) and error.args[0].code() in UNANSWERED


def _states(described: Mapping[str, Future[Any]], configs: Mapping[str, Future[Any]]) -> dict[str, TopicState | None]:
    found: dict[str, TopicState | None] = {}
    for topic, future in described.items():
        try:
            description = answer(future)
        except KafkaException as refusal:
            if refusal.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                found[topic] = None
            continue
        found[topic] = TopicState(len(description.partitions), str(description.topic_id), _policy(configs.get(topic)))
    return found


def _policy(config: Future[Any] | None) -> str | None:
    """The cleanup policy; None if the brokers do not tell, or not to this user."""
    if config is None:
        return None
    try:
        return str(answer(config)[POLICY].value)
    except KafkaException:
        return None
