"""Reads where replicas lie and what is reassigned, and carries out a batch of moves under a throttle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from .admin import AdminError, Endpoint, alter_configs, describe_configs, wait_until
from .cluster import ClusterState, Partition, listed
from .reassignment_plan import Move
from .replica_placement import Placement
from .replication_throttle import RATES, REPLICAS, Throttle, throttled_replicas
from .survey import read_partitions

with suppress(ImportError):  # admin.py keeps it for the sentence that the module fails with.
    from kafka import TopicPartition

CORDONED = "cordoned.log.dirs"
ALL_DIRECTORIES = "*"
ON_CLUSTER, ON_BROKER, ON_TOPIC = "DYNAMIC_DEFAULT_BROKER_CONFIG", "DYNAMIC_BROKER_CONFIG", "DYNAMIC_TOPIC_CONFIG"
Key = tuple[str, int]


def reassigned(admin: Any) -> dict[Key, tuple[int, ...]]:
    """The partitions that are being reassigned, each with the replicas that it will have."""
    return {
        (partition.topic, partition.partition): tuple(
            node for node in now["replicas"] if node not in now["removing_replicas"]
        )
        for partition, now in admin.list_partition_reassignments().items()
    }


def read_placements(admin: Any, state: ClusterState) -> list[Placement]:
    """All partitions with their sizes, those that are being reassigned as they will be.

    A partition is as large as the largest replica on a serving broker.
    """
    sizes: dict[Key, int] = {}
    serving = [broker.node_id for broker in state.brokers if not broker.fenced]
    for answer in admin.describe_log_dirs(topic_partitions=None, brokers=serving):
        for log_dir in answer["log_dirs"]:
            for topic in log_dir["topics"]:
                for partition in topic["partitions"]:
                    key = topic["name"], partition["partition_index"]
                    sizes[key] = max(sizes.get(key, 0), partition["partition_size"])
    future = reassigned(admin)
    return [
        Placement(
            each.topic,
            each.index,
            future.get((each.topic, each.index), each.replicas),
            sizes.get((each.topic, each.index), 0),
        )
        for each in state.partitions
    ]


def read_throttle(admin: Any, serving: Iterable[int]) -> Throttle:
    """The dynamic throttles of the brokers that serve, and of all topics."""
    on_cluster: set[str] = set()
    on_brokers: dict[int, list[str]] = {}
    for node, configs in describe_configs(admin, "broker", map(str, serving), RATES).items():
        for key, told in configs.items():
            levels = {synonym["source"] for synonym in told["synonyms"] if synonym["name"] == key}
            if ON_CLUSTER in levels | {told["config_source"]}:
                on_cluster.add(key)
            if ON_BROKER in levels | {told["config_source"]}:
                on_brokers.setdefault(int(node), []).append(key)
    names = [topic["name"] for topic in admin.describe_topics(None) if topic["error_code"] == 0]
    topics = {
        name: [key for key, told in configs.items() if told["config_source"] == ON_TOPIC and told["value"]]
        for name, configs in describe_configs(admin, "topic", names, REPLICAS).items()
    }
    return Throttle(sorted(on_cluster), on_brokers, {name: keys for name, keys in topics.items() if keys})


def remove_throttle(admin: Any, throttle: Throttle) -> None:
    """Remove all of a throttle.

    Raises:
        AdminError: Kafka refuses.
    """
    refusals: list[str] = []
    if throttle.topics:
        changes: dict[str, dict[str, str | None]] = {
            name: dict.fromkeys(keys) for name, keys in throttle.topics.items()
        }
        refusals += alter_configs(admin, "topic", changes, False)
    if throttle.on_cluster:
        refusals += alter_configs(admin, "broker", {"": dict.fromkeys(throttle.on_cluster)}, False)
    for node_id, keys in throttle.on_brokers.items():
        refusals += alter_configs(admin, "broker", {str(node_id): dict.fromkeys(keys)}, False, node_id)
    if refusals:
        raise AdminError(f"Kafka did not remove the throttle: {' '.join(refusals)}")


@contextmanager
def throttled(cluster: Endpoint, moves: Sequence[Move], bytes_per_second: int) -> Iterator[None]:
    """Throttle what the moves copy for the length of the block, however it ends; 0 means no throttle."""
    topics = throttled_replicas(moves) if bytes_per_second else {}
    if not topics:
        yield
        return
    throttle = Throttle(RATES, {}, dict.fromkeys(topics, REPLICAS))
    try:
        with cluster.connect() as admin:
            refusals = alter_configs(admin, "broker", {"": dict.fromkeys(RATES, str(bytes_per_second))}, False)
            refusals += alter_configs(admin, "topic", topics, False)
        if refusals:
            raise AdminError(f"Kafka does not take the throttle: {' '.join(refusals)}")
        yield
    finally:

        def left() -> list[str]:
            with cluster.connect() as admin:
                remove_throttle(admin, throttle)
            return []

        if refusals := wait_until(left, cluster.timeout_s * 4):
            raise AdminError(f"The replication throttle could not be removed: {listed(refusals)}.")


def move(cluster: Endpoint, moves: Sequence[Move], bytes_per_second: int, timeout_s: float) -> None:
    """Make the moves at the same time, and wait until all new replicas are in sync.

    Raises:
        AdminError: Kafka refuses a move, or it is not done in time; then what is not done is cancelled.
    """
    keys = [(each.topic, each.index) for each in moves]
    with throttled(cluster, moves, bytes_per_second):
        with cluster.connect() as admin:
            answers = admin.alter_partition_reassignments(
                {TopicPartition(each.topic, each.index): list(each.after) for each in moves}
            )
        if refused := {f"{tp.topic}-{tp.partition}": error for tp, error in answers.items() if error}:
            cancel(cluster, keys)
            which = ", ".join(f"{name} ({error.__name__})" for name, error in refused.items())
            raise AdminError(f"Kafka does not move these partitions: {which}.")
        if late := wait_until(lambda: _unfinished(cluster, moves), timeout_s):
            cancel(cluster, keys)
            raise AdminError(
                f"After {timeout_s:.0f} s these moves were not done and were cancelled: {listed(late)}. A throttle"
                " that is below what is produced never lets a replica catch up (rebalance_throttle_bytes_per_second)."
            )


def cancel(cluster: Endpoint, partitions: Iterable[Key]) -> None:
    """Cancel what is still being reassigned of the partitions: they stay where they were."""
    with cluster.connect() as admin:
        if underway := set(partitions) & set(reassigned(admin)):
            admin.alter_partition_reassignments({TopicPartition(*key): None for key in sorted(underway)})


def never_done(underway: Mapping[Key, Iterable[int]], serving: Iterable[int], drained: int | None) -> list[Key]:
    """Those that would have a replica on a broker that is down, or that is to be emptied: nobody waits for them."""
    takers = set(serving) - {drained}
    return [key for key, nodes in underway.items() if not takers.issuperset(nodes)]


def wait_for_reassigned(cluster: Endpoint, timeout_s: float) -> list[str]:
    """Wait for all that is being reassigned by whomever; the partitions that still are when the time is over."""

    def left() -> list[str]:
        with cluster.connect() as admin:
            return [f"{topic}-{index}" for topic, index in reassigned(admin)]

    return wait_until(left, timeout_s)


def _unfinished(cluster: Endpoint, moves: Sequence[Move]) -> list[str]:
    with cluster.connect() as admin:
        underway = reassigned(admin)
        now = {(each.topic, each.index): each for each in read_partitions(admin, {each.topic for each in moves})}
    return [
        each.name
        for each in moves
        # A topic that was deleted meanwhile has nothing left to move.
        if (each.topic, each.index) in underway or not _done(now.get((each.topic, each.index)), each)
    ]


def _done(partition: Partition | None, wanted: Move) -> bool:
    return partition is None or (partition.replicas == wanted.after and not partition.under_replicated)


def cordoned(admin: Any, serving: Iterable[int]) -> dict[int, bool]:
    """The brokers with a cordoned log directory (KIP-1066), and whether all of it is; releases before 4.3 have none."""
    told = describe_configs(admin, "broker", map(str, serving), [CORDONED, "log.dirs"])
    values: Mapping[int, tuple[str, str]] = {
        int(node): tuple(str((configs.get(key) or {}).get("value") or "") for key in (CORDONED, "log.dirs"))  # type: ignore[misc]
        for node, configs in told.items()
    }
    return {
        node: value == ALL_DIRECTORIES or set(value.split(",")) >= set(dirs.split(","))
        for node, (value, dirs) in values.items()
        if value
    }


def set_cordon(admin: Any, node_id: int, value: str | None) -> None:
    """Cordon all directories of a broker, or none (None).

    Raises:
        AdminError: Kafka refuses.
    """
    if refusals := alter_configs(admin, "broker", {str(node_id): {CORDONED: value}}, False, node_id):
        raise AdminError(f"Kafka did not change the cordon of broker {node_id}: {' '.join(refusals)}")
