"""Whether a cluster is well, told as a page that one can read: what is there, and in sentences what is not well."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from .cluster import ClusterState, Partition, Quorum, listed
from .ensemble import SERVING
from .membership import undeclared
from .releases import hosts_by_release, told

GIB = 1 << 30
MAX_USED_PERCENT = 90.0
"""How full the disks of a broker may be."""


@dataclass(frozen=True)
class LogDir:
    """A broker's log directory; the bytes are its file system's, -1 where the broker cannot tell.

    A cordoned one takes no new replicas (KIP-1066).
    """

    path: str
    total_bytes: int
    usable_bytes: int
    error: str = ""
    cordoned: bool = False

    @property
    def used_percent(self) -> float | None:
        """How full the file system is."""
        return 100 * (1 - self.usable_bytes / self.total_bytes) if self.total_bytes > 0 else None

    def __str__(self) -> str:
        if self.error or self.used_percent is None:
            return f"{self.path}: {self.error or 'size unknown'}"
        return f"{self.path} {self.used_percent:.0f} % of {self.total_bytes / GIB:.1f} GiB used"


@dataclass(frozen=True)
class BrokerReport:
    """What one broker said when it was asked itself; no release if it did not answer."""

    release: str = ""
    log_dirs: Sequence[LogDir] = ()


@dataclass(frozen=True)
class ShownCertificate:
    """What a listener that speaks TLS has shown in a handshake; `failure` says why it has shown nothing."""

    node: str
    listener: str
    port: int
    days_left: float
    failure: str = ""

    def __str__(self) -> str:
        return f"{self.listener} of {self.node} (port {self.port})"


@dataclass(frozen=True)
class TrustedAuthority:
    """An authority in a truststore of a node, with the days until its certificate ends."""

    node: str
    name: str
    days_left: float


@dataclass(frozen=True)
class Expected:
    """What the inventory says should be there; an empty list expects nothing.

    `ensemble` has what each ZooKeeper server says that it is, "" for one that does not serve; empty in KRaft mode.
    """

    brokers: Sequence[int] = ()
    voters: Sequence[int] = ()
    max_used_percent: float = MAX_USED_PERCENT
    ensemble: Mapping[str, str] = field(default_factory=dict)
    min_certificate_days: float = 14.0
    min_authority_days: float = 90.0


@dataclass(frozen=True)
class Health:
    """The page, and what is not well; all is well when nothing is."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The page with its verdict."""
        verdict = ["All is well."] if not self.problems else ["Not well:", *(f"  - {line}" for line in self.problems)]
        return "\n".join([*self.lines, *verdict])


def assess(
    state: ClusterState,
    reports: Mapping[int, BrokerReport],
    expected: Expected,
    certificates: Sequence[ShownCertificate] = (),
    authorities: Sequence[TrustedAuthority] = (),
    releases: Mapping[int, str] = MappingProxyType({}),
) -> Health:
    """Judge a cluster by what it says as a whole, what each serving broker says of itself, and what listeners show.

    `authorities` are those that the nodes trust; `releases` has the exact release of each node's process
    that is known, by the node's id.
    """
    declared = {*expected.brokers, *expected.voters}
    problems = [
        *_controller_problems(state, expected),
        *_ensemble_problems(expected.ensemble),
        *(str(node) for node in (undeclared(state, declared) if declared else ())),
        *_broker_problems(state, reports, expected),
        *_partition_problems(state.partitions),
        *certificate_problems(certificates, expected.min_certificate_days),
        *authority_problems(authorities, expected.min_authority_days),
    ]
    return Health(
        [
            *_head(state, releases),
            *_releases(releases),
            *_controllers(state),
            *_ensemble(expected.ensemble),
            *_brokers(state, reports, releases),
            *_partitions(state),
            *_certificates(certificates),
            *_authorities(authorities),
        ],
        problems,
    )


def _head(state: ClusterState, releases: Mapping[int, str]) -> Iterator[str]:
    # Brokers themselves tell no more than the protocol that they speak, which several releases do.
    running = " and ".join(hosts_by_release(releases)) or state.release
    yield f"Kafka {running}, cluster {state.cluster_id}, {'KRaft' if state.quorum else 'ZooKeeper'}"
    if state.features:
        levels = ", ".join(
            f"{name} {level.finalized}" + (f" (up to {level.maximum})" if level.maximum > level.finalized else "")
            for name, level in state.features.items()
        )
        yield f"Feature levels: {levels}"


def _releases(releases: Mapping[int, str]) -> Iterator[str]:
    nodes = hosts_by_release(dict(sorted(releases.items())))
    if len(nodes) > 1:
        yield f"Releases differ: {told(nodes)}. Run site.yml with the one that all nodes are to have."


def _controllers(state: ClusterState) -> Iterator[str]:
    if state.quorum is None:
        yield f"Controller: broker {state.controller_id}"
        return
    yield f"Controllers: {state.quorum.leader_id} leads at offset {state.quorum.high_watermark}"
    for replica in (*state.quorum.voters, *state.quorum.observers):
        if replica.node_id != state.quorum.leader_id:
            role = "votes" if replica in state.quorum.voters else "follows"
            yield f"  {replica.node_id} {role}, {replica.lag} records behind, {_ago(replica.caught_up_ms_ago)}"


def _ensemble(ensemble: Mapping[str, str]) -> Iterator[str]:
    if ensemble:
        yield f"ZooKeeper: {sum(mode in SERVING for mode in ensemble.values())} of {len(ensemble)} servers serve"
        for server, mode in ensemble.items():
            yield f"  {server} {mode or 'silent'}"


def _ensemble_problems(ensemble: Mapping[str, str]) -> Iterator[str]:
    for server, mode in ensemble.items():
        if mode not in SERVING:
            yield f"ZooKeeper {server} does not serve."


def _ago(caught_up_ms_ago: int | None) -> str:
    return "never caught up" if caught_up_ms_ago is None else f"caught up {caught_up_ms_ago / 1000:.1f} s ago"


def _brokers(state: ClusterState, reports: Mapping[int, BrokerReport], releases: Mapping[int, str]) -> Iterator[str]:
    yield f"Brokers: {sum(not broker.fenced for broker in state.brokers)} of {len(state.brokers)} serve"
    for broker in state.brokers:
        report = reports.get(broker.node_id, BrokerReport())
        release = releases.get(broker.node_id)
        runs = f"runs {release}" if release else f"speaks {report.release}"
        status = "fenced" if broker.fenced else runs if report.release else "silent"
        yield f"  {broker.node_id} {broker.address} " + "; ".join([status, *map(str, report.log_dirs)])


def _partitions(state: ClusterState) -> Iterator[str]:
    count, topics = len(state.partitions), len({partition.topic for partition in state.partitions})
    under = sum(partition.under_replicated for partition in state.partitions)
    below = sum(partition.under_min_isr for partition in state.partitions)
    offline = sum(partition.offline for partition in state.partitions)
    yield f"Partitions: {count} in {topics} topics; {under} under-replicated, {below} under min ISR, {offline} offline"


def _certificates(certificates: Sequence[ShownCertificate]) -> Iterator[str]:
    if certificates:
        shown = sum(not each.failure for each in certificates)
        yield f"Certificates: {shown} of {len(certificates)} TLS listeners show one"
        for each in certificates:
            yield f"  {each}: " + (each.failure or f"{each.days_left:.1f} days left")


def certificate_problems(certificates: Iterable[ShownCertificate], min_days: float) -> Iterator[str]:
    """Sentences about listeners that show no certificate, or one that ends within `min_days` days."""
    for each in certificates:
        if each.failure:
            yield f"{each} shows no certificate: {each.failure}."
        elif each.days_left <= 0:
            yield f"The certificate of {each} expired {-each.days_left:.1f} days ago."
        elif each.days_left < min_days:
            yield (
                f"The certificate of {each} expires in {each.days_left:.1f} days, the limit is {min_days:g}"
                " (kafka_health_certificate_days)."
            )


def _authorities(authorities: Sequence[TrustedAuthority]) -> Iterator[str]:
    names = {each.name: [other for other in authorities if other.name == each.name] for each in authorities}
    if names:
        yield f"Authorities: {len(names)} trusted"
        for name, those in names.items():
            days = min(each.days_left for each in those)
            yield f"  {name} by {listed([each.node for each in those])}: {days:.1f} days left"


def authority_problems(authorities: Iterable[TrustedAuthority], min_days: float) -> Iterator[str]:
    """Sentences about nodes that trust no authority which is valid for `min_days` days yet.

    The former one of a change, beside which there is a new one, is none of them.
    """
    longest: dict[str, TrustedAuthority] = {}
    for each in authorities:
        if each.node not in longest or each.days_left > longest[each.node].days_left:
            longest[each.node] = each
    for name in dict.fromkeys(each.name for each in longest.values()):
        those = [each for each in longest.values() if each.name == name and each.days_left < min_days]
        if those:
            days = min(each.days_left for each in those)
            yield (
                f"The authority {name}, trusted by {listed([each.node for each in those])}, ends in {days:.1f} days,"
                f" the limit is {min_days:g}. Renew or replace it (docs/certificates.md)."
            )


def _controller_problems(state: ClusterState, expected: Expected) -> Iterator[str]:
    if state.controller_id is None or state.controller_id < 0:
        yield "No controller is active."
    if state.quorum:
        members = {*expected.voters, *expected.brokers, *(broker.node_id for broker in state.brokers)}
        yield from _quorum_problems(state.quorum, expected.voters, members)


def _quorum_problems(quorum: Quorum, expected: Sequence[int], members: Collection[int]) -> Iterator[str]:
    voters = {voter.node_id for voter in quorum.voters}
    for node_id in expected:
        if node_id not in voters:
            yield f"Node {node_id} should vote in the quorum and does not."
    # The leader lists an observer for five minutes after it has gone, one too that was taken out of the cluster.
    observers = [observer for observer in quorum.observers if observer.node_id in members]
    for replica in (*quorum.voters, *observers):
        if not replica.caught_up:
            yield f"Node {replica.node_id} is behind in the metadata log: {_ago(replica.caught_up_ms_ago)}."


def _broker_problems(state: ClusterState, reports: Mapping[int, BrokerReport], expected: Expected) -> Iterator[str]:
    for node_id in expected.brokers:
        if state.broker(node_id) is None:
            yield f"Broker {node_id} is not registered."
    for broker in state.brokers:
        report = reports.get(broker.node_id, BrokerReport())
        if broker.fenced:
            yield f"Broker {broker.node_id} is fenced: it is down, or it cannot reach the active controller."
        elif not report.release:
            yield f"Broker {broker.node_id} at {broker.address} does not answer."
        for log_dir in report.log_dirs:
            used = log_dir.used_percent
            if log_dir.error:
                yield f"Broker {broker.node_id} has lost its log directory {log_dir.path}: {log_dir.error}."
            elif used is not None and used > expected.max_used_percent:
                yield f"Broker {broker.node_id} has little room left: {log_dir}."


def _partition_problems(partitions: Iterable[Partition]) -> Iterator[str]:
    kinds: dict[str, list[Partition]] = {}
    for partition in partitions:
        kind = (
            "have no leader, so nobody can read or write them"
            if partition.offline
            else "are below their min ISR, so acks=all is refused"
            if partition.under_min_isr
            else "lack a replica in sync"
            if partition.under_replicated
            else ""
        )
        kinds.setdefault(kind, []).append(partition)
    for kind, affected in sorted(kinds.items()):
        if kind:
            yield f"{len(affected)} partitions {kind}: {listed(affected, 3)}."
