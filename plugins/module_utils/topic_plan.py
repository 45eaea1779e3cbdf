"""From the topics that a cluster has and those that are declared, the steps between them: all of them, or all refusals.

Nothing here takes data away unless the declaration says `state: absent`: partitions are only added, and replicas are
not moved. Both shrinking and moving would need the records themselves to be copied.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .config_types import same

LEGAL_NAME = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")
MIN_ISR = "min.insync.replicas"
# A reassignment in progress sets these itself, and removes them when it is done.
TRANSIENT_CONFIGS = frozenset({"leader.replication.throttled.replicas", "follower.replication.throttled.replicas"})


@dataclass(frozen=True)
class Topic:
    """A topic as it is or as it should be; `config` holds only what is set for the topic itself.

    `replication_factors` has more than one member while partitions of the topic are being reassigned. `config_types`
    are the types of the keys, of a topic that is there.
    """

    name: str
    partitions: int
    replication_factors: frozenset[int]
    config: Mapping[str, str] = field(default_factory=dict)
    config_types: Mapping[str, str] = field(default_factory=dict, compare=False)

    def lines(self) -> list[str]:
        """The topic for a diff."""
        factors = ", ".join(map(str, sorted(self.replication_factors)))
        head = [f"{self.name}:", f"  partitions: {self.partitions}", f"  replication_factor: {factors}"]
        return head + [f"  {key}: {value}" for key, value in sorted(self.config.items())]


@dataclass(frozen=True)
class TopicPlan:
    """Topics to create, to grow (to that many partitions), to reconfigure (None resets a key) and to delete."""

    create: Sequence[Topic] = ()
    grow: Mapping[str, int] = field(default_factory=dict)
    alter: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    delete: Sequence[str] = ()
    refusals: Sequence[str] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.create or self.grow or self.alter or self.delete)

    def apply(self, current: Mapping[str, Topic]) -> dict[str, Topic]:
        """The topics as they will be."""
        after = {name: topic for name, topic in current.items() if name not in self.delete}
        after |= {topic.name: topic for topic in self.create}
        for name in {*self.grow, *self.alter}:
            old = after[name]
            config = {**old.config, **self.alter.get(name, {})}
            kept = {key: value for key, value in config.items() if value is not None}
            after[name] = replace(old, partitions=self.grow.get(name, old.partitions), config=kept)
        return after

    def touched(self) -> set[str]:
        """The names of the topics that change."""
        return {topic.name for topic in self.create} | {*self.grow} | {*self.alter} | {*self.delete}


def plan(
    current: Mapping[str, Topic],
    wanted: Iterable[Topic],
    absent: Iterable[str],
    brokers: int,
    exact_config: bool = True,
) -> TopicPlan:
    """The steps from the current topics to the wanted ones; with any refusal, no steps at all.

    Args:
        current: The cluster's topics by name.
        wanted: Topics that shall be there.
        absent: Names of topics that shall not; the only ones that are deleted.
        brokers: How many brokers serve.
        exact_config: Whether a key that is set for a topic and is not declared is reset to the brokers' default.
    """
    wanted, absent = list(wanted), list(absent)
    names = [topic.name for topic in wanted] + absent
    refusals = [f"{name}: declared {times} times" for name, times in Counter(names).items() if times > 1]
    refusals += [f"{name}: no legal topic name" for name in names if not LEGAL_NAME.fullmatch(name)]
    refusals += [f"{name}: Kafka's own topic, which is never deleted" for name in absent if name.startswith("__")]
    for topic in wanted:
        refusals += [f"{topic.name}: {reason}" for reason in _refusals(current.get(topic.name), topic, brokers)]
    if refusals:
        return TopicPlan(refusals=refusals)
    kept = [(current[topic.name], topic) for topic in wanted if topic.name in current]
    alter = {topic.name: _config_changes(old, topic.config, exact_config) for old, topic in kept}
    return TopicPlan(
        create=[topic for topic in wanted if topic.name not in current],
        grow={topic.name: topic.partitions for old, topic in kept if topic.partitions > old.partitions},
        alter={name: changes for name, changes in alter.items() if changes},
        delete=[name for name in absent if name in current],
    )


def _refusals(old: Topic | None, new: Topic, brokers: int) -> list[str]:
    (factor,) = new.replication_factors
    refusals = []
    if new.partitions < 1:
        refusals.append(f"{new.partitions} partitions are declared, a topic has at least 1")
    if factor < 1:
        refusals.append(f"replication_factor {factor} is declared, it is at least 1")
    if old is None and factor > brokers:
        refusals.append(f"replication_factor {factor} is declared, but only {brokers} brokers serve")
    min_isr = new.config.get(MIN_ISR, "1")
    if not min_isr.isdigit() or not 1 <= int(min_isr) <= factor:
        refusals.append(f"{MIN_ISR} is {min_isr}, it must lie between 1 and the replication_factor {factor}")
    if old and new.partitions < old.partitions:
        refusals.append(
            f"has {old.partitions} partitions and {new.partitions} are declared; "
            "Kafka cannot remove partitions, only a new topic has fewer"
        )
    if old and old.replication_factors != new.replication_factors:
        refusals.append(
            f"has replication_factor {', '.join(map(str, sorted(old.replication_factors)))} and {factor} is declared; "
            "replicas are moved by a reassignment (kafka-reassign-partitions.sh), not here"
        )
    return refusals


def _config_changes(old: Topic, new: Mapping[str, str], exact: bool) -> dict[str, str | None]:
    changes: dict[str, str | None] = {
        key: value for key, value in new.items() if not same(old.config_types.get(key, ""), old.config.get(key), value)
    }
    if exact:
        changes |= dict.fromkeys(old.config.keys() - new.keys() - TRANSIENT_CONFIGS)
    return changes
