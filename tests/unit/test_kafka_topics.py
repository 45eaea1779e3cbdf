"""The module kafka_topics at its edge: what YAML says becomes what Kafka is asked, and only outside check mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import kafka_topics

OWN = "DYNAMIC_TOPIC_CONFIG"


class Cluster:
    """Three brokers with the topic orders, which answer as kafka-python does and note what they are asked to do."""

    def __init__(self) -> None:
        self.config = {
            "cleanup.policy": ("LIST", "compact,delete"),
            "min.cleanable.dirty.ratio": ("DOUBLE", "1.0"),
            "preallocate": ("BOOLEAN", "true"),
        }
        self.done: list[tuple[str, Any]] = []
        self.refuses: list[tuple[str, bool]] = []
        self._manager = SimpleNamespace(run=lambda call: call(), send=self._alter)

    @contextmanager
    def connect(self) -> Iterator[Cluster]:
        yield self

    def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [{"is_fenced": False}] * 3}

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        partition = {"replica_nodes": [1, 2, 3], "leader_id": 1}
        return [{"name": name, "error_code": 0, "partitions": [partition]} for name in names if name == "orders"]

    def describe_configs(self, resources: list[Any], **_: Any) -> dict[str, Any]:
        entries = {
            key: {"value": value, "config_type": kind, "config_source": OWN}
            for key, (kind, value) in self.config.items()
        }
        return {"topic": {"orders": entries}} if resources else {}

    def create_topics(self, requested: dict[str, Any], validate_only: bool, raise_errors: bool) -> dict[str, Any]:
        assert not raise_errors
        return {"topics": [self._result("create", name, validate_only) for name in requested]}

    def create_partitions(self, grown: dict[str, int], validate_only: bool, raise_errors: bool) -> Any:
        assert not raise_errors
        results = [self._result("grow", name, validate_only) for name in grown]
        return SimpleNamespace(results=[SimpleNamespace(to_dict=lambda result=result: result) for result in results])

    def delete_topics(self, names: list[str], raise_errors: bool) -> dict[str, Any]:
        assert not raise_errors
        return {"topics": [self._result("delete", name, False) for name in names]}

    def _alter(self, request: Any, node_id: int | None) -> Any:
        result = self._result("alter", "orders", request.validate_only)
        return SimpleNamespace(responses=[SimpleNamespace(resource_name="orders", to_dict=lambda: result)])

    def _result(self, what: str, name: str, validate_only: bool) -> dict[str, Any]:
        """Kafka's answer: POLICY_VIOLATION where it is told to refuse, without a message as some of its errors are."""
        self.done.append((what, validate_only))
        error_code = 44 if (what, validate_only) in self.refuses else 0
        return {"name": name, "error_code": error_code, "error_message": None}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setattr(kafka_topics, "endpoint", lambda _: found)
    return found


def topics(own: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
    return run_module(
        "kafka_topics",
        check=check,
        bootstrap_servers=["192.0.2.1:9092"],
        topics=[{"name": "orders", "partitions": 1, "config": own}],
        **arguments,
    )


SPELT_OTHERWISE = {"cleanup.policy": "compact, delete", "min.cleanable.dirty.ratio": 1, "preallocate": "True"}


def test_what_kafka_spells_otherwise_is_not_changed(cluster: Cluster) -> None:
    assert not topics(SPELT_OTHERWISE)["changed"]
    assert not topics({**SPELT_OTHERWISE, "cleanup.policy": ["compact", "delete"], "preallocate": True})["changed"]
    assert cluster.done == []


def test_null_takes_away_what_holds_for_every_topic(cluster: Cluster) -> None:
    everywhere = {"retention.ms": 1000}
    assert topics({**SPELT_OTHERWISE, "retention.ms": None}, config=everywhere)["changed"] is False
    assert topics({**SPELT_OTHERWISE, "preallocate": None})["reconfigured"] == {"orders": {"preallocate": None}}
    assert topics(SPELT_OTHERWISE, config=everywhere)["reconfigured"] == {"orders": {"retention.ms": "1000"}}


def test_check_mode_lets_kafka_judge_and_changes_nothing(cluster: Cluster) -> None:
    answer = topics({"preallocate": False}, check=True)
    assert answer["changed"]
    assert "preallocate: false" in answer["diff"]["after"]
    assert cluster.done == [("alter", True)]


def test_what_cannot_be_done_fails_before_anything_is_done(cluster: Cluster) -> None:
    answer = topics({"min.insync.replicas": "two"})
    assert answer["failed"]
    assert "orders: min.insync.replicas is two" in answer["msg"]
    assert cluster.done == []


CHANGES: dict[str, dict[str, Any]] = {
    "create": {"name": "clicks", "partitions": 1},
    "grow": {"name": "orders", "partitions": 2},
    "alter": {"name": "orders", "partitions": 1, "config": {"preallocate": False}},
    "delete": {"name": "orders", "state": "absent"},
}


def change(what: str) -> dict[str, Any]:
    servers = ["192.0.2.1:9092"]
    return run_module("kafka_topics", bootstrap_servers=servers, topics=[CHANGES[what]], exact_config=False)


@pytest.mark.parametrize("what", ["create", "grow", "alter"])
def test_what_kafka_would_refuse_fails_before_anything_is_done(cluster: Cluster, what: str) -> None:
    cluster.refuses = [(what, True)]
    answer = change(what)
    assert answer["failed"]
    name = CHANGES[what]["name"]
    assert answer["msg"] == (f"Nothing was changed, because not all of it can be done:\n{name}: PolicyViolationError")
    assert cluster.done == [(what, True)]


@pytest.mark.parametrize("what", CHANGES)
def test_what_kafka_refuses_in_the_end_is_no_success(cluster: Cluster, what: str) -> None:
    cluster.refuses = [(what, False)]
    answer = change(what)
    assert answer["failed"]
    name = CHANGES[what]["name"]
    assert answer["msg"] == f"Kafka did not carry out all of the plan:\n{name}: PolicyViolationError"
