"""How well an open loop keeps its schedule, undisturbed and over an outage; always on a mock cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kafka_load.config.schedule import constant
from kafka_load.engines import ClientSettings, ProducerEngine, ProducerSettings
from kafka_load.native_threads import wait_until
from kafka_load.records import fresh_id, fresh_run
from mock_cluster import MockCluster

from benchmarks.load_rows.figure import Figure, Way, at_least, at_most

TOPIC, PARTITIONS, SIZE = "orders", 12, 100
RATE, OUTAGE_RATE, OUTAGE_S = 100_000, 20_000, 2.0


def row(way: Way) -> Iterator[Figure]:
    """100,000 records/s: how late they are sent."""
    with MockCluster() as cluster:
        engine = _producer(cluster, RATE)
        wait_until(lambda: engine.totals.due > RATE, 10)  # connections and caches are warm
        before = engine.totals.lateness
        time.sleep(way.seconds)
        _end(engine)
    late = engine.totals.lateness.minus(before)
    yield Figure("sent late at 100 k/s, p50", late.percentile(50) / 1e3, "ms")
    yield at_most("sent late at 100 k/s, p99", late.percentile(99) / 1e3, 2, "ms")
    yield at_least("sent of what was due", 100 * engine.totals.sent / engine.totals.due, 100, "%")


def outage_row(_: Way) -> Iterator[Figure]:
    """All brokers away for two seconds: nothing due is dropped, and its latency counts from when it was due."""
    with MockCluster() as cluster:
        engine = _producer(cluster, OUTAGE_RATE)
        wait_until(lambda: engine.totals.acknowledged > OUTAGE_RATE, 10)
        for order in (cluster.down, cluster.up):
            for broker in (1, 2, 3):
                order(broker)
            time.sleep(OUTAGE_S)
        _end(engine)
    totals = engine.totals
    outage_ms = OUTAGE_S * 1e3
    yield at_least("sent of what was due, 2 s outage", 100 * totals.sent / totals.due, 100, "%")
    yield at_least("acknowledged of what was due, 2 s outage", 100 * totals.acknowledged / totals.due, 100, "%")
    # Proof that there was an outage, and that it is not hidden: somebody waited for all of it.
    yield at_least("longest wait from due time, 2 s outage", totals.latency.max / 1e3, outage_ms, "ms")


def _producer(cluster: MockCluster, rate: int) -> ProducerEngine:
    cluster.topic(TOPIC, PARTITIONS)
    settings = ProducerSettings(TOPIC, fresh_run(), fresh_id(), format="binary", size=SIZE)
    engine = ProducerEngine(ClientSettings(cluster.bootstrap), settings, constant(rate))
    engine.start()
    return engine


def _end(engine: ProducerEngine) -> None:
    engine.stop()
    engine.join(30)
    if engine.error:
        raise RuntimeError(engine.error)
