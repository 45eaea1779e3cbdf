"""Controls of a worker that dies on a host of its own, with what it knew.

Its last reports do not reach the master: the connection breaks first. What its readers were given until it is killed by
SIGKILL stands in its journals on its own disk, which is the independent check: those records were read, and only it
knows.
"""

from __future__ import annotations

import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from kafka_load.ledger import read_journals
from locust_run import Run, Worker, free_port
from mock_cluster import MockCluster
from plain_clients import plain_client
from slow_way import SlowWay

PROFILE = """
duration = "24s"
size = "json"
[rate]
OrderProducer = 300
[users]
OrderProducer = 2
NotificationReader = 2
WarehouseMember = {count = 2, start = "8s"}
"""


def given(results: Path, worker: Worker) -> dict[str, int]:
    """How many records the readers of a worker were given, by group, as its journals have it."""
    count: dict[str, int] = {}
    for folder in results.glob("*/journal/*"):
        for reader in read_journals(folder):
            if f"/{worker.process.pid}-" in reader.engine:
                delivered = sum(log.delivered for log in reader.streams.values())
                count[reader.group] = count.get(reader.group, 0) + delivered
    return count


def reached(results: Path, worker: Worker) -> dict[str, dict[tuple[str, int], int]]:
    """The last offset that the readers of a worker were given in each partition, by group, as its journals have it."""
    last: dict[str, dict[tuple[str, int], int]] = {}
    for folder in results.glob("*/journal/*"):
        for reader in read_journals(folder):
            if f"/{worker.process.pid}-" in reader.engine:
                of_group = last.setdefault(reader.group, {})
                for (topic, partition, _), log in reader.streams.items():
                    offsets = [int(offset) for offset in log.runs[:, 1]]
                    of_group[topic, partition] = max([of_group.get((topic, partition), 0), *offsets])
    return last


def committed(cluster: MockCluster, group: str, reached: dict[tuple[str, int], int]) -> bool:
    """Whether the brokers have the group's offsets behind all that was reached, as a client of its own is told."""
    with closing(plain_client(cluster, group)) as client:
        found = client.committed([TopicPartition(topic, partition) for topic, partition in reached], timeout=10)
    return all(place.offset > reached[place.topic, place.partition] for place in found)


def group(run: Run, name: str) -> dict[str, Any]:
    return next(one for one in run.verdict["groups"] if one["group"] == name)


@pytest.mark.parametrize("host", ["another", "the master's"])
def test_what_only_a_dead_worker_read_is_not_called_lost(shop: MockCluster, tmp_path: Path, host: str) -> None:
    """Of one group its member had reported before; of the other it died before its first report."""
    (tmp_path / "profile.toml").write_text(PROFILE)
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    port = free_port()
    master = ("--master", f"--master-bind-port={port}", "--expect-workers=2", "--expect-workers-max-wait=60")
    run = Run(Path("results"), shop.bootstrap, "--profile", str(tmp_path / "profile.toml"), *master, cwd=here)
    way = SlowWay(port)
    survivor, victim = Worker(port, here), Worker(way.port, there if host == "another" else here)
    disk = (there if host == "another" else here) / "results"
    run.until(2)
    way.hold()
    before = given(disk, victim)
    assert "warehouse-group" not in before
    while (read := given(disk, victim)).get("warehouse-group", 0) <= 50:
        assert run.process.poll() is None, "the run ended before the member had read"
        time.sleep(0.05)
    assert read["notification-group"] > before.get("notification-group", 0)
    # A journal is written before its offsets are committed; until they are, the survivor reads the same once more.
    until = reached(disk, victim)
    assert {"warehouse-group", "notification-group"} <= until.keys() and all(until.values())
    for name, offsets in until.items():
        while not committed(shop, name, offsets):
            assert run.process.poll() is None, f"the run ended before {name} had committed what its member had read"
            time.sleep(0.05)
    victim.process.send_signal(signal.SIGKILL)
    victim.wait()
    read = given(disk, victim)
    status = run.wait()
    survivor.wait()

    warehouse, notification = group(run, "warehouse-group"), group(run, "notification-group")
    assert (warehouse["lost"], notification["lost"]) == (0, 0)
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert any("was lost at" in note for note in run.verdict["notes"])
    if host == "another":
        assert 0 < warehouse["unverifiable"] <= read["warehouse-group"]
        assert 0 < notification["unverifiable"] <= read["notification-group"]
        assert any("its journals are not on this host" in note for note in run.verdict["notes"])
        [limit] = [limit for limit in run.verdict["slo"] if limit["name"] == "lost"]
        assert limit["undecided"]
    else:
        assert (warehouse["unverifiable"], notification["unverifiable"]) == (0, 0)
