"""In which order running nodes are restarted, so that the cluster is disturbed as little and as late as possible.

Kafka's own upgrade tests restart the controllers before the brokers. A node that is to vote does so before the others
are restarted, and one that is to lose its vote keeps it until they have been: so there is a voter to spare for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .cluster import ClusterState, listed
from .host_state import BROKER, CONTROLLER

DOWN, GAINS_VOTE, LOSES_VOTE_FIRST, CONTROLLERS, ACTIVE_CONTROLLER, BROKERS, ACTIVE_COMBINED_NODE, LOSES_VOTE = range(8)
NEWCOMERS = LOSES_VOTE + 1


def rolling_restart_order(
    state: ClusterState, roles: Mapping[int, tuple[str, ...]], newcomers_last: bool = False
) -> list[int]:
    """Return the node ids in `roles` in the order to follow.

    Nodes that are down come first, since their repair costs nothing; then those that become controllers; then the
    controllers, the active one last of them; then brokers and combined nodes, the active controller last of all; and
    then those that are controllers no more. Of two voters, one that is to lose its vote does so first, for until then
    the other one cannot be restarted. Within each, the order given is kept.

    With `newcomers_last` those come after all others that the cluster has never seen: an authorizer refuses them until
    the nodes that run have been restarted with `super.users` that name them.
    """
    late = newcomers(state, roles) if newcomers_last else set()
    voters, gaining = _voters(state), _gaining(state, roles) - late
    spare = len(voters | gaining) > 2

    def rank(node_id: int) -> int:
        if node_id in late:
            return NEWCOMERS
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


def newcomers(state: ClusterState, node_ids: Iterable[int]) -> set[int]:
    """Those that a cluster of controllers has never seen: neither as a broker, nor as a voter or an observer.

    With ZooKeeper none can be told apart from a broker that is down.
    """
    if state.quorum is None:
        return set()
    return {node for node in node_ids if not state.broker(node) and not state.quorum.replica(node)}


def without_a_spare(state: ClusterState, roles: Mapping[int, tuple[str, ...]], newcomers_last: bool = False) -> str:
    """Why none of the voters in `roles` can be restarted, in a sentence; "" if they can.

    Of two voters each is needed for a majority, so that a gate would wait in vain. `roles` are the declared ones of the
    nodes that are to be restarted: one that becomes a controller, or stops to be one, makes it another number first;
    but with `newcomers_last` none that the cluster has never seen.
    """
    voters = _voters(state)
    late = newcomers(state, roles) if newcomers_last else set()
    if len(voters) != 2 or _gaining(state, roles) - late:
        return ""
    concerned = sorted(voters & roles.keys())
    if not concerned or any(CONTROLLER not in roles[node_id] for node_id in concerned):
        return ""
    third = "a third host that is a broker already" if late else "a third host"
    return (
        f"kafka_process_roles: only the controllers {listed(sorted(voters))} vote, each of which is needed for a"
        f" majority, so that {listed(concerned)} cannot be restarted. Let {third} be a controller: the same run"
        " makes it one before it restarts the others." + (_WITHOUT_NEWCOMERS if late else "")
    )


_WITHOUT_NEWCOMERS = (
    " A new host cannot be the third one: where an authorizer runs, the others let it in once they have been restarted."
    " If there is no other, stop Kafka on the two (systemctl stop kafka), run site.yml with --limit for all hosts but"
    " the new one, and then without --limit; clients wait meanwhile."
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
