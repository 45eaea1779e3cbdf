"""Controls of the clocks of several load hosts: workers whose clocks are apart.

The independent check is a plain consumer with this process's clock: it reads the records while the run is on, and takes
the time at which each was due from the record itself, by the standard library's JSON parser. A record that is seen
before it was due, by one clock, was stamped by another one.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from locust_run import Run, Worker, free_port
from mock_cluster import MockCluster
from slow_way import SlowWay

PARTITIONS = {"orders": 3, "clicks": 12}


def worker_with_clock(port: int, offset_s: int) -> Worker:
    """A worker on a host whose clock is wrong by `offset_s`, as its own log must show."""
    worker = Worker(port, clock_ahead_s=offset_s)
    [began] = re.findall(r"^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),", worker.says("Starting Locust"))
    found_s = datetime.strptime(began, "%Y-%m-%d %H:%M:%S").timestamp() - time.time()
    assert offset_s - 60 < found_s <= offset_s
    return worker


@dataclass(frozen=True)
class Seen:
    """A record: when the consumer saw it, and when it was due (s)."""

    seen_s: float
    due_s: float


class LiveReader:
    """Reads both topics while a run is on."""

    def __init__(self, cluster: MockCluster) -> None:
        self.records: list[Seen] = []
        self._client = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "independent-check"})
        self._client.assign([TopicPartition(t, n, 0) for t, count in PARTITIONS.items() for n in range(count)])
        self._stopping = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopping:
            messages = self._client.consume(1_000, 0.2)
            now = time.time()
            for message in messages:
                self.records.append(Seen(now, json.loads(message.value() or b"")["due_ns"] / 1e9))

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()
        self._client.close()


def test_workers_whose_clocks_are_apart_send_what_is_due_when_it_is_due(shop: MockCluster, tmp_path: Path) -> None:
    """One clock is 5 s ahead, one is an hour behind, the master's is right."""
    reader = LiveReader(shop)
    port = free_port()
    master = ("--master", f"--master-bind-port={port}", "--expect-workers=2", "--expect-workers-max-wait=60")
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "8s", *master)
    workers = [worker_with_clock(port, 5), worker_with_clock(port, -3600)]
    status = run.wait()
    for worker in workers:
        worker.wait()
    reader.stop()

    assert [one for one in reader.records if one.due_s > one.seen_s] == [], "seen before they were due"
    assert [one for one in reader.records if one.seen_s - one.due_s > 600] == [], "due an hour ago"
    verdict = run.verdict
    assert (status, verdict["outcome"]) == (0, "pass")
    assert len(reader.records) == verdict["produced"]["acknowledged"] == verdict["plan"]["due"] == 8_000
    for latency in verdict["latency_us"]["end_to_end"].values():
        assert 0 < latency["p50"] <= latency["max"] < 600e6
        assert latency["uncertainty"] > 0
    ahead = sorted(clock["ahead_s"] for clock in verdict["clocks"].values())
    assert [round(seconds) for seconds in ahead] == [-3600, 5]


def test_a_latency_limit_below_what_is_known_of_the_clocks_is_not_judged(shop: MockCluster, tmp_path: Path) -> None:
    """One worker's messages need 4 s to the master: its clock is taken to be 2 s behind, and it is right."""
    reader = LiveReader(shop)
    port = free_port()
    master = ("--master", f"--master-bind-port={port}", "--expect-workers=2", "--expect-workers-max-wait=60")
    limit = "--slo-p99-end-to-end-ms=1000"
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "8s", limit, *master)
    way = SlowWay(port, 4.0)
    workers = [Worker(port), Worker(way.port)]
    status = run.wait()
    for worker in workers:
        worker.wait()
    reader.stop()

    verdict = run.verdict
    unsure = {latency["uncertainty"] / 1e6 for latency in verdict["latency_us"]["end_to_end"].values()}
    assert min(unsure) >= 2.0, "half of the round trip"
    assert max(one.due_s - one.seen_s for one in reader.records) <= max(unsure), "no clock is further off than is said"
    [judged] = [limit for limit in verdict["slo"] if limit["name"] == "p99_end_to_end_ms"]
    assert "clocks are known to" in judged["undecided"]
    assert (status, verdict["outcome"]) == (2, "inconclusive")
    assert len(reader.records) == verdict["produced"]["acknowledged"] == verdict["plan"]["due"] == 8_000
