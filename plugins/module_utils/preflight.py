"""What would make a deployment fail half-way, or a cluster fail later, found before anything is changed.

Every check sees the whole inventory and what the hosts said of themselves, and yields problems that name the variable
to change. Hosts outside `--limit` are known by their inventory variables alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from .cluster import listed

# Highest metadata.version of each release: org.apache.kafka.server.common.MetadataVersion.
METADATA_VERSIONS = {(3, 9): 21, (4, 0): 25, (4, 1): 27, (4, 2): 29, (4, 3): 30}
# Oldest and newest Java for brokers, by Kafka's major release: Kafka 3 needs the security manager that Java 24 removed.
JAVA_VERSIONS: dict[int, tuple[int, int]] = {3: (8, 23), 4: (17, 99)}
OLDEST_RELEASE = LAST_WITH_ZOOKEEPER = (3, 9)
# A setting that says how many replicas something has, and the one that says how many of them must be in sync.
REPLICATION = {
    "default.replication.factor": "min.insync.replicas",
    "transaction.state.log.replication.factor": "transaction.state.log.min.isr",
    "share.coordinator.state.topic.replication.factor": "share.coordinator.state.topic.min.isr",
}
LISTENER_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
CLUSTER_ID = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Problem:
    """Something that cannot work, and the variable to change."""

    variable: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.sentence}"


@dataclass(frozen=True)
class Node:
    """A host of the cluster as the inventory has it; the names of all its variables are there to find typos."""

    name: str
    node_id: Any
    roles: Collection[str] = ("broker", "controller")
    host: str = ""
    variables: Collection[str] = ()


@dataclass(frozen=True)
class Probe:
    """What a host said of itself.

    `free_mb` has the room for each data directory that holds no data yet. The clock is ahead of this machine's by
    between `skew_s[0]` and `skew_s[1]` seconds. Java's major version is 0 where there is none.
    """

    memory_mb: int
    free_mb: Mapping[str, int] = field(default_factory=dict)
    java_major: int = 0
    unresolved: Sequence[str] = ()
    skew_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Listener:
    """One of `kafka_listeners`."""

    name: str
    port: int


@dataclass(frozen=True)
class Limits:
    """What a host must at least have: room for data, memory besides the heap, the right time."""

    min_disk_mb: int
    min_memory_mb: int
    max_clock_skew_s: float


@dataclass(frozen=True)
class Declared:
    """What the inventory says about the cluster as a whole.

    `config` needs only the keys about replication. `java_major` is the version that will be installed, 0 if none will.
    `metadata_version` is the running cluster's finalised level, 0 if there is none.
    """

    mode: str
    version: str
    listeners: Sequence[Listener]
    named_listeners: Mapping[str, str]
    config: Mapping[str, str]
    topics: Sequence[tuple[str, int, int]]
    heap_mb: int
    limits: Limits
    java_major: int = 0
    cluster_id: str = ""
    ensemble: Sequence[str] = ()
    metadata_version: int = 0
    known_variables: Collection[str] = ()
    prefixes: tuple[str, ...] = ("kafka_",)

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor release; None if the version is not one."""
        match = re.fullmatch(r"(\d+)\.(\d+)\.\d+", self.version)
        return (int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True)
class View:
    """All that preflight looks at; probes by the name of the host, of the hosts that this run reaches."""

    declared: Declared
    nodes: Sequence[Node]
    probes: Mapping[str, Probe]

    @property
    def brokers(self) -> int:
        """How many hosts are brokers."""
        return sum("broker" in node.roles or self.declared.mode != "kraft" for node in self.nodes)


def problems(view: View) -> list[Problem]:
    """Every problem that any check finds."""
    return [problem for check in CHECKS for problem in check(view)]


def _node_ids(view: View) -> Iterator[Problem]:
    names: dict[int, list[str]] = {}
    for node in view.nodes:
        if str(node.node_id).isdigit():
            names.setdefault(int(node.node_id), []).append(node.name)
        else:
            yield Problem("kafka_node_id", f"{node.name} has none; give it a number of its own, 0 or above")
    for node_id, owners in names.items():
        if len(owners) > 1:
            yield Problem("kafka_node_id", f"{node_id} is given to {listed(owners)}; each host needs its own")


def _voters(view: View) -> Iterator[Problem]:
    kraft = view.declared.mode == "kraft"
    voters = sum("controller" in node.roles for node in view.nodes) if kraft else len(view.declared.ensemble)
    variable, what = ("kafka_process_roles", "controllers") if kraft else ("groups['zookeeper']", "ZooKeeper servers")
    if voters == 0:
        yield Problem(variable, f"there are no {what}")
    elif voters % 2 == 0:
        fewer = f"{voters} {what} survive no more failures than {voters - 1}"
        yield Problem(variable, f"{fewer}, and have one more that can fail; make their number odd")
    if view.brokers == 0:
        yield Problem("kafka_process_roles", "there are no brokers")


def _release(view: View) -> Iterator[Problem]:
    declared, release = view.declared, view.declared.release
    if release is None:
        yield Problem("kafka_version", f"{declared.version} is no release, which looks like 4.3.1")
    elif declared.mode == "zookeeper" and release > LAST_WITH_ZOOKEEPER:
        sentence = f"Kafka {declared.version} has no ZooKeeper mode, 3.9 was the last release with it; use KRaft"
        yield Problem("kafka_mode", f"{sentence} (kafka_mode: kraft)")
    elif release < OLDEST_RELEASE:
        yield Problem("kafka_version", f"{declared.version} lacks the dynamic quorum; use 3.9 or later")
    elif declared.metadata_version > METADATA_VERSIONS.get(release, declared.metadata_version):
        sentence = f"{declared.version} is older than the cluster's metadata.version {declared.metadata_version}"
        yield Problem("kafka_version", f"{sentence}, of which it knows up to {METADATA_VERSIONS[release]}")
    if declared.mode == "kraft" and declared.cluster_id and not CLUSTER_ID.fullmatch(declared.cluster_id):
        yield Problem("kafka_cluster_id", "it must be 22 characters of URL-safe base64 (kafka-storage random-uuid)")


def _java(view: View) -> Iterator[Problem]:
    release = view.declared.release
    if release is None or release[0] not in JAVA_VERSIONS:
        return
    oldest, newest = JAVA_VERSIONS[release[0]]
    needs = f"Kafka {view.declared.version} needs Java {oldest}" + (" or later" if newest > 90 else f" to {newest}")
    if view.declared.java_major:
        if not oldest <= view.declared.java_major <= newest:
            yield Problem("java_major_version", f"{needs}, not {view.declared.java_major}")
        return
    for name, probe in view.probes.items():
        if probe.java_major and not oldest <= probe.java_major <= newest:
            yield Problem("kafka_java", f"{needs}; {name} has {probe.java_major}")


def _replication(view: View) -> Iterator[Problem]:
    brokers = view.brokers
    declared = view.declared.config
    for key, value in declared.items():
        if key.endswith("replication.factor") and int(value) > brokers:
            yield Problem("kafka_config", f"{key} is {value}, but there are {brokers} brokers")
    usual = min(3, brokers)
    for key, min_isr_key in REPLICATION.items():
        factor, min_isr = int(declared.get(key, usual)), int(declared.get(min_isr_key, max(1, usual - 1)))
        if declared.keys() & {key, min_isr_key} and min_isr > factor:
            yield Problem("kafka_config", f"{min_isr_key} {min_isr} is above {key} {factor}")
    for name, topic_factor, topic_min_isr in view.declared.topics:
        if topic_factor > brokers:
            sentence = f"{name} has replication factor {topic_factor}, but there are {brokers} brokers"
            yield Problem("kafka_topics", sentence)
        if topic_min_isr > topic_factor:
            sentence = f"{name} has min.insync.replicas {topic_min_isr}, above its replication factor {topic_factor}"
            yield Problem("kafka_topics", sentence)


def _listeners(view: View) -> Iterator[Problem]:
    listeners = view.declared.listeners
    for kind, values in (("name", [li.name for li in listeners]), ("port", [li.port for li in listeners])):
        for value, times in Counter(values).items():
            if times > 1:
                yield Problem("kafka_listeners", f"{times} listeners have the {kind} {value}")
    for listener in listeners:
        if not LISTENER_NAME.fullmatch(listener.name):
            yield Problem("kafka_listeners", f"{listener.name} is no name: capitals, digits and _, a letter first")
        if not 0 < listener.port < 65536:
            yield Problem("kafka_listeners", f"{listener.name} has the port {listener.port}")
    names = {listener.name for listener in listeners}
    for variable, name in view.declared.named_listeners.items():
        if name not in names:
            yield Problem(variable, f"{name} is not one of kafka_listeners ({listed(sorted(names))})")


def _room(view: View) -> Iterator[Problem]:
    limits, heap_mb = view.declared.limits, view.declared.heap_mb
    for name, probe in view.probes.items():
        for path, free_mb in probe.free_mb.items():
            if free_mb < limits.min_disk_mb:
                sentence = f"{name} has {free_mb} MB for {path}, less than preflight_min_disk_mb {limits.min_disk_mb}"
                yield Problem("kafka_data_dirs", sentence)
        if probe.memory_mb < heap_mb + limits.min_memory_mb:
            sentence = f"{name} has {probe.memory_mb} MB of memory for a heap of {heap_mb} MB"
            yield Problem("kafka_heap_mb", f"{sentence} and preflight_min_memory_mb {limits.min_memory_mb}")


def _clocks(view: View) -> Iterator[Problem]:
    limit = view.declared.limits.max_clock_skew_s
    for name, probe in view.probes.items():
        earliest, latest = probe.skew_s
        certain = earliest if earliest > 0 else min(0.0, latest)
        if abs(certain) > limit:
            sentence = f"{name}'s clock is at least {abs(certain):.1f} s {'ahead of' if certain > 0 else 'behind'}"
            yield Problem("preflight_max_clock_skew_s", f"{sentence} this machine's; have an NTP service set it")


def _names(view: View) -> Iterator[Problem]:
    for name, probe in view.probes.items():
        if probe.unresolved:
            yield Problem("kafka_advertised_host", f"{name} cannot resolve {listed(probe.unresolved)}")


def _typos(view: View) -> Iterator[Problem]:
    known = view.declared.known_variables
    said = {variable for node in view.nodes for variable in node.variables}
    for variable in sorted(said - {*known}):
        if variable.startswith(view.declared.prefixes):
            close = get_close_matches(variable, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "add your own to preflight_known_variables"
            yield Problem(variable, f"no role has this variable; {hint}")


CHECKS: tuple[Callable[[View], Iterator[Problem]], ...] = (
    _node_ids,
    _voters,
    _release,
    _java,
    _replication,
    _listeners,
    _room,
    _clocks,
    _names,
    _typos,
)
