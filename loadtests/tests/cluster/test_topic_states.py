"""Topics are asked about again and again, and by another client where one got no answer."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka_load.clock import SECOND
from kafka_load.cluster import topic_states
from kafka_load.cluster.topic_states import PAUSE_S, TopicQueries
from kafka_load.engines.settings import ClientSettings
from kafka_load.run.topic_changes import TopicState

TOPIC = "orders"


class Admin:
    """A client whose questions are answered by whoever holds its futures."""

    made: list[Admin]

    def __init__(self) -> None:
        self.asked: list[Future[Any]] = []
        self.made.append(self)

    def describe_topics(self, *_: Any, **__: Any) -> dict[str, Future[Any]]:
        return {TOPIC: self._future()}

    def describe_configs(self, resources: list[Any], **_: Any) -> dict[Any, Future[Any]]:
        return {resources[0]: self._future()}

    def _future(self) -> Future[Any]:
        self.asked.append(Future())
        return self.asked[-1]


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> TopicQueries:
    Admin.made = []
    monkeypatch.setattr(topic_states, "admin_client", lambda _: Admin())
    return TopicQueries(ClientSettings("nowhere:1"), (TOPIC,))


def refused(code: int) -> KafkaException:
    return KafkaException(KafkaError(code))


def test_an_answer_is_taken_and_the_same_client_asked_again(queries: TopicQueries) -> None:
    assert queries.poll(9 * SECOND) == {}
    config, described = Admin.made[0].asked
    assert queries.poll(10 * SECOND) == {}
    config.set_result({"cleanup.policy": SimpleNamespace(value="delete")})
    described.set_result(SimpleNamespace(partitions=[0, 1], topic_id="A"))
    assert queries.poll(11 * SECOND) == {TOPIC: TopicState(2, "A", "delete")}
    assert queries.asked_ns == 9 * SECOND
    queries.poll(11 * SECOND)
    assert [len(admin.asked) for admin in Admin.made] == [4]


@pytest.mark.parametrize("which", [0, 1], ids=["the configs", "the topics"])
def test_where_no_answer_comes_another_client_asks_some_seconds_later(queries: TopicQueries, which: int) -> None:
    """It would ask the broker on and on that it takes for the controller, however long that one is down."""
    queries.poll(9 * SECOND)
    answers: list[Any] = [
        {"cleanup.policy": SimpleNamespace(value="delete")},
        SimpleNamespace(partitions=[0], topic_id="A"),
    ]
    for number, future in enumerate(Admin.made[0].asked):
        if number == which:
            future.set_exception(refused(KafkaError._TIMED_OUT))
        else:
            future.set_result(answers[number])
    queries.poll(11 * SECOND)
    queries.poll((11 + PAUSE_S) * SECOND - 1)
    assert [len(admin.asked) for admin in Admin.made] == [2, 0]
    queries.poll((11 + PAUSE_S) * SECOND)
    assert [len(admin.asked) for admin in Admin.made] == [2, 2]


def test_a_refusal_is_an_answer(queries: TopicQueries) -> None:
    queries.poll(9 * SECOND)
    config, described = Admin.made[0].asked
    config.set_exception(refused(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    described.set_exception(refused(KafkaError.UNKNOWN_TOPIC_OR_PART))
    assert queries.poll(11 * SECOND) == {TOPIC: None}
    assert len(Admin.made) == 1
