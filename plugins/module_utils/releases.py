"""Kafka's releases as data: a row for each minor release, and what is known to change between them.

Supporting a further release is a further row, and a run of the scenario `lifecycle_short`, which holds the row against
what brokers of that release say of themselves. Sources: org.apache.kafka.server.common.MetadataVersion and Feature of
each release (`kafka-storage version-mapping` prints them since 4.0), and the notes on upgrading in Kafka's
documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .cluster import KRAFT_VERSION, listed

METADATA_VERSION = "metadata.version"

T = TypeVar("T")

Line = tuple[int, int]
"""Major and minor release."""


@dataclass(frozen=True)
class Release:
    """A minor release: the highest level of each feature that it supports, and the Java that its brokers run on.

    `removes` are the broker properties that have no effect any more since this release.
    """

    features: Mapping[str, int]
    java: tuple[int, int]
    removes: frozenset[str] = field(default_factory=frozenset)


_SINCE_4 = {"transaction.version": 2, "group.version": 1, "eligible.leader.replicas.version": 1, KRAFT_VERSION: 1}
_SHARE = {"share.version": 1, "streams.version": 1}
# Kafka 3 needs the security manager that Java 24 removed.
_JAVA_3, _JAVA_4 = (8, 23), (17, 99)

RELEASES: Mapping[Line, Release] = {
    (3, 9): Release({METADATA_VERSION: 21, KRAFT_VERSION: 1}, _JAVA_3),
    (4, 0): Release(
        {METADATA_VERSION: 25, **_SINCE_4},
        _JAVA_4,
        frozenset(
            {
                "control.plane.listener.name",
                "delegation.token.master.key",
                "inter.broker.protocol.version",
                "log.message.format.version",
                "log.message.timestamp.difference.max.ms",
                "metrics.jmx.blacklist",
                "metrics.jmx.whitelist",
                "offsets.commit.required.acks",
                "zookeeper.metadata.migration.enable",
            }
        ),
    ),
    (4, 1): Release({METADATA_VERSION: 27, **_SINCE_4}, _JAVA_4),
    (4, 2): Release({METADATA_VERSION: 29, **_SINCE_4, **_SHARE}, _JAVA_4),
    (4, 3): Release({METADATA_VERSION: 30, **_SINCE_4, **_SHARE}, _JAVA_4),
    (4, 4): Release({METADATA_VERSION: 33, **_SINCE_4, **_SHARE, "share.version": 2}, _JAVA_4),
}
OLDEST_RELEASE = LAST_WITH_ZOOKEEPER = min(RELEASES)

METADATA_CHANGES = (7, 8, 11, 13, 14, 15, 17, 23, 30, 32, 33)
"""The levels of metadata.version that change what the metadata log holds: nobody can go back below one of them."""

AVOIDED = {
    "4.2.0": "a rolling upgrade to it breaks transactional producers (KAFKA-20322); take 4.2.1 or later",
}
"""Exact releases to which nobody should change a running cluster, and why."""

SMALLEST_SEGMENT_SINCE, SMALLEST_SEGMENT_BYTES = (4, 0), 1 << 20
"""Since then a broker does not start with a topic whose segment.bytes is smaller (KIP-1030)."""

REQUESTS_DROPPED_SINCE = (4, 0)
"""Since then brokers no longer serve some versions of requests that clients older than 2.1 may send (KIP-896)."""


def line(version: str) -> Line | None:
    """Return the minor release of a version such as 4.3.1, None if it is none."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.\d+", version)
    return (int(match[1]), int(match[2])) if match else None


def java_versions(release: Line) -> tuple[int, int] | None:
    """Return the oldest and the newest Java for brokers of a minor release, as far as its major release is known."""
    same_major = [each for each in RELEASES if each[0] == release[0]]
    return RELEASES[release if release in RELEASES else max(same_major)].java if same_major else None


def hosts_by_release(running: Mapping[T, str]) -> dict[str, list[T]]:
    """Return what runs each release, the oldest release first; what runs none ("") is left out."""
    found: dict[str, list[T]] = {}
    for host, release in running.items():
        if release:
            found.setdefault(release, []).append(host)
    return dict(sorted(found.items(), key=lambda item: tuple(int(n) for n in item[0].split(".") if n.isdigit())))


def told(hosts: Mapping[str, Sequence[object]]) -> str:
    """Return what `hosts_by_release` found for a sentence: `4.3.1 on kafka2; 4.4.0 on kafka1`."""
    return "; ".join(f"{release} on {listed(names)}" for release, names in hosts.items())


def removed_since(key: str) -> Line | None:
    """Return the release that removed a broker property, None if none has."""
    return next((each for each, release in RELEASES.items() if key in release.removes), None)


def lowest_after(level: int) -> int:
    """Return the lowest metadata.version to which a cluster at `level` can be taken back."""
    return max(each for each in METADATA_CHANGES if each <= level)


def oldest_that_reads(level: int) -> Line:
    """Return the oldest release that could run once a cluster at `level` is taken back as far as possible.

    Raises:
        ValueError: No release that is known here can.
    """
    lowest = lowest_after(level)
    return min(each for each, release in RELEASES.items() if release.features[METADATA_VERSION] >= lowest)


def shown(release: Line) -> str:
    """Return a minor release as one writes it: 4.3."""
    return f"{release[0]}.{release[1]}"
