"""In which order running nodes are restarted, so that the cluster is disturbed as little and as late as possible.

Kafka's own upgrade tests restart the controllers before the brokers. Who is to vote does so before the others are
restarted, and who is to lose its vote keeps it until they have been: so there is a voter to spare for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .cluster import ClusterState, listed
from .host_state import BROKER, CONTROLLER

DOWN, GAINS_VOTE, LOSES_VOTE_FIRST, CONTROLLERS, ACTIVE_CONTROLLER, BROKERS, ACTIVE_COMBINED_NODE, LOSES_VOTE = range(8)


def rolling_restart_order(state: ClusterState, roles: Mapping[int, tuple[str, ...]]) -> list[int]:
    """Return the node ids in `roles` in the order to follow.

    Nodes that are down come first, since their repair costs nothing; then those that become controllers; then the
    controllers, the active one last of them; then brokers and combined nodes, the active controller last of all; and
    then those that are controllers no more. Of two voters, one that is to lose its vote does so first, for until then
    the other one cannot be restarted. Within each, the order given is kept.
    """
    voters, gaining = _voters(state), _gaining(state, roles)
    spare = len(voters | gaining) > 2

    def rank(node_id: int) -> int:
        active = node_id == state.controller_id
        if not active and not _up(state, node_id):
            return DOWN
        if node_id in gaining:
            return GAINS_VOTE
        if node_id in voters and CONTROLLER not in roles[node_id]:
            return LOSES_VOTE if spare else LOSES_VOTE_FIRST
        if BROKER in roles[node_id]:
            return ACTIVE_COMBINED_NODE if active else BROKERS
        return ACTIVE_CONTROLLER if active else CONTROLLERS

    return sorted(roles, key=rank)


def without_a_spare(state: ClusterState, roles: Mapping[int, tuple[str, ...]]) -> str:
    """Why none of the voters in `roles` can be restarted, in a sentence; "" if they can.

    Of two voters each is needed for a majority, so that a gate would wait in vain. `roles` are the declared ones of the
    nodes that are to be restarted: one that becomes a controller, or stops to be one, makes it another number first.
    """
    voters = _voters(state)
    if len(voters) != 2 or _gaining(state, roles):
        return ""
    concerned = sorted(voters & roles.keys())
    if not concerned or any(CONTROLLER not in roles[node_id] for node_id in concerned):
        return ""
    return (
        f"kafka_process_roles: only the controllers {listed(sorted(voters))} vote, each of which is needed for a"
        f" majority, so that {listed(concerned)} cannot be restarted. Let a third host be a controller: the same run"
        " makes it one before it restarts the others."
    )


def _voters(state: ClusterState) -> set[int]:
    return {voter.node_id for voter in state.quorum.voters} if state.quorum else set()


def _gaining(state: ClusterState, roles: Mapping[int, tuple[str, ...]]) -> set[int]:
    """Those that are to become voters."""
    if state.quorum is None:
        return set()
    return {node_id for node_id, declared in roles.items() if CONTROLLER in declared} - _voters(state)


def _up(state: ClusterState, node_id: int) -> bool:
    if state.broker(node_id):
        return state.serves(node_id)
    replica = state.quorum.replica(node_id) if state.quorum else None
    return bool(replica and replica.caught_up)
