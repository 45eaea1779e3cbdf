"""A Kafka cluster as plain data, so that gates, plans and health checks can be tested without a broker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .address import host_port

# Kafka's default of controller.quorum.fetch.timeout.ms.
CAUGHT_UP_WITHIN_MS = 2000

# What a quorum with a fixed voter set (kraft.version 0) says of its voters' directories.
NO_DIRECTORY = ("", "AAAAAAAAAAAAAAAAAAAAAA")


@dataclass(frozen=True)
class Broker:
    """A registered broker and where clients find it; a fenced one is registered but serves nobody.

    `rack` is "" where `broker.rack` is not set.
    """

    node_id: int
    host: str
    port: int
    fenced: bool = False
    rack: str = ""

    @property
    def address(self) -> str:
        """The broker's address as `host:port`."""
        return host_port(self.host, self.port)


@dataclass(frozen=True)
class Partition:
    """One partition: who should hold it, who holds all of it (ISR), and how many must for `acks=all` to succeed."""

    topic: str
    index: int
    leader: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    min_isr: int

    @property
    def name(self) -> str:
        """The partition as Kafka's logs write it: `orders-0`."""
        return f"{self.topic}-{self.index}"

    @property
    def offline(self) -> bool:
        """Whether the partition has no leader, so that nobody can read or write it."""
        return self.leader < 0

    @property
    def under_replicated(self) -> bool:
        """Whether a replica is missing from the ISR."""
        return len(self.isr) < len(self.replicas)

    @property
    def under_min_isr(self) -> bool:
        """Whether `acks=all` is being refused now."""
        return len(self.isr) < self.min_isr

    def __str__(self) -> str:
        replicas, isr = ("[" + ",".join(map(str, nodes)) + "]" for nodes in (self.replicas, self.isr))
        return f"{self.name} (replicas {replicas}, in sync {isr}, min.insync.replicas {self.min_isr})"


@dataclass(frozen=True)
class QuorumReplica:
    """A controller (voter) or a broker that follows the metadata log (observer).

    `lag` counts records behind the leader; `caught_up_ms_ago` is None for one that never was. `caught_up_within_ms` is
    how long a voter may be behind before it calls an election: `controller.quorum.fetch.timeout.ms` of the cluster.
    """

    node_id: int
    directory_id: str
    lag: int
    caught_up_ms_ago: int | None
    caught_up_within_ms: int = CAUGHT_UP_WITHIN_MS

    @property
    def caught_up(self) -> bool:
        """Whether the replica follows closely enough to vote for what the leader has written."""
        return self.caught_up_ms_ago is not None and self.caught_up_ms_ago < self.caught_up_within_ms


@dataclass(frozen=True)
class Quorum:
    """The KRaft controllers (KIP-595, KIP-853).

    `listeners` are the names of those on which each voter is known, by node id; releases before 3.9 do not tell.
    """

    leader_id: int
    high_watermark: int
    voters: tuple[QuorumReplica, ...]
    observers: tuple[QuorumReplica, ...] = ()
    listeners: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def majority(self) -> int:
        """How many voters must be there for the quorum to decide anything."""
        return len(self.voters) // 2 + 1

    def replica(self, node_id: int) -> QuorumReplica | None:
        """The voter or observer with that id, if any; of several the one that is closest to the leader."""
        found = [replica for replica in (*self.voters, *self.observers) if replica.node_id == node_id]
        return min(
            found, key=lambda replica: (replica.caught_up_ms_ago is None, replica.caught_up_ms_ago), default=None
        )

    def without_stale_observers(self) -> Quorum:
        """The same without observers that are gone.

        A node that lost its disk comes back under another directory id, and for five minutes the leader lists it under
        both (KafkaRaftClient drops an observer that has not fetched for that long).
        """
        return replace(self, observers=tuple(one for one in self.observers if one is self.replica(one.node_id)))


@dataclass(frozen=True)
class Feature:
    """A feature level (KIP-584): the one in force, and the range that the answering broker supports."""

    finalized: int
    minimum: int
    maximum: int


KRAFT_VERSION = "kraft.version"


def raisable(name: str, feature: Feature) -> bool:
    """Whether a feature is lower than the answering broker supports; kraft.version is raised on demand alone."""
    return feature.maximum > feature.finalized and name != KRAFT_VERSION


@dataclass(frozen=True)
class ClusterState:
    """What a cluster says of itself at one moment.

    `quorum` is None in ZooKeeper mode; `controller_hosts` has, by node id, the host at which a voter is reached.
    """

    cluster_id: str
    release: str
    brokers: tuple[Broker, ...]
    controller_id: int | None
    quorum: Quorum | None
    partitions: tuple[Partition, ...]
    features: Mapping[str, Feature] = field(default_factory=dict)
    controller_hosts: Mapping[int, str] = field(default_factory=dict)

    def broker(self, node_id: int) -> Broker | None:
        """The registered broker with that id, if any."""
        return next((broker for broker in self.brokers if broker.node_id == node_id), None)

    def serves(self, node_id: int) -> bool:
        """Whether that broker is registered and not fenced."""
        broker = self.broker(node_id)
        return broker is not None and not broker.fenced

    def outdated(self, node_id: int) -> bool:
        """Whether a broker is known to be behind in the metadata log, where what it says of partitions comes from.

        Of one that a new leader has not heard of yet that is not known.
        """
        replica = self.quorum.replica(node_id) if self.quorum else None
        return replica is not None and replica.caught_up_ms_ago is not None and not replica.caught_up

    def partitions_on(self, node_id: int) -> Iterator[Partition]:
        """The partitions with a replica on that broker."""
        return (partition for partition in self.partitions if node_id in partition.replicas)


def listed(names: Iterable[object], limit: int = 5) -> str:
    """A list for a sentence, cut where nobody would read on: `a, b, c and 9 more`."""
    every = [str(name) for name in names]
    if len(every) > limit:
        every[limit:] = [f"{len(every) - limit} more"]
    return " and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]]))
