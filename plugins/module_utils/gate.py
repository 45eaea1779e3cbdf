"""When a broker may be stopped, and when it has come back: the two questions between which a rolling change moves on.

The rules are those of Strimzi's KafkaAvailability and KafkaQuorumCheck: producers with acks=all must not notice, and
the controllers must be able to lose the one that is stopped. An empty list of reasons opens the gate.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .cluster import ClusterState, Partition, Quorum, listed

BROKER, CONTROLLER = "broker", "controller"


def may_stop(state: ClusterState, node_id: int, loses_vote: bool = False) -> list[str]:
    """Reasons why the node may not be stopped now; stopping one that already is down costs nothing but its vote.

    With `loses_vote` its vote is taken from it before it is stopped, so that the others need a majority of themselves.
    """
    return _partitions_at_risk(state, node_id) + quorum_at_risk(state.quorum, node_id, loses_vote)


def unavoidable(state: ClusterState, node_id: int) -> list[Partition]:
    """Partitions that refuse `acks=all` while the node is away whatever one waits for: they have no replica to spare.

    They do not close the gate, or a cluster with one such topic could never be changed.
    """
    return [partition for partition in state.partitions_on(node_id) if len(partition.replicas) <= partition.min_isr]


def recovered(state: ClusterState, node_id: int, roles: Collection[str], answers: bool) -> list[str]:
    """Reasons why the node has not fully come back.

    Args:
        state: The cluster as its other members see it.
        node_id: The node that was restarted.
        roles: What it is: `broker`, `controller` or both.
        answers: Whether it answered on its own port. After a kill the cluster believes in the dead broker until its
            session ends; the broker itself answers only once its new session is accepted.
    """
    reasons = []
    if BROKER in roles:
        if not state.serves(node_id):
            reasons.append(f"broker {node_id} is {'fenced' if state.broker(node_id) else 'not registered'}")
        elif not answers:
            reasons.append(f"broker {node_id} does not answer on its own port")
        if behind := [partition for partition in state.partitions_on(node_id) if node_id not in partition.isr]:
            reasons.append(f"broker {node_id} is not yet in sync for {listed(behind)}")
    if state.quorum:
        reasons += _not_following(state.quorum, node_id, roles)
    return reasons


def behind(state: ClusterState) -> list[int]:
    """The nodes that have something to catch up with, and somebody who has it: without a leader nobody can."""
    led = [partition for partition in state.partitions if not partition.offline]
    replicas = {node for partition in led for node in set(partition.replicas) - set(partition.isr)}
    voters = {voter.node_id for voter in state.quorum.voters if not voter.caught_up} if state.quorum else set()
    return sorted(replicas | voters)


def _partitions_at_risk(state: ClusterState, node_id: int) -> list[str]:
    if not state.serves(node_id):
        return []
    at_risk = [
        partition
        for partition in state.partitions_on(node_id)
        # Where min.insync.replicas leaves no replica to spare, all the others are the best there is to wait for.
        if len(set(partition.isr) - {node_id}) < min(partition.min_isr, len(partition.replicas) - 1)
    ]
    return [f"without broker {node_id} too few replicas would be in sync for {listed(at_risk)}"] if at_risk else []


def quorum_at_risk(quorum: Quorum | None, node_id: int, loses_vote: bool) -> list[str]:
    """Reasons why the controllers cannot do without that one now; with `loses_vote`, without its vote."""
    # A single controller has no majority to keep: its cluster is down while it restarts, nothing to wait for.
    if quorum is None or len(quorum.voters) == 1 or all(voter.node_id != node_id for voter in quorum.voters):
        return []
    others = [voter for voter in quorum.voters if voter.node_id != node_id]
    following = [voter.node_id for voter in others if voter.caught_up]
    remaining = replace(quorum, voters=tuple(others)) if loses_vote else quorum
    if len(following) >= remaining.majority:
        return []
    missing = listed(voter.node_id for voter in others if not voter.caught_up) or "none"
    return [
        f"without controller {node_id} only {len(following)} of {len(remaining.voters)} voters would be caught up, "
        f"{remaining.majority} are needed (behind: {missing})"
    ]


def _not_following(quorum: Quorum, node_id: int, roles: Collection[str]) -> list[str]:
    if quorum.leader_id < 0:
        return ["the controllers have no leader"]
    if CONTROLLER in roles and all(voter.node_id != node_id for voter in quorum.voters):
        return [f"controller {node_id} is not a voter"]
    replica = quorum.replica(node_id)
    if replica is None:
        return [f"node {node_id} does not follow the metadata log"]
    return [] if replica.caught_up else [f"node {node_id} is {replica.lag} records behind in the metadata log"]
