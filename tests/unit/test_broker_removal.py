"""A broker is removed only if the others can take over, only when it is empty, unregistered only when it is down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.broker_removal import (
    cordons,
    directory_id,
    forgets_controllers,
    known,
    not_drained,
    notes,
    refusals,
    still_member,
    targets,
    unhealthy,
    votes,
)
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    NO_DIRECTORY,
    Broker,
    ClusterState,
    Feature,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.replica_placement import Placement

NODES = (1, 2, 3, 4)
VOTERS = tuple(QuorumReplica(node, f"dir{node}", 0, 100) for node in NODES)
WELL = ClusterState(
    cluster_id="abc",
    release="4.3",
    brokers=tuple(Broker(node, f"kafka{node}", 9092) for node in NODES),
    controller_id=1,
    quorum=Quorum(1, 500, VOTERS),
    partitions=(Partition("orders", 0, 1, (1, 2, 3), (1, 2, 3), 2), Partition("orders", 1, 2, (2, 3, 4), (2, 3, 4), 2)),
    features={"metadata.version": Feature(30, 7, 30)},
)
DRAINED = replace(WELL, partitions=WELL.partitions[:1])
DOWN = replace(WELL, brokers=tuple(replace(each, fenced=each.node_id == 4) for each in WELL.brokers))
LAGGING = tuple(replace(voter, caught_up_ms_ago=9000) if voter.node_id in (1, 2) else voter for voter in VOTERS)


def placements(state: ClusterState) -> list[Placement]:
    return [Placement(each.topic, each.index, each.replicas) for each in state.partitions]


def refused(state: ClusterState, node_id: int = 4, **more: object) -> str:
    return " ".join(refusals(state, node_id, placements(state), targets(state, node_id, ()), **more))  # type: ignore[arg-type] # test data


def with_racks(*racks: str) -> ClusterState:
    return replace(
        WELL, brokers=tuple(replace(each, rack=rack) for each, rack in zip(WELL.brokers, racks, strict=True))
    )


def without(*node_ids: int) -> ClusterState:
    return replace(WELL, brokers=tuple(each for each in WELL.brokers if each.node_id not in node_ids))


def lacking(*isr: int, index: int = 0) -> ClusterState:
    partitions = list(WELL.partitions)
    partitions[index] = replace(partitions[index], isr=isr, leader=isr[0] if isr else -1)
    return replace(WELL, partitions=tuple(partitions))


def test_a_broker_whose_replicas_fit_the_others_may_go_up_or_down() -> None:
    assert refused(WELL) == ""
    assert refused(replace(DOWN, partitions=lacking(2, 3, index=1).partitions)) == ""


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            replace(WELL, quorum=None),
            "The cluster keeps its metadata in ZooKeeper, and only one of KRaft can forget a broker.",
        ),
        (without(1), "replication factor 3 of orders does not fit the 2 brokers that would hold replicas (2 and 3)"),
        (without(1, 2, 3), "Broker 4 is the last broker that serves."),
        (
            with_racks("a", "a", "b", "c"),
            "1 partitions would lie in fewer racks than now (orders-1): the brokers that remain are in 2."
            " Add a broker in that rack first, or accept it with remove_broker_fewer_racks=yes.",
        ),
        (lacking(1, 2), "1 partitions lack a replica in sync (orders-0)"),
        (lacking(), "1 partitions have no leader (orders-0)"),
        (replace(WELL, quorum=Quorum(4, 500, VOTERS[3:])), "Node 4 is the only controller."),
        (
            replace(WELL, quorum=Quorum(1, 500, LAGGING)),
            "The controllers need node 4: without controller 4 only 1 of 3",
        ),
        (
            replace(
                WELL, quorum=Quorum(1, 500, tuple(replace(voter, directory_id=NO_DIRECTORY[1]) for voter in VOTERS))
            ),
            "votes in a quorum whose voters are fixed (kraft.version 0)",
        ),
    ],
)
def test_what_the_others_cannot_take_over_is_refused(state: ClusterState, sentence: str) -> None:
    assert sentence in refused(state)


def test_each_reason_is_told_alone() -> None:
    assert refusals(lacking(1, 2), 4, placements(WELL), targets(WELL, 4, ())) == [
        "The cluster is not healthy: 1 partitions lack a replica in sync (orders-0)."
        " playbooks/check_health.yml tells more."
    ]


def test_what_is_not_well_is_told_with_all_of_its_reasons() -> None:
    state = replace(WELL, partitions=(lacking().partitions[0], replace(WELL.partitions[1], isr=(2, 4))))
    (sentence,) = refusals(state, 4, placements(WELL), targets(WELL, 4, ()))
    assert "(orders-0) and 1 partitions lack a replica in sync (orders-1)." in sentence


def test_a_registration_or_a_replica_is_enough_to_be_judged_as_a_broker() -> None:
    alone = replace(without(1, 2, 3), quorum=Quorum(1, 500, VOTERS[:3]))
    assert refused(replace(alone, partitions=())) == "Broker 4 is the last broker that serves."
    held_alone = replace(WELL, brokers=WELL.brokers[:2])
    assert "does not fit the 2 brokers" in refused(held_alone)


def test_fewer_racks_may_be_accepted_and_a_rack_with_another_broker_is_no_loss() -> None:
    assert refused(with_racks("a", "a", "b", "c"), fewer_racks=True) == ""
    assert refused(with_racks("a", "c", "b", "c")) == ""


def test_a_cordoned_broker_takes_nothing_over() -> None:
    where = targets(WELL, 4, [1, 4])
    assert (set(where.cordoned), set(where.drained)) == ({1}, {4})
    assert "does not fit the 2 brokers" in " ".join(refusals(WELL, 4, placements(WELL), where))
    assert targets(WELL, None, ()).drained == frozenset()
    assert set(targets(DOWN, None, ()).racks) == {1, 2, 3}


def test_a_partition_that_is_being_moved_is_not_taken_for_unhealthy() -> None:
    assert refused(lacking(1, 2), underway={("orders", 0)}) == ""
    assert list(unhealthy(lacking(1, 2).partitions, (), None)) == ["1 partitions lack a replica in sync (orders-0)"]


def test_a_controller_on_an_older_release_is_refused_for_the_ghost_that_it_would_leave() -> None:
    mixed = {1: "4.10.0", 2: "4.10.0", 4: "4.9.1"}
    assert "Node 4 runs Kafka 4.9.1 and others 4.10.0" in refused(WELL, releases=mixed)
    assert refused(WELL, releases={**mixed, 4: "4.10.0"}) == ""
    assert refused(WELL, releases={1: "4.9.1", 4: "4.10.0"}) == ""
    # Also a patch older. A broker alone leaves no ghost, and one that is down does not tell what it ran.
    assert "Node 4 runs Kafka 4.3.0 and others 4.3.1" in refused(WELL, releases={1: "4.3.1", 2: "", 4: "4.3.0"})
    assert refused(replace(WELL, quorum=Quorum(1, 500, VOTERS[:3])), releases=mixed) == ""
    assert refused(WELL, releases={1: "4.3.1", 4: ""}) == ""


@pytest.mark.parametrize("voters", [2, 3])
def test_so_few_controllers_that_none_may_fail_have_to_be_accepted(voters: int) -> None:
    few = replace(WELL, quorum=Quorum(4, 500, VOTERS[4 - voters :]))
    assert "could fail or be restarted" in refused(few)
    assert refused(few).startswith(f"Of the controllers only {'3' if voters == 2 else '2 and 3'} would be left")
    assert refused(few, fewer_controllers=True) == ""
    # One that does not vote takes no vote along, nor one whose vote a run that was cut short has removed.
    assert refused(few, node_id=1) == ""


def test_a_broker_that_serves_and_that_nobody_can_stop_is_not_drained_in_vain() -> None:
    assert refused(WELL, declared=False).startswith(
        "Broker 4 serves, and no host of the inventory has kafka_node_id 4, so that it cannot be stopped."
    )
    assert refused(DOWN, declared=False) == ""


def test_a_controller_that_kafka_goes_on_counting_is_told() -> None:
    assert notes(WELL, 4, "4.3.1")[0].startswith("Kafka goes on counting controller 4 with what Kafka 4.3.1 supports")
    assert "with what it supported when it ran last" in notes(WELL, 4, "")[0]
    assert notes(replace(WELL, quorum=Quorum(1, 500, VOTERS[:3])), 4, "4.3.1") == []
    newer = replace(WELL, features={"metadata.version": Feature(33, 7, 33)})
    assert (forgets_controllers(newer), notes(newer, 4, "4.4.0")) == (True, [])
    older = replace(WELL, features={"metadata.version": Feature(32, 7, 33)})
    assert (forgets_controllers(older), forgets_controllers(replace(WELL, features={}))) == (False, False)


def test_a_controller_that_is_no_broker_is_judged_as_a_voter_alone() -> None:
    assert refused(replace(without(1, 4), partitions=())) == ""


def test_a_broker_with_a_replica_or_one_on_its_way_is_not_drained() -> None:
    assert not_drained(WELL, 4, {}) == ["broker 4 holds 1 replicas (orders-1)"]
    assert not_drained(DRAINED, 4, {("clicks", 1): (3, 4)}) == ["replicas are being moved to broker 4 (clicks-1)"]
    assert not_drained(DRAINED, 4, {("clicks", 1): (3, 2)}) == []
    assert not_drained(replace(DRAINED, partitions=lacking(1, 2).partitions[:1]), 4, {}) == [
        "1 partitions lack a replica in sync (orders-0)"
    ]
    assert not_drained(replace(DRAINED, partitions=lacking().partitions[:1]), 4, {}) == [
        "1 partitions lack a replica in sync (orders-0)"
    ]
    (reason,) = not_drained(replace(DRAINED, quorum=Quorum(1, 500, LAGGING)), 4, {})
    assert reason.startswith("without controller 4 only 1 of 3 voters would be caught up")


def test_a_broker_is_unregistered_only_when_it_is_drained_has_no_vote_and_is_down() -> None:
    gone = replace(DOWN, partitions=DRAINED.partitions, quorum=Quorum(1, 500, VOTERS[:3]))
    assert still_member(gone, 4, {}) == []
    assert still_member(replace(gone, brokers=WELL.brokers), 4, {}) == ["broker 4 still serves"]
    assert still_member(replace(gone, quorum=WELL.quorum), 4, {}) == ["node 4 has a vote in the quorum"]
    assert still_member(replace(gone, partitions=WELL.partitions), 4, {}) == ["broker 4 holds 1 replicas (orders-1)"]


def test_a_node_is_known_as_a_broker_a_voter_or_by_its_replicas() -> None:
    assert known(WELL, 4)
    assert known(replace(WELL, brokers=()), 4)
    assert known(replace(WELL, brokers=(), quorum=None), 4)
    assert known(replace(WELL, partitions=(), quorum=None), 4)
    assert known(replace(WELL, partitions=(), brokers=()), 4)
    assert not known(WELL, 9)
    assert (
        directory_id(replace(WELL, quorum=Quorum(1, 5, (replace(VOTERS[3], directory_id=""),))), 4) == NO_DIRECTORY[1]
    )
    assert (votes(WELL, 4), directory_id(WELL, 4)) == (True, "dir4")
    assert (votes(WELL, 9), directory_id(replace(WELL, quorum=None), 4)) == (False, "")


def test_only_a_broker_that_serves_with_a_new_enough_metadata_version_is_cordoned() -> None:
    assert cordons(WELL, 4)
    assert not cordons(DOWN, 4)
    assert not cordons(replace(WELL, features={"metadata.version": Feature(29, 7, 30)}), 4)
    assert not cordons(replace(WELL, features={}), 4)
