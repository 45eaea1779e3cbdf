"""Which cluster a host belongs to, and whether its data directories may be formatted: the decision that can lose data.

A host without metadata is formatted as one of the first controllers only while the cluster has never formed; afterwards
it is a host that lost its disk, and joins those that serve (KIP-853). Directory ids of the first formation follow from
cluster and node, so that a formation that was interrupted on any host is finished by the next run.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

CONTROLLER = "controller"
# meta.properties in each mode: its version, and the key of the node's id.
META_FORMATS = {"kraft": ("1", "node.id"), "zookeeper": ("0", "broker.id")}
# What a quorum with a fixed voter set (kraft.version 0) says of its voters' directories.
NO_DIRECTORY = ("", "AAAAAAAAAAAAAAAAAAAAAA")


@dataclass(frozen=True)
class DataDir:
    """One of a host's data directories as it was found.

    `mount` is the mount point that the inventory says it lies on ("" for none), `blank` means that nothing would be
    lost in it, `meta` is its meta.properties, empty when there is none.
    """

    path: str
    mount: str
    mounted: bool
    blank: bool
    meta: Mapping[str, str]


@dataclass(frozen=True)
class Node:
    """One host of the inventory: what it should be, and what was found there.

    `recorded_id` is the cluster id noted outside the data directories, `formed` that its cluster has served before,
    `in_run` that this run may change the host. The first of `data_dirs` holds the metadata log; a host that did not
    answer has none.
    """

    name: str
    node_id: int
    roles: Collection[str]
    endpoint: str
    data_dirs: Sequence[DataDir]
    recorded_id: str
    formed: bool
    in_run: bool

    @property
    def lost_metadata(self) -> bool:
        """Whether there is no metadata log (any more), so that the host would have to be formatted."""
        return not self.data_dirs[0].meta


@dataclass(frozen=True)
class Steps:
    """What a host needs before and after its start.

    Attributes:
        format: "" (nothing), "initial" (as one of the first controllers) or "join" (an existing cluster).
        evict: Directory id of the controller that this host was before it lost its disk, "" for none.
        vote: Whether it has to be made a voter once it follows the metadata log.
    """

    format: str = ""
    evict: str = ""
    vote: bool = False


@dataclass(frozen=True)
class Plan:
    """The cluster's id, its first controllers as kafka-storage takes them, and the steps of each host in the run."""

    cluster_id: str
    initial_controllers: str
    steps: Mapping[str, Steps]


class Refusal(Exception):
    """Going on could destroy data, or make a second cluster; `args` are the problems, a sentence each."""


def new_id() -> str:
    """Return a random cluster id: 16 bytes as 22 characters of URL-safe base64 (KIP-78)."""
    return _identifier(os.urandom(16))


def directory_id(cluster_id: str, node_id: int) -> str:
    """Return the id of a controller's metadata directory at the first formation of its cluster."""
    return _identifier(sha256(f"{cluster_id}:{node_id}".encode()).digest()[:16])


def _identifier(data: bytes) -> str:
    # The first bit is cleared because an id that began with "-" would be an option to Kafka's tools.
    return urlsafe_b64encode(bytes([data[0] & 0x7F]) + data[1:]).decode().rstrip("=")


def plan(
    mode: str, nodes: Sequence[Node], declared_id: str, voters: Mapping[int, str] | None, preview: bool = False
) -> Plan:
    """Decide for the whole cluster at once.

    Args:
        mode: `kraft` or `zookeeper`; in ZooKeeper mode nothing is formatted, so that only the checks remain.
        nodes: Every host of the inventory, also those that this run may not change.
        declared_id: The inventory's cluster id, "" for none.
        voters: Directory id of each voter by node id, None when no cluster answers.
        preview: Whether nothing is going to be changed (check mode), so that a bare host's disk is not mounted yet.

    Raises:
        Refusal: Nothing may be changed on any host.
    """
    if problems := [*_damage(mode, nodes, preview), *_disagreement(nodes, declared_id if mode == "kraft" else "")]:
        raise Refusal(*problems)
    known = next((cluster_id for cluster_id, _ in _claims(nodes, declared_id)), "")
    if mode == "zookeeper":
        return Plan(known, "", {node.name: Steps() for node in nodes if node.in_run})
    if problems := list(_unformable(nodes, voters)):
        raise Refusal(*problems)
    cluster_id = known or new_id()
    controllers = [node for node in nodes if CONTROLLER in node.roles]
    return Plan(
        cluster_id,
        ",".join(f"{node.node_id}@{node.endpoint}:{directory_id(cluster_id, node.node_id)}" for node in controllers),
        {node.name: _steps(node, _formed(nodes, voters), voters or {}) for node in nodes if node.in_run},
    )


def _steps(node: Node, formed: bool, voters: Mapping[int, str]) -> Steps:
    if node.lost_metadata and not formed:
        return Steps(format="initial")
    format_as = "join" if node.lost_metadata else ""
    voter = voters.get(node.node_id)
    if CONTROLLER not in node.roles or not voters or voter in NO_DIRECTORY:
        return Steps(format_as)
    if voter is not None and voter == node.data_dirs[0].meta.get("directory.id"):
        return Steps()
    return Steps(format_as, evict=voter or "", vote=True)


def _formed(nodes: Sequence[Node], voters: Mapping[int, str] | None) -> bool:
    """Whether there is or was a cluster: data that no formation of ours can have left counts as one."""
    return voters is not None or any(
        node.formed or (not node.recorded_id and any(found.meta for found in node.data_dirs)) for node in nodes
    )


def _claims(nodes: Sequence[Node], declared_id: str) -> Iterator[tuple[str, str]]:
    """Each cluster id that anything claims, and what does, the most trustworthy first."""
    for node in nodes:
        for found in node.data_dirs:
            if "cluster.id" in found.meta:
                yield found.meta["cluster.id"], f"{found.path} on {node.name}"
    for node in nodes:
        if node.recorded_id:
            yield node.recorded_id, f"the record on {node.name}"
    if declared_id:
        yield declared_id, "kafka_cluster_id"


def _disagreement(nodes: Sequence[Node], declared_id: str) -> Iterator[str]:
    claims: dict[str, list[str]] = {}
    for cluster_id, claimant in _claims(nodes, declared_id):
        claims.setdefault(cluster_id, []).append(claimant)
    if len(claims) > 1:
        sides = "; ".join(f"{claim} according to {', '.join(claimants)}" for claim, claimants in claims.items())
        yield f"The hosts are not of one cluster (kafka_cluster_id): {sides}. Data of another one is never formatted."


def _damage(mode: str, nodes: Sequence[Node], preview: bool) -> Iterator[str]:
    """What makes a data directory unfit to be started on, let alone formatted."""
    version, id_key = META_FORMATS[mode]
    for node in nodes:
        for found in node.data_dirs:
            where = f"{found.path} on {node.name} (kafka_data_dirs)"
            if found.mount and not found.mounted and not (preview and not node.recorded_id):
                yield f"{where}: nothing is mounted at {found.mount}, so its data is elsewhere or lost. Mount it."
            elif not found.meta and not found.blank:
                yield f"{where} holds files but no meta.properties, so they are not Kafka's. Move them away."
            elif found.meta and found.meta.get("version") != version:
                yield f"{where} was not written in kafka_mode {mode}: see the version in its meta.properties."
            elif found.meta and found.meta.get(id_key) != str(node.node_id):
                yield f"{where} belongs to node {found.meta.get(id_key)}, but kafka_node_id is {node.node_id}."


def _unformable(nodes: Sequence[Node], voters: Mapping[int, str] | None) -> Iterator[str]:
    blank = [node.name for node in nodes if node.in_run and node.lost_metadata]
    if not blank or voters is not None:
        return
    if _formed(nodes, voters):
        yield (
            f"{', '.join(blank)}: no metadata, but the cluster has been there before and does not answer."
            " A host that lost its disk joins a cluster that serves: start the other hosts first (--limit)."
        )
    elif absent := [node.name for node in nodes if CONTROLLER in node.roles and not node.in_run]:
        yield f"The cluster has never formed, which takes every controller: {', '.join(absent)} too (--limit)."
