"""In which order running nodes are restarted, so that the cluster is disturbed as little and as late as possible.

Kafka's own upgrade tests restart the controllers before the brokers.
"""

from __future__ import annotations

from collections.abc import Mapping

from .cluster import ClusterState
from .host_state import BROKER

DOWN, CONTROLLERS, ACTIVE_CONTROLLER, BROKERS, ACTIVE_COMBINED_NODE = range(5)


def roll_order(state: ClusterState, roles: Mapping[int, tuple[str, ...]]) -> list[int]:
    """Return the node ids in `roles` in the order to follow.

    Nodes that are down come first, since their repair costs nothing; then the controllers, the active one last of them;
    then brokers and combined nodes, the active controller last of all. Within each, the order given is kept.
    """

    def rank(node_id: int) -> int:
        active = node_id == state.controller_id
        if not active and not _up(state, node_id):
            return DOWN
        if BROKER in roles[node_id]:
            return ACTIVE_COMBINED_NODE if active else BROKERS
        return ACTIVE_CONTROLLER if active else CONTROLLERS

    return sorted(roles, key=rank)


def _up(state: ClusterState, node_id: int) -> bool:
    if state.broker(node_id):
        return state.serves(node_id)
    replica = state.quorum.replica(node_id) if state.quorum else None
    return bool(replica and replica.caught_up)
