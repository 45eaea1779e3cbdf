"""In which order nodes are changed, so that the cluster is disturbed as little and as late as possible."""

from __future__ import annotations

from collections.abc import Sequence

from .cluster import ClusterState


def roll_order(state: ClusterState, node_ids: Sequence[int]) -> list[int]:
    """The same nodes: those that are down first (repair is free), last the active controller (one election)."""

    def rank(node_id: int) -> int:
        if node_id == state.controller_id:
            return 2
        replica = state.quorum.replica(node_id) if state.quorum else None
        up = state.serves(node_id) if state.broker(node_id) else bool(replica and replica.caught_up)
        return 1 if up else 0

    return sorted(node_ids, key=rank)
