"""The module kafka_unregister at its edge: nothing is taken before its gate is open, and it is seen to be gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from kafka_hosts import VOTERS, cluster
from module_runner import run_module
from stand_in import SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState, Feature, Partition
from ansible_collections.crucible.kafka.plugins.modules import kafka_unregister

HELD = Partition("orders", 0, 1, (1, 4), (1, 4), 1)
MOVED = Partition("orders", 0, 1, (1, 2), (1, 2), 1)


def state(partition: Partition = MOVED, serves: bool = False, vote: bool = False) -> ClusterState:
    whole = cluster({**VOTERS, **({4: "dir4"} if vote else {})}, (1, 2, 3, 4), partitions=[partition])
    return replace(
        whole, brokers=tuple(replace(each, fenced=each.node_id == 4 and not serves) for each in whole.brokers)
    )


class Asked:
    """What the cluster tells, and what it was told to do; it does so when it is asked for the n-th time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, told: ClusterState, answers: list[AdminError | None]) -> None:
        self.told, self.answers = told, answers
        self.done: list[str] = []
        self.counted = True  # Whether Kafka knows what a controller with the node's id supported.
        self.slow = False  # Whether Kafka does not answer that in time, once.
        stand_in(monkeypatch, "kafka_unregister", told)
        monkeypatch.setattr(kafka_unregister, "survey", lambda _: self.told)
        monkeypatch.setattr(kafka_unregister, "reassigned", lambda _: {})
        monkeypatch.setattr(kafka_unregister, "remove_voter", lambda *_: self._do("vote"))
        monkeypatch.setattr(kafka_unregister, "unregister_broker", lambda *_: self._do("registration"))
        monkeypatch.setattr(kafka_unregister, "unregister_controller", lambda *_: self._forget())

    def _forget(self) -> bool:
        self.done.append("controller")
        if self.slow:
            self.slow = False
            raise AdminError("Kafka did not answer.")
        return self.counted

    def _do(self, what: str) -> None:
        self.done.append(what)
        if (answer := self.answers.pop(0)) is not None:
            raise answer
        brokers = tuple(each for each in self.told.brokers if each.node_id != 4)
        self.told = cluster(VOTERS, partitions=[MOVED]) if what == "vote" else replace(self.told, brokers=brokers)


def unregister(what: str = "registration", check: bool = False, timeout_s: float = 0) -> dict[str, Any]:
    return run_module(
        "kafka_unregister", check=check, bootstrap_servers=SERVERS, broker_id=4, what=what, timeout_s=timeout_s
    )


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (state(HELD), "broker 4 holds 1 replicas (orders-0)"),
        (state(serves=True), "broker 4 still serves"),
        (state(vote=True), "node 4 has a vote in the quorum"),
    ],
)
def test_a_broker_that_is_needed_or_serves_is_never_unregistered(
    monkeypatch: pytest.MonkeyPatch, told: ClusterState, reason: str
) -> None:
    asked = Asked(monkeypatch, told, [])
    answer = unregister()
    assert answer["failed"]
    assert answer["msg"] == f"The registration of node 4 was not removed: {reason}."
    assert asked.done == []


def test_a_vote_is_not_taken_from_a_broker_that_holds_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, state(HELD, serves=True, vote=True), [])
    assert "broker 4 holds 1 replicas" in unregister("vote")["msg"]
    assert asked.done == []


@pytest.mark.parametrize("what", ["vote", "registration"])
def test_a_drained_node_loses_it_once(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    asked = Asked(monkeypatch, state(serves=what == "vote", vote=what == "vote"), [None])
    assert unregister(what, check=True)["changed"]
    assert asked.done == []
    assert unregister(what)["changed"]
    assert not unregister(what)["changed"]
    assert asked.done == [what]


def test_it_is_asked_again_where_the_answer_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, state(), [AdminError("Kafka did not answer."), None])
    assert unregister(timeout_s=20)["changed"]
    assert asked.done == ["registration"] * 2


@pytest.mark.parametrize(
    ("level", "what", "gone"),
    [
        (33, "registration", ["registration", "controller"]),
        (32, "registration", ["registration"]),
        (33, "vote", ["vote"]),
    ],
)
def test_what_a_controller_supported_is_forgotten_with_the_broker(
    monkeypatch: pytest.MonkeyPatch, level: int, what: str, gone: list[str]
) -> None:
    told = replace(state(vote=what == "vote"), features={"metadata.version": Feature(level, 7, 33)})
    asked = Asked(monkeypatch, told, [None])
    unregister(what, check=True)
    assert asked.done == []
    assert unregister(what)["changed"]
    assert asked.done == gone


def test_what_a_run_that_was_cut_short_left_of_a_controller_goes_with_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unregistered = cluster(VOTERS, (1, 2, 3), partitions=[MOVED])
    asked = Asked(monkeypatch, replace(unregistered, features={"metadata.version": Feature(33, 7, 33)}), [])
    assert unregister()["changed"]
    asked.counted = False
    assert not unregister()["changed"]
    assert asked.done == ["controller"] * 2


def test_a_controller_whose_removal_was_not_answered_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the one that is removed led the quorum, so that the others elect a leader first."""
    told = replace(state(), features={"metadata.version": Feature(33, 7, 33)})
    asked = Asked(monkeypatch, told, [None])
    asked.slow = True
    assert unregister(timeout_s=20)["changed"]
    assert asked.done == ["registration", "controller", "controller"]


def test_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Asked(monkeypatch, state(), [AdminError("Kafka refuses: not authorized.")])
    assert unregister()["msg"] == "The registration of node 4 was not removed: Kafka refuses: not authorized."
