"""Control of the search for the sustainable rate: a cluster whose capacity follows from its settings alone.

One partition, one request under way, so many records a batch at most, so long for each answer: more than
BATCH / ROUND_TRIP records a second cannot pass, on whichever machine. The independent check is a plain producer with
the same settings that sends as fast as it can all the while: what it gets through at least, on a machine that may be
busy, the search must find too. With several partitions on a broker librdkafka gives a turn to one in which a single
record waits while another has a full batch, so that less passes than that and nobody can tell how much. The mock
answers a fetch with one batch: LINGER lets batches fill, so that a reader keeps up with whatever is written and it is
the backlog that grows first. A step takes many times as long as a record waits, so that what is under way does not
pass for a backlog that grows.
"""

from __future__ import annotations

import csv
import threading
import time
from pathlib import Path

import numpy as np
from confluent_kafka import Producer
from locust_run import Run
from mock_cluster import MockCluster

BATCH, ROUND_TRIP_S, LINGER_MS, TOLERANCE = 20, 0.1, 500, 0.2
CEILING = BATCH / ROUND_TRIP_S
MOMENT_S = 4.0
"""A machine that is busy for as long may cost a step of the search."""
PROFILE = f"""
duration = "220s"
[topics.narrow]
rate = {{shape = "steps", from = 60, to = 360, steps = 6, tolerance = {TOLERANCE}}}
partitions = 1
size = 100
[groups.reader]
topics = ["narrow"]
[slo]
lost = 0
achieved_rate = 0.8  # in a few seconds some round trips more or less: that the backlog does not grow is what counts
"""


class PlainProducer:
    """Sends as fast as it can with the same settings, for as long as the run lasts."""

    def __init__(self, bootstrap: str) -> None:
        settings = {"max.in.flight": 1, "batch.num.messages": BATCH, "linger.ms": LINGER_MS, "enable.idempotence": True}
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0, **settings})
        self._acknowledged: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> PlainProducer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._producer.flush(60) == 0

    def _send(self) -> None:
        while not self._over.is_set():
            while len(self._producer) < 4 * BATCH:
                self._producer.produce("plain", b"x" * 100, on_delivery=lambda *_: self._note())
            self._producer.poll(0.1)

    def _note(self) -> None:
        self._acknowledged.append(time.monotonic())

    def slowest(self, window_s: float) -> float:
        """The fewest records a second that were acknowledged in any so long a time."""
        times = np.array(self._acknowledged)
        begins = np.arange(times[0], times[-1] - window_s, window_s / 10)
        return float((np.searchsorted(times, begins + window_s) - np.searchsorted(times, begins)).min() / window_s)


def test_the_rate_that_is_found_is_the_one_that_the_settings_allow(cluster: MockCluster, tmp_path: Path) -> None:
    for topic in ("plain", "narrow"):
        cluster.topic(topic, 1)
    for broker in (1, 2, 3):
        cluster.rtt(broker, int(1_000 * ROUND_TRIP_S))
    profile = tmp_path / "narrow.toml"
    profile.write_text(PROFILE)
    settings = (f"--client=batch.num.messages={BATCH}", f"--linger-ms={LINGER_MS}")
    with PlainProducer(cluster.bootstrap) as plain:
        run = Run(tmp_path, cluster.bootstrap, "--profile", str(profile), *settings)
        assert run.wait() == 0
    found = run.verdict["saturation"]
    assert found["sustained_rate"] < found["unsustained_rate"] <= found["sustained_rate"] * (1 + TOLERANCE)
    assert "backlog grew" in found["why"]
    # Nothing passes the ceiling, and what is below the plain producer's rate by more than the tolerance is too little.
    assert found["sustained_rate"] <= CEILING * (1 + TOLERANCE)
    slowest = min(plain.slowest(MOMENT_S), CEILING)
    print(f"the plain producer: {slowest:.0f} records/s at least")
    assert found["unsustained_rate"] >= slowest * (1 - TOLERANCE)
    with (tmp_path / "latest" / "curve.csv").open() as file:
        tried = [float(row["target_rate"]) for row in csv.DictReader(file)]
    assert found["sustained_rate"] in tried
    assert found["unsustained_rate"] in tried
    assert tried[:2] == [60, 120]
    assert run.verdict["plan"]["ended_by"] == "saturation"
    assert run.verdict["groups"][0]["lost"] == 0
