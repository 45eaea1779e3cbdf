"""Whole runs whose group processes its records; broken workers do what is often written by mistake, and are found.

What became of each record is known from elsewhere: the worker writes what it has processed into a file, as it would
into a database, and plain consumers read the topic and the dead-letter topic. Which records had to end there is
computed here once more, from the JSON fields, in plain Python.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from locust_run import PROJECT, Run
from mock_cluster import MockCluster
from plain_clients import records

PARTITIONS = {"payments": 3, "billing.DLT": 2}
FAILURES, RETRIES = 0.3, 1
PROFILE = f"""
duration = "6s"
[topics.payments]
rate = 200
[groups.billing]
topics = ["payments"]
members = 2
[groups.billing.processing]
time = {{distribution = "exponential", mean = "4ms"}}
failures = {FAILURES}
retries = {RETRIES}
dead_letter_topic = "billing.DLT"
"""
# Each worker writes down what it has processed before it counts as done.
LOCUSTFILE = """
import sys
sys.path.insert(0, {root!r})
from kafka_load.plugin import install
from kafka_load.locust_adapter.users import OrderProducer
from kafka_load.engines import ProcessingEngine
install()
note = ProcessingEngine._note
def write_down(self, batch):
    with open({database!r}, "a") as file:
        for message, failed in zip(batch.messages, batch.failed.tolist()):
            if failed <= self.processing.retries and message.error() is None:
                print(message.partition(), message.offset(), file=file)
    note(self, batch)
ProcessingEngine._note = write_down
"""
DROPS_WHAT_FAILS = """
def drop(self, message, done):
    done.acknowledged()
ProcessingEngine._send_dead_letter = drop
"""
COMMITS_BEFORE_IT_PROCESSES = """
killed = []
work = ProcessingEngine._work
def commit_first(self, key):
    return self._reading.next_offset(key)
def work_and_die(self):
    work(self)
    ahead = sum(self._committed.get(key, 0) - (self._settled.next_offsets.get(key) or 0) for key in self._assigned)
    if not killed and len(self._settled.next_offsets) == len(self._assigned) and ahead > 20:
        killed.append(self)
        self.kill()
ProcessingEngine._next_offset = commit_first
ProcessingEngine._work = work_and_die
"""
DIES = COMMITS_BEFORE_IT_PROCESSES.replace("ProcessingEngine._next_offset = commit_first\n", "").replace(
    "ahead = sum(self._committed.get(key, 0) - (self._settled.next_offsets.get(key) or 0) for key in self._assigned)",
    "ahead = self._settled.count['processed']",
)
MASK = (1 << 64) - 1


def mix(word: int) -> int:
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def never_succeeds(value: bytes) -> bool:
    """Whether each attempt at a record fails, by its JSON fields."""
    record = json.loads(value)
    seed = int(record["run"], 16) ^ zlib.crc32(b"billing")
    word = mix(mix(seed ^ (record["producer"] << 32 | record["partition"])) ^ record["sequence"])
    return all(mix(word ^ attempt) >> 11 < FAILURES * 2**53 for attempt in range(RETRIES + 1))


def origin(dead_letter: dict[str, bytes]) -> tuple[int, int]:
    """Partition and offset that a dead letter's headers say it had."""
    partition, offset = (dead_letter[f"kafka_dlt-original-{name}"] for name in ("partition", "offset"))
    return int.from_bytes(partition, "big"), int.from_bytes(offset, "big")


class Outcome:
    """A run that has ended, and what the independent check knows of it."""

    def __init__(self, cluster: MockCluster, folder: Path, worker: str, *arguments: str) -> None:
        for name, count in PARTITIONS.items():
            cluster.topic(name, count)
        database, locustfile, profile = folder / "processed.txt", folder / "worker.py", folder / "mine.toml"
        database.touch()
        locustfile.write_text(LOCUSTFILE.format(root=str(PROJECT / "loadtests"), database=str(database)) + worker)
        profile.write_text(PROFILE)
        run = Run(folder, cluster.bootstrap, "-f", str(locustfile), "--profile", str(profile), *arguments)
        self.status = run.wait(180)
        self.verdict = run.verdict
        [self.group] = run.verdict["groups"]
        self.work = self.group["processing"]
        self.log = {
            (m.partition(), m.offset()): m.value() for m in records(cluster, "payments", PARTITIONS["payments"])
        }
        self.processed = {tuple(map(int, line.split())) for line in database.read_text().splitlines()}
        self.dead = [
            dict(m.headers()) | {"value": m.value()} for m in records(cluster, "billing.DLT", PARTITIONS["billing.DLT"])
        ]
        self.dead_places = set(map(origin, self.dead))
        self.hopeless = {place for place, value in self.log.items() if never_succeeds(value)}
        self.left = self.log.keys() - self.processed - self.dead_places
        self.broken = [limit["name"] for limit in run.verdict["slo"] if not limit["ok"]]
        assert len(self.log) == run.verdict["produced"]["acknowledged"] > 0
        assert self.hopeless


@pytest.mark.parametrize(
    ("worker", "arguments"), [("", ()), (DIES, ()), ("", ("--processes", "2"))], ids=["lives", "dies", "two processes"]
)
def test_each_record_is_processed_or_a_dead_letter(
    cluster: MockCluster, tmp_path: Path, worker: str, arguments: tuple[str, ...]
) -> None:
    found = Outcome(cluster, tmp_path, worker, *arguments)
    assert found.left == set()
    assert found.dead_places == found.hopeless
    assert (found.status, found.verdict["outcome"], found.broken) == (0, "pass", [])
    work = found.work
    assert (work["unprocessed"], work["unverifiable"]) == (0, 0)
    assert work["processed"] == len(found.processed) == len(found.log) - len(found.hopeless)
    assert work["dead_lettered"] == len(found.hopeless)
    assert work["dead_lettered"] + work["dead_lettered_again"] == len(found.dead)
    assert work["retried"] > 0
    assert not worker or work["processed_again"] > 0
    for one in found.dead:
        assert one["kafka_dlt-original-topic"] == b"payments"
        assert one["kafka_dlt-original-consumer-group"] == b"billing"
        assert one["value"] == found.log[origin(one)]
    assert found.verdict["latency_us"]["processing"]["billing"]["p50"] > 0


def test_a_worker_that_drops_what_fails_is_found(cluster: MockCluster, tmp_path: Path) -> None:
    found = Outcome(cluster, tmp_path, DROPS_WHAT_FAILS)
    assert found.dead == []
    assert found.left == found.hopeless
    assert (found.status, found.verdict["outcome"], found.broken) == (1, "fail", ["unprocessed"])
    assert (found.work["unprocessed"], found.group["lost"]) == (len(found.left), 0)
    assert "neither processed nor in the dead-letter topic" in (tmp_path / "latest" / "anomalies.csv").read_text()


def test_a_worker_that_commits_before_it_processes_and_dies_is_found(cluster: MockCluster, tmp_path: Path) -> None:
    found = Outcome(cluster, tmp_path, COMMITS_BEFORE_IT_PROCESSES, "--commit-ms", "100")
    assert len(found.left) > 0, "nothing was committed and not processed, so nothing was shown"
    assert (found.status, found.verdict["outcome"], found.broken) == (1, "fail", ["unprocessed"])
    assert (found.work["unprocessed"], found.group["lost"]) == (len(found.left), 0)
