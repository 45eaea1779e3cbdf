"""The module kafka_gate at its edge: a gate that stays closed fails the play, and says what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker, ClusterState, Partition
from ansible_collections.crucible.kafka.plugins.modules import kafka_gate


def cluster(*in_sync: int, min_isr: int = 2) -> ClusterState:
    """Three brokers in ZooKeeper mode and a partition on all of them."""
    brokers = tuple(Broker(node, f"kafka{node}", 9092, False) for node in (1, 2, 3))
    orders = Partition("orders", 0, 1, (1, 2, 3), in_sync, min_isr)
    return ClusterState("id", "3.9", brokers, 1, None, (orders,))


WHOLE, SHORT = cluster(1, 2, 3), cluster(1, 3)


class Answering:
    """An endpoint of which only matters whether a broker answers on its own port."""

    def __init__(self, answers: bool) -> None:
        self._answers = answers

    def answers(self, _: Broker) -> bool:
        return self._answers


def gate(
    monkeypatch: pytest.MonkeyPatch,
    state: ClusterState | AdminError,
    phase: str,
    node: int = 2,
    answers: bool = True,
    check: bool = False,
    **arguments: Any,
) -> dict[str, Any]:
    def survey(_: Any) -> ClusterState:
        if isinstance(state, AdminError):
            raise state
        return state

    monkeypatch.setattr(kafka_gate, "survey", survey)
    monkeypatch.setattr(kafka_gate, "answer_endpoint", lambda _: Answering(answers))
    given = {"bootstrap_servers": ["192.0.2.1:9092"], "timeout_s": 0, "broker_id": node, "phase": phase}
    return run_module("kafka_gate", check=check, **given, **arguments)


def test_a_broker_that_may_not_be_stopped_fails_the_play_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = gate(monkeypatch, SHORT, "before", node=1)
    assert answer["failed"]
    assert answer["msg"] == f"Broker 1 may not be stopped after 0 s of waiting: {answer['reasons'][0]}."
    assert "without broker 1 too few replicas would be in sync for orders-0" in answer["msg"]
    assert answer["open"] is False


def test_a_broker_that_has_not_come_back_fails_the_play_with_each_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = gate(monkeypatch, SHORT, "after", answers=False)
    assert answer["failed"]
    assert answer["msg"].startswith("Broker 2 has not come back after 0 s of waiting: ")
    assert len(answer["reasons"]) == 2
    assert "broker 2 does not answer on its own port; broker 2 is not yet in sync" in answer["msg"]


def test_a_controller_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = gate(monkeypatch, AdminError("No broker answers."), "after", process_roles=["controller"])
    assert answer["msg"].startswith("Controller 2 has not come back")


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_cluster_that_cannot_be_asked_keeps_the_gate_closed(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    answer = gate(monkeypatch, AdminError("No broker answers"), phase)
    assert answer["failed"]
    assert answer["reasons"] == ["No broker answers"]


@pytest.mark.parametrize("phase", ["before", "after"])
def test_an_open_gate_lets_the_play_go_on(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    answer = gate(monkeypatch, WHOLE, phase)
    assert (answer["open"], answer["reasons"], answer["unavoidable"]) == (True, [], [])
    assert not answer.get("changed")


def test_a_partition_without_a_replica_to_spare_is_told_and_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = gate(monkeypatch, cluster(1, 2, 3, min_isr=3), "before")
    assert answer["open"] is True
    assert len(answer["unavoidable"]) == 1
    assert answer["unavoidable"][0].startswith("orders-0")


def test_check_mode_tells_that_the_gate_is_closed_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = gate(monkeypatch, SHORT, "before", node=1, check=True)
    assert not answer.get("failed")
    assert (answer["open"], len(answer["reasons"])) == (False, 1)
