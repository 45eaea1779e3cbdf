"""What holds at the edge of every module that asks a cluster: its client's options, its secrets, nobody who answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from module_runner import run_module
from stand_in import closed_port

MODULES: dict[str, dict[str, Any]] = {
    "kafka_acls": {"acls": [{"principal": "User:shop", "state": "absent"}]},
    "kafka_broker_config": {"broker_id": 1, "running": {}, "declared": {}},
    "kafka_cluster_info": {},
    "kafka_cordon": {"broker_id": 1},
    "kafka_fault_plan": {"nodes": {"kafka1": 1}, "brokers": [1]},
    "kafka_gate": {"broker_id": 1, "phase": "before"},
    "kafka_health": {},
    "kafka_logger_level": {"logger": "kafka.request.logger", "level": "INFO", "seconds": 0},
    "kafka_quotas": {"quotas": [{"user": "shop", "request_percentage": 1}]},
    "kafka_reassignment": {},
    "kafka_reassignment_plan": {},
    "kafka_removal_check": {"broker_id": 1, "phase": "before"},
    "kafka_rolling_restart_order": {"nodes": [{"node_id": 1, "roles": ["broker"]}]},
    "kafka_preferred_leader_election": {"broker_id": 1},
    "kafka_topics": {"topics": [{"name": "orders"}]},
    "kafka_uninstall_check": {"node_ids": [1]},
    "kafka_unregister": {"broker_id": 1, "what": "vote"},
}
REPORT = {"kafka_cluster_info", "kafka_health"}  # These tell that nothing answers, and do not fail.
CLOSED = closed_port()
CONFIDENTIAL = "correct-horse-battery"

each_module = pytest.mark.parametrize("name", MODULES)


def run(name: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
    given = {"bootstrap_servers": [CLOSED], "timeout_s": 0, **MODULES[name], **arguments}
    return run_module(name, check=check, **given)


@each_module
def test_what_is_required_is_named_if_it_is_missing(name: str) -> None:
    answer = run_module(name)
    assert answer["failed"]
    missing = answer["msg"].removeprefix("missing required arguments: ").split(", ")
    assert sorted(missing) == sorted(["bootstrap_servers", *MODULES[name]])


@each_module
@pytest.mark.parametrize("check", [False, True])
def test_a_cluster_that_does_not_answer_is_told_in_one_sentence_with_its_address(name: str, check: bool) -> None:
    answer = run(name, check)
    told = answer.get("msg") or answer.get("reason") or " ".join(answer.get("reasons") or answer.get("problems", []))
    assert f"No broker answers: {CLOSED} (Connection refused)" in told
    assert ".." not in told.replace("…", "")
    assert bool(answer.get("failed")) is (name not in REPORT and not (check and name == "kafka_gate"))
    assert not answer.get("changed")


@each_module
def test_no_secret_of_the_client_is_told_and_its_user_masks_nothing(name: str) -> None:
    login = {"sasl_plain_username": "broker", "sasl_plain_password": CONFIDENTIAL}
    told = json.dumps(run(name, client={**login, "proxy_url": "socks5://me:opensesame@proxy"}))
    assert CONFIDENTIAL not in told
    assert "opensesame" not in told
    assert "No broker answers" in told


@each_module
@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        ({"request_timeout_ms": 1}, r"request_timeout_ms .*timeout_s"),
        ({"bootstrap_servers": "kafka1:9092"}, r"bootstrap_servers .*timeout_s"),
        ({"sasl_plain_passwort": CONFIDENTIAL}, r"has no option sasl_plain_passwort"),
    ],
)
def test_options_that_the_client_cannot_take_are_refused_by_name_before_anything_is_asked(
    name: str, client: dict[str, Any], sentence: str
) -> None:
    answer = run(name, client=client)
    assert answer["failed"]
    assert re.match(rf"kafka_admin_client: .*{sentence}", answer["msg"])
    assert CONFIDENTIAL not in json.dumps(answer)


def test_a_file_of_the_client_may_be_below_the_home_of_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    files = {"ssl_cafile": "~/authority/ca.crt", "ssl_keyfile": "/srv/admin.pem", "sasl_plain_password": "~/word"}
    answer = run("kafka_acls", client={"security_protocol": "SASL_SSL", **files})
    asked_with = answer["invocation"]["module_args"]["client"]
    assert asked_with["ssl_cafile"] == "/home/operator/authority/ca.crt"
    assert asked_with["ssl_keyfile"] == "/srv/admin.pem"
    assert "/home/operator/word" not in json.dumps(answer)
