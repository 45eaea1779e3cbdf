"""A fault hits whom it should, and is refused where the cluster could not bear it."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.fault_plan import choose, exceeds, unhealthy

NODES = {"kafka1": 1, "kafka2": 2, "kafka3": 3}
IDS = tuple(NODES.values())
VOTERS = tuple(QuorumReplica(node, f"dir{node}", 0, 300) for node in IDS)
BOTH = ("broker", "controller")


def partition(index: int, leader: int, isr: Iterable[int] = IDS) -> Partition:
    return Partition("orders", index, leader, IDS, tuple(isr), 2)


WELL = ClusterState(
    cluster_id="abc",
    release="4.3",
    brokers=tuple(Broker(node, f"kafka{node}", 9092) for node in IDS),
    controller_id=1,
    quorum=Quorum(1, 500, VOTERS),
    partitions=(partition(0, 1), partition(1, 1), partition(2, 3), partition(3, 2), partition(4, 3)),
)


def test_a_host_is_hit_by_its_name() -> None:
    assert choose(WELL, ["kafka2", "kafka1"], NODES) == ["kafka2", "kafka1"]


def test_the_leader_is_who_leads_the_most_besides_the_active_controller() -> None:
    assert choose(WELL, ["leader"], NODES) == ["kafka3"]
    assert choose(WELL, ["follower"], NODES) == ["kafka2"]
    assert choose(WELL, ["controller"], NODES) == ["kafka1"]


def test_the_leader_of_a_partition_is_hit_even_if_it_is_the_active_controller() -> None:
    assert choose(WELL, ["leader"], NODES, "orders-0") == ["kafka1"]
    assert choose(WELL, ["follower"], NODES, "orders-2") == ["kafka2"]


def test_no_host_is_hit_twice() -> None:
    assert choose(WELL, ["leader", "leader", "leader"], NODES) == ["kafka3", "kafka2", "kafka1"]
    assert choose(WELL, ["controller", "follower"], NODES) == ["kafka1", "kafka2"]
    assert choose(WELL, ["controller", "controller_follower"], NODES) == ["kafka1", "kafka2"]


def test_controllers_of_their_own_are_hit_by_what_they_are_and_need_not_serve() -> None:
    nodes = NODES | {"controller1": 101, "controller2": 102, "controller3": 103}
    voters = tuple(QuorumReplica(node, f"dir{node}", 0, 300) for node in (101, 102, 103))
    dedicated = replace(WELL, controller_id=102, quorum=Quorum(102, 500, voters))
    assert choose(dedicated, ["controller", "controller_follower"], nodes) == ["controller2", "controller1"]
    assert choose(dedicated, ["leader"], nodes) == ["kafka1"]
    assert unhealthy(dedicated, IDS) == []


def test_a_member_of_the_ensemble_is_chosen_by_what_it_is() -> None:
    modes = {"kafka1": "follower", "kafka2": "leader", "kafka3": "follower"}
    assert choose(WELL, ["zookeeper_leader"], NODES, zookeeper=modes) == ["kafka2"]
    assert choose(WELL, ["zookeeper_follower"], NODES, zookeeper=modes) == ["kafka1"]


@pytest.mark.parametrize("targets", [["kafka9"], ["zookeeper_leader"], ["controller", "controller"]])
def test_a_target_that_stands_for_nobody_is_refused_by_name(targets: list[str]) -> None:
    with pytest.raises(ValueError, match=f"No host is {targets[-1]}"):
        choose(WELL, targets, NODES)


def test_a_partition_that_does_not_exist_has_no_leader() -> None:
    with pytest.raises(ValueError, match="leader of orders-9"):
        choose(WELL, ["leader"], NODES, "orders-9")


def test_a_healthy_cluster_has_nothing_to_say() -> None:
    assert unhealthy(WELL, IDS) == []


@pytest.mark.parametrize(
    ("state", "unresponsive_brokers", "sentence"),
    [
        (replace(WELL, brokers=WELL.brokers[:2]), (), "brokers that do not serve: 3"),
        (replace(WELL, brokers=(Broker(1, "kafka1", 9092, fenced=True), *WELL.brokers[1:])), (), "do not serve: 1"),
        (WELL, (2,), "brokers that do not serve: 2"),
        (replace(WELL, partitions=(partition(0, 1, (1, 2)),)), (), "out of sync: orders-0"),
        (replace(WELL, partitions=(partition(0, -1),)), (), "out of sync: orders-0"),
        (replace(WELL, quorum=Quorum(-1, 0, VOTERS)), (), "the controllers have no leader"),
        (replace(WELL, quorum=Quorum(1, 0, (*VOTERS[:2], replace(VOTERS[2], caught_up_ms_ago=None)))), (), "behind: 3"),
    ],
)
def test_whatever_is_not_well_is_a_reason(
    state: ClusterState, unresponsive_brokers: tuple[int, ...], sentence: str
) -> None:
    (reason,) = unhealthy(state, IDS, unresponsive_brokers)
    assert sentence in reason


def test_three_brokers_bear_the_loss_of_one_and_not_of_two() -> None:
    assert exceeds(WELL, [1], BOTH) == []
    refusing, quorum = exceeds(WELL, [1, 2], BOTH)
    assert "acks=all would be refused by orders-0" in refusing
    assert quorum == "1 of 3 controllers would be left, 2 are needed"


def test_what_the_fault_leaves_alone_is_not_counted() -> None:
    assert exceeds(WELL, IDS, []) == []
    assert len(exceeds(WELL, IDS, ["controller"])) == 1


def test_a_leader_without_followers_is_borne_only_where_it_may_acknowledge_alone() -> None:
    (sentence,) = exceeds(WELL, [3], ["replication"])
    assert sentence == "acks=all would be refused by orders-2 and orders-4"
    alone = replace(WELL, partitions=tuple(replace(each, min_isr=1) for each in WELL.partitions))
    assert exceeds(alone, [3], ["replication"]) == []


def test_the_ensemble_of_three_bears_the_loss_of_one_member() -> None:
    assert exceeds(WELL, [1], ["zookeeper"], 3) == []
    assert exceeds(WELL, [1, 2], ["zookeeper"], 3) != []


@given(st.sets(st.sampled_from(IDS)), st.sets(st.sampled_from(IDS)))
def test_breaking_more_is_never_easier_to_bear(fewer: set[int], others: set[int]) -> None:
    assert len(exceeds(WELL, fewer, BOTH)) <= len(exceeds(WELL, fewer | others, BOTH))
