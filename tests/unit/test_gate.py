"""A broker may be stopped only while nobody notices, and is back only when it holds again what it held."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.gate import behind, may_stop, recovered, unavoidable
from ansible_collections.crucible.kafka.plugins.module_utils.rolling_restart_order import (
    rolling_restart_order,
    without_a_spare,
)

BROKERS = (1, 2, 3)
BOTH = ("broker", "controller")


def quorum(leader: int = 1, behind: Iterable[int] = (), voters: Iterable[int] = BROKERS) -> Quorum:
    replicas = tuple(QuorumReplica(v, f"dir{v}", 0, None if v in behind else 300) for v in voters)
    return Quorum(leader, 100, replicas)


def cluster(
    *partitions: Partition,
    fenced: Iterable[int] = (),
    controllers: Quorum | None = None,
    nodes: Iterable[int] = BROKERS,
) -> ClusterState:
    brokers = tuple(Broker(node, f"kafka{node}", 9092, node in fenced) for node in nodes)
    return ClusterState("id", "4.3", brokers, controllers.leader_id if controllers else 1, controllers, partitions)


def orders(isr: Iterable[int] = BROKERS, min_isr: int = 2, replicas: Iterable[int] = BROKERS) -> Partition:
    return Partition("orders", 0, next(iter(isr), -1), tuple(replicas), tuple(isr), min_isr)


@st.composite
def states(draw: st.DrawFn) -> ClusterState:
    nodes = draw(st.sets(st.integers(1, 7), min_size=1))
    partitions = []
    for index in range(draw(st.integers(0, 6))):
        replicas = draw(st.lists(st.sampled_from(sorted(nodes)), unique=True, min_size=1))
        isr = draw(st.lists(st.sampled_from(replicas), unique=True))
        partitions.append(Partition("t", index, -1, tuple(replicas), tuple(isr), draw(st.integers(1, 4))))
    fenced, behind = draw(st.sets(st.sampled_from(sorted(nodes)))), draw(st.sets(st.sampled_from(sorted(nodes))))
    leader = draw(st.sampled_from(sorted(nodes)))
    controllers = draw(st.sampled_from([None, quorum(leader, behind - {leader}, sorted(nodes))]))
    return cluster(*partitions, fenced=fenced, controllers=controllers, nodes=sorted(nodes))


def test_a_broker_of_a_healthy_cluster_may_be_stopped() -> None:
    assert may_stop(cluster(orders(), controllers=quorum()), 2) == []


def test_no_second_broker_is_stopped_while_one_is_missing_from_the_isr() -> None:
    (reason,) = may_stop(cluster(orders(isr=(1, 2))), 2)
    assert "orders-0 (replicas [1,2,3], in sync [1,2], min.insync.replicas 2)" in reason


def test_a_replica_that_is_catching_up_is_not_stopped_while_its_partition_is_short() -> None:
    assert may_stop(cluster(orders(isr=(1,))), 3)


def test_a_broker_that_is_down_may_always_be_restarted() -> None:
    assert may_stop(cluster(orders(isr=(1,)), fenced=[3], controllers=quorum(behind=[3])), 3) == []


def test_the_last_replica_in_sync_is_not_stopped_even_where_min_isr_spares_none() -> None:
    assert may_stop(cluster(orders(isr=(1,), min_isr=3)), 1)


def test_a_partition_without_a_replica_to_spare_does_not_hold_up_a_change_and_is_told() -> None:
    alone = orders(replicas=(2,), isr=(2,), min_isr=1)
    assert may_stop(cluster(alone), 2) == []
    assert unavoidable(cluster(alone), 2) == [alone]


def test_a_controller_is_not_stopped_when_the_others_are_no_majority() -> None:
    (reason,) = may_stop(cluster(controllers=quorum(behind=[3])), 2)
    assert "only 1 of 3 voters would be caught up, 2 are needed (behind: 3)" in reason


def test_a_controller_is_not_stopped_where_no_voter_is_to_spare_although_none_is_behind() -> None:
    assert may_stop(cluster(controllers=quorum(voters=[1, 2])), 2) == [
        "without controller 2 only 1 of 2 voters would be caught up, 2 are needed (behind: none)"
    ]


def test_a_controller_that_loses_its_vote_leaves_a_majority_of_the_others() -> None:
    assert may_stop(cluster(controllers=quorum(voters=[1, 2])), 2, loses_vote=True) == []
    four = quorum(voters=[1, 2, 3, 4], behind=[3])
    assert may_stop(cluster(controllers=four), 4, loses_vote=True) == []
    (reason,) = may_stop(cluster(controllers=quorum(behind=[3])), 2, loses_vote=True)
    assert "only 1 of 2 voters would be caught up, 2 are needed (behind: 3)" in reason
    assert may_stop(cluster(controllers=four), 4) == [
        "without controller 4 only 2 of 4 voters would be caught up, 3 are needed (behind: 3)"
    ]


def test_a_broker_without_a_vote_may_be_stopped_whatever_the_controllers_lack() -> None:
    assert may_stop(cluster(orders(), controllers=quorum(behind=[102, 103], voters=[101, 102, 103])), 2) == []


def test_a_single_controller_may_be_stopped_for_there_is_no_majority_to_keep() -> None:
    assert may_stop(cluster(controllers=quorum(voters=[1])), 1) == []


def test_zookeeper_mode_is_judged_by_its_partitions_alone() -> None:
    assert may_stop(cluster(orders()), 2) == []
    assert may_stop(cluster(orders(isr=(1, 2))), 1) != []


@given(states(), st.integers(1, 7))
def test_an_open_gate_never_takes_a_partition_below_what_it_needs(state: ClusterState, node: int) -> None:
    if may_stop(state, node) or not state.serves(node):
        return
    for partition in state.partitions_on(node):
        left = set(partition.isr) - {node}
        assert len(left) >= partition.min_isr or len(left) >= len(partition.replicas) - 1


@given(states(), st.integers(1, 7))
def test_an_open_gate_leaves_a_majority_of_caught_up_voters(state: ClusterState, node: int) -> None:
    if state.quorum is None or len(state.quorum.voters) == 1 or node not in [v.node_id for v in state.quorum.voters]:
        return
    if may_stop(state, node) == []:
        assert sum(v.caught_up for v in state.quorum.voters if v.node_id != node) > len(state.quorum.voters) / 2


def test_a_broker_is_back_when_it_answers_serves_follows_and_is_in_sync() -> None:
    assert recovered(cluster(orders(), controllers=quorum()), 2, BOTH, answers=True) == []


def test_each_thing_that_is_missing_keeps_the_gate_closed() -> None:
    whole = cluster(orders(), controllers=quorum())
    cases = {
        "is fenced": (cluster(orders(), fenced=[2], controllers=quorum()), True),
        "is not registered": (cluster(orders(), nodes=[1, 3], controllers=quorum()), True),
        "does not answer": (whole, False),
        "not yet in sync for orders-0": (cluster(orders(isr=(1, 3)), controllers=quorum()), True),
        "records behind": (cluster(orders(), controllers=quorum(behind=[2])), True),
        "is not a voter": (cluster(orders(), controllers=quorum(voters=[1, 3])), True),
        "have no leader": (cluster(orders(), controllers=quorum(leader=-1)), True),
    }
    for sentence, (state, answers) in cases.items():
        (reason,) = recovered(state, 2, BOTH, answers)
        assert sentence in reason


def test_controllers_without_a_leader_keep_the_gate_closed_and_node_0_is_a_leader_like_any_other() -> None:
    nodes = (0, 1, 2)
    led = cluster(nodes=nodes, controllers=quorum(leader=0, voters=nodes))
    assert recovered(led, 2, BOTH, answers=True) == []
    leaderless = cluster(nodes=nodes, controllers=quorum(leader=-1, voters=nodes))
    assert recovered(leaderless, 2, BOTH, answers=True) == ["the controllers have no leader"]


def test_a_broker_without_a_vote_must_follow_the_metadata_log() -> None:
    observed = replace(quorum(voters=[1, 3]), observers=(QuorumReplica(2, "dir2", 7, 60_000),))
    assert recovered(cluster(controllers=observed), 2, ["broker"], answers=True) == [
        "node 2 is 7 records behind in the metadata log"
    ]


def test_a_node_that_lost_its_disk_is_who_it_is_now_and_not_who_it_was() -> None:
    was, now = QuorumReplica(2, "dir2", 496, 137_000), QuorumReplica(2, "dir2b", 0, 400)
    both = replace(quorum(voters=[1, 3]), observers=(was, now)).without_stale_observers()
    assert both.observers == (now,)
    assert recovered(cluster(controllers=both), 2, ["broker"], answers=True) == []
    voting_again = replace(quorum(), observers=(was,)).without_stale_observers()
    assert voting_again.observers == ()


def test_a_vote_that_is_still_given_to_a_lost_disk_is_no_ghost() -> None:
    lost = replace(quorum(behind=[2]), observers=(QuorumReplica(2, "dir2b", 0, 400),)).without_stale_observers()
    assert [voter.node_id for voter in lost.voters] == [1, 2, 3]
    assert len(lost.observers) == 1


def test_a_controller_that_is_no_broker_is_judged_by_its_vote() -> None:
    state = cluster(nodes=[1, 3], controllers=quorum())
    assert recovered(state, 2, ["controller"], answers=False) == []


@given(states().flatmap(lambda s: st.tuples(st.just(s), st.permutations([b.node_id for b in s.brokers]))))
def test_the_order_is_a_permutation_with_the_active_controller_last(drawn: tuple[ClusterState, list[int]]) -> None:
    state, nodes = drawn
    order = rolling_restart_order(state, dict.fromkeys(nodes, BOTH))
    assert sorted(order) == sorted(nodes)
    assert state.controller_id not in order[:-1]


def test_brokers_that_are_down_come_first_and_the_others_in_the_order_given() -> None:
    state = cluster(fenced=[4], controllers=quorum(leader=2), nodes=[1, 2, 3, 4])
    assert rolling_restart_order(state, dict.fromkeys([2, 3, 1, 5, 4], BOTH)) == [5, 4, 3, 1, 2]


def test_in_zookeeper_mode_a_broker_that_is_not_registered_comes_first() -> None:
    assert rolling_restart_order(cluster(nodes=[1, 2]), dict.fromkeys([1, 2, 3], ("broker",))) == [3, 2, 1]


def test_controllers_are_restarted_before_brokers_and_the_active_one_last_of_them() -> None:
    state = cluster(fenced=[3], controllers=quorum(leader=102, behind=[103], voters=[101, 102, 103]))
    roles = dict.fromkeys([1, 2, 3], ("broker",)) | dict.fromkeys([102, 101, 103], ("controller",))
    assert rolling_restart_order(state, roles) == [3, 103, 101, 102, 1, 2]


def test_votes_are_given_before_and_taken_after_the_others_are_restarted() -> None:
    broker, nodes = ("broker",), [1, 2, 3, 4]
    loses = {1: BOTH, 2: broker, 3: BOTH, 4: broker}
    assert rolling_restart_order(cluster(controllers=quorum(leader=3), nodes=nodes), loses) == [1, 4, 3, 2]
    assert rolling_restart_order(cluster(controllers=quorum(leader=2), nodes=nodes), loses) == [1, 3, 4, 2]
    gains = {1: BOTH, 2: BOTH, 3: broker, 4: BOTH}
    two = cluster(controllers=quorum(leader=1, voters=[1, 2]), nodes=nodes)
    assert rolling_restart_order(two, gains) == [4, 2, 3, 1]
    assert rolling_restart_order(two, gains | {2: broker}) == [4, 3, 1, 2]


def test_of_two_voters_one_gives_up_its_vote_before_the_other_is_restarted() -> None:
    two = cluster(controllers=quorum(leader=1, voters=[1, 2]))
    assert rolling_restart_order(two, {1: BOTH, 2: ("broker",), 3: ("broker",)}) == [2, 3, 1]


def test_of_two_voters_neither_can_be_restarted_unless_their_number_changes() -> None:
    two = cluster(controllers=quorum(leader=1, voters=[1, 2]))
    assert without_a_spare(two, {2: BOTH, 3: ("broker",)}) == (
        "kafka_process_roles: only the controllers 1 and 2 vote, each of which is needed for a majority, so that 2"
        " cannot be restarted. Let a third host be a controller: the same run makes it one before it restarts the"
        " others."
    )
    assert without_a_spare(two, {3: ("broker",)}) == ""
    assert without_a_spare(two, {1: BOTH, 2: BOTH, 3: BOTH}) == ""
    assert without_a_spare(two, {1: BOTH, 2: ("broker",)}) == ""
    assert without_a_spare(cluster(controllers=quorum()), {2: BOTH}) == ""
    assert without_a_spare(cluster(controllers=quorum(voters=[1])), {1: BOTH}) == ""
    assert without_a_spare(cluster(), {1: BOTH}) == ""


def test_where_an_authorizer_runs_the_others_learn_of_a_new_node_before_it_is_started() -> None:
    """Until they have been restarted, the nodes that run have super.users without it, and refuse it."""
    three = cluster(fenced=[3], controllers=quorum(leader=1))
    roles = {4: BOTH, 5: ("broker",)} | dict.fromkeys([1, 2, 3], BOTH)
    assert rolling_restart_order(three, roles) == [4, 5, 3, 2, 1]
    assert rolling_restart_order(three, roles, newcomers_last=True) == [3, 2, 1, 4, 5]
    follows = replace(quorum(voters=[1, 3]), observers=(QuorumReplica(4, "dir4", 0, 400),))
    assert rolling_restart_order(cluster(controllers=follows), roles, newcomers_last=True) == [4, 2, 3, 1, 5]


def test_in_zookeeper_mode_a_broker_that_is_down_is_no_new_one() -> None:
    roles = dict.fromkeys([1, 2, 3], ("broker",))
    assert rolling_restart_order(cluster(nodes=[1, 2]), roles, newcomers_last=True) == [3, 2, 1]


def test_where_an_authorizer_runs_a_new_node_is_no_spare_for_two_voters() -> None:
    two = cluster(controllers=quorum(leader=1, voters=[1, 2]))
    said = without_a_spare(two, {1: BOTH, 2: BOTH, 4: BOTH}, newcomers_last=True)
    assert said.startswith("kafka_process_roles: only the controllers 1 and 2 vote, each of which is needed for a majo")
    assert "Let a third host that is a broker already be a controller" in said
    assert "systemctl stop kafka" in said
    assert "--limit" in said
    assert without_a_spare(two, {1: BOTH, 2: BOTH, 3: BOTH}, newcomers_last=True) == ""
    assert without_a_spare(two, {4: BOTH}, newcomers_last=True) == ""
    # With a spare among those that are known, votes are taken at the end as always.
    loses = {1: BOTH, 2: ("broker",), 3: BOTH, 4: BOTH}
    assert rolling_restart_order(two, loses, newcomers_last=True) == [3, 1, 2, 4]
    assert rolling_restart_order(two, {1: BOTH, 2: ("broker",), 4: BOTH}, newcomers_last=True) == [2, 1, 4]


def test_what_caught_up_means_is_what_the_cluster_has_configured() -> None:
    slow = QuorumReplica(3, "dir3", 9, caught_up_ms_ago=4000)
    assert not slow.caught_up
    assert replace(slow, caught_up_within_ms=5000).caught_up


def test_who_lacks_records_or_metadata_is_behind() -> None:
    assert behind(cluster(orders(isr=(1, 2)), controllers=quorum(behind=[2]))) == [2, 3]
    assert behind(cluster(orders(), controllers=quorum())) == []
    assert behind(cluster(orders(isr=(1, 2)))) == [3]  # In ZooKeeper mode there is no quorum.


def test_nobody_is_waited_for_who_waits_for_a_leader_himself() -> None:
    """The only replica in sync lost its disk: it must be replaced before the others can catch up."""
    offline = replace(orders(isr=(3,)), leader=-1)
    assert behind(cluster(offline, controllers=quorum(behind=[3]))) == [3]
