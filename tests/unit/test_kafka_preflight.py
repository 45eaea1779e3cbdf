"""The module kafka_preflight: what it is given, what it fails with, and that it does nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module

ROLES = str(Path(__file__).parents[2] / "roles")
NODES: list[dict[str, Any]] = [
    {"name": f"kafka{n}", "node_id": n, "variables": ["kafka_node_id"], "errors": {}, "config": {}} for n in (1, 2)
]
DECLARED: dict[str, Any] = {
    "mode": "kraft",
    "version": "4.3.1",
    "checksum": "ab" * 64,
    "listeners": [{"name": "CLIENT", "port": "9092"}, {"name": "CONTROLLER", "port": 9093}],
    "named_listeners": {"kafka_admin_listener": "CLIENT"},
    "topics": [{"name": "orders", "replication_factor": 2, "config": {"min.insync.replicas": None}}],
    "min_disk_mb": 100,
    "min_memory_mb": 100,
    "max_clock_skew_s": 1.0,
}
PROBE = {
    "memory_mb": 4000,
    "free_mb": {"/data": 1000},
    "java_major": 17,
    "unresolved": [],
    "has_data": True,
    "skew_s": [0, 0],
    "ssh_client": "",
    "ufw_enabled": False,
    "changed": False,
}
FOUND: dict[str, Any] = {"probes": {"kafka1": PROBE, "kafka2": PROBE}, "heap_mb": 1000, "cluster_answers": False}


def preflight(**arguments: Any) -> dict[str, Any]:
    return run_module("kafka_preflight", **{"nodes": NODES, "roles_path": ROLES, **arguments})


@pytest.mark.parametrize("check", [False, True])
def test_a_good_inventory_changes_nothing_and_warns_of_even_voters_where_data_is(check: bool) -> None:
    answer = preflight(declared=DECLARED, found=FOUND, check=check)
    assert "failed" not in answer
    (warning,) = answer["warned"]
    assert warning.startswith("kafka_process_roles: 2 controllers survive no more failures than 1")
    assert warning in str(answer["warnings"])


def test_a_cluster_that_is_to_be_formed_with_even_voters_is_refused() -> None:
    blank = {name: {**PROBE, "has_data": False} for name in ("kafka1", "kafka2")}
    answer = preflight(declared=DECLARED, found={**FOUND, "probes": blank})
    assert answer["failed"]
    assert "Nothing was changed. 1 problem:\n  kafka_process_roles: 2 controllers" in answer["msg"]
    assert "failed" not in preflight(declared=DECLARED, found={**FOUND, "probes": blank, "cluster_answers": True})


def test_without_answers_of_hosts_the_inventory_is_judged_alone() -> None:
    assert "failed" not in preflight(declared=DECLARED)
    answer = preflight(declared={**DECLARED, "checksum": "128 hexadecimal digits", "version": "4.x"})
    assert "2 problems:" in answer["msg"]


def test_without_what_is_declared_only_the_variables_are_judged() -> None:
    wrong = [{**NODES[0], "errors": {"kafka_mode": "it is no mode"}, "variables": ["kafka_verison"]}, NODES[1]]
    answer = preflight(nodes=wrong)
    assert answer["msg"].splitlines()[1:] == [
        "  kafka_mode: it is no mode (kafka1)",
        "  kafka_verison: no role has this variable; did you mean kafka_version?"
        " If it is your own, add it to preflight_known_variables",
    ]
    assert "failed" not in preflight(nodes=[{**wrong[0], "errors": {}}], known_variables=["kafka_verison"])


def test_an_unreachable_host_is_judged_by_the_inventory_alone() -> None:
    answer = preflight(declared=DECLARED, found={**FOUND, "probes": {"kafka1": PROBE, "kafka2": {"unreachable": True}}})
    assert "failed" not in answer


@pytest.mark.parametrize("missing", ["mode", "listeners", "checksum"])
def test_a_part_that_is_missing_is_named(missing: str) -> None:
    answer = preflight(declared={key: value for key, value in DECLARED.items() if key != missing})
    assert missing in answer["msg"]


def test_a_heartbeat_is_held_against_what_runs_also_outside_the_run() -> None:
    nodes = [{**node, "config": {"broker.heartbeat.interval.ms": 1500}} for node in NODES]
    process = {"properties": {"process.roles": "controller", "broker.session.timeout.ms": "1500"}}
    running = [{"name": "kafka1", "process": None}, {"name": "kafka9", "process": process}, {"unreachable": True}]
    answer = preflight(nodes=nodes, declared=DECLARED, found={**FOUND, "running": running})
    assert "kafka_config: broker.heartbeat.interval.ms is 1500, but the controller that runs on kafka9" in answer["msg"]
    assert "failed" not in preflight(nodes=NODES, declared=DECLARED, found={**FOUND, "running": running[:1]})
