"""Whether a cluster can do without nodes that are about to be removed for good."""

from __future__ import annotations

from collections.abc import Collection

from .cluster import ClusterState, listed


def still_needed(state: ClusterState, going: Collection[int]) -> list[str]:
    """Return why the cluster needs the nodes `going`, as sentences; nothing if it can do without all of them."""
    reasons = []
    staying = {broker.node_id for broker in state.brokers} - set(going)
    held = [partition for partition in state.partitions if not set(going).isdisjoint(partition.replicas)]
    if state.brokers and not staying:
        reasons.append(
            f"the run would remove every broker of the cluster, which has {len(state.partitions)} partitions"
        )
    elif held:
        names = listed(partition.name for partition in held)
        reasons.append(f"{len(held)} partitions have a replica on a broker that would go ({names})")
    voters = [voter.node_id for voter in state.quorum.voters if voter.node_id in going] if state.quorum else []
    if voters and staying:
        reasons.append(f"controllers that would go have a vote in the quorum ({listed(voters)})")
    return reasons
