"""Moves are made under a throttle that is gone afterwards, however they end; what is not done in time is cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import PolicyViolationError

from ansible_collections.crucible.kafka.plugins.module_utils import reassignment_admin
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Partition
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import (
    move,
    never_done,
    read_throttle,
    reassigned,
    remove_throttle,
    wait_for_reassigned,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_plan import Move
from ansible_collections.crucible.kafka.plugins.module_utils.replication_throttle import RATES, REPLICAS, Throttle

MOVE = Move("orders", 0, (1, 2), (1, 3), 10)
LEADER_ONLY = Move("orders", 1, (1, 2), (2, 1), 10)


class Cluster:
    """Stands for `Endpoint` and its client: keeps configs and placements, and finishes a move when asked again."""

    timeout_s = 0.0

    def __init__(self) -> None:
        self.replicas: dict[tuple[str, int], tuple[int, ...]] = {("orders", 0): (1, 2), ("orders", 1): (1, 2)}
        self.underway: dict[tuple[str, int], tuple[int, ...]] = {}
        self.configs: dict[tuple[str, str], dict[str, str]] = {}
        self.seen: list[dict[tuple[str, str], dict[str, str]]] = []
        self.stuck = False
        self.refuses = False

    @contextmanager
    def connect(self) -> Iterator[Cluster]:
        yield self

    def alter_partition_reassignments(self, wanted: Mapping[Any, list[int] | None]) -> dict[Any, Any]:
        self.seen.append({key: dict(each) for key, each in self.configs.items()})
        for partition, replicas in wanted.items():
            key = partition.topic, partition.partition
            if replicas is None:
                self.underway.pop(key)
            elif not self.refuses:
                self.underway[key] = tuple(replicas)
        return dict.fromkeys(wanted, PolicyViolationError if self.refuses else None)

    def list_partition_reassignments(self) -> dict[Any, Any]:
        now = {
            TopicPartition(*key): {"replicas": [*after, *(set(self.replicas[key]) - set(after))], "adding_replicas": [],
                                   "removing_replicas": sorted(set(self.replicas[key]) - set(after))}
            for key, after in self.underway.items()
        }  # fmt: skip
        if not self.stuck:
            self.replicas |= self.underway
            self.underway = {}
        return now

    def read_partitions(self, _: Any, __: Any) -> tuple[Partition, ...]:
        return tuple(Partition(*key, nodes[0], nodes, nodes, 1) for key, nodes in self.replicas.items())

    def alter_configs(self, _: Any, kind: str, changes: Mapping[str, Mapping[str, str | None]], *__: Any) -> list[str]:
        for name, keys in changes.items():
            kept = self.configs.setdefault((kind, name), {})
            for key, value in keys.items():
                kept.pop(key, None) if value is None else kept.update({key: value})
        self.configs = {key: each for key, each in self.configs.items() if each}
        return []


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    for name in ("read_partitions", "alter_configs"):
        monkeypatch.setattr(reassignment_admin, name, getattr(made, name))
    return made


def test_a_move_is_throttled_while_it_is_made_and_not_afterwards(cluster: Cluster) -> None:
    move(cluster, [MOVE, LEADER_ONLY], 5000, 10)  # type: ignore[arg-type] # a stand-in
    assert cluster.replicas == {("orders", 0): (1, 3), ("orders", 1): (2, 1)}
    assert cluster.seen == [
        {
            ("broker", ""): dict.fromkeys(RATES, "5000"),
            ("topic", "orders"): dict(zip(REPLICAS, ["0:1,0:2", "0:3"], strict=True)),
        }
    ]
    assert cluster.configs == {}


@pytest.mark.parametrize(("moves", "rate"), [([MOVE], 0), ([LEADER_ONLY], 5000)])
def test_nothing_is_throttled_without_a_rate_or_where_nothing_is_copied(
    cluster: Cluster, moves: list[Move], rate: int
) -> None:
    move(cluster, moves, rate, 10)  # type: ignore[arg-type] # a stand-in
    assert cluster.seen == [{}]


def test_what_is_not_done_in_time_is_cancelled_and_no_longer_throttled(cluster: Cluster) -> None:
    cluster.stuck = True
    with pytest.raises(
        AdminError, match=r"After 0 s these moves were not done and were cancelled: orders-0\. A throttle"
    ):
        move(cluster, [MOVE], 5000, 0)  # type: ignore[arg-type] # a stand-in
    assert (cluster.underway, cluster.configs) == ({}, {})


def test_what_kafka_refuses_is_told_and_no_longer_throttled(cluster: Cluster) -> None:
    cluster.refuses = True
    with pytest.raises(AdminError, match=r"does not move these partitions: orders-0 \(PolicyViolationError\)"):
        move(cluster, [MOVE], 5000, 0)  # type: ignore[arg-type] # a stand-in
    assert cluster.configs == {}


def test_moves_under_way_are_told_as_they_will_be_and_waited_for(cluster: Cluster) -> None:
    cluster.underway = {("orders", 0): (3, 1)}
    cluster.stuck = True
    assert reassigned(cluster) == {("orders", 0): (3, 1)}
    assert wait_for_reassigned(cluster, 0) == ["orders-0"]  # type: ignore[arg-type] # a stand-in
    cluster.stuck = False
    assert wait_for_reassigned(cluster, 5) == []  # type: ignore[arg-type] # a stand-in


def test_what_would_lie_on_a_broker_that_is_down_or_to_be_emptied_is_not_waited_for() -> None:
    underway = {("a", 0): (1, 2), ("a", 1): (1, 5), ("a", 2): (2, 3)}
    assert never_done(underway, [1, 2, 3, 5], None) == []
    assert never_done(underway, [1, 2, 3], None) == [("a", 1)]
    assert never_done(underway, [1, 2, 3, 5], 3) == [("a", 2)]


def test_a_throttle_is_found_at_each_level_and_removed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    level = {
        "on cluster": "DYNAMIC_DEFAULT_BROKER_CONFIG",
        "own": "DYNAMIC_BROKER_CONFIG",
        "file": "STATIC_BROKER_CONFIG",
    }

    def told(key: str, *levels: str) -> dict[str, Any]:
        synonyms = [{"name": key, "source": level[each], "value": "1"} for each in levels]
        return {"config_source": level[levels[0]], "synonyms": synonyms, "value": "1"}

    brokers = {
        "1": {RATES[0]: told(RATES[0], "on cluster", "file")},
        "2": {RATES[1]: told(RATES[1], "own", "on cluster")},
        "3": {RATES[1]: told(RATES[1], "file")},
    }
    topics = {
        "orders": {key: {"config_source": "DYNAMIC_TOPIC_CONFIG", "value": "0:1", "synonyms": []} for key in REPLICAS},
        "clicks": {key: {"config_source": "DEFAULT_CONFIG", "value": "", "synonyms": []} for key in REPLICAS},
    }
    monkeypatch.setattr(
        reassignment_admin, "describe_configs", lambda _, kind, *__: brokers if kind == "broker" else topics
    )
    cluster.describe_topics = lambda _: []  # type: ignore[attr-defined] # a stand-in
    throttle = read_throttle(cluster, [1, 2, 3])
    assert throttle == Throttle(sorted(RATES), {2: [RATES[1]]}, {"orders": list(REPLICAS)})
    cluster.configs = {
        ("broker", ""): dict.fromkeys(RATES, "1"),
        ("broker", "2"): {RATES[1]: "1"},
        ("topic", "orders"): dict.fromkeys(REPLICAS, "0:1"),
    }
    remove_throttle(cluster, throttle)
    assert cluster.configs == {}
