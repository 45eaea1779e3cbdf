"""The throttle of a reassignment (KIP-73): how fast replicas are copied, and of which partitions.

The rates are set for all brokers at once, as the default of the cluster: one request sets and one removes them, also
while a broker is down. A throttle that is left behind slows every replica down that catches up later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .cluster import listed
from .reassignment_plan import Move

RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")
LEADERS, FOLLOWERS = "leader.replication.throttled.replicas", "follower.replication.throttled.replicas"
REPLICAS = (LEADERS, FOLLOWERS)


@dataclass(frozen=True)
class Throttle:
    """The throttle that a cluster has now.

    `on_cluster` has the keys that are set for all brokers, `on_brokers` those of single ones, and `topics` those of
    each topic.
    """

    on_cluster: Sequence[str] = ()
    on_brokers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    topics: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is throttled."""
        return bool(self.on_cluster or self.on_brokers or self.topics)

    def __str__(self) -> str:
        where = [
            *(["all brokers"] if self.on_cluster else []),
            *(f"broker {node_id}" for node_id in sorted(self.on_brokers)),
            *(f"topic {name}" for name in sorted(self.topics)),
        ]
        return listed(where)


def lines(reassigned: Iterable[str], cordoned: Iterable[int]) -> list[str]:
    """What a page about the cluster says of moves that are under way, and of brokers that take none."""
    partitions, brokers = list(reassigned), sorted(cordoned)
    return [
        *([f"Reassignments: {len(partitions)} partitions ({listed(partitions, 3)})"] if partitions else []),
        *([f"Cordoned: {'broker' if len(brokers) == 1 else 'brokers'} {listed(brokers)}"] if brokers else []),
    ]


def left_behind(throttle: Throttle, reassigned: Iterable[str]) -> list[str]:
    """Tell of a throttle while nothing is reassigned (`reassigned` names the partitions that are)."""
    if not throttle or list(reassigned):
        return []
    return [
        f"A replication throttle is left on {throttle} while no partition is reassigned: it slows down replicas that"
        " catch up. playbooks/rebalance.yml removes it."
    ]


def throttled_replicas(moves: Iterable[Move]) -> dict[str, dict[str, str]]:
    """The topic configs that throttle what the moves copy, and nothing else: from whom, and to whom."""
    topics: dict[str, dict[str, list[str]]] = {}
    for move in moves:
        if move.added:
            of_topic = topics.setdefault(move.topic, {LEADERS: [], FOLLOWERS: []})
            of_topic[LEADERS] += [f"{move.index}:{node_id}" for node_id in move.before]
            of_topic[FOLLOWERS] += [f"{move.index}:{node_id}" for node_id in move.added]
    return {topic: {key: ",".join(each) for key, each in keys.items()} for topic, keys in topics.items()}
