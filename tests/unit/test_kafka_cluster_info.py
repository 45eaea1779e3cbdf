"""The module kafka_cluster_info at its edge: what it says of a cluster, and that it always says something."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from kafka_hosts import CLUSTER, cluster
from module_runner import run_module
from stand_in import NOTHING_ANSWERS, SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState, Partition
from ansible_collections.crucible.kafka.plugins.modules import kafka_cluster_info

RETURNED = set(yaml.safe_load(kafka_cluster_info.RETURN))
SHORT = Partition("orders", 0, 1, (1, 2, 3), (1,), 2)
LOST = Partition("orders", 1, -1, (3,), (3,), 1)
STATE = cluster(brokers=(1, 2, 3), away=[3], partitions=[SHORT, LOST])


def ask(
    monkeypatch: pytest.MonkeyPatch, *told: ClusterState | AdminError, silent: tuple[int, ...] = (), **arguments: Any
) -> dict[str, Any]:
    stand_in(monkeypatch, "kafka_cluster_info", *told, silent=silent)
    answer = run_module("kafka_cluster_info", bootstrap_servers=SERVERS, **arguments)
    assert not answer.get("failed")
    assert not answer.get("changed")
    return answer


@pytest.mark.parametrize("check", [False, True])
def test_the_state_is_told_with_all_that_is_documented(monkeypatch: pytest.MonkeyPatch, check: bool) -> None:
    answer = ask(monkeypatch, STATE, check=check)
    assert answer.keys() - {"invocation", "warnings"} == RETURNED
    assert (answer["reachable"], answer["reason"]) == (True, "")
    assert (answer["cluster_id"], answer["release"], answer["controller_id"]) == (CLUSTER, "4.3", 1)
    assert answer["serving"] == [1, 2]
    assert answer["brokers"][2] == {"node_id": 3, "host": "kafka3", "port": 9092, "fenced": True, "rack": ""}
    assert answer["quorum"]["leader_id"] == 1
    assert [voter["caught_up"] for voter in answer["quorum"]["voters"]] == [True, True, False]
    assert answer["topics"] == {"orders": {"partitions": 2, "replication_factor": 3, "min_isr": 2}}
    assert answer["under_replicated"] == answer["under_min_isr"] == [str(SHORT)]
    assert answer["offline"] == [str(LOST)]


@pytest.mark.parametrize("check", [False, True])
def test_a_cluster_that_does_not_answer_is_an_answer_with_the_same_keys(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    answer = ask(monkeypatch, NOTHING_ANSWERS, check=check)
    assert answer.keys() - {"invocation", "warnings"} == RETURNED
    assert answer["reachable"] is False
    assert answer["reason"] == str(NOTHING_ANSWERS)
    assert (answer["serving"], answer["quorum"], answer["topics"]) == ([], None, {})


def test_the_next_server_is_asked_where_the_first_one_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, AdminError("kafka1 is cut off."), STATE)["reachable"] is True


@pytest.mark.parametrize(("ask_each", "serving"), [("no", [1, 2]), ("yes", [1])])
def test_a_broker_that_was_just_killed_is_found_out_if_each_is_asked(
    monkeypatch: pytest.MonkeyPatch, ask_each: str, serving: list[int]
) -> None:
    assert ask(monkeypatch, STATE, silent=(2,), ask_each=ask_each)["serving"] == serving


def test_a_fenced_broker_is_not_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = stand_in(monkeypatch, "kafka_cluster_info", STATE)
    run_module("kafka_cluster_info", bootstrap_servers=SERVERS, ask_each=True)
    assert asked.asked_each == [1, 2]
