"""OpenTelemetry is given the figures of the run that is on, over the meter provider that `locust --otel` sets up.

Locust itself tells OpenTelemetry of one event a request, and the harness fires none for its records (see
`locust_adapter.locust_stats`). So the figures go as observable instruments, and of latencies the percentiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from kafka_load.metrics.live import FIGURES, LATENCIES, Figure, LatencyFigure
from kafka_load.run.coordinator import RunCoordinator

PREFIX = "kafka_load."
PERCENTILES = (50, 95, 99, 99.9, 100)
UNITS = {"seconds": "s", "bytes": "By", "": "1"}

Observe = Callable[[CallbackOptions], Iterable[Observation]]
Run = Callable[[], RunCoordinator | None]


def register(run: Run, meter: Meter | None = None) -> None:
    """Register an instrument for each figure; before the first run they have no values."""
    meter = meter or get_meter("kafka_load")
    for figure in FIGURES:
        create = meter.create_observable_counter if figure.kind == "counter" else meter.create_observable_gauge
        create(PREFIX + figure.name, [_numbers(run, figure)], unit=UNITS[figure.unit], description=figure.meaning)
    for latency in LATENCIES:
        observe = _percentiles(run, latency)
        meter.create_observable_gauge(PREFIX + latency.name, [observe], unit="s", description=latency.meaning)


def _numbers(run: Run, figure: Figure) -> Observe:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        if (now := run()) is not None:
            for labels, value in figure.read(now).items():
                yield Observation(value, dict(zip(figure.labels, labels, strict=True)))

    return observe


def _percentiles(run: Run, latency: LatencyFigure) -> Observe:
    def observe(_: CallbackOptions) -> Iterator[Observation]:
        if (now := run()) is not None:
            for labels, found in latency.read(now).items():
                for percent in PERCENTILES if found.count else ():
                    attributes = dict(zip(latency.labels, labels, strict=True)) | {"percentile": f"{percent:g}"}
                    yield Observation(found.percentile(percent) / 1e6, attributes)

    return observe
