"""Which cluster the hosts belong to, and what makes a data directory unfit to be started on, let alone formatted.

Directory ids of the first formation follow from cluster and node, so that a formation that was interrupted on any host
is finished by the next run.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256

from .host_state import CONTROLLER, DataDir, Host

# meta.properties in each mode: its version, and the key of the node's id.
META_FORMATS = {"kraft": ("1", "node.id"), "zookeeper": ("0", "broker.id")}
# What a broker that has left ZooKeeper mode, or is about to, was started or is to be started with.
LEFT_ZOOKEEPER = ("process.roles", "zookeeper.metadata.migration.enable")


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


def bootstrapped(hosts: Sequence[Host], answers: bool) -> bool:
    """Whether there is or was a cluster: data that no formation of ours can have left counts as one."""
    return answers or any(
        host.bootstrapped or (not host.recorded_id and any(found.meta for found in host.data_dirs)) for host in hosts
    )


def initial_controllers(cluster_id: str, hosts: Sequence[Host]) -> str:
    """Return the first controllers as kafka-storage takes them."""
    return ",".join(
        f"{host.node_id}@{host.endpoint}:{directory_id(cluster_id, host.node_id)}"
        for host in hosts
        if CONTROLLER in host.roles
    )


def known_id(hosts: Sequence[Host], declared_id: str) -> str:
    """Return the cluster id that the hosts have, else the declared one, "" if there is none."""
    return next((cluster_id for cluster_id, _ in _claims(hosts, declared_id)), "")


def _claims(hosts: Sequence[Host], declared_id: str) -> Iterator[tuple[str, str]]:
    """Each cluster id that anything claims, and what does, the most trustworthy first."""
    for host in hosts:
        for found in host.data_dirs:
            if "cluster.id" in found.meta:
                yield found.meta["cluster.id"], f"{found.path} on {host.name}"
    for host in hosts:
        if host.recorded_id:
            yield host.recorded_id, f"the record on {host.name}"
    if declared_id:
        yield declared_id, "kafka_cluster_id"


def disagreement(hosts: Sequence[Host], declared_id: str) -> Iterator[str]:
    """Tell which hosts claim to be of different clusters."""
    claims: dict[str, list[str]] = {}
    for cluster_id, claimant in _claims(hosts, declared_id):
        claims.setdefault(cluster_id, []).append(claimant)
    if len(claims) > 1:
        sides = "; ".join(f"{claim} according to {', '.join(claimants)}" for claim, claimants in claims.items())
        yield f"The hosts are not of one cluster (kafka_cluster_id): {sides}. Data of another one is never formatted."


def damage(mode: str, hosts: Sequence[Host], preview: bool) -> Iterator[str]:
    """Tell which data directories are unfit to be started on, let alone formatted."""
    for host in hosts:
        for found in host.data_dirs:
            mode_of = host.mode or mode
            version, id_key = _meta_format(mode_of, host, found)
            where = f"{found.path} on {host.name} (kafka_data_dirs)"
            if found.mount and not found.mounted and not (preview and not host.recorded_id):
                yield f"{where}: nothing is mounted at {found.mount}, so its data is elsewhere or lost. Mount it."
            elif not found.meta and not found.blank:
                yield f"{where} holds files but no meta.properties, so they are not Kafka's. Move them away."
            elif found.meta and found.meta.get("version") != version:
                yield f"{where} was not written in kafka_mode {mode_of}: see the version in its meta.properties."
            elif found.meta and found.meta.get(id_key) != str(host.node_id):
                yield f"{where} belongs to node {found.meta.get(id_key)}, but kafka_node_id is {host.node_id}."


def _meta_format(mode: str, host: Host, found: DataDir) -> tuple[str, str]:
    """The format in which the directory may be; a broker that was migrated keeps that of ZooKeeper mode for good."""
    started = host.process.properties if host.process else {}
    migrated = mode == "kraft" and any(key in started or key in host.written for key in LEFT_ZOOKEEPER)
    if migrated and found.meta.get("version") == META_FORMATS["zookeeper"][0]:
        return META_FORMATS["zookeeper"]
    return META_FORMATS[mode]
