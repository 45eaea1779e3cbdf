"""Acknowledged records/s through Locust, beside a raw loop, locust-plugins' Kafka user and Java's own tool.

All write 100-byte records to a fresh topic of twelve partitions with `acks=all`, one after the other in every round.
Idempotent are all but locust-plugins' user, which has no setting for it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load_rows import java, plugins
from benchmarks.load_rows.contender import PROGRAMS, Contender
from benchmarks.load_rows.figure import Figure, Way, at_least, ratio, skipped
from benchmarks.load_rows.topic import Topic, fresh_topic

PARTITIONS, SIZE = 12, 100
JAVA_RATIO = "through Locust / kafka-producer-perf-test"


def row(way: Way) -> Iterator[Figure]:
    """Rates of all contenders, and what ours is of theirs."""
    with tempfile.TemporaryDirectory() as results:
        raw = Contender("raw produce_batch loop", lambda _: [sys.executable, str(PROGRAMS / "raw_producer.py")])
        ours = Contender("through Locust", lambda topic: through_locust(topic, Path(results)))
        plugin, tuned = plugins.contenders()
        contenders = [raw, ours, plugin, tuned]
        no_java = "it needs a real cluster: --bootstrap-servers" if way.bootstrap is None else java.missing()
        if not no_java:
            contenders.append(java.contender(SIZE))
        for _ in range(way.rounds):
            for contender in contenders:
                with fresh_topic(way.bootstrap, PARTITIONS) as topic:
                    contender.measure(topic, way.seconds)
    for contender in contenders:
        yield Figure(contender.name, statistics.median(contender.rates), "records/s")
    yield at_least("through Locust / raw produce_batch loop", ratio(ours.rates, raw.rates), 0.85)
    yield at_least("through Locust / locust-plugins' user", ratio(ours.rates, plugin.rates), 50)
    yield Figure("through Locust / locust-plugins' user, tuned", ratio(ours.rates, tuned.rates))
    if no_java:
        yield skipped(JAVA_RATIO, no_java)
    else:
        yield at_least(JAVA_RATIO, ratio(ours.rates, contenders[-1].rates), 1.0)


def through_locust(topic: Topic, results: Path, workers: int = 0) -> list[str]:
    """A headless run as anybody starts it, with one producer without a schedule, or one in each of some workers."""
    locust = [str(Path(sys.executable).with_name("locust")), "--headless", "--quiet", "--users", str(workers or 1)]
    if workers:
        locust += ["--processes", str(workers)]
    where = ["--bootstrap-servers", topic.bootstrap, "--results-dir", str(results), "--run-time", "1h"]
    return [*locust, "--locustfile", str(PROGRAMS / "unbounded.py"), "--size", str(SIZE), *where]
