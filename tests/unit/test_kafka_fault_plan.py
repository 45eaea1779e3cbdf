"""The module kafka_fault_plan at its edge: no fault without a healthy cluster, none that the cluster does not bear."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from kafka_hosts import cluster
from module_runner import run_module
from stand_in import NOTHING_ANSWERS, SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState, Partition
from ansible_collections.crucible.kafka.plugins.modules import kafka_fault_plan

RETURNED = set(yaml.safe_load(kafka_fault_plan.RETURN))
ORDERS = Partition("orders", 0, 2, (2, 3, 1), (1, 2, 3), 2)
HEALTHY = cluster(partitions=[ORDERS])
SICK = cluster(partitions=[ORDERS], away=[3])
HOSTS = ["kafka1", "kafka2", "kafka3"]
both_modes = pytest.mark.parametrize("check", [False, True])


def plan(
    monkeypatch: pytest.MonkeyPatch, *told: ClusterState | AdminError, silent: tuple[int, ...] = (), **arguments: Any
) -> dict[str, Any]:
    stand_in(monkeypatch, "kafka_fault_plan", *told, silent=silent)
    given = {"nodes": {"kafka1": 1, "kafka2": "2", "kafka3": 3}, "brokers": ["1", 2, 3], "timeout_s": 0, **arguments}
    answer = run_module("kafka_fault_plan", bootstrap_servers=SERVERS, **given)
    assert not answer.get("changed")
    return answer


@both_modes
def test_the_hosts_that_the_targets_stand_for_are_told(monkeypatch: pytest.MonkeyPatch, check: bool) -> None:
    before = time.time()
    answer = plan(
        monkeypatch, HEALTHY, check=check, targets=["leader"], partition="orders-0", breaks=["broker", "controller"]
    )
    assert answer.keys() - {"invocation", "changed"} == RETURNED
    assert answer["hosts"] == ["kafka2"]
    assert before <= answer["healthy_at"] <= time.time()


def test_without_targets_it_only_waits_for_health(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(monkeypatch, HEALTHY)["hosts"] == []


@both_modes
@pytest.mark.parametrize(
    ("state", "silent", "reason"),
    [
        (SICK, (), "brokers that do not serve: 3; controllers that are behind: 3"),
        (HEALTHY, (2,), "brokers that do not serve: 2"),
        (NOTHING_ANSWERS, (), str(NOTHING_ANSWERS).removesuffix(".")),
    ],
)
def test_a_cluster_that_is_not_healthy_in_time_is_not_broken_further(
    monkeypatch: pytest.MonkeyPatch, check: bool, state: Any, silent: tuple[int, ...], reason: str
) -> None:
    answer = plan(monkeypatch, state, silent=silent, check=check, targets=["kafka1"])
    assert answer["failed"]
    assert answer["msg"] == f"The cluster is not healthy: {reason}."
    assert "hosts" not in answer


def test_on_top_of_another_fault_nobody_waits_for_health(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = plan(monkeypatch, SICK, targets=["kafka2"], on_top="yes")
    assert answer["hosts"] == ["kafka2"]


def test_on_top_of_another_fault_a_cluster_that_does_not_answer_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = plan(monkeypatch, NOTHING_ANSWERS, targets=["kafka2"], on_top=True)
    assert answer["failed"]
    assert "No broker answers" in answer["msg"]


@both_modes
def test_more_than_the_cluster_bears_is_refused_with_the_variable_that_allows_it(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    answer = plan(monkeypatch, HEALTHY, check=check, targets=HOSTS[:2], breaks=["broker", "controller"])
    assert answer["failed"]
    assert answer["msg"] == (
        "Refused, since with kafka1, kafka2 broken acks=all would be refused by orders-0; 1 of 3 controllers would be"
        " left, 2 are needed. Set fault_expect_unavailable if that is what you want to see."
    )


def test_what_is_to_be_seen_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = plan(monkeypatch, HEALTHY, targets=HOSTS[:2], breaks=["broker"], expect_unavailable="yes")
    assert answer["hosts"] == HOSTS[:2]


def test_the_ensemble_is_counted_by_its_members(monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble = {"kafka1": "follower", "kafka2": "leader", "kafka3": "follower"}
    answer = plan(monkeypatch, HEALTHY, targets=["zookeeper_leader"], breaks=["zookeeper"], zookeeper=ensemble)
    assert answer["hosts"] == ["kafka2"]
    answer = plan(monkeypatch, HEALTHY, targets=["kafka1", "kafka2"], breaks=["zookeeper"], zookeeper=ensemble)
    assert "1 of 3 members of the ZooKeeper ensemble would be left" in answer["msg"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"targets": ["kafka9"]}, "No host is kafka9 (hosts: kafka1, kafka2, kafka3; selectors: leader, follower"),
        ({"targets": ["leader"], "partition": "orders-7"}, "No host is leader of orders-7"),
        ({"breaks": ["disk"]}, "value of breaks must be one or more of: broker, replication, controller, zookeeper."),
        ({"brokers": ["kafka1"]}, "Elements value for option 'brokers'"),
        ({"nodes": {"kafka1": "one"}}, "nodes: kafka1: 'one' is no node id."),
        ({"nodes": {"kafka1": None}}, "nodes: kafka1: None is no node id."),
        (
            {"targets": ["zookeeper_leader"], "zookeeper": {"zookeeper1": "leader"}},
            "nodes: zookeeper1 is not among the hosts kafka1, kafka2, kafka3.",
        ),
    ],
)
def test_what_stands_for_nothing_is_refused_in_a_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], sentence: str
) -> None:
    answer = plan(monkeypatch, HEALTHY, **arguments)
    assert answer["failed"]
    assert answer["msg"].startswith(sentence)
