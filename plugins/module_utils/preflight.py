"""What would make a deployment fail half-way, or a cluster fail later, found before anything is changed.

Every check sees the whole inventory and what the hosts said of themselves, and yields problems that name the variable
to change. It is asked twice: with the inventory alone, before any host is connected to (`probes` is empty and
`cluster_exists` None), and again with what the hosts and the cluster said. Hosts outside `--limit` are known by their
inventory variables alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .checksum import sha512
from .cluster import listed
from .firewall_networks import example_networks, locked_out
from .near_miss import near_miss
from .releases import LAST_WITH_ZOOKEEPER, OLDEST_RELEASE, RELEASES, java_versions, line

# A setting that says how many replicas something has, and the one that says how many of them must be in sync.
REPLICATION = {
    "default.replication.factor": "min.insync.replicas",
    "transaction.state.log.replication.factor": "transaction.state.log.min.isr",
    "share.coordinator.state.topic.replication.factor": "share.coordinator.state.topic.min.isr",
}
# What Kafka itself takes where a key is taken away (null in kafka_config).
KAFKA_DEFAULTS = {
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
    "offsets.topic.replication.factor": 3,
}
# What a ZooKeeper server outside the cluster's group must have as the brokers have it, and what it must have at all.
SHARED_WITH_SERVERS = ("kafka_mode", "kafka_version")
NEEDED_BY_SERVERS = ("kafka_archive_url", "kafka_archive_checksum")
ADMINS = "firewall_admin_cidrs"
HEARTBEAT, SESSION = "broker.heartbeat.interval.ms", "broker.session.timeout.ms"
DEFAULT_HEARTBEAT_MS, DEFAULT_SESSION_MS = 2000, 9000
# Properties that the role computes from a variable of their own: in kafka_config they would contradict it.
RESERVED_KEYS = {
    "advertised.listeners": "kafka_listeners and kafka_advertised_host",
    "broker.id": "kafka_node_id",
    "controller.listener.names": "kafka_controller_listener",
    "controller.quorum.bootstrap.servers": "kafka_process_roles",
    "controller.quorum.voters": "kafka_process_roles",
    "inter.broker.listener.name": "kafka_inter_broker_listener",
    "listener.security.protocol.map": "kafka_listeners",
    "listeners": "kafka_listeners",
    "log.dir": "kafka_data_dirs",
    "log.dirs": "kafka_data_dirs",
    "metadata.log.dir": "kafka_data_dirs, whose first directory holds the metadata log",
    "node.id": "kafka_node_id",
    "process.roles": "kafka_process_roles",
    "security.inter.broker.protocol": "kafka_inter_broker_listener",
    "zookeeper.connect": "kafka_zookeeper_connect",
}
JUDGED_KEY = re.compile(r".*(replication\.factor|min\.isr|min\.insync\.replicas)|broker\.heartbeat\.interval\.ms")
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
    """A host of the cluster as the inventory has it; the names of all its variables are there to find typos.

    Of hosts in the run also: `config` has the keys of its kafka_config, see `judged_config`, and `errors` says by the
    variable's name what its type or value does not allow.
    """

    name: str
    node_id: Any
    roles: Collection[str] = ("broker", "controller")
    variables: Collection[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """What a host said of itself.

    `free_mb` has the room for each data directory that holds no data yet. The clock is ahead of this machine's by
    between `skew_s[0]` and `skew_s[1]` seconds. Java's major version is 0 where there is none. `ssh_client` is the
    address from which it sees SSH come, "" on a console. With `ufw_enabled` there may be rules of others.
    """

    memory_mb: int
    free_mb: Mapping[str, int] = field(default_factory=dict)
    java_major: int = 0
    unresolved: Sequence[str] = ()
    skew_s: tuple[float, float] = (0.0, 0.0)
    has_data: bool = False
    ssh_client: str = ""
    ufw_enabled: bool = False


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

    Topics are name, replication factor and min.insync.replicas (None: not declared). `java_major` is the version that
    will be installed, 0 if none will. `features` are the running cluster's finalised levels, none without one.
    `networks` are those that the firewall will admit, by the variable that names them; none if it is not ours.
    `servers` has, by name, the ZooKeeper servers outside the cluster's group, each with those of its variables that
    brokers and servers share, as far as the inventory sets them. `heap_variable` and `data_variable` size the process
    that is judged.
    """

    mode: str
    version: str
    checksum: str
    listeners: Sequence[Listener]
    named_listeners: Mapping[str, str]
    topics: Sequence[tuple[str, int, Any]]
    heap_mb: int
    limits: Limits
    java: str = "/usr/bin/java"
    java_major: int = 0
    cluster_id: str = ""
    ensemble: Sequence[str] = ()
    features: Mapping[str, int] = field(default_factory=dict)
    networks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    servers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    heap_variable: str = "kafka_heap_mb"
    data_variable: str = "kafka_data_dirs"

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor release; None if the version is not one."""
        return line(self.version)


@dataclass(frozen=True)
class View:
    """All that preflight looks at; probes by the name of the host, of the hosts that this run reaches.

    `known_variables` are the names of the roles' variables. `running` has the properties of the process that runs on a
    host, also on one outside the run. `cluster_exists` is None until hosts and cluster have been asked.
    """

    declared: Declared
    nodes: Sequence[Node]
    probes: Mapping[str, Probe] = field(default_factory=dict)
    known_variables: Collection[str] = ()
    running: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cluster_exists: bool | None = None

    @property
    def brokers(self) -> int:
        """How many hosts are brokers."""
        return sum("broker" in node.roles for node in self.nodes)


Check = Callable[[View], Iterator[Problem]]


def problems(view: View) -> list[Problem]:
    """Every problem of the cluster that any check finds; one that several hosts share is told once."""
    return _found(view, CHECKS)


def problems_of_servers(view: View) -> list[Problem]:
    """Every problem of the ZooKeeper servers outside the cluster's group; the view's nodes are the whole ensemble."""
    return _found(view, SERVER_CHECKS)


def _found(view: View, checks: Sequence[Check]) -> list[Problem]:
    found = problems_of_variables(view.nodes, view.known_variables)
    return list(dict.fromkeys([*found, *(problem for check in checks for problem in check(view))]))


def problems_of_variables(nodes: Sequence[Node], known_variables: Collection[str]) -> list[Problem]:
    """What is wrong with the variables as such: their names, types and values, and that each node has its id.

    Where a variable has a value of the wrong type nothing else can be judged.
    """
    checks = (_errors(nodes), _node_ids(nodes), _typos(nodes, known_variables))
    return list(dict.fromkeys(problem for check in checks for problem in check))


def warnings(view: View) -> list[Problem]:
    """What works, and should be changed nevertheless."""
    return [*_even_voters(view)] if view.cluster_exists else []


def judged_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a kafka_config, with those values that a check looks at; the others may be secrets."""
    return {str(key): value if JUDGED_KEY.fullmatch(str(key)) else "" for key, value in config.items()}


def _errors(nodes: Sequence[Node]) -> Iterator[Problem]:
    hosts: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        for error in node.errors.items():
            hosts.setdefault(error, []).append(node.name)
    for (variable, sentence), names in hosts.items():
        where = f" ({listed(names)})" if len(names) < len(nodes) else ""
        yield Problem(variable, f"{sentence}{where}")


def _node_ids(nodes: Sequence[Node]) -> Iterator[Problem]:
    names: dict[int, list[str]] = {}
    for node in nodes:
        if str(node.node_id).isdigit():
            names.setdefault(int(node.node_id), []).append(node.name)
        else:
            yield Problem("kafka_node_id", f"{node.name} has none; give it a number of its own, 0 or above")
    for node_id, owners in names.items():
        if len(owners) > 1:
            yield Problem("kafka_node_id", f"{node_id} is given to {listed(owners)}; each host needs its own")


def _count_voters(view: View) -> tuple[int, str, str]:
    """How many voters there are, the variable that says so, and what they are called."""
    if view.declared.mode == "kraft":
        return sum("controller" in node.roles for node in view.nodes), "kafka_process_roles", "controllers"
    return len(view.declared.ensemble), "groups['zookeeper']", "ZooKeeper servers"


def _voters(view: View) -> Iterator[Problem]:
    voters, variable, what = _count_voters(view)
    if voters == 0:
        yield Problem(variable, f"there are no {what}")
    if view.brokers == 0:
        yield Problem("kafka_process_roles", "there are no brokers")
    if view.cluster_exists is False:
        yield from _even_voters(view)


def _even_voters(view: View) -> Iterator[Problem]:
    voters, variable, what = _count_voters(view)
    if voters and voters % 2 == 0:
        fewer = f"{voters} {what} survive no more failures than {voters - 1}"
        yield Problem(variable, f"{fewer}, and have one more that can fail; make their number odd")


def _servers(view: View) -> Iterator[Problem]:
    if view.declared.mode != "zookeeper":
        return
    expected = {"kafka_mode": view.declared.mode, "kafka_version": view.declared.version}
    where = "set it where brokers and ZooKeeper servers both get it, such as group_vars/all"
    for name in SHARED_WITH_SERVERS:
        for value, hosts in _hosts_by_value(view.declared.servers, name).items():
            if value != expected[name]:
                has = "do not have it" if value is None else f"have {value}"
                sentence = f"the brokers have {expected[name]}, but the ZooKeeper servers {listed(hosts)} {has}"
                yield Problem(name, f"{sentence}; {where}")
    for name in NEEDED_BY_SERVERS:
        if without := _hosts_by_value(view.declared.servers, name).get(None):
            yield Problem(name, f"the ZooKeeper servers {listed(without)} do not have it; {where}")
    inside = [node for node in view.nodes if node.name in view.declared.ensemble]
    outside = [Node(name, variables.get("kafka_node_id")) for name, variables in view.declared.servers.items()]
    if outside:
        yield from _node_ids([*inside, *(node for node in outside if node.name not in {each.name for each in inside})])


def _hosts_by_value(servers: Mapping[str, Mapping[str, Any]], name: str) -> dict[str | None, list[str]]:
    hosts: dict[str | None, list[str]] = {}
    for host, variables in servers.items():
        value = variables.get(name)
        hosts.setdefault(None if value is None else str(value), []).append(host)
    return hosts


def _release(view: View) -> Iterator[Problem]:
    declared, release = view.declared, view.declared.release
    if release is None:
        yield Problem("kafka_version", f"{declared.version} is no release, which looks like 4.3.1")
    elif declared.mode == "zookeeper" and release > LAST_WITH_ZOOKEEPER:
        sentence = f"Kafka {declared.version} has no ZooKeeper mode, 3.9 was the last release with it; use KRaft"
        yield Problem("kafka_mode", f"{sentence} (kafka_mode: kraft)")
    elif release < OLDEST_RELEASE:
        yield Problem("kafka_version", f"{declared.version} lacks the dynamic quorum; use 3.9 or later")
    elif release in RELEASES:
        for name, level in declared.features.items():
            if level > (known := RELEASES[release].features.get(name, level)):
                sentence = f"{declared.version} is older than the cluster's {name} {level}"
                yield Problem("kafka_version", f"{sentence}, of which it knows up to {known}")
    if declared.mode == "kraft" and declared.cluster_id and not CLUSTER_ID.fullmatch(declared.cluster_id):
        yield Problem("kafka_cluster_id", "it must be 22 characters of URL-safe base64 (kafka-storage random-uuid)")


def _java(view: View) -> Iterator[Problem]:
    if not view.declared.java.endswith("/bin/java"):
        sentence = f"{view.declared.java} does not end in /bin/java, where Kafka's own scripts look for it"
        yield Problem("kafka_java", sentence)
    versions = java_versions(view.declared.release) if view.declared.release else None
    if versions is None:
        return
    oldest, newest = versions
    needs = f"Kafka {view.declared.version} needs Java {oldest}" + (" or later" if newest > 90 else f" to {newest}")
    if view.declared.java_major:
        if not oldest <= view.declared.java_major <= newest:
            yield Problem("java_major_version", f"{needs}, not {view.declared.java_major}")
        return
    for name, probe in view.probes.items():
        if probe.java_major and not oldest <= probe.java_major <= newest:
            yield Problem("kafka_java", f"{needs}; {name} has {probe.java_major}")


def _checksum(view: View) -> Iterator[Problem]:
    if sha512(view.declared.checksum) is None:
        sentence = f"{' '.join(view.declared.checksum.split())!r} is no SHA-512; paste what the .sha512 file beside"
        yield Problem("kafka_archive_checksum", f"{sentence} the archive holds (128 hexadecimal digits)")


def _reserved(view: View) -> Iterator[Problem]:
    for node in view.nodes:
        for key in sorted(node.config.keys() & RESERVED_KEYS.keys()):
            yield Problem("kafka_config", f"{key} is not set here; change {RESERVED_KEYS[key]}")


def _number(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"[0-9]+", text) else None


def _replication(view: View) -> Iterator[Problem]:
    brokers = view.brokers
    for node in view.nodes:
        yield from _replication_of(node.config, brokers)
    for name, factor, declared_min_isr in view.declared.topics:
        min_isr = 1 if declared_min_isr is None else _number(declared_min_isr)
        if factor > brokers:
            yield Problem("kafka_topics", f"{name} has replication factor {factor}, but there are {brokers} brokers")
        if min_isr is None:
            yield Problem("kafka_topics", f"{name} has min.insync.replicas {declared_min_isr}, which is no number")
        elif min_isr > factor:
            sentence = f"{name} has min.insync.replicas {min_isr}, above its replication factor {factor}"
            yield Problem("kafka_topics", sentence)


def _replication_of(config: Mapping[str, Any], brokers: int) -> Iterator[Problem]:
    usual = min(3, brokers)
    values: dict[str, int] = {}
    for key, declared in config.items():
        if not JUDGED_KEY.fullmatch(key):
            continue
        value = KAFKA_DEFAULTS.get(key, 1) if declared is None else _number(declared)
        if value is None:
            yield Problem("kafka_config", f"{key} is {declared}, which is no number")
            continue
        values[key] = value
        if key.endswith("replication.factor") and value > brokers:
            taken = "taken away, so that Kafka takes " if declared is None else ""
            yield Problem("kafka_config", f"{key} is {taken}{value}, but there are {brokers} brokers")
    for key, min_isr_key in REPLICATION.items():
        factor, min_isr = values.get(key, usual), values.get(min_isr_key, max(1, usual - 1))
        if values.keys() & {key, min_isr_key} and min_isr > factor:
            yield Problem("kafka_config", f"{min_isr_key} {min_isr} is above {key} {factor}")


def _heartbeats(view: View) -> Iterator[Problem]:
    sessions = {
        name: int(properties.get(SESSION, DEFAULT_SESSION_MS))
        for name, properties in view.running.items()
        if "controller" in properties.get("process.roles", "").split(",")
    }
    if not sessions or view.declared.mode != "kraft":
        return
    name = min(sessions, key=sessions.__getitem__)
    for node in view.nodes:
        declared = node.config.get(HEARTBEAT)
        heartbeat_ms = DEFAULT_HEARTBEAT_MS if declared is None else _number(declared)
        if node.name in view.probes and heartbeat_ms is not None and heartbeat_ms >= sessions[name]:
            yield Problem(
                "kafka_config",
                f"{HEARTBEAT} is {heartbeat_ms}, but the controller that runs on {name} has {SESSION} {sessions[name]}:"
                " until it restarts, last, it would fence every broker that restarted before it. Deploy with"
                f" {HEARTBEAT} below {sessions[name]} and the longer session first, then again with this",
            )


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
                yield Problem(view.declared.data_variable, sentence)
        if probe.memory_mb < heap_mb + limits.min_memory_mb:
            sentence = f"{name} has {probe.memory_mb} MB of memory for a heap of {heap_mb} MB"
            sentence = f"{sentence} and preflight_min_memory_mb {limits.min_memory_mb}"
            yield Problem(view.declared.heap_variable, sentence)


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


def _networks(view: View) -> Iterator[Problem]:
    for variable, networks in view.declared.networks.items():
        if examples := example_networks(networks):
            sentence = f"nobody comes from {listed(examples)}, reserved for examples; name your own networks"
            yield Problem(variable, sentence)
    admitted = view.declared.networks.get(ADMINS, ())
    # Where ufw is on, rules of others count too; the firewall role knows them, and refuses to lock out its own session.
    clients = {name: probe.ssh_client for name, probe in view.probes.items() if not probe.ufw_enabled}
    for client, names in locked_out(admitted, clients).items() if admitted else ():
        sentence = f"{listed(names)} see this machine come from {client}, which none of these networks contains"
        yield Problem(ADMINS, f"{sentence}; add {client}, or this run would be the last one")


def _typos(nodes: Sequence[Node], known_variables: Collection[str]) -> Iterator[Problem]:
    known = {*known_variables}
    names = {variable for node in nodes for variable in node.variables} - known
    for name, close in near_miss(names, known):
        hint = f"did you mean {close}? If it is your own, add it to preflight_known_variables"
        yield Problem(name, f"no role has this variable; {hint}")


CHECKS: tuple[Check, ...] = (
    _voters,
    _servers,
    _release,
    _checksum,
    _java,
    _reserved,
    _replication,
    _heartbeats,
    _listeners,
    _room,
    _clocks,
    _names,
    _networks,
)
# Of a host that is a ZooKeeper server and nothing else.
SERVER_CHECKS: tuple[Check, ...] = (_servers, _release, _checksum, _java, _room, _clocks, _names, _networks)
