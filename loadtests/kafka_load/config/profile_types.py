"""What a profile is once it has been checked: rates, users, records, topics, groups and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kafka_load.config.processing import Processing
from kafka_load.config.transform import Transform
from kafka_load.records.keys import DEFAULT, Popularity

_LEVELS = ("rate", "from", "to", "base", "peak")


@dataclass(frozen=True)
class Rate:
    """How many records a second are due over the run, all users of one class together.

    `shape` is one of `profile_schema.SHAPES`; `args` are its numbers (records/s, seconds or a count of steps).
    """

    shape: str
    args: dict[str, float]

    @property
    def highest(self) -> float:
        """The highest rate the shape reaches, records/s."""
        return max(self.args[name] for name in _LEVELS if name in self.args)

    def scaled(self, factor: float) -> Rate:
        """The same shape, `factor` times as high."""
        return Rate(self.shape, {k: v * factor if k in _LEVELS else v for k, v in self.args.items()})


@dataclass(frozen=True)
class Presence:
    """How many users of one class there are and when each of them is there.

    A user joins `start_s` after the run began; with `away_s` it then stays `stay_s`, leaves for `away_s`, and so on.
    """

    count: int
    start_s: float = 0.0
    stay_s: float = 0.0
    away_s: float = 0.0


@dataclass(frozen=True)
class RecordShape:
    """What records are like.

    Attributes:
        size: Bytes a record; None for JSON that a person can read, for `sizes` and for a `payload_file`.
        sizes: Sizes of the records, bytes, each with its share of them.
        payload_file: A file whose lines are the records' payloads, behind the header of each.
        largest_payload: Bytes of the longest record with one of those; 0 without.
        entropy: The share of a record behind its header that no compression makes less of.
        popularity: The records' keys, and how often each is drawn.
        headers: Names and values of the headers that each record has.
    """

    size: int | None = None
    sizes: tuple[tuple[int, float], ...] = ()
    payload_file: str = ""
    largest_payload: int = 0
    entropy: float = 1.0
    popularity: Popularity = DEFAULT
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def largest(self) -> int:
        """Bytes of the largest record; 0 for JSON, which is small."""
        return max([self.size or 0, self.largest_payload, *(size for size, _ in self.sizes)])


Event = Literal["order", "click"]
Mode = Literal["queue", "pubsub", "share"]


@dataclass(frozen=True)
class DeclaredTopic:
    """A topic that a profile declares, with those who produce to it.

    Attributes:
        name: The topic.
        partitions: How many it has; None for as many as it has already, or as the brokers make by default.
        replication_factor: The same of its replicas.
        config: Its configs, as Kafka names and writes them.
        records: What its records are like.
        event: What its records tell if they are JSON.
    """

    name: str
    partitions: int | None = None
    replication_factor: int | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    records: RecordShape = RecordShape()
    event: Event = "order"

    @property
    def user(self) -> str:
        """The name of the class of users that produce to it: where the profile declares it."""
        return f"topics.{self.name}"


@dataclass(frozen=True)
class DeclaredGroup:
    """A group that a profile declares; its name in a run has the prefix of `--group-prefix` before it.

    `processing` is what its members do with each record, `transform` what they make of it; None: they only read.
    """

    name: str
    topics: tuple[str, ...]
    mode: Mode = "queue"
    processing: Processing | None = None
    transform: Transform | None = None

    @property
    def written(self) -> tuple[str, ...]:
        """The topics that its members write."""
        if self.transform is not None:
            return (self.transform.output,)
        return tuple(filter(None, [self.processing.dead_letter_topic if self.processing else ""]))

    @property
    def user(self) -> str:
        """The name of the class of users that are its members: where the profile declares it."""
        return f"groups.{self.name}"


@dataclass(frozen=True)
class Profile:
    """One validated profile.

    Attributes:
        name: Its file's name without the suffix.
        duration_s: How long the load lasts.
        warmup_s: How much of it counts in no limit of latency, rate or gaps.
        window_s: How long the windows are of which the slowest is limited.
        rate: Records/s by class of users.
        users: How many of each class there are, and when.
        limits: Its limits by name.
        topic_limits: Those of one topic each, by the topic.
        group_limits: Those of one group each, by the group.
        records: What records are like, in topics that the profile does not declare.
        topics: The topics that it declares, by name.
        groups: The groups that it declares, by name.
        raw: What it was read from.
    """

    name: str
    duration_s: float
    rate: Mapping[str, Rate]
    users: Mapping[str, Presence]
    limits: Mapping[str, float] = field(default_factory=dict)
    topic_limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    group_limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    records: RecordShape = RecordShape()
    topics: Mapping[str, DeclaredTopic] = field(default_factory=dict)
    groups: Mapping[str, DeclaredGroup] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict, compare=False)
    warmup_s: float = 0.0
    window_s: float = 10.0

    def to_wire(self) -> dict[str, Any]:
        """Plain data that `profiles.parse` makes the profile of again."""
        return {"name": self.name, "raw": self.raw}

    def lasting(self, duration_s: float) -> Profile:
        """The same profile over another time."""
        return replace(self, duration_s=duration_s, raw={**self.raw, "duration": duration_s})

    @property
    def user_count(self) -> int:
        """All users of all classes together."""
        return sum(presence.count for presence in self.users.values())

    @property
    def own_topics(self) -> dict[str, DeclaredTopic]:
        """The topics that the run makes where they do not exist, by name: those declared and those of the groups."""
        written = {topic: DeclaredTopic(topic) for group in self.groups.values() for topic in group.written}
        return {**written, **self.topics}

    def records_of(self, topic: str) -> RecordShape:
        """What records of a topic are like."""
        return self.topics[topic].records if topic in self.topics else self.records
