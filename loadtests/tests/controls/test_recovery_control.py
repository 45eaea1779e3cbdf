"""Control of `recovery_s`: one partition of twelve takes no records for a while, the other eleven do.

Of all records too few wait to be seen in their sum: by the end they are a third of a second's. The independent check is
a plain producer that sends one record to that partition when the fault begins and says when it was acknowledged.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka_load.run import run_annotations
from locust_run import Run
from mock_cluster import MockCluster

PROFILE = """
duration = "30s"
size = 100
[rate]
ClickProducer = 240
[users]
ClickProducer = 1
AnalyticsReader = 1
[slo]
lost = 0
recovery_s = {limit}
[slo.topics.clicks]
recovery_s = 300
"""
PARTITION, ALONE, FAULT_S = 5, 3, 4.0


@pytest.mark.parametrize(("limit", "status"), [(2, 1), (300, 0)])
def test_one_partition_without_a_leader_is_seen(shop: MockCluster, tmp_path: Path, limit: int, status: int) -> None:
    for topic, partitions in (("orders", 3), ("clicks", 12)):
        for number in range(partitions):
            shop.leader(topic, number, ALONE if (topic, number) == ("clicks", PARTITION) else 1)
    profile = tmp_path / "one.toml"
    profile.write_text(PROFILE.format(limit=limit))
    plain = Producer({"bootstrap.servers": shop.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 100})
    plain.produce("clicks", b"warm", partition=PARTITION)
    assert plain.flush(30) == 0
    run = Run(tmp_path, shop.bootstrap, "--profile", str(profile), "--write-topics", "clicks")
    run.until(3)
    shop.down(ALONE)
    began_ns = time.time_ns()
    run_annotations.mark(run_annotations.running(tmp_path), "kill_broker", "kafka3", at_ns=began_ns)
    plain.produce("clicks", b"when is this acknowledged?", partition=PARTITION)
    assert plain.flush(FAULT_S) == 1, "the partition took a record: nothing was wrong with it"
    up_s = (time.time_ns() - began_ns) / 1e9
    shop.up(ALONE)
    run_annotations.mark(run_annotations.running(tmp_path), "kill_broker", "kafka3", healed=True)
    assert plain.flush(30) == 0
    assert run.wait() == status
    [fault] = run.verdict["faults"]
    assert up_s <= fault["recovered_after_s"] <= run.verdict["duration_s"]
    [whole, topic] = [result for result in run.verdict["slo"] if result["name"] == "recovery_s"]
    assert (whole["value"], whole["ok"]) == (fault["recovered_after_s"], status == 0)
    assert (topic["value"], topic["of"], topic["ok"]) == (fault["recovered_after_s"], "topic clicks", True)
    assert "recovered after" in run.output
    assert max(group["lost"] for group in run.verdict["groups"]) == 0
