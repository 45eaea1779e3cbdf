"""Publishes the figures as the options say. A library is imported only if its figures are asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec

from kafka_load.run.coordinator import RunCoordinator


class PublishError(RuntimeError):
    """The figures cannot be published as asked; the message says so in one sentence."""


def publish(options: argparse.Namespace, run: Callable[[], RunCoordinator | None]) -> None:
    """Begin to publish the figures of `run()`, which is None before the first run.

    Raises:
        PublishError: if that cannot be done.
    """
    if options.metrics_port:
        from kafka_load.metrics import prometheus

        try:
            prometheus.serve(run, int(options.metrics_port))
        except (OSError, OverflowError) as error:
            raise PublishError(f"--metrics-port {options.metrics_port} cannot be used: {error}") from None
    if options.otel and find_spec("opentelemetry") is not None:  # without it Locust has said what to install
        from kafka_load.metrics import open_telemetry

        open_telemetry.register(run)
