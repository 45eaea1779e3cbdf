"""Controls of the verdict at the level of whole runs: each makes one thing go wrong, and the verdict must say that.

The independent check of each is a plain client, the mock cluster's orders, or the process's own output: nothing of
the ledger. The table in docs/load.md says of each what a wrong harness would say.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from locust_run import Run
from mock_cluster import LIST_OFFSETS, OFFSET_COMMIT, TOPIC_AUTHORIZATION_FAILED, MockCluster
from plain_clients import PARTITIONS, committed, written

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
UNREAD = """
duration = "3s"
size = "json"
[rate]
OrderProducer = 200
ClickProducer = 200
[users]
OrderProducer = 1
ClickProducer = 1
WarehouseMember = 1
"""
ABSENT_AND_LATE = """
duration = "6s"
size = "json"
[rate]
OrderProducer = 200
[users]
OrderProducer = 1
AnalyticsReader = {count = 1, start = "4s"}
WarehouseMember = {count = 1, start = "10m"}
"""


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


def test_a_topic_that_no_group_reads_is_named(shop: MockCluster, tmp_path: Path) -> None:
    profile = tmp_path / "unread.toml"
    profile.write_text(UNREAD)
    run = Run(tmp_path, shop.bootstrap, "--profile", str(profile))
    status = run.wait()
    assert min(written(shop, topic) for topic in ("orders", "clicks")) > 0
    assert committed(shop, "warehouse-group", "clicks") == 0
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert group(run, "warehouse-group")["drained"] is True
    assert [one["what"] for one in run.verdict["plan"]["shortfalls"]] == ["readers.clicks"]


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


def test_a_slow_cluster_breaks_a_limit_and_is_not_taken_for_a_late_harness(shop: MockCluster, tmp_path: Path) -> None:
    """The client's queue is full because the brokers take their time: what is due waits for them."""
    small = ("--client=queue.buffering.max.messages=50", "--slo-p99-produce-ms=500", "--rate=200", "--run-time=5s")
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", *small)
    run.until(1)
    for broker in (1, 2, 3):
        shop.rtt(broker, 1_500)
    began = time.monotonic()
    plain = Producer({"bootstrap.servers": shop.bootstrap, "log_level": 0})
    plain.produce("clicks", b"how long does the cluster take?")
    assert plain.flush(30) == 0
    assert time.monotonic() - began > 1.5
    for broker in (1, 2, 3):
        shop.rtt(broker, 0)
    status = run.wait()
    schedule = run.verdict["schedule"]
    assert schedule["blocked_s"]["queue"] > 0.5
    client = run.verdict["client"]
    assert client["queue_records_max"] >= 50
    assert max(times["p99_max"] for times in client["round_trip_us"].values()) >= 1_500_000
    assert schedule["late_us"]["max"] > schedule["late_own_us"]["max"]
    broken = [limit["name"] for limit in run.verdict["slo"] if not limit["ok"] and not limit.get("undecided")]
    assert "p99_produce_ms" in broken
    assert (status, run.verdict["outcome"]) == (1, "fail")


def test_a_harness_that_stood_still_proves_nothing(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--rate=200", "--run-time=5s", "--max-late-ms=1000")
    run.until(1)
    os.kill(run.process.pid, signal.SIGSTOP)
    time.sleep(3)
    assert Path(f"/proc/{run.process.pid}/stat").read_text().split()[2] == "T"
    os.kill(run.process.pid, signal.SIGCONT)
    status = run.wait()
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert any("the harness itself sent" in reason for reason in run.verdict["reasons"])
    assert {one["lost"] for one in run.verdict["groups"]} == {0}


def test_a_group_without_a_member_does_not_excuse_what_another_lost(shop: MockCluster, tmp_path: Path) -> None:
    profile = tmp_path / "absent.toml"
    profile.write_text(ABSENT_AND_LATE)
    run = Run(tmp_path, shop.bootstrap, "--profile", str(profile))
    run.until(2)
    before = dict.fromkeys(range(PARTITIONS["orders"]), 20)
    for number, offset in before.items():
        shop.delete_records("orders", number, offset)
    status = run.wait()
    gone = run.verdict["produced"]["acknowledged"] - written(shop, "orders")
    assert gone == sum(before.values())
    assert (status, run.verdict["outcome"]) == (1, "fail")
    assert (group(run, "analytics-group")["lost"], group(run, "analytics-group")["drained"]) == (gone, True)
    assert (group(run, "warehouse-group")["lost"], group(run, "warehouse-group")["drained"]) == (0, False)


def test_what_was_read_and_not_committed_is_lag_at_the_end(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time=12s", "--slo-lag-at-end=0")
    run.until(1)
    for broker in (1, 2, 3):
        shop.refuse(broker, OFFSET_COMMIT, TOPIC_AUTHORIZATION_FAILED, times=1_000)
    status = run.wait()
    uncommitted = written(shop, "orders") - committed(shop, "notification-group", "orders")
    assert uncommitted > 0
    assert group(run, "notification-group")["drained"] is True
    assert group(run, "notification-group")["lag_at_end"] == uncommitted
    assert (status, run.verdict["outcome"]) == (1, "fail")
