"""The figures for monitoring systems: both kinds get all of them, and what they get is what the run counted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from kafka_load.clock import now_ns
from kafka_load.histogram import MIDDLES_US, Histogram
from kafka_load.ledger import GroupJudgement, Judgement
from kafka_load.ledger.findings import ProcessingJudgement
from kafka_load.metrics import open_telemetry, prometheus
from kafka_load.metrics.live import FIGURES, LATENCIES
from kafka_load.output.timeline import Bin
from kafka_load.run import run_annotations
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

GROUP = "warehouse-group"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """What a coordinator knows in the middle of a run."""
    latency = Histogram()
    latency.add(np.array([900, 4_000, 4_000, 70_000_000]))
    run_annotations.mark(tmp_path, "kill_broker", "kafka2", at_ns=now_ns())
    run_annotations.mark(tmp_path, "cut_network", "kafka3", at_ns=now_ns())
    run_annotations.mark(tmp_path, "cut_network", "kafka3", healed=True, at_ns=now_ns())
    counts = {"due": 50, "sent": 48, "acknowledged": 40, "failed": 1, f"delivered.{GROUP}": 39}
    return SimpleNamespace(
        plan=SimpleNamespace(run_id="r1", profile=SimpleNamespace(name="steady"), run_dir=tmp_path),
        phase="judged",
        verdict={"outcome": "fail"},
        elapsed_s=3.5,
        total=Bin(0, counts, {}, {"produce": latency, f"e2e.{GROUP}": latency}),
        last_second={"due": 10, "indeterminate": 7, "client_queue_bytes": 900, "throttle_ms": 30},
        groups=[SimpleNamespace(name=GROUP)],
        lag=lambda group: 17,
        judgement=Judgement(
            groups=[
                GroupJudgement(GROUP, "queue", lost=2, processing=ProcessingJudgement(processed=30, dead_lettered=4))
            ]
        ),
        clients=SimpleNamespace(round_trips=lambda: {"1": {"avg": 500, "p99_max": 2_000}}),
    )


def scraped(run: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    registry = CollectorRegistry()
    registry.register(prometheus.RunCollector(lambda: run))
    text = generate_latest(registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def observed(run: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    reader = InMemoryMetricReader()
    open_telemetry.register(lambda: run, MeterProvider([reader]).get_meter("test"))
    data = cast("Any", reader.get_metrics_data())
    return {
        (metric.name, frozenset(point.attributes.items())): point.value
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }


def with_labels(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_prometheus_gets_what_the_run_counted(run: Any) -> None:
    found = scraped(run)
    assert found["kafka_load_records_acknowledged_total", with_labels()] == 40
    assert found["kafka_load_records_delivered_total", with_labels(group=GROUP)] == 39
    assert found["kafka_load_lag_records", with_labels(group=GROUP)] == 17
    assert found["kafka_load_finding_records", with_labels(group=GROUP, finding="lost")] == 2
    assert found["kafka_load_processing_records", with_labels(group=GROUP, outcome="dead_lettered")] == 4
    assert found["kafka_load_client_queue_bytes", with_labels()] == 900
    assert found["kafka_load_throttle_seconds", with_labels()] == 0.03
    assert found["kafka_load_round_trip_p99_seconds", with_labels(broker="1")] == 0.002
    assert found["kafka_load_fault_active", with_labels(name="kill_broker", target="kafka2")] == 1
    assert found["kafka_load_fault_active", with_labels(name="cut_network", target="kafka3")] == 0
    assert found["kafka_load_verdict", with_labels(outcome="fail")] == 1
    assert found["kafka_load_produce_latency_seconds_count", with_labels()] == 4
    assert found["kafka_load_produce_latency_seconds_bucket", with_labels(le="0.005")] == 3
    assert found["kafka_load_produce_latency_seconds_bucket", with_labels(le="60.0")] == 3


def test_opentelemetry_gets_every_figure_that_prometheus_gets(run: Any) -> None:
    found = observed(run)
    assert {name for name, _ in found} == {
        f"kafka_load.{name}" for name in [*(one.name for one in FIGURES), *(one.name for one in LATENCIES)]
    }
    assert found["kafka_load.records_acknowledged", with_labels()] == 40
    assert found["kafka_load.finding_records", with_labels(group=GROUP, finding="lost")] == 2
    p50 = found["kafka_load.produce_latency", with_labels(percentile="50")]
    assert p50 == pytest.approx(0.004, rel=0.01)


def test_before_the_first_run_there_are_no_figures() -> None:
    assert scraped(None) == observed(None) == {}


def test_a_bucket_holds_all_that_took_no_longer() -> None:
    generator = np.random.default_rng(1)
    latency = Histogram()
    latency.add(generator.integers(0, 100_000_000, 5_000))
    values = np.repeat(MIDDLES_US, latency.counts)
    slow_way = [float((values <= bound * 1e6).sum()) for bound in prometheus.BOUNDS_S]
    assert [count for _, count in prometheus.buckets(latency)] == [*slow_way, 5_000.0]
