"""A whole run whose figures are scraped by an HTTP client and exported by Locust's own OpenTelemetry."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
import requests
from locust_run import PROJECT, Run, free_port
from mock_cluster import MockCluster
from prometheus_client.parser import text_string_to_metric_families


def acknowledged(port: int) -> float:
    """What a scrape says; 0 before the run."""
    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    except requests.ConnectionError:
        return 0
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return next((one.value for one in samples if one.name == "kafka_load_records_acknowledged_total"), 0)


@pytest.fixture
def exported_to_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    exporters = {"OTEL_METRICS_EXPORTER": "console", "OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    for name, value in exporters.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("exported_to_the_console")
def test_a_run_is_scraped_while_it_is_on_and_exported_at_its_end(shop: MockCluster, tmp_path: Path) -> None:
    port = free_port()
    given = ("--profile", "smoke", "--run-time", "6s", f"--metrics-port={port}", "--otel")
    run = Run(tmp_path, shop.bootstrap, *given)
    deadline = time.monotonic() + 120
    while not (seen := acknowledged(port)):
        assert time.monotonic() < deadline, "no scrape told of a record"
        time.sleep(0.1)
    assert run.wait() == 0
    assert 0 < seen <= run.verdict["produced"]["acknowledged"]
    exported = run.output[run.output.index('"name": "kafka_load.records_acknowledged"') :]
    assert f'"value": {run.verdict["produced"]["acknowledged"]}' in exported.partition('"name": "kafka_load.rec')[2]


REQUESTING = f"""
import sys, time
sys.path.insert(0, {str(PROJECT / "loadtests")!r})
from kafka_load.shop import *
from locust import User, task


class Browser(User):
    fixed_count = 1

    @task
    def look(self):
        with self.environment.events.request.measure("GET", "looked"):
            time.sleep(1)
"""


@pytest.mark.usefixtures("exported_to_the_console")
def test_each_of_several_processes_exports_what_it_knows(
    shop: MockCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The master the run's figures and the users, a worker the requests of its own users."""
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1000")  # at the end no users are left to count
    (tmp_path / "requesting.py").write_text(REQUESTING)
    given = ("-f", str(tmp_path / "requesting.py"), "--profile", "smoke", "--run-time", "5s")
    run = Run(tmp_path, shop.bootstrap, *given, "--processes", "2", "--otel")
    assert run.wait() in (0, 2)  # the profile knows nothing of the browser
    assert "Traceback" not in run.output
    exported = run.output[run.output.rindex('"name": "kafka_load.records_acknowledged"') :]
    assert f'"value": {run.verdict["produced"]["acknowledged"]}' in exported.partition('"name": "kafka_load.rec')[2]
    assert '"name": "locust.users.count"' in run.output
    assert '"name": "locust.client.duration"' in run.output


def test_a_port_that_is_taken_is_exit_status_3_and_one_sentence(shop: MockCluster, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104  # as the endpoint does
        taken.listen()
        port = taken.getsockname()[1]
        run = Run(tmp_path, shop.bootstrap, "--profile", "smoke", f"--metrics-port={port}")
        assert run.wait() == 3
    assert f"locust: --metrics-port {port} cannot be used: " in run.output
    assert "Traceback" not in run.output
