"""The module kafka_listener_plan at its edge: a change is told, or refused with the declarations that lead there."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.modules import kafka_listener_plan

GIVEN: dict[str, Any] = yaml.safe_load(kafka_listener_plan.EXAMPLES)[0]["crucible.kafka.kafka_listener_plan"]
CONTROLLER = {"name": "CONTROLLER", "port": 9093, "security_protocol": "PLAINTEXT"}
OPTIONS = {
    "members",
    "running",
    "inter_broker_listener",
    "controller_listeners",
    "admin_listener",
    "asked_listener",
}


def member(port: Any = 9092, protocol: str = "PLAINTEXT", *others: dict[str, Any]) -> dict[str, Any]:
    client = {"name": "CLIENT", "port": port, "security_protocol": protocol}
    listeners = [client, *(others or [CONTROLLER])]
    return {"name": "kafka1", "roles": ["broker", "controller"], "host": "kafka1", "listeners": listeners}


def plan(check: bool = False, **arguments: Any) -> dict[str, Any]:
    return run_module("kafka_listener_plan", check=check, **{**GIVEN, **arguments})


@pytest.mark.parametrize("check", [False, True])
def test_the_example_is_refused_with_the_declarations_that_lead_there(check: bool) -> None:
    answer = plan(check)
    assert answer["failed"]
    first, reason, way, *declarations = answer["msg"].splitlines()
    assert first == "Nothing was changed. The listeners cannot be changed by one rolling restart:"
    assert reason.startswith("  kafka_listeners: CLIENT runs as PLAINTEXT and is declared as SSL")
    assert way == "Declare this instead, one run of site.yml for each:"
    assert [line[:5] for line in declarations] == [f"  {number}. " for number in range(1, len(declarations) + 1)]
    assert len(answer["sequence"]) == len(declarations) > 1
    for state, line in zip(answer["sequence"], declarations, strict=True):
        assert f"kafka_listeners: {state['kafka_listeners']}" in line
    assert not answer.get("changed")


@pytest.mark.parametrize("check", [False, True])
def test_a_change_that_one_roll_can_make_is_told(check: bool) -> None:
    answer = plan(check, members=[member(port=9192)])
    assert "failed" not in answer, answer
    assert answer["changes"] == ["CLIENT moves from port 9092 to 9192 (kafka1)"]
    assert not answer.get("changed")


@pytest.mark.parametrize("arguments", [{"members": [member(port="9092")]}, {"running": []}])
def test_what_runs_as_declared_or_does_not_run_is_no_change(arguments: dict[str, Any]) -> None:
    assert plan(**{"members": [member()], **arguments})["changes"] == []


BESIDE = member(9092, "PLAINTEXT", CONTROLLER, {"name": "CONTROL", "port": 9193, "security_protocol": "PLAINTEXT"})


def controllers(**told: Any) -> str:
    answer = plan(members=[BESIDE], controller_listeners=["CONTROLLER", "CONTROL"], **told)
    return str(answer.get("msg", ""))


@pytest.mark.parametrize("kraft_version", [0, "0"])
def test_controllers_of_a_static_quorum_keep_their_listeners(kraft_version: Any) -> None:
    quorum = {"listeners": {"1": ["CONTROLLER"]}}
    assert "kafka_controller_listener: the quorum is static" in controllers(quorum=quorum, kraft_version=kraft_version)


@pytest.mark.parametrize("quorum", [{"listeners": {"1": ["CONTROLLER"]}}, {"listeners": {}}, {}, None])
def test_controllers_of_a_dynamic_quorum_take_another_listener(quorum: Any) -> None:
    assert controllers(quorum=quorum, kraft_version="1") == ""


def test_a_listener_that_the_quorum_does_not_know_yet_is_told_with_its_controller() -> None:
    told = controllers(quorum={"listeners": {"7": ["OTHER"]}}, kraft_version=1)
    assert "the quorum does not know CONTROLLER of controller 7 yet" in told


@pytest.mark.parametrize("missing", ["name", "port", "security_protocol"])
def test_a_listener_that_is_not_complete_is_refused_with_its_host_and_what_it_lacks(missing: str) -> None:
    broken = member()
    broken["listeners"] = [{key: value for key, value in broken["listeners"][0].items() if key != missing}]
    answer = plan(members=[broken])
    assert answer["failed"]
    assert answer["msg"].startswith("kafka_listeners: each needs a name, a port and a security_protocol (kafka1: ")
    assert missing in answer["msg"].partition("(kafka1: ")[2]


def test_what_is_required_is_named_if_it_is_missing() -> None:
    msg = run_module("kafka_listener_plan")["msg"]
    assert set(msg.removeprefix("missing required arguments: ").split(", ")) == OPTIONS
