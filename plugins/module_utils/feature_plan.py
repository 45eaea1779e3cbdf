"""Which feature levels are raised once all nodes of a cluster run a newer release, and what cannot be undone then.

Features are raised by name. `kraft.version` is left out unless it is asked for: it makes a quorum with fixed voters a
dynamic one, and Kafka's own `--release-version` raises it without a word (KAFKA-21426).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cluster import KRAFT_VERSION, Feature, listed
from .releases import (
    METADATA_VERSION,
    RELEASES,
    hosts_by_release,
    line,
    lowest_after,
    oldest_that_reads,
    shown,
    told,
)

CONSEQUENCES = {
    # KIP-966, KAFKA-16540: brokers must not disagree about which partitions are under their minimum.
    "eligible.leader.replicas.version": (
        "min.insync.replicas stands for the whole cluster then: unless it is set there already, Kafka sets it to what"
        " server.properties of the active controller says, and it neither takes it for single brokers nor lets it go."
    ),
}
"""What else changes where a feature is raised from 0."""

KRAFT_VERSION_SINCE = (4, 1)
"""Before it, raising kraft.version wrote a record that later broke the quorum (KAFKA-18979)."""


@dataclass(frozen=True)
class Cluster:
    """What is known of the nodes.

    Attributes:
        features: The features that are in force, with the range that the answering broker supports.
        supported: The highest level of each feature, by the id of the broker that supports it.
        registered: The ids of all registered brokers.
        releases: The release of each process, by the name of its host; "" for a host on which none runs.
    """

    features: Mapping[str, Feature]
    supported: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    registered: tuple[int, ...] = ()
    releases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FeaturePlan:
    """The levels before and after, by feature; those that stay are left out."""

    raised: Mapping[str, tuple[int, int]]

    @property
    def levels(self) -> dict[str, int]:
        """The levels to be set."""
        return {name: after for name, (_, after) in self.raised.items()}

    @property
    def lines(self) -> list[str]:
        """The plan as it is printed."""
        if not self.raised:
            return ["All features are as high as the nodes support."]
        changes = [f"{name}: {before} -> {after}" for name, (before, after) in self.raised.items()]
        effects = [told for name, told in CONSEQUENCES.items() if name in self.raised and not self.raised[name][0]]
        return [*changes, *effects, *_way_back(self.raised)]


def plan(cluster: Cluster, declared: Mapping[str, Any]) -> FeaturePlan:
    """Return the plan for `declared` levels; without any, each feature but kraft.version goes as high as all support.

    It is to be asked only where there are no `problems`.
    """
    highest = _highest(cluster)
    wanted = {name: int(level) for name, level in declared.items()} or {
        name: level for name, level in highest.items() if name != KRAFT_VERSION
    }
    before = {name: feature.finalized for name, feature in cluster.features.items()}
    # The metadata comes first: the others may need it.
    order = sorted(wanted, key=lambda name: (name != METADATA_VERSION, name))
    return FeaturePlan(
        {name: (before.get(name, 0), wanted[name]) for name in order if wanted[name] > before.get(name, 0)}
    )


def problems(cluster: Cluster, declared: Mapping[str, Any]) -> Iterator[str]:
    """Yield why no level may be raised now, each with what to do about it."""
    if not cluster.features:
        yield "The cluster has no feature levels: it is in ZooKeeper mode."
        return
    yield from _node_problems(cluster)
    yield from _level_problems(cluster, declared)


CONTROLLER = re.compile(r"controller (\d+)", re.IGNORECASE)


def ghosts(refusal: str, voters: Collection[int]) -> str:
    """Return what is to be done about removed controllers that Kafka's refusal names, "" if it names none.

    Kafka counts each controller that was ever registered, with what it supported then (KAFKA-20295).
    """
    named = sorted({int(number) for number in CONTROLLER.findall(refusal)} - set(voters))
    if not named:
        return ""
    return (
        f"Controller {listed(named)} was removed from the quorum while it ran an older release, and Kafka still counts"
        " it. Let a node with that id join once more with the release that runs now, and remove it again."
    )


def _node_problems(cluster: Cluster) -> Iterator[str]:
    if away := [name for name, release in cluster.releases.items() if not release]:
        yield (
            f"No process of a known release runs on {listed(away)}. What it will support when it is back is not known:"
            " start it, or take it out of the cluster."
        )
    if silent := [node for node in cluster.registered if node not in cluster.supported]:
        yield (
            f"Broker {listed(silent)} is registered and does not answer. Bring it back, or take it out of the cluster"
            " (playbooks/remove_broker.yml)."
        )
    hosts = hosts_by_release(cluster.releases)
    if len(hosts) > 1:
        yield (
            f"Nodes run different releases: {told(hosts)}. Finish the change of the release first"
            " (playbooks/upgrade.yml)."
        )


def _level_problems(cluster: Cluster, declared: Mapping[str, Any]) -> Iterator[str]:
    highest = _highest(cluster)
    for name, level in declared.items():
        if name not in highest:
            yield f"kafka_features: no node knows {name}; they know {listed(sorted(highest), 10)}."
        elif not str(level).isdigit():
            yield f"kafka_features: the level of {name} is {level!r}, and must be a number."
        elif int(level) > highest[name]:
            yield f"kafka_features: {name} {level} is more than all nodes support, which is {highest[name]}."
        elif name in cluster.features and int(level) < cluster.features[name].finalized:
            yield (
                f"kafka_features: {name} is {cluster.features[name].finalized} already, and this raises levels only."
                " Kafka lowers some of them: kafka-features.sh downgrade."
            )
        elif name == KRAFT_VERSION and (oldest := _oldest(cluster)) and oldest < KRAFT_VERSION_SINCE:
            yield (
                f"kafka_features: before {shown(KRAFT_VERSION_SINCE)} Kafka raises {KRAFT_VERSION} wrongly"
                " (KAFKA-18979); change the release first."
            )


def _highest(cluster: Cluster) -> dict[str, int]:
    """The highest level of each feature that all brokers support, and each controller by its release."""
    levels = [*cluster.supported.values()]
    for version in cluster.releases.values():
        release = RELEASES.get(line(version) or (0, 0))
        if release and levels:
            # A feature that the table does not have is known by the brokers alone.
            levels.append({**levels[0], **release.features})
    names = set(levels[0]).intersection(*levels[1:]) if levels else set()
    return {name: min(each[name] for each in levels) for name in sorted(names)}


def _oldest(cluster: Cluster) -> tuple[int, int] | None:
    return min(filter(None, map(line, cluster.releases.values())), default=None)


def _way_back(raised: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """What can be undone, in sentences: it depends on which levels change what the metadata log holds."""
    if METADATA_VERSION in raised:
        before, after = raised[METADATA_VERSION]
        oldest = shown(oldest_that_reads(after))
        if lowest_after(after) > before:
            yield (
                f"There is no way back from {METADATA_VERSION} {after}: it changes what the metadata log holds, and no"
                f" release before {oldest} can run this cluster any more."
            )
        else:
            yield (
                f"{METADATA_VERSION} {after} changes nothing in the metadata log: kafka-features.sh can lower it again,"
                f" and releases from {oldest} on can run this cluster then."
            )
    others = [name for name in raised if name != METADATA_VERSION]
    if others:
        yield f"Nodes that do not support these levels of {listed(others)} cannot join from then on."
