"""Controls of the verdict that need real brokers: groups with live members, share groups, topics that change in a run.

Each uses a topic and groups of its own. The independent check is the admin client that does it, and, where it matters,
a plain consumer.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from live import BOOTSTRAP, ROOT

PARTITIONS, REPLICAS, ANSWER_S, RUN_S, ACT_AT_S = 3, 3, 30, 14, 4
LOCUSTFILE = """
import sys
sys.path.insert(0, {root!r})
from kafka_load.plugin import install
from kafka_load.locust_adapter.users import ProducerUser, ReaderUser
install()
class Writer(ProducerUser):
    topic, rate = {topic!r}, 50.0
class Early(ReaderUser):
    group, topics, mode = "early", ({topic!r},), "queue"
class Late(ReaderUser):
    group, topics = "late", ({topic!r},)
"""
SHARED_USER = """
class Shared(ReaderUser):
    group, topics, mode = "shared", ({topic!r},), "share"
"""
PROFILE = """
duration = "{run_s}s"
size = "json"
[rate]
Writer = 100
[users]
Writer = 2
Early = 1
Late = {{count = 1, start = "{late_s}s"}}
"""
SHARED = """
duration = "6s"
size = "json"
[rate]
Writer = 100
[users]
Writer = 2
Shared = 4
"""


@dataclass
class Cluster:
    """The topic of one control, and the client that does things to it."""

    topic: str
    admin: AdminClient

    def create(self) -> None:
        replicas = min(REPLICAS, len(self.admin.list_topics(timeout=ANSWER_S).brokers))
        deadline = time.monotonic() + ANSWER_S
        new = NewTopic(self.topic, PARTITIONS, replicas)
        while True:  # the broker goes on knowing a topic that is deleted for a moment
            try:
                self.admin.create_topics([new])[self.topic].result(ANSWER_S)
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def delete(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result(ANSWER_S)

    def make_again(self) -> None:
        self.delete()
        self.create()

    def add_partitions(self) -> None:
        self.admin.create_partitions([NewPartitions(self.topic, 2 * PARTITIONS)])[self.topic].result(ANSWER_S)

    def configure(self, **values: str) -> None:
        entries = [
            ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
            for name, value in values.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, self.topic, incremental_configs=entries)
        [answer] = self.admin.incremental_alter_configs([resource]).values()
        answer.result(ANSWER_S)

    def compact(self) -> None:
        """Compact all but the newest second, as soon as the cleaner looks again (every 15 s)."""
        self.configure(
            cleanup_policy="compact",
            segment_ms="1000",
            min_cleanable_dirty_ratio="0.001",
            max_compaction_lag_ms="1000",
        )

    def records(self) -> int:
        """How many records are there, by a plain consumer."""
        consumer = Consumer(
            {"bootstrap.servers": ",".join(BOOTSTRAP), "group.id": "check", "enable.partition.eof": True}
        )
        numbers = list(consumer.list_topics(self.topic, ANSWER_S).topics[self.topic].partitions)
        consumer.assign([TopicPartition(self.topic, number, 0) for number in numbers])
        count = ended = 0
        while ended < len(numbers):
            message = consumer.poll(ANSWER_S)
            assert message is not None, "the independent check saw no end of the log"
            ended += message.error() is not None
            count += message.error() is None
        consumer.close()
        return count


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A topic of its own, removed afterwards if it is still there."""
    admin = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0})
    own = Cluster(f"control-{secrets.token_hex(4)}", admin)
    own.create()
    yield own
    if own.topic in admin.list_topics(timeout=ANSWER_S).topics:
        own.delete()


def command(cluster: Cluster, folder: Path, profile: str, *options: str) -> list[str]:
    """The command line of a run with this profile."""
    users = LOCUSTFILE + SHARED_USER * ("Shared" in profile)
    (folder / "control.py").write_text(users.format(root=str(ROOT / "loadtests"), topic=cluster.topic))
    (folder / "control.toml").write_text(profile)
    return [
        *(str(Path(sys.executable).with_name("locust")), "--headless", "-f", str(folder / "control.py")),
        *("--profile", str(folder / "control.toml"), f"--bootstrap-servers={','.join(BOOTSTRAP)}"),
        *(f"--results-dir={folder}", f"--group-prefix={cluster.topic}-", *options),
    ]


def run(
    cluster: Cluster, folder: Path, act: Callable[[], None] | None, *options: str, late_s: int = 1, run_s: int = RUN_S
) -> Any:
    """The verdict of a run in which something is done once it has lasted ACT_AT_S seconds."""
    profile = PROFILE.format(run_s=run_s, late_s=late_s)
    with subprocess.Popen(command(cluster, folder, profile, *options), cwd=ROOT) as locust:
        timeline, deadline = folder / "latest" / "timeline.csv", time.monotonic() + 120
        while not timeline.exists() or len(timeline.read_text(encoding="utf-8").splitlines()) <= ACT_AT_S:
            assert locust.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        if act is not None:
            act()
        status = locust.wait(240)
    verdict = json.loads((folder / "latest" / "verdict.json").read_text(encoding="utf-8"))
    assert status == verdict["exit_code"]
    return verdict


def worst(verdict: Any, *names: str) -> dict[str, int]:
    """The highest count of any group."""
    return {name: max(group[name] for group in verdict["groups"]) for name in names}


def test_where_nothing_happens_to_the_topic_nothing_is_said(cluster: Cluster, tmp_path: Path) -> None:
    verdict = run(cluster, tmp_path, None)
    assert worst(verdict, "lost", "diverged", "reordered", "unverifiable") == dict.fromkeys(
        ("lost", "diverged", "reordered", "unverifiable"), 0
    )
    assert verdict["produced"]["acknowledged"] == cluster.records()
    assert not any(f"topic {cluster.topic}" in note for note in verdict["notes"])


def test_a_topic_that_is_made_again_makes_no_false_findings(cluster: Cluster, tmp_path: Path) -> None:
    verdict = run(cluster, tmp_path, cluster.make_again)
    assert cluster.records() < verdict["produced"]["acknowledged"]
    assert (verdict["outcome"], verdict["exit_code"]) == ("inconclusive", 2)
    assert any(f"topic {cluster.topic} was deleted and made again at" in reason for reason in verdict["reasons"])
    counts = ("lost", "reordered", "duplicated_in_log", "diverged", "offset_regressions")
    assert worst(verdict, *counts) == dict.fromkeys(counts, 0)


def test_a_topic_that_is_deleted_makes_no_false_findings(cluster: Cluster, tmp_path: Path) -> None:
    verdict = run(cluster, tmp_path, cluster.delete, "--drain-timeout=10s")
    assert (verdict["outcome"], verdict["exit_code"]) == ("inconclusive", 2)
    assert any(f"topic {cluster.topic} was deleted at" in reason for reason in verdict["reasons"])
    assert worst(verdict, "lost", "reordered", "diverged") == {"lost": 0, "reordered": 0, "diverged": 0}


def test_partitions_that_are_added_in_the_run_are_not_called_fine(cluster: Cluster, tmp_path: Path) -> None:
    verdict = run(cluster, tmp_path, cluster.add_partitions)
    described = cluster.admin.list_topics(cluster.topic, timeout=ANSWER_S).topics[cluster.topic]
    assert len(described.partitions) == 2 * PARTITIONS
    assert (verdict["outcome"], verdict["exit_code"]) == ("inconclusive", 2)
    assert any("went from 3 to 6 partitions" in reason for reason in verdict["reasons"])
    assert worst(verdict, "lost", "reordered") == {"lost": 0, "reordered": 0}


def test_records_that_compaction_removed_are_not_called_lost(cluster: Cluster, tmp_path: Path) -> None:
    late_s = 40
    verdict = run(cluster, tmp_path, cluster.compact, "--keys=5", late_s=late_s, run_s=late_s + 10)
    late = next(group for group in verdict["groups"] if group["group"].endswith("late"))
    assert cluster.records() < verdict["produced"]["acknowledged"], "nothing was compacted, so nothing was shown"
    assert (verdict["outcome"], late["lost"]) == ("inconclusive", 0)
    assert late["unverifiable"] > 0
    assert any(f"topic {cluster.topic} is compacted since" in note for note in verdict["notes"])


def test_a_group_with_a_live_member_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    group = f"{cluster.topic}-early"
    member = Consumer({"bootstrap.servers": ",".join(BOOTSTRAP), "group.id": group, "client.id": "billing"})
    member.subscribe([cluster.topic])
    while len(member.assignment()) < PARTITIONS:
        member.poll(0.1)
    refused = command(cluster, tmp_path, PROFILE.format(run_s=RUN_S, late_s=1), "--reset-offsets")
    with subprocess.Popen(refused, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as locust:
        while locust.poll() is None:
            member.poll(0.1)
        output, _ = locust.communicate()
    assert locust.returncode == 3
    assert f"group {group} has a live member (client.id billing)" in output
    assert len(member.assignment()) == PARTITIONS
    assert cluster.records() == 0
    member.close()


def test_a_share_group_drains_over_transaction_markers_and_released_records(cluster: Cluster, tmp_path: Path) -> None:
    options = ("--transaction-records=50", "--abort-every=5", "--share-release=0.1", "--drain-timeout=30s")
    subprocess.run(command(cluster, tmp_path, SHARED, *options), cwd=ROOT, check=False, timeout=240)
    verdict = json.loads((tmp_path / "latest" / "verdict.json").read_text(encoding="utf-8"))
    [shared] = (group for group in verdict["groups"] if group["mode"] == "share")
    assert cluster.records() == shared["consumed"] - shared["redelivered"] == verdict["produced"]["acknowledged"] > 0
    assert (shared["drained"], shared["unread"], shared["lost"]) == (True, 0, 0)
