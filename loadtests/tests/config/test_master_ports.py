"""The ports by which Locust's master and workers find each other, and only each other."""

from __future__ import annotations

import socket

import pytest
from kafka_load.config.master_ports import MasterPortError, MasterPorts, ReservedPort, check_free, master_ports


def none_free() -> int:
    raise AssertionError("no free port is looked for")


def test_a_master_and_workers_started_one_by_one_have_locusts_port() -> None:
    assert master_ports(None, None, forks=False, free=none_free) == MasterPorts(5557, 5557)


def test_what_is_given_to_processes_started_one_by_one_is_taken_as_it_is() -> None:
    """A worker may reach its master by a forwarded port."""
    assert master_ports(6000, 7000, forks=False, free=none_free) == MasterPorts(6000, 7000)
    assert master_ports(0, None, forks=False, free=none_free) == MasterPorts(0, 5557)


def test_forked_workers_and_their_master_have_a_free_port() -> None:
    assert master_ports(None, None, forks=True, free=lambda: 6000) == MasterPorts(6000, 6000)


def test_any_port_may_be_given_as_0() -> None:
    assert master_ports(0, None, forks=True, free=lambda: 6000) == MasterPorts(6000, 6000)


@pytest.mark.parametrize(("bind", "connect"), [(7000, None), (None, 7000), (7000, 7000), (7000, 0)])
def test_one_given_port_is_enough_for_forked_workers(bind: int | None, connect: int | None) -> None:
    assert master_ports(bind, connect, forks=True, free=none_free) == MasterPorts(7000, 7000)


def test_forked_workers_that_would_look_elsewhere_are_refused() -> None:
    with pytest.raises(MasterPortError) as refused:
        master_ports(6000, 7000, forks=True, free=none_free)
    assert str(refused.value) == (
        "--master-bind-port 6000 and --master-port 7000 are different, and the workers of --processes would not find"
        " their master: give one of them, or neither"
    )


def test_ports_of_two_runs_that_start_at_once_differ() -> None:
    reserved = [ReservedPort() for _ in range(50)]
    assert len({port.number for port in reserved}) == 50
    for port in reserved:
        port.release()


def test_a_port_is_nobody_elses_before_it_is_released() -> None:
    reserved = ReservedPort()
    with socket.socket() as other:
        with pytest.raises(OSError, match="Address already in use"):
            other.bind(("", reserved.number))
        reserved.release()
        other.bind(("", reserved.number))


def test_a_listener_takes_a_reserved_port_over() -> None:
    reserved = ReservedPort()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", reserved.number))
        listener.listen()
        reserved.release()
        with socket.create_connection(("127.0.0.1", reserved.number), 5):
            pass


@pytest.mark.parametrize("host", ["*", "127.0.0.1"])
def test_a_port_on_which_somebody_listens_is_refused(host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MasterPortError) as refused:
            check_free(host, port)
    assert str(refused.value) == (
        f"Locust's master cannot listen on port {port} of {host} (--master-bind-port, --master-bind-host):"
        " Address already in use, perhaps by another run: give --master-bind-port and its workers' --master-port"
        " another one"
    )
    check_free(host, port)


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("203.0.113.1", 5557, "Cannot assign requested address"),
        ("no-such-host.invalid", 5557, ""),
        ("*", 70_000, "bind(): port must be 0-65535."),
    ],
)
def test_an_address_that_this_machine_does_not_have_is_refused(host: str, port: int, why: str) -> None:
    with pytest.raises(MasterPortError, match=rf"cannot listen on port {port} of ") as refused:
        check_free(host, port)
    assert str(refused.value).endswith(why)
    assert "another run" not in str(refused.value)


def test_the_check_listens_as_zeromq_does_beside_connections_that_are_ending() -> None:
    """A run begins right after another on its port: what is left of a closed connection there does not count."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 5) as caller:
            answered, _ = listener.accept()
            answered.close()  # who closes first keeps the port in TIME_WAIT
            caller.recv(1)
    check_free("127.0.0.1", port)
