"""The module kafka_admin_endpoint at its edge: where the cluster is asked, as it runs and not as it is declared."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import kafka_admin_endpoint

GIVEN: dict[str, Any] = yaml.safe_load(kafka_admin_endpoint.EXAMPLES)[0]["crucible.kafka.kafka_admin_endpoint"]
OPTIONS = {"members", "running", "inter_broker_listener", "controller_listeners", "admin_listener"}


def member(name: str = "kafka1", **listener: Any) -> dict[str, Any]:
    client = {"name": "CLIENT", "port": 9192, "security_protocol": "PLAINTEXT", **listener}
    controller = {"name": "CONTROLLER", "port": 9093, "security_protocol": "PLAINTEXT"}
    return {"name": name, "roles": ["broker", "controller"], "host": name, "listeners": [client, controller]}


def choose(check: bool = False, **arguments: Any) -> dict[str, Any]:
    return run_module("kafka_admin_endpoint", check=check, **{**GIVEN, **arguments})


@pytest.mark.parametrize("check", [False, True])
def test_the_example_asks_a_listener_that_moves_where_it_runs_and_where_it_goes(check: bool) -> None:
    answer = choose(check)
    assert "failed" not in answer, answer
    assert answer["listener"] == "CLIENT"
    assert answer["bootstrap_servers"] == ["kafka1.example.com:9092", "kafka1.example.com:9192"]
    assert answer["running_servers"] == {"kafka1": "kafka1.example.com:9092"}
    assert answer["changes"] == ["CLIENT moves from port 9092 to 9192 (kafka1)"]
    assert answer["client"] == {}
    assert not answer.get("changed")


def test_before_the_first_start_the_declared_listener_is_asked() -> None:
    answer = choose(members=[member("kafka1"), member("kafka2")], running=[])
    assert answer["bootstrap_servers"] == ["kafka1:9192", "kafka2:9192"]
    assert (answer["running_servers"], answer["changes"]) == ({}, [])


def test_a_port_in_quotes_is_the_same_port() -> None:
    assert choose(members=[member(port="9092")])["changes"] == []


@pytest.mark.parametrize("running", [[{"name": "kafka1", "process": None}], [{"name": "kafka1"}], [{}]])
def test_a_host_on_which_nothing_runs_is_asked_where_it_is_declared(running: list[dict[str, Any]]) -> None:
    answer = choose(members=[member()], running=running)
    assert answer["bootstrap_servers"] == ["kafka1:9192"]


WITH_TLS = {
    "listeners": "CLIENT://:9192",
    "listener.security.protocol.map": "CLIENT:SSL",
    "process.roles": "broker",
}
TLS = [{"name": "kafka1", "process": {"properties": WITH_TLS}}]


def test_the_client_is_laid_over_with_the_protocol_that_runs() -> None:
    answer = choose(members=[member()], running=TLS, client_options=["ssl_cafile"])
    assert answer["client"] == {"security_protocol": "SSL"}


def test_a_client_that_cannot_talk_to_what_runs_fails_with_the_variable_to_set() -> None:
    answer = choose(members=[member()], running=TLS)
    assert answer["failed"]
    assert answer["msg"].startswith("kafka_admin_client: it cannot talk to a listener")
    assert "brokers run CLIENT as SSL" in answer["msg"]
    assert "\n" not in answer["msg"]


@pytest.mark.parametrize("missing", ["name", "port", "security_protocol"])
def test_a_listener_that_is_not_complete_is_refused_with_its_host_and_what_it_lacks(missing: str) -> None:
    broken = member()
    del broken["listeners"][0][missing]
    answer = choose(members=[broken])
    assert answer["failed"]
    assert answer["msg"].startswith("kafka_listeners: each needs a name, a port and a security_protocol (kafka1: ")
    assert missing in answer["msg"].partition("(kafka1: ")[2]


def test_what_is_required_is_named_if_it_is_missing() -> None:
    msg = run_module("kafka_admin_endpoint")["msg"]
    assert set(msg.removeprefix("missing required arguments: ").split(", ")) == OPTIONS
