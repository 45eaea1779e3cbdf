"""The machine that asks the cluster is told when it cannot reach it, and which network to admit."""

from __future__ import annotations

import socket
import threading

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.broker_reachability import (
    REACHED,
    Access,
    dial,
    dial_all,
    known_addresses,
    problems,
    source_address,
)

DROPPED = Access("kafka1", "kafka1:9092", "no answer in 5 s, so a firewall drops it", ("192.0.2.7",))


def test_a_server_that_drops_packets_is_named_with_the_network_to_add() -> None:
    (sentence,) = problems([DROPPED], "CLIENT")
    assert sentence.startswith("firewall_admin_cidrs: the machine that asks the cluster (192.0.2.7) cannot reach")
    assert "CLIENT of kafka1 at kafka1:9092: no answer in 5 s" in sentence
    assert "add 192.0.2.7/32" in sentence


def test_an_ipv6_address_is_one_of_128_bits() -> None:
    (sentence,) = problems([Access("kafka1", "[2001:db8::1]:9092", "No route to host", ("2001:db8::7",))], "CLIENT")
    assert "add 2001:db8::7/128" in sentence


def test_without_any_known_address_no_network_is_named() -> None:
    (sentence,) = problems([Access("kafka1", "kafka1:9092", "No route to host")], "CLIENT")
    assert "add the address that it comes from" in sentence


@pytest.mark.parametrize(
    ("admitted", "is_problem"),
    [
        (["192.0.2.0/24"], False),
        (["198.51.100.0/24"], True),
        (["2001:db8::/32"], True),
        (["admin.example.org", "192.0.2.7"], False),
        ([], True),
    ],
)
def test_what_the_firewall_is_going_to_admit_is_no_problem_yet(admitted: list[str], is_problem: bool) -> None:
    assert bool(problems([DROPPED], "CLIENT", admitted)) == is_problem


def test_a_reached_server_is_no_problem() -> None:
    assert problems([Access("kafka1", "kafka1:9092", REACHED, ("192.0.2.7",))], "CLIENT") == []


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_is_reached_whether_or_not_anything_listens(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listening:
        listening.bind((host, 0))
        port = listening.getsockname()[1]
        server = f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"
        assert dial(server, 30) == REACHED  # Bound, not listening: refused.
        listening.listen()
        assert dial(server, 30) == REACHED


def test_a_name_that_is_not_known_is_a_failure() -> None:
    (access,) = dial_all({"kafka1": "nowhere.invalid:9092"}, {"kafka1": "192.0.2.7"}, 30)
    assert access.failure
    assert access.addresses == ("192.0.2.7",)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (TimeoutError("timed out"), "no answer in 7 s, so a firewall drops it"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError("no such family"), "no such family"),
        (ConnectionRefusedError(111, "Connection refused"), REACHED),
    ],
)
def test_why_no_packet_came_back_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, error: OSError, failure: str
) -> None:
    asked = []

    def refuse(address: tuple[str, int], timeout: float) -> None:
        asked.append((address, timeout))
        raise error

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert dial("[2001:db8::1]:9092", 7.2) == failure
    assert asked == [(("2001:db8::1", 9092), 7.2)]


def test_all_servers_are_tried_at_once_with_the_given_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = {f"kafka{n}": f"127.0.0.1:{9000 + n}" for n in range(1, 33)}
    all_at_once = threading.Barrier(len(servers))

    def drop(address: tuple[str, int], timeout: float) -> None:
        all_at_once.wait(timeout=60)  # Fails unless all of them are here.
        raise OSError(f"{address[1]} in {timeout}")

    monkeypatch.setattr(socket, "create_connection", drop)
    accesses = dial_all(servers, {"kafka2": "192.0.2.7"}, 3)
    assert [(access.node, access.server) for access in accesses] == [*servers.items()]
    assert [access.failure for access in accesses] == [f"{9000 + n} in 3" for n in range(1, 33)]
    assert accesses[0].addresses == ("127.0.0.1",)
    assert accesses[1].addresses == ("192.0.2.7", "127.0.0.1")


def test_where_no_broker_is_known_nothing_is_tried() -> None:
    assert dial_all({}, {}, 1) == []


def test_each_broker_that_is_not_reached_is_told_with_every_address_to_add() -> None:
    reached = Access("kafka1", "kafka1:9092", REACHED, ("192.0.2.7",))
    several = Access("kafka2", "kafka2:9092", "No route to host", ("192.0.2.7", "2001:db8::7"))
    told = problems([reached, several, DROPPED], "CLIENT")
    assert told[0] == (
        "firewall_admin_cidrs: the machine that asks the cluster (192.0.2.7 or 2001:db8::7) cannot reach CLIENT of"
        " kafka2 at kafka2:9092: No route to host; add 192.0.2.7/32 or 2001:db8::7/128, or open that way where another"
        " firewall closes it"
    )
    assert len(told) == 2
    unknown = Access("kafka3", "kafka3:9092", "No route to host")
    assert problems([unknown], "CLIENT") == [
        "firewall_admin_cidrs: the machine that asks the cluster cannot reach CLIENT of kafka3 at kafka3:9092:"
        " No route to host; add the address that it comes from, or open that way where another firewall closes it"
    ]


def test_ssh_over_ipv4_says_nothing_about_kafka_over_ipv6() -> None:
    assert known_addresses("192.0.2.7", "2001:db8::7") == ("2001:db8::7",)
    assert known_addresses("192.0.2.7", "10.0.0.5") == ("192.0.2.7", "10.0.0.5")
    assert known_addresses("192.0.2.7", "") == ("192.0.2.7",)
    assert known_addresses("2001:db8::9", "2001:db8::7") == ("2001:db8::9", "2001:db8::7")
    assert known_addresses("192.0.2.7", "192.0.2.7") == ("192.0.2.7",)
    assert known_addresses("", "192.0.2.7") == ("192.0.2.7",)


def test_the_route_to_a_server_tells_from_where_this_machine_comes() -> None:
    assert source_address("127.0.0.1:9092") == "127.0.0.1"
    assert source_address("[::1]:9092") == "::1"
    assert source_address("nowhere.invalid:9092") == ""


def test_a_name_that_no_resolver_can_know_is_told_and_is_no_traceback() -> None:
    assert "idna" in dial("kafka1..example.com:9092", 1)
    assert source_address("kafka1..example.com:9092") == ""
