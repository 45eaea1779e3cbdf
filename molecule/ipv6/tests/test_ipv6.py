"""A cluster that is reached over IPv6 alone: its listeners, its firewalls, and the load harness."""

from __future__ import annotations

from pathlib import Path

import pytest
from live import BROKERS, LAB, host, limit_s, reaches
from locust_run import Run

ADDRESSES = {name: f"fd97:9797:0:{int(LAB):x}::{number:x}" for number, name in enumerate(BROKERS, 11)}
STRANGER = "stranger1"


@pytest.mark.parametrize("name", ADDRESSES)
def test_kafka_listens_on_its_ipv6_address_and_on_no_other(name: str) -> None:
    asked = "ss --no-header --listening --numeric --tcp '( sport = :9092 or sport = :9093 )'"
    found = {line.split()[3] for line in host(name).check_output(asked).splitlines()}
    assert found == {f"[{ADDRESSES[name]}]:{port}" for port in (9092, 9093)}


def test_members_are_let_in_and_strangers_are_not() -> None:
    address = ADDRESSES["kafka1"]
    limit = limit_s(lambda: reaches(host("kafka2"), address, 9092))
    assert reaches(host("kafka3"), address, 9093)
    assert [reaches(host(STRANGER), address, port, limit) for port in (9092, 9093)] == [False, False]


def test_a_load_goes_through_each_broker_and_is_judged(tmp_path: Path) -> None:
    servers = ",".join(f"[{address}]:9092" for address in ADDRESSES.values())
    run = Run(tmp_path, servers, "--profile=smoke", "--rate=100", "--run-time=5s", "--session-timeout-ms=10000")
    assert run.wait() == 0
    assert set(run.verdict["client"]["round_trip_us"]) == {"1", "2", "3"}
