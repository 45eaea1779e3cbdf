"""Topics and groups that a profile declares: real brokers create and delete them, which the mock cluster cannot.

The independent check is an admin client of the test's own, which lists topics, groups and configs.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from live import BOOTSTRAP, ROOT

ANSWER_S = 30
SERVERS: dict[str, str | int | float | bool] = {"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0}
PROFILE = """
duration = "8s"
[topics.{name}-payments]
partitions = 4
config = {{retention.ms = 600000}}
rate = 100
[topics.{name}-invoices]
rate = 20
size = 200
[groups.{name}-fraud]
topics = ["{name}-payments"]
members = 2
[groups.{name}-all]
topics = ["{name}-payments", "{name}-invoices"]
"""
SHARED = """
[groups.{name}-shared]
topics = ["{name}-invoices"]
mode = "share"
"""


@dataclass
class Declared:
    """One profile with names of its own, and what there is of it on the cluster."""

    name: str
    folder: Path
    admin: AdminClient

    def topics(self) -> set[str]:
        found = self.admin.list_topics(timeout=ANSWER_S).topics
        return {topic.removeprefix(f"{self.name}-") for topic in found if topic.startswith(self.name)}

    def groups(self) -> set[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # what replaces it leaves out share groups
            found = self.admin.list_groups(timeout=ANSWER_S)
        return {str(group.id).removeprefix(f"{self.name}-") for group in found if str(group.id).startswith(self.name)}

    def config(self, topic: str, name: str) -> str:
        resource = ConfigResource(ResourceType.TOPIC, f"{self.name}-{topic}")
        [described] = self.admin.describe_configs([resource]).values()
        return str(described.result(ANSWER_S)[name].value)

    def create(self, topic: str, partitions: int) -> None:
        replicas = min(3, len(self.admin.list_topics(timeout=ANSWER_S).brokers))
        [created] = self.admin.create_topics([NewTopic(f"{self.name}-{topic}", partitions, replicas)]).values()
        created.result(ANSWER_S)

    def start(self, *options: str, profile: str = PROFILE) -> subprocess.Popen[bytes]:
        path = self.folder / "declared.toml"
        path.write_text(profile.format(name=self.name))
        locust = (str(Path(sys.executable).with_name("locust")), "--headless", "--profile", str(path))
        more = (f"--bootstrap-servers={','.join(BOOTSTRAP)}", f"--results-dir={self.folder}", "--max-late-ms=120000")
        return subprocess.Popen([*locust, *more, *options], cwd=ROOT)

    def until(self, seconds: int) -> None:
        timeline, deadline = self.folder / "latest" / "timeline.csv", time.monotonic() + 180
        while not timeline.exists() or len(timeline.read_text(encoding="utf-8").splitlines()) <= seconds:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    @property
    def verdict(self) -> Any:
        return json.loads((self.folder / "latest" / "verdict.json").read_text(encoding="utf-8"))


@pytest.fixture
def declared(tmp_path: Path) -> Iterator[Declared]:
    own = Declared(f"declared-{secrets.token_hex(4)}", tmp_path, AdminClient(SERVERS))
    yield own
    if left := [f"{own.name}-{topic}" for topic in own.topics()]:
        for deleted in own.admin.delete_topics(left).values():
            deleted.result(ANSWER_S)


def test_a_run_makes_what_its_profile_declares_and_removes_it_also_after_one_that_was_killed(
    declared: Declared,
) -> None:
    killed = declared.start()
    declared.until(2)
    assert declared.topics() == {"payments", "invoices"}
    assert declared.config("payments", "retention.ms") == "600000"
    payments = declared.admin.list_topics(timeout=ANSWER_S).topics[f"{declared.name}-payments"]
    assert len(payments.partitions) == 4
    killed.kill()
    killed.wait()
    assert declared.topics() == {"payments", "invoices"}
    assert declared.start().wait(300) == 0
    assert declared.verdict["outcome"] == "pass"
    assert {group["consumed"] > 0 for group in declared.verdict["groups"]} == {True}
    assert declared.topics() == set()
    assert declared.groups() == set()


def test_what_the_run_did_not_make_or_what_others_write_into_stays(declared: Declared) -> None:
    declared.create("invoices", 2)
    run = declared.start()
    declared.until(2)
    other = Producer(SERVERS)
    other.produce(f"{declared.name}-payments", b"an order of somebody else", partition=0)
    assert other.flush(ANSWER_S) == 0
    assert run.wait(300) == 0
    assert declared.topics() == {"payments", "invoices"}


def test_topics_and_groups_are_kept_if_that_is_asked_for_and_removed_by_the_next_run(declared: Declared) -> None:
    assert declared.start("--keep-topics", profile=PROFILE + SHARED).wait(300) == 0
    assert declared.topics() == {"payments", "invoices"}
    assert declared.groups() >= {"fraud", "all", "shared"}
    assert declared.start(profile=PROFILE + SHARED).wait(300) == 0
    assert declared.topics() == set()
    assert declared.groups() == set()
