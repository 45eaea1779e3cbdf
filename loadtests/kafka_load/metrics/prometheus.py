"""Prometheus scrapes the figures of the run that is on: `--metrics-port`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from kafka_load.histogram import MIDDLES_US, Histogram
from kafka_load.metrics.live import FIGURES, LATENCIES
from kafka_load.run.coordinator import RunCoordinator

PREFIX = "kafka_load_"
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class RunCollector(Collector):
    """Makes the metrics at each scrape; there are none before the first run."""

    def __init__(self, run: Callable[[], RunCoordinator | None]) -> None:
        self._run = run

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        run = self._run()
        if run is None:
            return
        for figure in FIGURES:
            made = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            family = made(PREFIX + figure.name, figure.meaning, labels=figure.labels, unit=figure.unit)
            for labels, value in figure.read(run).items():
                family.add_metric(labels, value)
            yield family
        for latency in LATENCIES:
            histogram = HistogramMetricFamily(
                PREFIX + latency.name, latency.meaning, labels=latency.labels, unit="seconds"
            )
            for labels, found in latency.read(run).items():
                sum_s = float(found.counts @ MIDDLES_US) / 1e6
                histogram.add_metric(labels, buckets=buckets(found), sum_value=sum_s)
            yield histogram


def buckets(latency: Histogram) -> list[tuple[str, float]]:
    """How many latencies were at most so many seconds long, for each of `BOUNDS_S` and for all."""
    cumulated = np.r_[0, np.cumsum(latency.counts)]
    places = np.searchsorted(MIDDLES_US, np.array(BOUNDS_S) * 1e6, side="right")
    return [*zip(map(str, BOUNDS_S), cumulated[places].tolist(), strict=True), ("+Inf", float(cumulated[-1]))]


def serve(run: Callable[[], RunCoordinator | None], port: int) -> None:
    """Answer scrapes on all addresses of this host.

    Raises:
        OSError: if the port cannot be had.
    """
    registry = CollectorRegistry()
    registry.register(RunCollector(run))
    start_http_server(port, registry=registry)
