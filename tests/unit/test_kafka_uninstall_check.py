"""The module kafka_uninstall_check at its edge: nodes go only where the cluster said that it can do without them."""

from __future__ import annotations

from typing import Any

import pytest
from kafka_hosts import cluster
from module_runner import run_module
from stand_in import NOTHING_ANSWERS, SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState, Partition

ORDERS = Partition("orders", 0, 1, (1, 2), (1, 2), 1)
STATE = cluster(brokers=(1, 2, 3, 4), partitions=[ORDERS])


def check_removal(
    monkeypatch: pytest.MonkeyPatch, *told: ClusterState | AdminError, node_ids: list[Any], check: bool = False
) -> dict[str, Any]:
    stand_in(monkeypatch, "kafka_uninstall_check", *told)
    return run_module("kafka_uninstall_check", check=check, bootstrap_servers=SERVERS, node_ids=node_ids)


@pytest.mark.parametrize("check", [False, True])
def test_a_node_that_holds_nothing_and_does_not_vote_may_go(monkeypatch: pytest.MonkeyPatch, check: bool) -> None:
    answer = check_removal(monkeypatch, STATE, node_ids=["4"], check=check)
    assert "failed" not in answer
    assert answer["reasons"] == []
    assert not answer.get("changed")


@pytest.mark.parametrize("check", [False, True])
def test_a_node_that_is_needed_is_refused_with_each_reason_and_the_way_on(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    answer = check_removal(monkeypatch, STATE, node_ids=[2], check=check)
    assert answer["failed"]
    assert len(answer["reasons"]) == 2
    assert answer["msg"] == (
        "Nothing was removed: 1 partitions have a replica on a broker that would go (orders-0); controllers that would"
        " go have a vote in the quorum (2). Move replicas and votes away first, or say that they may be lost with"
        " uninstall_needed=yes."
    )


def test_an_id_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = check_removal(monkeypatch, STATE, node_ids=["kafka3"])
    assert answer["failed"]
    assert "node_ids" in answer["msg"]


@pytest.mark.parametrize(
    "error", [NOTHING_ANSWERS, AdminError("Kafka at kafka1:9092 did not do what was asked: refused.")]
)
def test_where_the_cluster_does_not_tell_nothing_is_removed(monkeypatch: pytest.MonkeyPatch, error: AdminError) -> None:
    answer = check_removal(monkeypatch, error, node_ids=[4])
    assert answer["failed"]
    (reason,) = answer["reasons"]
    assert answer["msg"].startswith(f"Nothing was removed: {reason}. Let a broker answer first")
    assert str(error).removesuffix(".") in reason
    assert ("no broker answers" in answer["msg"].lower()) is (error is NOTHING_ANSWERS)
    assert ".." not in answer["msg"]
    assert "uninstall_needed=yes" in answer["msg"]
