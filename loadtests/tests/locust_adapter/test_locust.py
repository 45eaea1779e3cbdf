"""Whole runs of `locust`, as a user starts them, against a mock cluster: verdict, exit status, and how runs end."""

from __future__ import annotations

import csv
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from kafka_load.run import run_annotations
from locust_run import LOCUST, PROJECT, Run, free_port
from mock_cluster import OFFSET_COMMIT, REBALANCE_IN_PROGRESS, MockCluster


def test_a_profile_runs_and_leaves_its_verdict(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "5s")
    assert run.wait() == 0
    verdict = run.verdict
    assert verdict["outcome"] == "pass"
    assert verdict["produced"]["acknowledged"] == verdict["plan"]["due"] == 5000
    orders = {g["group"]: g["consumed"] for g in verdict["groups"]}
    assert orders["warehouse-group"] == orders["notification-group"] >= 2250
    assert orders["analytics-group"] == verdict["produced"]["acknowledged"]
    assert re.search(r"^PASS  [\d,]+ records acknowledged, none lost, every limit kept$", run.output, re.MULTILINE)
    files = {path.name for path in (tmp_path / "latest").iterdir()}
    assert {"verdict.json", "report.html", "timeline.csv", "anomalies.csv", "settings.json"} <= files
    with (tmp_path / "latest" / "timeline.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["acknowledged"]) for row in rows) == verdict["produced"]["acknowledged"]
    assert set(verdict["client"]["round_trip_us"]) == {"1", "2", "3"}
    assert max(int(row["rtt_avg_us"] or 0) for row in rows) > 0
    assert "Client queue" in (tmp_path / "latest" / "report.html").read_text()


def test_a_broken_limit_is_exit_status_1_and_named(shop: MockCluster, tmp_path: Path) -> None:
    junit = tmp_path / "ci" / "junit.xml"
    given = ("--profile", "smoke", "--run-time", "3s", "--slo-p99-produce-ms", "0", f"--junit={junit}")
    run = Run(tmp_path, shop.bootstrap, *given)
    assert run.wait() == 1
    assert '<failure message="p99_produce_ms is ' in junit.read_text()
    assert junit.read_text() == (tmp_path / "latest" / "junit.xml").read_text()
    assert "FAIL  1 limit broken: p99_produce_ms" in run.output


def test_a_run_without_records_is_inconclusive(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "2s", "--rate", "1")
    assert run.wait() == 2
    assert "INCONCLUSIVE  this run proves nothing: only" in run.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--profile", "stedy"), "there is no profile 'stedy'"),
        (("--acks", "most"), "argument --acks: invalid choice"),
        (("--acks", "1"), "--acks 1 needs --no-idempotence"),
        (("--size", "big"), "argument --size"),
        (("--no-such-option",), "unrecognized arguments"),
    ],
)
def test_a_bad_option_is_exit_status_3_and_one_sentence(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    run = Run(tmp_path, "127.0.0.1:9", *arguments)
    assert run.wait() == 3
    assert says in run.output.strip().splitlines()[-1]


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one process", "workers"])
def test_an_unreachable_cluster_is_exit_status_3_and_one_sentence(tmp_path: Path, processes: tuple[str, ...]) -> None:
    (tmp_path / "junit.xml").write_text("of an earlier run")
    run = Run(tmp_path, "127.0.0.1:9", "--profile", "smoke", f"--junit={tmp_path / 'junit.xml'}", *processes)
    assert run.wait() == 3
    assert '<error message="No broker of 127.0.0.1:9 answered' in (tmp_path / "junit.xml").read_text()
    assert "127.0.0.1:9" in run.output
    assert "Traceback" not in run.output


def test_missing_workers_are_exit_status_3_and_no_verdict(shop: MockCluster, tmp_path: Path) -> None:
    alone = ("--master", f"--master-bind-port={free_port()}", "--expect-workers=2", "--expect-workers-max-wait=1")
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", *alone)
    assert run.wait() == 3
    assert "0 of 2 workers came within 1 s" in run.output
    assert not (tmp_path / "latest").exists()


def test_a_worker_that_cannot_read_its_client_config_calls_the_run_off(shop: MockCluster, tmp_path: Path) -> None:
    """Each worker reads a file of its own; the master's, which is there, says nothing of it."""
    (tmp_path / "client.properties").write_text("client.rack=a\n")
    given = f"--client-config={tmp_path / 'client.properties'}"
    port = free_port()
    alone = ("--master", f"--master-bind-port={port}", "--expect-workers=1", "--expect-workers-max-wait=60")
    run = Run(tmp_path / "results", shop.bootstrap, "--profile", "smoke", given, *alone)
    command = [LOCUST, "--worker", f"--master-port={port}", "--client-config=/no/such"]
    worker = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert run.wait() == worker.returncode == 3
    assert "--client-config /no/such cannot be read: No such file or directory" in run.output
    assert "Traceback" not in run.output + worker.stderr
    assert not (tmp_path / "results" / "latest" / "verdict.json").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_still_drains_and_judges(shop: MockCluster, tmp_path: Path, stop: signal.Signals) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "steady", "--run-time", "10m")
    run.until(3)
    run.process.send_signal(stop)
    assert run.wait() == 0
    assert run.verdict["outcome"] == "pass"
    assert 2 < run.verdict["duration_s"] < 60


def test_marks_from_outside_are_the_verdicts_faults(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "6s")
    run.until(2)
    shop.down(2)
    run_annotations.mark(run_annotations.running(tmp_path), "kill_broker", "kafka2")
    run.until(4)
    shop.up(2)
    run_annotations.mark(run_annotations.running(tmp_path), "kill_broker", "kafka2", healed=True)
    run.wait()
    (fault,) = run.verdict["faults"]
    assert (fault["name"], fault["target"]) == ("kill_broker", "kafka2")
    assert 2 <= fault["injected_at_s"] < fault["healed_at_s"] < 20
    assert max(group["lost"] for group in run.verdict["groups"]) == 0


def test_workers_share_a_run_and_say_what_only_they_know(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "5s", "--processes", "2")
    run.until(2)
    for broker in (1, 2, 3):
        shop.refuse(broker, OFFSET_COMMIT, REBALANCE_IN_PROGRESS)
    assert run.wait() == 0
    assert "-group: commit refused: " in run.output
    assert 4500 <= run.verdict["produced"]["acknowledged"] <= 5000
    assert max(group["redelivered"] for group in run.verdict["groups"]) == 0


def test_two_runs_with_processes_at_once_have_workers_of_their_own(tmp_path: Path) -> None:
    """By Locust's own port the second one's workers joined the first one's master."""
    with MockCluster() as one, MockCluster() as other:
        for cluster in (one, other):
            cluster.topic("orders", 3)
            cluster.topic("clicks", 12)
        first = Run(tmp_path / "first", one.bootstrap, "--profile", "smoke", "--run-time", "10s", "--processes", "2")
        first.until(2)
        second = Run(tmp_path / "second", other.bootstrap, "--profile", "smoke", "--run-time", "4s", "--processes", "2")
        assert (second.wait(), first.wait()) == (0, 0)
    for run, due in ((first, 10_000), (second, 4_000)):
        assert run.verdict["produced"]["acknowledged"] == run.verdict["plan"]["due"]
        assert due * 0.9 <= run.verdict["plan"]["due"] <= due
        assert "3 workers" not in run.output


@pytest.mark.parametrize("given", [("--processes", "2"), ("--master",)], ids=["processes", "master"])
def test_a_masters_port_that_is_taken_is_exit_status_3_and_one_sentence(tmp_path: Path, given: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        report = tmp_path / "junit.xml"
        run = Run(tmp_path, "127.0.0.1:9", *given, f"--master-bind-port={port}", f"--junit={report}")
        assert run.wait() == 3
    (line,) = run.output.splitlines()
    assert line.startswith(f"locust: Locust's master cannot listen on port {port} of * (--master-bind-port, ")
    assert f"cannot listen on port {port}" in report.read_text()


def test_a_worker_that_is_killed_is_named_and_loses_nothing(shop: MockCluster, tmp_path: Path) -> None:
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "12s", "--processes", "2")
    run.until(4)
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
    victim = int(children[-1])
    subprocess.run(["/bin/kill", "-KILL", str(victim)], check=True)
    run.wait()
    assert any("was lost at" in note for note in run.verdict["notes"])
    assert run.verdict["produced"]["acknowledged"] > 2000
    assert max(group["lost"] for group in run.verdict["groups"]) == 0


def test_a_worker_that_a_busy_machine_silences_for_a_while_is_not_taken_for_dead(
    shop: MockCluster, tmp_path: Path
) -> None:
    """For longer than the 3 s after which Locust's master gives a worker up."""
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "14s", "--processes", "2")
    run.until(3)
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
    subprocess.run(["/bin/kill", "-STOP", children[-1]], check=True)
    run.until(9)
    subprocess.run(["/bin/kill", "-CONT", children[-1]], check=True)
    run.wait()
    assert not any("was lost at" in note for note in run.verdict["notes"]), run.verdict["notes"]
    assert run.verdict["produced"]["acknowledged"] == run.verdict["plan"]["due"]


def test_a_run_whose_workers_are_all_gone_ends_with_its_verdict(shop: MockCluster, tmp_path: Path) -> None:
    """Locust itself would wait for them for ever."""
    run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", "--run-time", "10m", "--processes", "2")
    run.until(2)
    workers = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
    for worker in workers:
        subprocess.run(["/bin/kill", "-STOP", worker], check=True)
    ended = run.process.wait(300)
    for worker in workers:
        subprocess.run(["/bin/kill", "-KILL", worker], check=False)
    assert ended == 2
    assert run.verdict["outcome"] == "inconclusive"
    assert run.verdict["plan"]["ended_by"] == ""


def test_records_are_the_users_own_payloads_keys_and_headers(shop: MockCluster, tmp_path: Path) -> None:
    """A plain consumer finds in the log what is in the files, behind the harness's header."""
    payloads, keys = {b'{"sku": "a"}', b'{"sku": "bc", "count": 2}'}, {b"first", "Zo\u00eb".encode()}
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join(payloads))
    (tmp_path / "keys.txt").write_bytes(b"\n".join(keys))
    (tmp_path / "own.toml").write_text(
        'duration = 4\npayload = "orders.jsonl"\nkeys = {file = "keys.txt"}\n'
        'headers = {source = "web"}\n'
        "[rate]\nOrderProducer = 200\n[users]\nOrderProducer = 1\nWarehouseMember = 2\n"
    )
    run = Run(tmp_path, shop.bootstrap, "--profile", str(tmp_path / "own.toml"))
    assert run.wait() == 0
    assert run.verdict["produced"]["acknowledged"] == 800
    consumer = Consumer({"bootstrap.servers": shop.bootstrap, "group.id": "plain", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("orders", number, OFFSET_BEGINNING) for number in range(3)])
    found: list[Message] = []
    while len(found) < 800 and (message := consumer.poll(10)) is not None:
        assert message.error() is None
        found.append(message)
    consumer.close()
    assert len(found) == 800
    assert all(message.headers() == [("source", b"web")] for message in found)
    assert {message.key() for message in found} == keys
    assert {(message.value() or b"")[48:] for message in found} == payloads


def test_a_user_of_ones_own_needs_ten_lines(shop: MockCluster, tmp_path: Path) -> None:
    """The example of docs/load.md, word for word."""
    (example,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "load.md").read_text(), re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    locustfile = tmp_path / "returns.py"
    locustfile.write_text(f"import sys\nsys.path.insert(0, {str(PROJECT / 'loadtests')!r})\n{example}")
    run = Run(tmp_path, shop.bootstrap, "-f", str(locustfile), "--users", "4", "--run-time", "5s")
    assert run.wait() == 0
    assert run.verdict["produced"]["acknowledged"] >= 200
    assert [group["group"] for group in run.verdict["groups"]] == ["analytics-group"]


SLOW_TO_BEGIN = f"""
import sys
sys.path.insert(0, {str(PROJECT / "loadtests")!r})
from kafka_load import plugin
from kafka_load.native_threads import native_sleep

checked = plugin.check_layout


def check_slowly():
    native_sleep(6)
    checked()


plugin.check_layout = check_slowly
from kafka_load.shop import *
"""


def test_workers_that_take_long_to_begin_take_part_all_the_same(shop: MockCluster, tmp_path: Path) -> None:
    """They are connected before their checks are done, and the master begins as soon as they are."""
    (tmp_path / "slow.py").write_text(SLOW_TO_BEGIN)
    given = ("-f", str(tmp_path / "slow.py"), "--profile", "smoke", "--run-time", "4s", "--processes", "2")
    run = Run(tmp_path, shop.bootstrap, *given)
    assert run.wait() == 0
    assert "no run has been started" not in run.output
    assert run.verdict["produced"]["acknowledged"] == run.verdict["plan"]["due"] > 3_000
