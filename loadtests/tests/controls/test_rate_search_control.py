"""Control of the search for the sustainable rate: a cluster whose capacity follows from its settings alone.

One broker, one request under way, so many records a batch at most, so long for each answer: more than
BATCH / ROUND_TRIP records a second cannot pass, on whichever machine. The independent check is a plain producer with
the same settings that sends as fast as it can. There are six partitions, of which the mock's fetches return a batch
each, so that a reader's answer carries six times what a producer's request does: it is the backlog that grows first.
A record waits for up to six round trips; a step takes twenty times as long, so that what is under way does not pass for
a backlog that grows.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path

from confluent_kafka import Producer
from locust_run import Run
from mock_cluster import MockCluster

BATCH, ROUND_TRIP_S, TOLERANCE = 20, 0.1, 0.1
PARTITIONS = 6
CEILING = BATCH / ROUND_TRIP_S
PROFILE = f"""
duration = "160s"
[topics.narrow]
rate = {{shape = "steps", from = 60, to = 360, steps = 6, tolerance = {TOLERANCE}}}
partitions = {PARTITIONS}
size = 100
[groups.reader]
topics = ["narrow"]
[slo]
lost = 0
achieved_rate = 0.8  # in a few seconds some round trips more or less: that the backlog does not grow is what counts
"""


def plain_rate(cluster: MockCluster) -> float:
    """Records a second that a plain producer gets acknowledged, between its first and its last batch."""
    settings = {"max.in.flight": 1, "batch.num.messages": BATCH, "enable.idempotence": True, "linger.ms": 5}
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0, **settings})
    times: list[float] = []
    for number in range(8 * BATCH):
        producer.produce(
            "plain", b"x" * 100, partition=number % PARTITIONS, on_delivery=lambda *_: times.append(time.monotonic())
        )
    assert producer.flush(60) == 0
    return 7 * BATCH / (times[-1] - times[0])


def test_the_rate_that_is_found_is_the_one_that_the_settings_allow(cluster: MockCluster, tmp_path: Path) -> None:
    for topic in ("plain", "narrow"):
        cluster.topic(topic, PARTITIONS)
        for number in range(PARTITIONS):
            cluster.leader(topic, number, 1)
    for broker in (1, 2, 3):
        cluster.rtt(broker, int(1_000 * ROUND_TRIP_S))
    plain = plain_rate(cluster)
    profile = tmp_path / "narrow.toml"
    profile.write_text(PROFILE)
    run = Run(tmp_path, cluster.bootstrap, "--profile", str(profile), f"--client=batch.num.messages={BATCH}")
    assert run.wait() == 0
    found = run.verdict["saturation"]
    assert found["sustained_rate"] < found["unsustained_rate"] <= found["sustained_rate"] * (1 + TOLERANCE)
    assert "backlog grew" in found["why"]
    # Nothing passes the ceiling, and what is below the plain producer's rate by more than the tolerance is too little.
    assert found["sustained_rate"] <= CEILING * (1 + TOLERANCE)
    assert found["unsustained_rate"] >= min(plain, CEILING) * (1 - TOLERANCE)
    with (tmp_path / "latest" / "curve.csv").open() as file:
        tried = [float(row["target_rate"]) for row in csv.DictReader(file)]
    assert found["sustained_rate"] in tried
    assert found["unsustained_rate"] in tried
    assert tried[:3] == [60, 120, 180]
    assert run.verdict["plan"]["ended_by"] == "saturation"
    assert run.verdict["groups"][0]["lost"] == 0
