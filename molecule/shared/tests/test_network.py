"""Tries every port that a host listens on, from whoever should and should not be let in."""

import socket

import live
import pytest
from live import BROKERS, HOSTS, OPEN_S, limit_s, listening, reaches
from testinfra.host import Host

testinfra_hosts = HOSTS


@pytest.fixture(scope="module")
def stranger() -> Host:
    """A host of the same network that no rule names."""
    return live.host("stranger1")


def lets_in(address: str, port: int, limit_s: float = OPEN_S) -> bool:
    """Return whether this machine, which is the clients' and the administrators', gets a connection."""
    try:
        socket.create_connection((address, port), timeout=limit_s).close()
    except OSError:
        return False
    return True


def address_of(host: Host) -> str:
    return BROKERS[host.backend.host.name]


def test_clients_reach_the_client_port_and_no_other(host: Host) -> None:
    limit = limit_s(lambda: lets_in(address_of(host), 22))
    assert {port for port in listening(host) if lets_in(address_of(host), port, limit)} == {22, 9092}


def test_a_stranger_reaches_nothing(host: Host, stranger: Host) -> None:
    limit = limit_s(lambda: reaches(stranger, f"10.97.{live.LAB}.21", 22))
    assert {port for port in listening(host) if reaches(stranger, address_of(host), port, limit)} == set()


def test_members_reach_what_the_cluster_needs(host: Host) -> None:
    members = [live.host(name) for name, address in BROKERS.items() if address != address_of(host)]
    for port in listening(host) - {22}:
        assert all(reaches(member, address_of(host), port) for member in members), port


def test_what_is_not_allowed_is_dropped_for_ipv6_too(host: Host) -> None:
    for tables in ("iptables", "ip6tables"):
        assert "-P INPUT DROP" in host.check_output(f"{tables} -S INPUT").splitlines()
    assert host.service("ufw").is_enabled
