"""Controls of the verdict at the level of whole runs: each makes one thing go wrong, and the verdict must say that.

The witness of each is a plain client, the mock cluster's orders, or the process's own output: nothing of the ledger.
The table in docs/load.md says of each what a wrong harness would say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from kafka_load.mock import LIST_OFFSETS, TOPIC_AUTHORIZATION_FAILED, MockCluster
from locust_run import Run

LEAVES = """
duration = "6s"
size = "json"
[rate]
OrderProducer = 200
[users]
OrderProducer = 1
AnalyticsReader = 1
WarehouseMember = {count = 1, stay = "2s", away = "10m"}
"""
PARTITIONS = {"orders": 3, "clicks": 12}


def written(cluster: MockCluster, topic: str) -> int:
    """Records in a topic's log, counted by a plain consumer that asks nobody where the log begins or ends."""
    client = plain_client(cluster, "independent-check")
    client.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS[topic])])
    count = ended = 0
    while ended < PARTITIONS[topic]:
        message = client.poll(5)
        assert message is not None, "the independent check saw no end of the log"
        ended += message.error() is not None
        count += message.error() is None
    client.close()
    return count


def committed(cluster: MockCluster, group: str, topic: str) -> int:
    """The sum of a group's committed offsets, by a plain client."""
    client = plain_client(cluster, group)
    try:
        offsets = client.committed([TopicPartition(topic, n) for n in range(PARTITIONS[topic])], timeout=5)
    finally:
        client.close()
    return sum(max(0, one.offset) for one in offsets)


def plain_client(cluster: MockCluster, group: str) -> Consumer:
    settings = {"bootstrap.servers": cluster.bootstrap, "group.id": group, "log_level": 0}
    return Consumer({**settings, "enable.partition.eof": True})


def group(run: Run, name: str) -> dict[str, Any]:
    """What the verdict says of one group."""
    return next(one for one in run.verdict["groups"] if one["group"] == name)


def test_a_group_that_never_read_is_not_drained(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "backlog", "--rate", "300", "--run-time", "3s")
    status = run.wait()
    assert written(shop, "orders") == 900
    assert committed(shop, "warehouse-group", "orders") == 0
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    warehouse = group(run, "warehouse-group")
    assert (warehouse["drained"], warehouse["consumed"], warehouse["lost"]) == (False, 0, 0)
    assert warehouse["unread"] == 900
    assert group(run, "analytics-group")["drained"] is True
    assert any("warehouse-group had no member" in note for note in run.verdict["notes"])


def test_where_the_ends_of_the_logs_cannot_be_read_nothing_is_lost_and_nothing_drained(
    shop: MockCluster, tmp_path: Path
) -> None:
    profile = tmp_path / "leaves.toml"
    profile.write_text(LEAVES)
    run = Run(tmp_path, shop.bootstrap, "--profile", str(profile))
    run.until(4)
    for broker in (1, 2, 3):
        shop.refuse(broker, LIST_OFFSETS, TOPIC_AUTHORIZATION_FAILED, times=2_000)
    status = run.wait()
    unread = written(shop, "orders") - committed(shop, "warehouse-group", "orders")
    assert unread > 0
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert (group(run, "warehouse-group")["lost"], group(run, "warehouse-group")["unread"]) == (0, unread)
    assert (group(run, "analytics-group")["lost"], group(run, "analytics-group")["unread"]) == (0, 0)
    assert {one["drained"] for one in run.verdict["groups"]} == {False}
    assert any("ends of the logs could not be read" in note for note in run.verdict["notes"])


def test_fewer_users_than_the_profile_has_produce_all_of_the_rate_that_was_given(
    shop: MockCluster, tmp_path: Path
) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "steady", "--rate", "600", "--users", "6", "--run-time", "5s")
    assert run.wait() == 0
    assert written(shop, "orders") + written(shop, "clicks") == run.verdict["plan"]["due"] == 3_000
    assert run.verdict["schedule"]["target_rate"] == 600
    assert any(note.startswith("other users were asked for") for note in run.verdict["notes"])


def test_a_load_that_was_not_produced_is_no_pass(shop: MockCluster, tmp_path: Path) -> None:
    """Two users are too few for four of the profile's kinds: half the records are nobody's."""
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--rate", "600", "--users", "3", "--run-time", "4s")
    status = run.wait()
    assert written(shop, "orders") + written(shop, "clicks") < 2_400
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert any("planned records were due" in reason for reason in run.verdict["reasons"])


def test_a_spike_that_never_came_is_no_pass(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "spike", "--rate", "1300", "--run-time", "4s")
    status = run.wait()
    assert written(shop, "orders") + written(shop, "clicks") == 4 * 130
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert {found["what"] for found in run.verdict["plan"]["shortfalls"]} == {
        "highest_rate.OrderProducer",
        "highest_rate.ClickProducer",
    }
