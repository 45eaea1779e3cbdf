"""kafka_broker_reachability at its edge: what cannot be reached fails with each address and the network to add."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from module_runner import run_module
from stand_in import closed_port

UNREACHABLE = "198.51.100.1:9092"


@pytest.fixture(autouse=True)
def _network(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nothing answers except on loopback; how long each was waited for."""
    waited: list[float] = []
    connect = socket.create_connection

    def connect_or_drop(address: tuple[str, int], timeout: float) -> socket.socket:
        waited.append(timeout)
        if address[0] == "127.0.0.1":
            return connect(address, timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", connect_or_drop)
    return waited


def access(check: bool = False, **arguments: Any) -> dict[str, Any]:
    return run_module("kafka_broker_reachability", check=check, **{"listener": "CLIENT", **arguments})


@pytest.mark.parametrize("check", [False, True])
def test_a_port_on_which_nothing_listens_yet_is_reached(check: bool) -> None:
    answer = access(check, servers={"kafka1": closed_port()})
    assert "failed" not in answer
    assert answer["changed"] is False


@pytest.mark.parametrize("check", [False, True])
def test_each_server_that_does_not_answer_is_a_line_with_the_variable_and_the_network(check: bool) -> None:
    servers = {"kafka1": UNREACHABLE, "kafka2": closed_port(), "kafka3": "198.51.100.3:9092"}
    seen_as = dict.fromkeys(servers, "192.0.2.1")
    answer = access(check, servers=servers, seen_as=seen_as, timeout_s="7")
    assert answer["failed"]
    lines = answer["msg"].splitlines()
    assert [line.partition(" cannot reach ")[2].partition(":")[0] for line in lines] == [
        "CLIENT of kafka1 at 198.51.100.1",
        "CLIENT of kafka3 at 198.51.100.3",
    ]
    for line in lines:
        assert line.startswith("firewall_admin_cidrs: the machine that asks the cluster (192.0.2.1")
        assert "no answer in 7 s" in line
        assert "192.0.2.1/32" in line


def test_it_waits_for_ten_seconds_unless_told_otherwise(_network: list[float]) -> None:
    access(servers={"kafka1": UNREACHABLE})
    assert _network == [10.0]


@pytest.mark.parametrize(("admitted", "failed"), [(["192.0.2.0/24"], False), ("192.0.2.1", False), ([], True)])
def test_who_is_going_to_be_admitted_is_not_refused_yet(admitted: Any, failed: bool) -> None:
    answer = access(servers={"kafka1": UNREACHABLE}, seen_as={"kafka1": "192.0.2.1"}, admitted=admitted)
    assert answer.get("failed", False) is failed


@pytest.mark.parametrize("server", ["kafka1", "kafka1:client", "2001:db8::1:9092", 9092, None])
def test_what_is_no_address_is_refused_with_its_host(server: Any) -> None:
    answer = access(servers={"kafka1": closed_port(), "kafka2": server})
    assert answer["failed"]
    assert answer["msg"].startswith("servers: kafka2: ")
    assert "is not host:port" in answer["msg"]


@pytest.mark.parametrize(("given", "missing"), [({"servers": {}}, "listener"), ({"listener": "CLIENT"}, "servers")])
def test_what_is_required_is_named_if_it_is_missing(given: dict[str, Any], missing: str) -> None:
    assert run_module("kafka_broker_reachability", **given)["msg"] == f"missing required arguments: {missing}"


def test_servers_that_are_no_dictionary_are_refused() -> None:
    answer = access(servers=["kafka1:9092"])
    assert answer["failed"]
    assert "servers" in answer["msg"]
