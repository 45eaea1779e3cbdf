"""What only a ZooKeeper cluster has: an ensemble, behind ports that no client needs."""

from live import HOSTS, listening
from testinfra.host import Host

testinfra_hosts = HOSTS


def test_each_host_has_a_member_of_the_ensemble(host: Host) -> None:
    assert host.service("zookeeper").is_running
    assert host.service("zookeeper").is_enabled
    answer = host.check_output("bash -c 'exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && cat <&3'")
    assert "Mode: leader" in answer or "Mode: follower" in answer


def test_the_ensemble_listens_and_no_controller_does(host: Host) -> None:
    assert {2181, 3888} <= listening(host)
    assert 9093 not in listening(host)
