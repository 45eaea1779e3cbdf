"""Hosts and clusters as the plans see them: one of three combined nodes, bare or serving, and what the cluster says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.host_state import DataDir, Host, Process
from ansible_collections.crucible.kafka.plugins.module_utils.identity import directory_id

CLUSTER, OTHER = "EXMJaUKljxZCEQTPA9t-Tg", "CAV9tvnTSrZTY4eaJRv4ww"
VOTERS = {node_id: directory_id(CLUSTER, node_id) for node_id in (1, 2, 3)}
PROPERTIES = {"log.dirs": "/data", "process.roles": "broker,controller", "num.io.threads": "8"}
DIGESTS = {"kafka.service": "a", "log4j2.properties": "b"}
RUNNING = Process(PROPERTIES, DIGESTS)
BOTH = ("broker", "controller")


def data_dir(node_id: int, cluster_id: str | None = CLUSTER, path: str = "/data", **changes: Any) -> DataDir:
    """A directory of that cluster, a blank one if there is none."""
    meta = {
        "version": "1",
        "cluster.id": cluster_id,
        "node.id": str(node_id),
        "directory.id": directory_id(CLUSTER, node_id) if path == "/data" else directory_id(path, node_id),
    }
    found = DataDir(path, "", False, blank=cluster_id is None, meta={k: v for k, v in meta.items() if v and cluster_id})
    return replace(found, **changes)


def host(node_id: int, *data_dirs: DataDir, **changes: Any) -> Host:
    """One of three combined nodes whose cluster has been serving; its process is as declared."""
    dirs = data_dirs or (data_dir(node_id),)
    properties = {**PROPERTIES, "log.dirs": ",".join(found.path for found in dirs)}
    host = Host(
        name=f"kafka{node_id}",
        node_id=node_id,
        roles=BOTH,
        endpoint=f"kafka{node_id}:9093",
        properties=properties,
        digests=DIGESTS,
        data_dirs=dirs,
        recorded_id=CLUSTER,
        bootstrapped=True,
        written=PROPERTIES,
        process=RUNNING,
    )
    return replace(host, **changes)


def bare(node_id: int, **changes: Any) -> Host:
    """A host on which nothing has been done yet."""
    nothing = {"recorded_id": "", "bootstrapped": False, "written": {}, "process": None}
    return host(node_id, data_dir(node_id, None), **nothing | changes)


def down(node_id: int, *data_dirs: DataDir, **changes: Any) -> Host:
    return host(node_id, *data_dirs, **{"process": None} | changes)


def cluster(
    voters: Mapping[int, str] = VOTERS,
    brokers: Sequence[int] = (1, 2, 3),
    away: Sequence[int] = (),
    partitions: Sequence[Partition] = (),
) -> ClusterState:
    """The cluster as it answers, without the nodes that are away."""
    replicas = (QuorumReplica(node, directory, 0, None if node in away else 300) for node, directory in voters.items())
    return ClusterState(
        CLUSTER,
        "4.3",
        tuple(Broker(node, f"kafka{node}", 9092, node in away) for node in brokers),
        1,
        Quorum(1, 100, tuple(replicas)),
        tuple(partitions),
        controller_hosts={node: f"kafka{node}" for node in voters},
    )
