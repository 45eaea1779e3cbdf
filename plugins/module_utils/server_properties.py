"""What a node's server.properties say, from what the inventory declares: a dict for each layer, merged once.

Later layers win: what holds for every cluster, for the mode, for the release, for its security, for the timing profile,
and what the user declares in kafka_config, where None takes a key away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import migration_phase, security, security_phase
from .listeners import advertised_property, entry_listener, listeners_property

SENSITIVE = re.compile(r"password|secret|credential|jaas\.config|keystore\.key$", re.IGNORECASE)
FILE_PROVIDER = "org.apache.kafka.common.config.provider.FileConfigProvider"
PROVIDERS = "config.providers"
# Names for our provider, of which the first is taken that the user has not given to another one.
PROVIDER_NAMES = ("file", "secrets", "kafka_secrets")


@dataclass(frozen=True)
class Node:
    """A host of the cluster: under `host` the others reach it."""

    name: str
    node_id: int
    host: str
    roles: Sequence[str]


@dataclass(frozen=True)
class Cluster:
    """What is declared for all nodes.

    `major` is Kafka's major release. `listeners` are entries of kafka_listeners. By the first of `controller_listeners`
    nodes connect to controllers, at `controller_servers`. `zookeeper_connect` is for that mode alone, on the way to
    KRaft in a `migration_phase`. `security` is kafka_security, on the way there in its `security_phase`, and
    `administrator` the user that needs no ACL then.
    """

    mode: str
    major: int
    nodes: Sequence[Node]
    listeners: Sequence[Mapping[str, Any]]
    inter_broker_listener: str
    controller_listeners: Sequence[str] = ()
    controller_servers: Sequence[str] = ()
    zookeeper_connect: str = ""
    security: str = "plaintext"
    security_phase: str = ""
    administrator: str = ""
    migration_phase: str = ""

    @property
    def brokers(self) -> list[Node]:
        """The nodes that hold data."""
        return [node for node in self.nodes if "broker" in self.roles(node)]

    @property
    def replication_factor(self) -> int:
        """Of topics that say nothing else."""
        return min(3, len(self.brokers))

    @property
    def min_isr(self) -> int:
        """One broker may be away and nothing stops; two, and nothing is acknowledged that could be lost."""
        return max(1, self.replication_factor - 1)

    def roles(self, node: Node) -> Sequence[str]:
        """What the node is; ZooKeeper mode knows brokers alone."""
        return node.roles if self.mode_of(node) == "kraft" or "broker" not in node.roles else ["broker"]

    def mode_of(self, node: Node) -> str:
        """In which mode the node is; on the way to KRaft they differ."""
        return migration_phase.node_mode(self.mode, self.migration_phase, node.roles)

    def listeners_of(self, node: Node) -> list[Mapping[str, Any]]:
        """Where the node listens: the controllers' listeners are for controllers, all others are for brokers."""
        return [
            entry
            for entry in self.listeners
            if ("controller" if entry["name"] in self.controller_listeners else "broker") in self.roles(node)
        ]


@dataclass(frozen=True)
class ServerProperties:
    """The text files of a node: what everybody may read, and the values that nobody may see."""

    properties: Mapping[str, str]
    secrets: Mapping[str, str]


def server_properties(
    cluster: Cluster,
    node: Node,
    data_dirs: Sequence[str],
    timing: Mapping[str, Any],
    declared: Mapping[str, Any],
    secrets_file: str,
) -> ServerProperties:
    """Return the node's properties; a secret is a reference to `secrets_file`, which has its value (KIP-297).

    Neither a diff nor a comparison with the running process sees a secret then. What the user wrote as a reference to
    a provider of his own stays as it is, and his providers are kept beside ours.
    """
    layers = [
        _common(cluster, node, data_dirs),
        _broker(cluster, node),
        _kraft(cluster, node) if cluster.mode_of(node) == "kraft" else _zookeeper(cluster, node),
        _migration(cluster, node),
        _release(cluster),
        _security(cluster),
        timing,
        declared,
    ]
    properties = strings({key: value for layer in layers for key, value in layer.items()})
    secrets = secret_values(properties)
    return ServerProperties({**properties, **_references(properties, secrets, secrets_file)}, secrets)


def strings(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the properties as Kafka reads them: booleans in lower case, lists joined; None takes a key away."""
    return {str(key): string(value) for key, value in properties.items() if value is not None}


def string(value: Any) -> str:
    """Return a value as Kafka reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(string(item) for item in value)
    return str(value)


def secret_values(properties: Mapping[str, str]) -> dict[str, str]:
    """Return the properties whose values nobody may see: sensitive by their name, and not kept by another provider.

    What configures the providers themselves is read before there is one that could look it up.
    """
    providers = _names(properties.get(PROVIDERS, ""))
    return {
        key: value
        for key, value in properties.items()
        if SENSITIVE.search(key) and not key.startswith(f"{PROVIDERS}.") and not _refers_to(value, providers)
    }


def _common(cluster: Cluster, node: Node, data_dirs: Sequence[str]) -> dict[str, Any]:
    own = [entry_listener(entry, node.host) for entry in cluster.listeners_of(node)]
    return {
        "listeners": listeners_property(own),
        "advertised.listeners": advertised_property(own),
        "listener.security.protocol.map": [f"{each['name']}:{each['security_protocol']}" for each in cluster.listeners],
        "inter.broker.listener.name": cluster.inter_broker_listener,
        "log.dirs": list(data_dirs),
        # A topic is declared, not made by a typo; a leader is never one that has lost acknowledged records.
        "auto.create.topics.enable": False,
        "unclean.leader.election.enable": False,
        "default.replication.factor": cluster.replication_factor,
        "min.insync.replicas": cluster.min_isr,
        "offsets.topic.replication.factor": cluster.replication_factor,
        "transaction.state.log.replication.factor": cluster.replication_factor,
        "transaction.state.log.min.isr": cluster.min_isr,
    }


def _broker(cluster: Cluster, node: Node) -> dict[str, Any]:
    if "broker" not in cluster.roles(node):
        return {}
    # A follower that asks its new leader before that one knows waits so long, and until it asks again nothing is
    # committed: with Kafka's second of it each hand-over of leadership stands still for more than a second.
    return {"replica.fetch.backoff.ms": 100}


def _kraft(cluster: Cluster, node: Node) -> dict[str, Any]:
    quorum = next(entry for entry in cluster.listeners if entry["name"] == cluster.controller_listeners[0])
    # Not for the node: by it kafka-metadata-quorum, which adds and removes voters, knows how to talk to controllers.
    secured = "controller" in node.roles and quorum["security_protocol"] != "PLAINTEXT"
    return {
        "process.roles": list(node.roles),
        "node.id": node.node_id,
        "controller.listener.names": list(cluster.controller_listeners),
        "controller.quorum.bootstrap.servers": list(cluster.controller_servers),
        "security.protocol": quorum["security_protocol"] if secured else None,
    }


def _zookeeper(cluster: Cluster, node: Node) -> dict[str, Any]:
    return {"broker.id": node.node_id, "zookeeper.connect": cluster.zookeeper_connect}


def _migration(cluster: Cluster, node: Node) -> dict[str, Any]:
    if not migration_phase.connects_both(cluster.mode, cluster.migration_phase, node.roles):
        return {}
    return {
        migration_phase.ENABLE: True,
        "zookeeper.connect": cluster.zookeeper_connect,
        "controller.listener.names": list(cluster.controller_listeners),
        "controller.quorum.bootstrap.servers": list(cluster.controller_servers),
    }


def _release(cluster: Cluster) -> dict[str, Any]:
    if cluster.major < 4:
        return {}
    return {
        "share.coordinator.state.topic.replication.factor": cluster.replication_factor,
        "share.coordinator.state.topic.min.isr": cluster.min_isr,
    }


def _security(cluster: Cluster) -> dict[str, Any]:
    return security.properties(
        security.named(cluster.security),
        cluster.mode,
        cluster.listeners,
        [cluster.inter_broker_listener, *cluster.controller_listeners],
        [node.name for node in cluster.nodes],
        cluster.administrator,
        security_phase.named(cluster.security_phase),
    )


def _references(properties: Mapping[str, str], secrets: Mapping[str, str], secrets_file: str) -> dict[str, str]:
    if not secrets:
        return {}
    theirs = _names(properties.get(PROVIDERS, ""))
    ours = next(name for name in PROVIDER_NAMES if name not in theirs)
    return {
        **{key: f"${{{ours}:{secrets_file}:{key}}}" for key in secrets},
        PROVIDERS: ",".join([*theirs, ours]),
        f"{PROVIDERS}.{ours}.class": FILE_PROVIDER,
    }


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _refers_to(value: str, providers: Sequence[str]) -> bool:
    """Whether Kafka would ask one of the providers: `${provider:key}` or `${provider:path:key}`, anywhere in it."""
    return any(match[1] in providers for match in re.finditer(r"\$\{([^}:]*):[^}]*\}", value))
