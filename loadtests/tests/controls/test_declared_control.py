"""Whole runs of profiles that declare topics and groups of their own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from locust_run import Run
from mock_cluster import MockCluster
from plain_clients import records

PROFILE = """
duration = "6s"

[topics.payments]
partitions = 4
rate = 200
producers = 2
size = {"200" = 70, "1000" = 30}
keys = {count = 500, zipf = 1.0}
headers = {source = "web"}

[topics.invoices]
partitions = 2
rate = 50

[groups.fraud-check]
topics = ["payments"]
members = 2

[groups.billing]
topics = ["payments", "invoices"]
"""
NOBODY_COMES = """
[groups.archive]
topics = ["invoices"]
members = {count = 1, start = "10m"}
"""
PARTITIONS = {"payments": 4, "invoices": 2}


# What a profile may not say, and what the sentence about it begins with after the file's name.
MISTAKES = """
duration = "soon"
[topics.payments]
partitons = 4
rate = 200
[topics."pay ments"]
rate = 1
[groups.billing]
members = 0
"""
SENTENCES = (
    "mine.toml: duration: 'soon' is not a time span such as 90s, 5m or 1h30m",
    "mine.toml: topics.payments: unknown key 'partitons'; did you mean 'partitions'?",
    "mine.toml: topics.pay ments: a topic's name has 1 to 249 letters, digits, '.', '_' and '-'",
    "mine.toml: groups.billing.topics is missing",
    "mine.toml: groups.billing.members.count must be at least 1, not 0",
)


def run_profile(cluster: MockCluster, folder: Path, profile: str, *arguments: str) -> Run:
    for name, count in PARTITIONS.items():
        cluster.topic(name, count)
    path = folder / "mine.toml"
    path.write_text(profile)
    return Run(folder / "results", cluster.bootstrap, "--profile", str(path), *arguments)


def read_log(cluster: MockCluster, topic: str) -> list[tuple[int, Any]]:
    """Size and headers of each record of a topic, by a plain consumer."""
    log = records(cluster, topic, PARTITIONS[topic])
    return [(len(message.value() or b""), message.headers()) for message in log]


def test_topics_and_groups_of_the_profile_are_written_read_and_judged(cluster: MockCluster, tmp_path: Path) -> None:
    run = run_profile(cluster, tmp_path, PROFILE)
    assert run.wait() == 0
    payments, invoices = read_log(cluster, "payments"), read_log(cluster, "invoices")
    assert (len(payments), len(invoices)) == (1_200, 300)
    assert {size for size, _ in payments} == {200, 1_000}
    assert {str(headers) for _, headers in payments} == {"[('source', b'web')]"}
    assert {headers for _, headers in invoices} == {None}
    groups = {one["group"]: (one["consumed"], one["lost"], one["drained"]) for one in run.verdict["groups"]}
    assert groups == {"fraud-check": (1_200, 0, True), "billing": (1_500, 0, True)}


def test_a_declared_group_that_reads_nothing_is_not_drained(cluster: MockCluster, tmp_path: Path) -> None:
    run = run_profile(cluster, tmp_path, PROFILE + NOBODY_COMES)
    assert run.wait() == 2
    archive = next(one for one in run.verdict["groups"] if one["group"] == "archive")
    assert (archive["consumed"], archive["unread"], archive["drained"]) == (
        0,
        len(read_log(cluster, "invoices")),
        False,
    )
    assert any("archive had no member" in reason for reason in run.verdict["reasons"])


def test_a_limit_of_one_topic_fails_by_that_topic(cluster: MockCluster, tmp_path: Path) -> None:
    """The leaders of `invoices` take 2 s to answer, those of `payments` do not."""
    limits = "[slo.topics.invoices]\np99_produce_ms = 1000\n[slo.topics.payments]\nlongest_gap_s = 600\n"
    run = run_profile(cluster, tmp_path, PROFILE + limits)
    for topic, broker in (("payments", 1), ("invoices", 3)):
        for number in range(PARTITIONS[topic]):
            cluster.leader(topic, number, broker)
    run.until(1)
    cluster.rtt(3, 2_000)
    plain, began = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0}), time.monotonic()
    plain.produce("invoices", b"how long does its leader take?")
    assert plain.flush(30) == 0
    assert time.monotonic() - began >= 2
    run.until(5)
    cluster.rtt(3, 0)
    assert run.wait() == 1
    held = {f"{one['name']} of {one['of']}": one["ok"] for one in run.verdict["slo"] if "of" in one}
    assert held == {"p99_produce_ms of topic invoices": False, "longest_gap_s of topic payments": True}
    assert "p99_produce_ms of topic invoices is " in run.output


def test_workers_make_the_users_of_the_profile_that_the_master_has(cluster: MockCluster, tmp_path: Path) -> None:
    run = run_profile(cluster, tmp_path, PROFILE, "--processes", "2")
    assert run.wait() == 0
    assert {one["group"]: one["consumed"] for one in run.verdict["groups"]} == {"fraud-check": 1_200, "billing": 1_500}


def test_each_mistake_in_a_profile_is_a_sentence_that_names_its_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MISTAKES)
    run = Run(tmp_path / "results", "127.0.0.1:9", "--profile", str(path))
    assert run.wait() == 3
    assert [line.removeprefix("locust: ") for line in run.output.splitlines() if "mine.toml: " in line] == [*SENTENCES]
    assert "Traceback" not in run.output


def test_a_topic_that_is_otherwise_than_declared_is_refused(cluster: MockCluster, tmp_path: Path) -> None:
    run = run_profile(cluster, tmp_path, PROFILE.replace("partitions = 4", "partitions = 6"))
    assert run.wait() == 3
    assert "topic payments exists with 4 partitions, and the profile declares 6" in run.output
    assert read_log(cluster, "payments") == []


def test_a_topic_that_cannot_be_created_is_refused_in_one_sentence(cluster: MockCluster, tmp_path: Path) -> None:
    """The mock cluster creates no topics by request."""
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE)
    run = Run(tmp_path / "results", cluster.bootstrap, "--profile", str(path))
    assert run.wait() == 3
    assert "could not be created: " in run.output
    assert "Traceback" not in run.output
    assert not (tmp_path / "results").exists()


def test_a_declared_topic_with_records_of_an_application_is_not_written_into(
    cluster: MockCluster, tmp_path: Path
) -> None:
    cluster.topic("payments", PARTITIONS["payments"])
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    producer.produce("payments", b"an invoice")
    assert producer.flush(10) == 0
    cluster.topic("invoices", PARTITIONS["invoices"])
    path = tmp_path / "mine.toml"
    path.write_text(PROFILE)
    run = Run(tmp_path / "results", cluster.bootstrap, "--profile", str(path))
    assert run.wait() == 3
    assert "topic payments holds records that this harness did not write" in run.output
    assert len(read_log(cluster, "payments")) == 1
