"""Acknowledged records/s through Locust with two worker processes, beside one; the mock cluster is in another one."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load_rows.contender import Contender
from benchmarks.load_rows.figure import Figure, Way, ratio
from benchmarks.load_rows.produce import through_locust
from benchmarks.load_rows.topic import fresh_topic

PARTITIONS = 12


def row(way: Way) -> Iterator[Figure]:
    """Each has one producer a process, and a master."""
    with tempfile.TemporaryDirectory() as results:
        one = Contender("one worker process", lambda topic: through_locust(topic, Path(results), 1))
        two = Contender("two worker processes", lambda topic: through_locust(topic, Path(results), 2))
        for _ in range(way.rounds):
            for contender in (one, two):
                with fresh_topic(None, PARTITIONS) as topic:
                    contender.measure(topic, way.seconds)
    for contender in (one, two):
        yield Figure(contender.name, statistics.median(contender.rates), "records/s")
    yield Figure("two processes / one", ratio(two.rates, one.rates))
