"""Consume, transform, produce on real brokers: exactly once although members die in the middle of a transaction.

The mock cluster has transactions in form only, so here is what has to pass, with a control beside it: a worker that
commits the input's offsets outside of the transaction. The independent check is a plain consumer of committed records
that parses the header which names the input record.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from live import BOOTSTRAP, ROOT

ANSWER_S = 60
SERVERS: dict[str, str | int | float | bool] = {"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0}
PROFILE = """
duration = "20s"
[topics.{name}-payments]
partitions = 4
rate = 100
[groups.{name}-enricher]
topics = ["{name}-payments"]
members = 3
[groups.{name}-enricher.transform]
output = "{name}-enriched"
records = 50
"""
# Two members die when their transaction has records in the log; others take their place.
DIES = """
import sys
sys.path.insert(0, {root!r})
from confluent_kafka import KafkaException, TopicPartition
from kafka_load.plugin import install
from kafka_load.locust_adapter.users import OrderProducer
from kafka_load.engines import TransformEngine
install()
died = []
work = TransformEngine._work
def die_in_the_middle(self):
    if len(died) < 2 and self not in died and self._settled.count["processed"] > 100 and len(self._taken) > 3:
        died.append(self)
        self._producer.flush(10)
        self.kill()
        return
    work(self)
TransformEngine._work = die_in_the_middle
"""
COMMITS_OUTSIDE = """
died = []
def commit_outside(self):
    if not self._until_answered(self._producer.commit_transaction):
        return False
    if len(died) < 2 and self not in died and self._settled.count["processed"] > 100 and len(self._taken) > 3:
        died.append(self)
        self.kill()
        return True
    try:
        offsets = [TopicPartition(*key, offset) for key, offset in self._offsets.items()]
        self._consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException:
        pass
    return True
TransformEngine._work, TransformEngine._commit_transaction = work, commit_outside
"""


@dataclass
class Transformed:
    """A run that has ended: its verdict, and how often each input record has an output."""

    status: int
    verdict: Any
    times: Counter[bytes]
    in_order: bool
    produced: int

    @property
    def judged(self) -> dict[str, int]:
        counts: dict[str, int] = self.verdict["groups"][0]["transform"]
        return counts

    @property
    def broken(self) -> list[str]:
        return [limit["name"] for limit in self.verdict["slo"] if not limit["ok"]]


def read(topic: str) -> list[Any]:
    """All committed records of a topic, each partition in its order."""
    client = Consumer(
        {**SERVERS, "group.id": "check", "enable.partition.eof": True, "isolation.level": "read_committed"}
    )
    partitions = list(client.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions)
    client.assign([TopicPartition(topic, number, 0) for number in partitions])
    ended: set[int | None] = set()
    found, deadline = [], time.monotonic() + 2 * ANSWER_S
    while len(ended) < len(partitions):
        assert time.monotonic() < deadline, "the independent check saw no end of the log"
        message = client.poll(1)
        if message is None:
            continue
        if message.error():
            ended.add(message.partition())
        else:
            found.append(message)
    client.close()
    return found


@pytest.fixture
def name() -> Iterator[str]:
    chosen = f"transform-{secrets.token_hex(3)}"
    yield chosen
    admin = AdminClient(SERVERS)
    topics = [topic for topic in admin.list_topics(timeout=ANSWER_S).topics if topic.startswith(chosen)]
    for deleted in admin.delete_topics(topics).values() if topics else ():
        deleted.result(ANSWER_S)


def run(name: str, folder: Path, worker: str) -> Transformed:
    (folder / "worker.py").write_text(worker.format(root=str(ROOT / "loadtests")))
    (folder / "mine.toml").write_text(PROFILE.format(name=name))
    command = [sys.executable, "-m", "locust", "-f", str(folder / "worker.py"), "--headless", "--keep-topics"]
    command += ["--bootstrap-servers", ",".join(BOOTSTRAP), "--profile", str(folder / "mine.toml")]
    command += ["--results-dir", str(folder / "results"), "--max-late-ms=120000", "--drain-timeout=180"]
    ended = subprocess.run(command, cwd=ROOT, timeout=500, check=False)
    verdict = json.loads((folder / "results" / "latest" / "verdict.json").read_text())
    sources: dict[bytes, list[int]] = {}
    for message in read(f"{name}-enriched"):
        where, _, offset = dict(message.headers())["kafka-load.source"].partition(b"@")
        sources.setdefault(where, []).append(int(offset))
    times = Counter(b"%b@%d" % (where, offset) for where, offsets in sources.items() for offset in offsets)
    in_order = all(offsets == sorted(offsets) for offsets in sources.values())
    return Transformed(ended.returncode, verdict, times, in_order, len(read(f"{name}-payments")))


def test_each_record_has_one_output_record_although_members_die(name: str, tmp_path: Path) -> None:
    found = run(name, tmp_path, DIES)
    assert found.produced == found.verdict["produced"]["acknowledged"] == len(found.times) > 0
    assert set(found.times.values()) == {1}
    assert found.in_order
    assert (found.status, found.broken) == (0, []), found.verdict["notes"]
    assert found.judged["transformed"] == found.produced
    assert found.verdict["groups"][0]["redelivered"] > 0, "no member died in the middle, so nothing was shown"


def test_a_worker_that_commits_offsets_outside_of_the_transaction_is_found(name: str, tmp_path: Path) -> None:
    found = run(name, tmp_path, DIES + COMMITS_OUTSIDE)
    doubled = found.times.total() - len(found.times)
    assert doubled > 0, "nothing was doubled, so nothing was shown"
    assert found.status == 1
    assert "doubled_outputs" in found.broken
    assert found.judged["doubled_outputs"] == doubled
