"""A health check finds each thing that is not well, and nothing wrong with a cluster that is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Feature,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.health import (
    BrokerReport,
    Expected,
    LogDir,
    ShownCertificate,
    TrustedAuthority,
    assess,
)

NODES = (1, 2, 3)
EXPECTED = Expected(brokers=NODES, voters=NODES)
VOTERS = tuple(QuorumReplica(node, f"dir{node}", 0, 300) for node in NODES)
WELL = ClusterState(
    cluster_id="abc",
    release="4.3",
    brokers=tuple(Broker(node, f"kafka{node}", 9092) for node in NODES),
    controller_id=1,
    quorum=Quorum(1, 500, VOTERS),
    partitions=(Partition("orders", 0, 1, NODES, NODES, 2),),
    features={"metadata.version": Feature(29, 7, 30)},
)
REPORTS = {node: BrokerReport("4.3", [LogDir("/data", 100 << 30, 40 << 30)]) for node in NODES}
Case = tuple[ClusterState, dict[int, BrokerReport]]


def with_partition(**changes: object) -> ClusterState:
    return replace(WELL, partitions=(replace(WELL.partitions[0], **changes),))  # type: ignore[arg-type] # test data


def with_report(report: BrokerReport) -> Case:
    return WELL, {**REPORTS, 2: report}


def with_voters(*voters: QuorumReplica) -> ClusterState:
    return replace(WELL, quorum=Quorum(1, 500, voters))


def test_a_healthy_cluster_is_well_and_the_page_says_what_is_there() -> None:
    health = assess(WELL, REPORTS, EXPECTED)
    assert health.problems == []
    assert health.text.endswith("All is well.")
    for fact in (
        "Kafka 4.3, cluster abc, KRaft",
        "metadata.version 29 (up to 30)",
        "1 leads at offset 500",
        "2 kafka2:9092 speaks 4.3; /data 60 % of 100.0 GiB used",
        "1 in 1 topics; 0 under-replicated, 0 under min ISR, 0 offline",
    ):
        assert fact in health.text


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (lambda: (with_partition(leader=-1, isr=()), REPORTS), "have no leader"),
        (lambda: (with_partition(isr=(1,)), REPORTS), "below their min ISR"),
        (lambda: (with_partition(isr=(1, 2)), REPORTS), "lack a replica in sync: orders-0"),
        (lambda: (replace(WELL, brokers=WELL.brokers[:2]), REPORTS), "Broker 3 is not registered."),
        (
            lambda: (replace(WELL, brokers=(*WELL.brokers, Broker(4, "k4", 1))), {**REPORTS, 4: REPORTS[1]}),
            "Node 4 at k4 is registered as a broker, but no host of the inventory has kafka_node_id 4",
        ),
        (lambda: (with_voters(*VOTERS, QuorumReplica(9, "d", 0, 1)), REPORTS), "Node 9 votes as a controller"),
        (lambda: (with_partition(replicas=(1, 2, 3, 7), isr=(1, 2, 3, 7)), REPORTS), "Node 7 holds 1 replicas"),
        (lambda: (replace(WELL, brokers=(*WELL.brokers[:2], Broker(3, "k", 1, True))), REPORTS), "Broker 3 is fenced"),
        (lambda: with_report(BrokerReport()), "Broker 2 at kafka2:9092 does not answer."),
        (lambda: with_report(BrokerReport("4.3", [LogDir("/d", 100, 5)])), "Broker 2 has little room left"),
        (
            lambda: with_report(BrokerReport("4.3", [LogDir("/d", -1, -1, "the disk fails")])),
            "lost its log directory /d",
        ),
        (lambda: (with_voters(*VOTERS[:2]), REPORTS), "Node 3 should vote in the quorum and does not."),
        (lambda: (with_voters(*VOTERS[:2], QuorumReplica(3, "", 9, 60_000)), REPORTS), "caught up 60.0 s ago"),
        (lambda: (with_voters(*VOTERS[:2], QuorumReplica(3, "", 9, None)), REPORTS), "never caught up"),
        (lambda: (replace(WELL, controller_id=-1), REPORTS), "No controller is active."),
    ],
)
def test_each_thing_that_is_not_well_is_told(case: Callable[[], Case], sentence: str) -> None:
    (problem,) = assess(*case(), EXPECTED).problems
    assert sentence in problem


def test_exact_releases_are_told_and_that_they_differ() -> None:
    same = assess(WELL, REPORTS, EXPECTED, releases={1: "4.3.1", 2: "4.3.1"}).text
    assert "Kafka 4.3.1, cluster abc" in same
    assert ("2 kafka2:9092 runs 4.3.1;" in same, "3 kafka3:9092 speaks 4.3" in same, "differ" in same) == (
        True,
        True,
        False,
    )
    mixed = assess(WELL, REPORTS, EXPECTED, releases={3: "4.3.1", 1: "4.4.0", 2: "4.3.1"})
    assert "Kafka 4.3.1 and 4.4.0, cluster abc" in mixed.text
    assert "Releases differ: 4.3.1 on 2 and 3; 4.4.0 on 1." in mixed.text
    assert mixed.problems == []


def test_zookeeper_mode_has_a_controller_and_no_quorum() -> None:
    health = assess(replace(WELL, quorum=None, features={}), REPORTS, Expected(brokers=NODES))
    assert health.problems == []
    assert "Controller: broker 1" in health.text
    assert "Feature levels" not in health.text


def test_each_zookeeper_server_is_told_and_one_that_does_not_serve_is_not_well() -> None:
    ensemble = {"zk1:2181": "leader", "zk2:2181": "", "zk3:2181": "follower"}
    health = assess(replace(WELL, quorum=None, features={}), REPORTS, Expected(brokers=NODES, ensemble=ensemble))
    assert health.problems == ["ZooKeeper zk2:2181 does not serve."]
    assert "ZooKeeper: 2 of 3 servers serve\n  zk1:2181 leader\n  zk2:2181 silent\n" in health.text


def test_a_long_list_is_cut_where_nobody_would_read_on() -> None:
    many = tuple(Partition("clicks", index, 1, NODES, (1, 2), 2) for index in range(12))
    (problem,) = assess(replace(WELL, partitions=many), REPORTS, EXPECTED).problems
    assert problem.startswith("12 partitions lack") and problem.endswith("and 9 more.")


CERTIFICATES = [
    ShownCertificate("kafka1", "CLIENT", 9092, 14.0),
    ShownCertificate("kafka1", "INTERNAL", 9094, 13.94),
    ShownCertificate("kafka2", "CLIENT", 9092, -2.04),
    ShownCertificate("kafka2", "INTERNAL", 9094, 0.0, "Connection refused"),
]


def test_each_certificate_is_told_with_its_days_and_one_that_ends_soon_is_not_well() -> None:
    health = assess(WELL, REPORTS, EXPECTED, CERTIFICATES)
    assert health.problems == [
        "The certificate of INTERNAL of kafka1 (port 9094) expires in 13.9 days, the limit is 14"
        " (kafka_health_certificate_days).",
        "The certificate of CLIENT of kafka2 (port 9092) expired 2.0 days ago.",
        "INTERNAL of kafka2 (port 9094) shows no certificate: Connection refused.",
    ]
    assert (
        "Certificates: 3 of 4 TLS listeners show one\n"
        "  CLIENT of kafka1 (port 9092): 14.0 days left\n"
        "  INTERNAL of kafka1 (port 9094): 13.9 days left\n"
    ) in health.text
    assert "Certificates" not in assess(WELL, REPORTS, EXPECTED).text


def test_the_days_that_a_certificate_has_to_have_left_can_be_set() -> None:
    limit = replace(EXPECTED, min_certificate_days=13.9)
    assert assess(WELL, REPORTS, limit, CERTIFICATES[:2]).problems == []
    expired = assess(WELL, REPORTS, replace(EXPECTED, min_certificate_days=-9), CERTIFICATES[2:3])
    assert len(expired.problems) == 1


def trusted(*days: tuple[str, str, float]) -> list[TrustedAuthority]:
    return [TrustedAuthority(*each) for each in days]


AUTHORITIES = trusted(
    ("kafka1", "abc", 89.9), ("kafka2", "abc", 89.96), ("kafka3", "abc", 90.0), ("kafka3", "def", 9.0)
)


def test_each_authority_is_told_with_its_days_and_one_that_ends_soon_is_not_well() -> None:
    health = assess(WELL, REPORTS, EXPECTED, authorities=AUTHORITIES)
    assert health.problems == [
        "The authority abc, trusted by kafka1 and kafka2, ends in 89.9 days, the limit is 90. Renew or replace it"
        " (docs/certificates.md)."
    ]
    assert (
        "Authorities: 2 trusted\n  abc by kafka1, kafka2 and kafka3: 89.9 days left\n  def by kafka3: 9.0 days left\n"
    ) in health.text
    assert "Authorities" not in assess(WELL, REPORTS, EXPECTED).text
    assert assess(WELL, REPORTS, replace(EXPECTED, min_authority_days=89.9), authorities=AUTHORITIES).problems == []


def test_an_authority_that_ends_is_well_where_another_one_is_trusted_beside_it() -> None:
    changing = trusted(
        ("kafka1", "former", 3.0), ("kafka1", "new", 900.0), ("kafka2", "new", 900.0), ("kafka2", "former", 3.0)
    )
    assert assess(WELL, REPORTS, EXPECTED, authorities=changing).problems == []
    ending = assess(WELL, REPORTS, replace(EXPECTED, min_authority_days=1000), authorities=changing).problems
    assert len(ending) == 1 and ending[0].startswith("The authority new, trusted by kafka1 and kafka2, ends in 900.0")


def test_an_observer_that_is_no_member_any_more_is_not_waited_for() -> None:
    gone = QuorumReplica(4, "dir4", 900, 60_000)
    state = replace(WELL, quorum=Quorum(1, 500, VOTERS, (gone,)))
    assert assess(state, REPORTS, EXPECTED).problems == []
    problem, *_ = assess(state, REPORTS, replace(EXPECTED, brokers=(*NODES, 4))).problems
    assert problem == "Node 4 is behind in the metadata log: caught up 60.0 s ago."
