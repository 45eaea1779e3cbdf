"""A node is removed only when its cluster can do without it."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.uninstall import still_needed


def state(
    replicas: tuple[int, ...] = (), voters: tuple[int, ...] = (), brokers: tuple[int, ...] = (1, 2, 3)
) -> ClusterState:
    partitions = (Partition("orders", 0, 1, replicas, replicas, 1),) if replicas else ()
    quorum = Quorum(1, 9, tuple(QuorumReplica(voter, "dir", 0, 1) for voter in voters)) if voters else None
    registered = tuple(Broker(node, f"kafka{node}", 9092) for node in brokers)
    return ClusterState("id", "4.3", registered, 1, quorum, partitions)


def test_a_broker_that_holds_nothing_and_has_no_vote_may_go() -> None:
    assert still_needed(state(replicas=(1, 2), voters=(1, 2)), [3]) == []


def test_a_broker_with_a_replica_is_needed() -> None:
    (reason,) = still_needed(state(replicas=(2, 3)), [3])
    assert reason == "1 partitions have a replica on a broker that would go (orders-0)"


def test_a_controller_with_a_vote_is_needed() -> None:
    (reason,) = still_needed(state(replicas=(1,), voters=(1, 2, 103)), [103])
    assert reason == "controllers that would go have a vote in the quorum (103)"


def test_every_broker_together_is_the_cluster_even_if_it_holds_nothing() -> None:
    (reason,) = still_needed(state(voters=(1, 2, 3)), [1, 2, 3])
    assert reason == "the run would remove every broker of the cluster, which has 0 partitions"
    assert len(still_needed(state(replicas=(1, 2)), [1, 2, 3])) == 1


def test_nodes_that_are_not_registered_are_not_needed() -> None:
    assert still_needed(state(replicas=(1, 2, 3), voters=(1, 2, 3)), [4]) == []
