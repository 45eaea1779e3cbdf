"""What a change of the release means for a running cluster: what speaks against it, and what is to be known before it.

The change itself is a rolling restart like any other; whoever goes back to a former release makes the same change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .cluster import listed
from .releases import (
    AVOIDED,
    RELEASES,
    REQUESTS_DROPPED_SINCE,
    SMALLEST_SEGMENT_BYTES,
    SMALLEST_SEGMENT_SINCE,
    Line,
    hosts_by_release,
    line,
    removed_since,
    shown,
    told,
)

SEGMENT_BYTES, MESSAGE_FORMAT = "segment.bytes", "message.format.version"
TOPIC_SETTINGS = (SEGMENT_BYTES, MESSAGE_FORMAT)
"""The settings of topics that a release may refuse, for which a cluster is asked when its release is to change."""


@dataclass(frozen=True)
class ReleaseChange:
    """A running cluster and the release that is declared for it.

    Attributes:
        target: The declared release, such as 4.4.0.
        running: The release of each process, by the name of its host; hosts that run none are left out.
        properties: The names of the broker properties that are declared.
        segment_bytes: `log.segment.bytes` as it is declared, None for Kafka's own.
        topics: The `TOPIC_SETTINGS` that topics have of their own, by the topic's name.
        blank: The hosts with directories that this run formats for a cluster that is already bootstrapped.
    """

    target: str
    running: Mapping[str, str] = field(default_factory=dict)
    properties: Collection[str] = ()
    segment_bytes: int | None = None
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    blank: Sequence[str] = ()

    @property
    def others(self) -> dict[str, list[str]]:
        """The hosts of each other release that runs, the oldest release first."""
        return {release: hosts for release, hosts in hosts_by_release(self.running).items() if release != self.target}

    @property
    def oldest(self) -> Line | None:
        """The oldest minor release that runs."""
        return min(filter(None, map(line, self.running.values())), default=None)

    def reaches(self, since: Line) -> bool:
        """Whether the change leads from before a release to it, or beyond it."""
        target = line(self.target)
        return bool(target and self.oldest and self.oldest < since <= target)


def drops_requests(change: ReleaseChange) -> bool:
    """Whether the release no longer serves requests that one of those that run does."""
    return change.reaches(REQUESTS_DROPPED_SINCE)


def format_release(change: ReleaseChange) -> str:
    """Return the release by which blank directories are formatted: the oldest of those that run and the declared one.

    What a newer one formats an older one may not be able to read (KIP-1170), and an upgrade may be rolled back.
    """
    return next(iter(hosts_by_release({**change.running, "": change.target})), "")


def format_source(change: ReleaseChange) -> str:
    """Return a host that runs the release by which blank directories are formatted, "" where it is the declared one."""
    return next(iter(change.others.get(format_release(change), ())), "")


def problems(change: ReleaseChange) -> Iterator[str]:
    """Yield why a running cluster may not be changed to the release now, each with what to do about it."""
    if not change.others:
        return
    if why := AVOIDED.get(change.target):
        yield f"kafka_version: {change.target} is no release to change to: {why}."
    if change.reaches(SMALLEST_SEGMENT_SINCE):
        yield from _refused_settings(change)


def _refused_settings(change: ReleaseChange) -> Iterator[str]:
    since = shown(SMALLEST_SEGMENT_SINCE)
    small = [name for name, each in change.topics.items() if _too_small(each.get(SEGMENT_BYTES))]
    if small:
        yield (
            f"{SEGMENT_BYTES} of {listed(small)} is below {SMALLEST_SEGMENT_BYTES} (1 MiB), with which brokers since"
            f" {since} do not start. Raise it first, in kafka_topics (playbooks/topics.yml) or by kafka-configs.sh."
        )
    if former := [name for name, each in change.topics.items() if MESSAGE_FORMAT in each]:
        yield (
            f"{MESSAGE_FORMAT} is set for {listed(former)}, with which brokers since {since} do not start."
            f" Take it away first: kafka-configs.sh --alter --entity-type topics --delete-config {MESSAGE_FORMAT}."
        )
    if change.segment_bytes is not None and change.segment_bytes < SMALLEST_SEGMENT_BYTES:
        yield (
            f"kafka_config: log.segment.bytes is {change.segment_bytes}, and brokers since {since} take no less than"
            f" {SMALLEST_SEGMENT_BYTES} (1 MiB)."
        )


def notes(change: ReleaseChange) -> Iterator[str]:
    """Yield what is to be known of a change of the release before it is made, a line each."""
    if not change.others:
        return
    target = line(change.target)
    yield f"release: from {told(change.others)} to {change.target}"
    if already := [host for host, release in change.running.items() if release == change.target]:
        yield f"release: {listed(already)} has {change.target} already: this goes on with a change that had begun"
    for key in sorted(change.properties):
        since = removed_since(key)
        if since and target and target >= since:
            yield f"release: {key} has no effect since {shown(since)}; take it out of kafka_config"
    if target and change.oldest and target > change.oldest:
        newest = next(reversed(change.others))
        yield (
            f"release: feature levels stay as they are, so kafka_version {newest} leads back, until"
            " playbooks/finalize_features.yml raises them"
        )
    if drops_requests(change):
        yield (
            f"release: since {shown(REQUESTS_DROPPED_SINCE)} some requests of clients older than 2.1 are not served;"
            " the run listens for them for kafka_old_clients_listen_s before it changes anything (not with --check)"
        )
    if change.blank and (source := format_source(change)):
        yield (
            f"release: blank directories of {listed(change.blank)} are formatted by {format_release(change)}, the"
            f" oldest release that runs, so that one can go back to it; a host that lacks it gets it from {source}"
        )
    if target and target not in RELEASES:
        yield f"release: {change.target} is newer than this collection knows, so that nothing else is said about it"


def _too_small(value: str | None) -> bool:
    return value is not None and value.isdigit() and int(value) < SMALLEST_SEGMENT_BYTES
