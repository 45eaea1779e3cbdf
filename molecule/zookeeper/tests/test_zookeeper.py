"""What only a ZooKeeper cluster has: an ensemble behind ports that no client needs, one server of it on its own."""

import pytest
from live import LAB, host, limit_s, listening, reaches

OUTSIDE = f"10.97.{LAB}.24"
ENSEMBLE = ("kafka1", "kafka2", "zookeeper1")


@pytest.mark.parametrize("name", ENSEMBLE)
def test_each_host_of_the_ensemble_has_a_server_that_takes_part(name: str) -> None:
    server = host(name)
    assert server.service("zookeeper").is_running
    assert server.service("zookeeper").is_enabled
    answer = server.check_output("bash -c 'exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && cat <&3'")
    assert "Mode: leader" in answer or "Mode: follower" in answer


@pytest.mark.parametrize("name", ENSEMBLE)
def test_the_ensemble_listens_and_no_controller_does(name: str) -> None:
    ports = listening(host(name))
    assert {2181, 3888} <= ports
    assert 9093 not in ports
    assert (9092 in ports) is (name != "zookeeper1")


def test_a_broker_outside_the_ensemble_has_no_server() -> None:
    broker = host("kafka3")
    assert not broker.service("zookeeper").exists
    assert listening(broker) & {2181, 2888, 3888} == set()


def test_the_server_outside_the_cluster_admits_the_cluster_and_no_stranger() -> None:
    limit = limit_s(lambda: reaches(host("kafka3"), OUTSIDE, 2181))
    assert reaches(host("kafka1"), OUTSIDE, 3888)
    ports = listening(host("zookeeper1"))
    assert {port for port in ports if reaches(host("stranger1"), OUTSIDE, port, limit)} == set()
