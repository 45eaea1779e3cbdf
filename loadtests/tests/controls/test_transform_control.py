"""Whole runs whose group transforms its records; what is not exactly once is found.

librdkafka's mock cluster has transactions in form only: it commits no offsets with them, and shows what was aborted. So
a group whose members stay is exactly once on it, and one that goes through a rebalance is not: a cluster with a broken
transaction coordinator. `molecule/default` has the same on real brokers, which have to pass. The independent check is a
plain consumer of the output topic, which parses the header that names the input record.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from locust_run import PROJECT, Run
from mock_cluster import MockCluster
from plain_clients import records

PARTITIONS = {"payments": 4, "payments.enriched": 2}
PROFILE = """
duration = "6s"
[topics.payments]
rate = 200
[groups.enricher]
topics = ["payments"]
members = 2
[groups.enricher.transform]
output = "payments.enriched"
records = 50
"""
MEMBERS_COME_AND_GO = PROFILE.replace("members = 2", 'members = {count = 2, stay = "2s", away = "1s"}')
LOCUSTFILE = """
import sys
sys.path.insert(0, {root!r})
from confluent_kafka import KafkaException, TopicPartition
from kafka_load.plugin import install
from kafka_load.locust_adapter.users import OrderProducer
from kafka_load.engines import TransformEngine
install()
with_more, produce = TransformEngine._with_more, TransformEngine._produce
"""
COMMITS_BEFORE_IT_PRODUCES = """
killed = []
def commit_first(self, first, room):
    messages = with_more(self, first, room)
    offsets = {(m.topic(), m.partition()): m.offset() + 1 for m in messages if m.error() is None}
    if offsets:
        try:
            self._consumer.commit(offsets=[TopicPartition(*key, offset) for key, offset in offsets.items()],
                                  asynchronous=False)
        except KafkaException:  # a rebalance: it goes on as it is
            return messages
        if not killed and self._settled.count["processed"] > 100:
            killed.append(self)
            self.kill()
            self._reading.take(messages, 0)
            return []
    return messages
TransformEngine._with_more = commit_first
"""
SWAPS_TWO = """
held = []
def swap(self, message):
    if message.offset() == 40:
        held.append(message)
        return
    produce(self, message)
    if held and held[0].partition() == message.partition():
        produce(self, held.pop())
TransformEngine._produce = swap
"""


class Outcome:
    """A run that has ended, and what a plain consumer reads in the output topic, in order."""

    def __init__(self, cluster: MockCluster, folder: Path, worker: str = "", profile: str = PROFILE) -> None:
        for name, count in PARTITIONS.items():
            cluster.topic(name, count)
        locustfile, path = folder / "worker.py", folder / "mine.toml"
        locustfile.write_text(LOCUSTFILE.format(root=str(PROJECT / "loadtests")) + worker)
        path.write_text(profile)
        run = Run(folder, cluster.bootstrap, "-f", str(locustfile), "--profile", str(path))
        self.status = run.wait(180)
        [self.group] = run.verdict["groups"]
        self.judged = self.group["transform"]
        # A group that reads all from the beginning after each rebalance may not come to the end: that is undecided.
        self.broken = [limit["name"] for limit in run.verdict["slo"] if not limit["ok"] and "undecided" not in limit]
        self.sources: dict[str, list[int]] = {}
        for headers in read(cluster, "payments.enriched"):
            where, _, offset = headers["kafka-load.source"].decode().partition("@")
            self.sources.setdefault(where, []).append(int(offset))
        times = Counter((where, offset) for where, offsets in self.sources.items() for offset in offsets)
        acknowledged = run.verdict["produced"]["acknowledged"]
        assert acknowledged == len(read(cluster, "payments")) > 0
        self.missing, self.doubled = acknowledged - len(times), times.total() - len(times)


def read(cluster: MockCluster, topic: str) -> list[dict[str, Any]]:
    """The headers of all records of a topic."""
    return [dict(message.headers() or ()) for message in records(cluster, topic, PARTITIONS[topic])]


def test_each_record_has_one_output_record_in_order(cluster: MockCluster, tmp_path: Path) -> None:
    found = Outcome(cluster, tmp_path)
    assert (found.missing, found.doubled) == (0, 0)
    assert all(offsets == sorted(offsets) for offsets in found.sources.values())
    assert (found.status, found.broken) == (0, [])
    assert found.judged == {
        **{"transformed": found.group["consumed"], "missing_outputs": 0, "doubled_outputs": 0},
        **{"reordered_outputs": 0, "unverifiable": 0, "aborted": 0},
    }


def test_a_cluster_that_commits_no_offsets_with_a_transaction_doubles_records(
    cluster: MockCluster, tmp_path: Path
) -> None:
    found = Outcome(cluster, tmp_path, profile=MEMBERS_COME_AND_GO)
    assert found.doubled > 0, "nothing was doubled, so nothing was shown"
    assert (found.status, found.broken) == (1, ["doubled_outputs"])
    assert (found.judged["doubled_outputs"], found.judged["missing_outputs"]) == (found.doubled, 0)
    assert ",payments," in (tmp_path / "latest" / "anomalies.csv").read_text()


def test_a_worker_that_commits_before_it_produces_and_dies_loses_records(cluster: MockCluster, tmp_path: Path) -> None:
    found = Outcome(cluster, tmp_path, COMMITS_BEFORE_IT_PRODUCES)
    assert found.missing > 0, "nothing was lost on the way, so nothing was shown"
    assert found.status == 1
    assert "missing_outputs" in found.broken
    assert (found.judged["missing_outputs"], found.judged["doubled_outputs"]) == (found.missing, found.doubled)
    assert found.group["lost"] == 0


def test_outputs_in_another_order_than_their_inputs_are_found(cluster: MockCluster, tmp_path: Path) -> None:
    found = Outcome(cluster, tmp_path, SWAPS_TWO)
    assert any(offsets != sorted(offsets) for offsets in found.sources.values())
    assert (found.missing, found.doubled) == (0, 0)
    assert (found.status, found.broken) == (1, ["reordered_outputs"])
    swapped = sum(offsets.index(40) > offsets.index(41) for offsets in found.sources.values() if 41 in offsets)
    assert found.judged["reordered_outputs"] == swapped > 0
