"""kafka_rolling_restart_order at its edge: the order that Ansible is told, and what keeps it from giving one."""

from __future__ import annotations

from typing import Any

import pytest
from kafka_hosts import VOTERS, cluster
from module_runner import run_module
from stand_in import NOTHING_ANSWERS, SERVERS, stand_in

NODES = [{"name": f"kafka{n}", "node_id": n, "roles": ["broker", "controller"], "host": "any"} for n in (1, 2, 3)]
TWO_VOTERS = {node_id: VOTERS[node_id] for node_id in (1, 2)}


def plan(nodes: list[dict[str, Any]] = NODES, check: bool = False, **further: Any) -> dict[str, Any]:
    return run_module("kafka_rolling_restart_order", check=check, bootstrap_servers=SERVERS, nodes=nodes, **further)


@pytest.mark.parametrize("check", [False, True])
def test_the_node_that_is_down_comes_first_and_the_active_controller_last(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster(away=[3]))
    answer = plan(check=check)
    assert answer["order"] == [3, 2, 1]
    assert not answer.get("changed")


def test_a_node_id_in_quotes_is_the_same_node(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster())
    assert plan([{**node, "node_id": str(node["node_id"])} for node in NODES])["order"] == [2, 3, 1]


def test_where_two_controllers_vote_none_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster(voters=TWO_VOTERS))
    answer = plan(NODES[:2])
    assert answer["failed"]
    assert answer["msg"].startswith("kafka_process_roles: only the controllers 1 and 2 vote")
    assert "order" not in answer


def test_where_two_controllers_vote_a_third_one_is_made_first(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster(voters=TWO_VOTERS))
    assert plan()["order"] == [3, 2, 1]


def test_a_new_node_comes_last_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    new = {"node_id": 4, "roles": ["broker"]}
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster())
    assert plan([new, *NODES])["order"] == [4, 2, 3, 1]
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster())
    assert plan([new, *NODES], newcomers_last=True)["order"] == [2, 3, 1, 4]


def test_two_voters_do_not_wait_for_a_new_node_that_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster(voters=TWO_VOTERS, brokers=[1, 2]))
    answer = plan(newcomers_last=True)
    assert answer["failed"]
    assert "systemctl stop kafka" in answer["msg"]


def test_the_next_server_is_asked_where_the_first_one_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", NOTHING_ANSWERS, cluster())
    assert plan()["order"] == [2, 3, 1]


@pytest.mark.parametrize(
    ("node", "what"),
    [
        ({"node_id": 1}, "roles"),
        ({"roles": ["broker"]}, "node_id"),
        ({"node_id": "one", "roles": ["broker"]}, "one"),
        ({"node_id": 1, "roles": "broker"}, "broker"),
    ],
)
def test_a_node_that_lacks_its_id_or_roles_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, node: dict[str, Any], what: str
) -> None:
    stand_in(monkeypatch, "kafka_rolling_restart_order", cluster())
    answer = plan([*NODES, node])
    assert answer["failed"]
    assert answer["msg"].startswith("nodes: each needs a node_id (a number) and roles (a list)")
    assert what in answer["msg"]
