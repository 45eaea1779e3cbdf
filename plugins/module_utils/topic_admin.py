"""Reads topics from a cluster and carries out a topic plan, each kind of step in as few requests as Kafka takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .admin import AdminError, alter_configs, describe_configs, refused, wait_until
from .topic_plan import Topic, TopicPlan

# A KRaft controller refuses more than 10,000 records in one operation.
RECORDS_PER_REQUEST = 2000


def read_topics(admin: Any, names: Iterable[str]) -> dict[str, Topic]:
    """Those of the named topics that exist, each with the settings that are its own."""
    found = [topic for topic in admin.describe_topics(sorted(names)) if topic["error_code"] == 0]
    configs = describe_configs(admin, "topic", [topic["name"] for topic in found], modified_only=True)
    own = {
        name: {key: entry for key, entry in entries.items() if entry["config_source"] == "DYNAMIC_TOPIC_CONFIG"}
        for name, entries in configs.items()
    }
    return {
        topic["name"]: Topic(
            name=topic["name"],
            partitions=len(topic["partitions"]),
            replication_factors=frozenset(len(partition["replica_nodes"]) for partition in topic["partitions"]),
            config={key: entry["value"] for key, entry in own.get(topic["name"], {}).items()},
            config_types={key: entry["config_type"] for key, entry in own.get(topic["name"], {}).items()},
        )
        for topic in found
    }


def carry_out(admin: Any, plan: TopicPlan, validate_only: bool) -> list[str]:
    """Do what the plan says, or only let Kafka judge it; what Kafka refuses, in sentences."""
    refusals: list[str] = []
    for batch in _batches(plan.create):
        requested = {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": next(iter(topic.replication_factors)),
                "configs": dict(topic.config),
            }
            for topic in batch
        }
        answer = admin.create_topics(requested, validate_only=validate_only, raise_errors=False)
        refusals += refused(answer["topics"])
    if plan.grow:
        answer = admin.create_partitions(dict(plan.grow), validate_only=validate_only, raise_errors=False)
        refusals += refused(result.to_dict() for result in answer.results)
    if plan.alter:
        refusals += alter_configs(admin, "topic", plan.alter, validate_only)
    if plan.delete and not validate_only:
        refusals += refused(admin.delete_topics(list(plan.delete), raise_errors=False)["topics"])
    return refusals


def wait_for(admin: Any, plan: TopicPlan, timeout_s: float) -> None:
    """Wait until every new partition has a leader and every deleted topic is gone.

    Raises:
        AdminError: Some have none, or are still there, when the time is over.
    """
    expected = {topic.name: topic.partitions for topic in plan.create} | dict(plan.grow) | dict.fromkeys(plan.delete, 0)

    def unfinished() -> list[str]:
        led = {
            topic["name"]: sum(partition["leader_id"] >= 0 for partition in topic["partitions"])
            for topic in admin.describe_topics(sorted(expected))
        }
        return [name for name, partitions in expected.items() if led.get(name, 0) != partitions]

    if expected and (late := wait_until(unfinished, timeout_s)):
        raise AdminError(f"After {timeout_s:.0f} s these topics are not as planned: {', '.join(sorted(late))}.")


def _batches(topics: Sequence[Topic]) -> Iterator[list[Topic]]:
    batch: list[Topic] = []
    records = 0
    for topic in topics:
        size = 1 + topic.partitions + len(topic.config)
        if batch and records + size > RECORDS_PER_REQUEST:
            yield batch
            batch, records = [], 0
        batch.append(topic)
        records += size
    if batch:
        yield batch
