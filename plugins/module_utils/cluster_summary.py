"""A cluster's state as the facts that modules return to Ansible."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from .cluster import ClusterState, Partition, raisable
from .gate import behind
from .membership import addresses


def _quorum(state: ClusterState) -> dict[str, Any] | None:
    """The controllers, each with whether it keeps up."""
    if state.quorum is None:
        return None
    replicas = {
        kind: [{**asdict(replica), "caught_up": replica.caught_up} for replica in group]
        for kind, group in (("voters", state.quorum.voters), ("observers", state.quorum.observers))
    }
    return {
        "leader_id": state.quorum.leader_id,
        "high_watermark": state.quorum.high_watermark,
        "listeners": {node_id: list(names) for node_id, names in state.quorum.listeners.items()},
        **replicas,
    }


def summary(state: ClusterState, away: Collection[int] = ()) -> dict[str, Any]:
    """Return the state as plain dictionaries and lists; `away` are the brokers that do not answer themselves."""
    topics: dict[str, list[Partition]] = {}
    for partition in state.partitions:
        topics.setdefault(partition.topic, []).append(partition)
    return {
        "cluster_id": state.cluster_id,
        "release": state.release,
        "brokers": [asdict(broker) for broker in state.brokers],
        "controller_id": state.controller_id,
        "quorum": _quorum(state),
        "features": {
            name: {
                "finalized": level.finalized,
                "min": level.minimum,
                "max": level.maximum,
                "raisable": raisable(name, level),
            }
            for name, level in state.features.items()
        },
        "topics": {
            name: {"partitions": len(group), "replication_factor": len(group[0].replicas), "min_isr": group[0].min_isr}
            for name, group in topics.items()
        },
        "under_replicated": [str(partition) for partition in state.partitions if partition.under_replicated],
        "under_min_isr": [str(partition) for partition in state.partitions if partition.under_min_isr],
        "offline": [str(partition) for partition in state.partitions if partition.offline],
        "serving": [node.node_id for node in state.brokers if not node.fenced and node.node_id not in away],
        "behind": behind(state),
        "member_hosts": addresses(state),
    }


NOTHING = summary(ClusterState("", "", (), None, None, ()))
