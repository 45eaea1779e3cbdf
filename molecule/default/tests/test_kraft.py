"""What only a KRaft cluster has: a quorum of controllers behind a port of its own."""

from kafka import KafkaAdminClient
from live import BOOTSTRAP, HOSTS
from testinfra.host import Host

testinfra_hosts = HOSTS


def test_three_voters_make_a_dynamic_quorum() -> None:
    admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
    features = admin.describe_features()
    admin.close()
    assert {voter["replica_id"] for voter in quorum["current_voters"]} == {1, 2, 3}
    assert features["kraft.version"]["finalized"] == (1, 1)


def test_the_controller_listens_and_zookeeper_does_not(host: Host) -> None:
    assert host.socket("tcp://9093").is_listening
    assert not host.socket("tcp://2181").is_listening
