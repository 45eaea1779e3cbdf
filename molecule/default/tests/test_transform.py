"""Consume, transform, produce on real brokers: exactly once although members die in the middle of a transaction.

The mock cluster has transactions in form only, so here is what has to pass, with two controls beside it: a worker that
commits the input's offsets outside of the transaction, and a network that delivers the end of a transaction late, in
the middle of the next one (KAFKA-17754: below `transaction.version` 2 a producer keeps its epoch, so the broker cannot
tell). The independent check is a plain consumer of committed records that parses the header which names the input
record.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.protocol.producer import EndTxnRequest
from live import BOOTSTRAP, ROOT, host
from plain_reader import read

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
interval = "1s"
"""
WORKER = """
import sys
sys.path.insert(0, {root!r})
from confluent_kafka import KafkaException, TopicPartition
from kafka_load.plugin import install
from kafka_load.locust_adapter.users import OrderProducer
from kafka_load.engines import TransformEngine
install()
"""
# Two members die when their transaction has records in the log; others take their place.
DIES = """
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


def records(topic: str) -> list[Any]:
    """All committed records of a topic, each partition in its order."""
    partitions = AdminClient(SERVERS).list_topics(topic, timeout=ANSWER_S).topics[topic].partitions
    return read(",".join(BOOTSTRAP), [TopicPartition(topic, number, 0) for number in partitions])


@contextmanager
def topics_of(kind: str) -> Iterator[str]:
    """A name that the topics of one run begin with, which are removed at the end."""
    chosen = f"{kind}-{secrets.token_hex(3)}"
    yield chosen
    admin = AdminClient(SERVERS)
    topics = [topic for topic in admin.list_topics(timeout=ANSWER_S).topics if topic.startswith(chosen)]
    for deleted in admin.delete_topics(topics).values() if topics else ():
        deleted.result(ANSWER_S)


@pytest.fixture
def name() -> Iterator[str]:
    with topics_of("transform") as chosen:
        yield chosen


@pytest.fixture
def late_name() -> Iterator[str]:
    """Brokers call what comes behind a transaction that was ended late an error; the log checks know these topics."""
    with topics_of("late-commit") as chosen:
        yield chosen


@pytest.fixture
def transaction_version_1() -> Iterator[None]:
    tool = f"/opt/kafka/bin/kafka-features.sh --bootstrap-server {BOOTSTRAP[0]}"
    host("kafka1").check_output(f"{tool} downgrade --feature transaction.version=1")
    yield
    host("kafka1").check_output(f"{tool} upgrade --feature transaction.version=2")


def run(name: str, folder: Path, worker: str = "") -> Transformed:
    (folder / "worker.py").write_text((WORKER + worker).format(root=str(ROOT / "loadtests")))
    (folder / "mine.toml").write_text(PROFILE.format(name=name))
    command = [sys.executable, "-m", "locust", "-f", str(folder / "worker.py"), "--headless", "--keep-topics"]
    command += ["--bootstrap-servers", ",".join(BOOTSTRAP), "--profile", str(folder / "mine.toml")]
    command += ["--results-dir", str(folder / "results"), "--max-late-ms=120000", "--drain-timeout=180"]
    ended = subprocess.run(command, cwd=ROOT, timeout=500, check=False)
    verdict = json.loads((folder / "results" / "latest" / "verdict.json").read_text())
    sources: dict[bytes, list[int]] = {}
    for message in records(f"{name}-enriched"):
        where, _, offset = dict(message.headers())["kafka-load.source"].partition(b"@")
        sources.setdefault(where, []).append(int(offset))
    times = Counter(b"%b@%d" % (where, offset) for where, offsets in sources.items() for offset in offsets)
    in_order = all(offsets == sorted(offsets) for offsets in sources.values())
    return Transformed(ended.returncode, verdict, times, in_order, len(records(f"{name}-payments")))


def commit(admin: Any, transactional_id: str, on: Any) -> bool:
    """Commit a transaction, as one that was described, with another's connection; whether the broker did so."""
    request = EndTxnRequest(
        transactional_id=transactional_id,
        producer_id=on.producer_id,
        producer_epoch=on.producer_epoch,
        committed=True,
        max_version=4,  # the last that leaves the epoch as it is
    )
    answer = admin._manager.run(lambda: admin._manager.send(request, node_id=on.coordinator_id))
    return bool(answer.error_code == 0)


def commit_ongoing(admin: Any, name: str) -> int:
    """Commit the transactions that have outputs in them; returns how many there were."""
    of_brokers = admin.list_transactions(state_filters=["Ongoing"]).values()
    mine = [
        one.transactional_id for one in chain.from_iterable(of_brokers) if f"{name}-enricher" in one.transactional_id
    ]
    described = ((one, admin.describe_transactions([one])[one]) for one in mine)
    return sum(
        commit(admin, one, on)
        for one, on in described
        if any(topic == f"{name}-enriched" for topic, _ in on.topic_partitions)
    )


def commit_late(name: str, ended: Event) -> int:
    """Commit transactions while they are on, as a request does that was delayed since the transaction before.

    Most do no harm: nothing more was to come in that transaction. Returns how many were committed until the run ended.
    """
    admin, late = KafkaAdminClient(bootstrap_servers=BOOTSTRAP), 0
    while not ended.is_set():
        try:
            late += commit_ongoing(admin, name)
        except KafkaError as error:  # on a new cluster the coordinators of transactions are still to come
            if not error.retriable:
                raise
    admin.close()
    return late


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


@pytest.mark.usefixtures("transaction_version_1")
def test_a_commit_that_the_network_delivers_late_is_found(late_name: str, tmp_path: Path) -> None:
    ended = Event()
    with ThreadPoolExecutor(1) as network:
        late = network.submit(commit_late, late_name, ended)
        try:
            found = run(late_name, tmp_path)
        finally:
            ended.set()
    doubled, missing = found.times.total() - len(found.times), found.produced - len(found.times)
    assert late.result() > 0
    assert doubled + missing > 0, "nothing was doubled or missing, so nothing was shown"
    assert found.status == 1
    assert (found.judged["doubled_outputs"], found.judged["missing_outputs"]) == (doubled, missing)
    assert ("doubled_outputs" in found.broken, "missing_outputs" in found.broken) == (doubled > 0, missing > 0)
