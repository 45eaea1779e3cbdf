"""Controls of the windows: one partition of twelve is held up once, for less than a hundredth of the run's records.

Beside a busy topic those are less than a hundredth of each window's records, too, and only a window of the topic's own
shows them. The independent check is a plain producer whose record to the same partition is held up in the same way.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from locust_run import Run
from mock_cluster import PRODUCE, MockCluster

PROFILE = """
duration = "50s"
window = "5s"
size = 100
[rate]
ClickProducer = 240
[users]
ClickProducer = 1
AnalyticsReader = 1
[slo]
lost = 0
p99_produce_ms = 2000
p99_window_produce_ms = 2000
"""
PARTITION, ALONE, HELD_UP_MS = 5, 3, 3_500
BESIDE_A_BUSY_TOPIC = (
    PROFILE.replace("[users]", "OrderProducer = 3000\n[users]\nOrderProducer = 1").replace('"50s"', '"20s"')
    + """
[slo.topics.orders]
p99_window_produce_ms = 2000
[slo.topics.clicks]
p99_window_produce_ms = 2000
"""
)


@pytest.mark.parametrize(
    ("profile_text", "broken"),
    [(PROFILE, ""), (BESIDE_A_BUSY_TOPIC, "topic clicks")],
    ids=["alone", "beside a busy topic"],
)
def test_what_the_percentile_of_more_records_hides_is_seen_in_a_window(
    shop: MockCluster, tmp_path: Path, profile_text: str, broken: str
) -> None:
    for topic, partitions in (("orders", 3), ("clicks", 12)):
        for number in range(partitions):
            shop.leader(topic, number, ALONE if (topic, number) == ("clicks", PARTITION) else 1)
    profile = tmp_path / "held-up.toml"
    profile.write_text(profile_text)
    plain = Producer({"bootstrap.servers": shop.bootstrap, "log_level": 0})
    plain.produce("clicks", b"connect", partition=PARTITION)
    assert plain.flush(30) == 0
    run = Run(tmp_path, shop.bootstrap, "--profile", str(profile), "--write-topics", "clicks,orders")
    run.until(5)
    for _ in range(2):  # one request of the run, which has one under way, and one of the plain producer
        shop.slow_answers(ALONE, PRODUCE, HELD_UP_MS)
    began = time.monotonic()
    plain.produce("clicks", b"how long does this take?", partition=PARTITION)
    assert plain.flush(30) == 0
    assert time.monotonic() - began > HELD_UP_MS / 1_000
    assert run.wait() == 1
    results = {(result["name"], result.get("of", "")): result for result in run.verdict["slo"]}
    assert results["p99_produce_ms", ""]["ok"]
    assert results["p99_window_produce_ms", broken]["value"] > 2_000
    assert [key for key, result in results.items() if not result["ok"]] == [("p99_window_produce_ms", broken)]
    assert run.verdict["windows"]["length_s"] == 5
