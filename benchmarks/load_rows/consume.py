"""Records/s consumed and judged, beside a loop that consumes and only counts."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator

from confluent_kafka import Consumer, Message
from kafka_load.config.schedule import constant
from kafka_load.engines import (
    ClientSettings,
    ConsumerEngine,
    ProducerEngine,
    ProducerSettings,
    ReaderSettings,
)
from kafka_load.engines.consumer import BATCH
from kafka_load.native_threads import wait_until
from kafka_load.records import fresh_id, fresh_run

from benchmarks.load_rows.figure import Figure, Way, at_least, ratio
from benchmarks.load_rows.topic import Topic, fresh_topic

PARTITIONS, SIZE = 24, 100
FILL_RATE = 150_000
END_S = 120.0
TURNS = 3  # in a round, since a topic is read in a second or two, and rates differ by a half from one to the next
AS_PYTHON_COMES = gc.get_threshold()  # taken before anybody relaxes the garbage collector of this process


class TimedConsumer(ConsumerEngine):
    """Notes when the first and the last record were accounted for."""

    first = last = 0.0

    def _take(self, first: Message) -> None:
        self.first = self.first or time.perf_counter()
        super()._take(first)
        self.last = time.perf_counter()


def row(way: Way) -> Iterator[Figure]:
    """All read the same topic from its beginning, one after the other in every round.

    The loop is measured as it is written, and also with the garbage collector relaxed, as it is for the engine.
    """
    raw, tuned, ours = [], [], []
    relaxed = gc.get_threshold()
    with fresh_topic(way.bootstrap, PARTITIONS) as topic:
        records = PARTITIONS * topic.keeps
        run = _fill(topic, records)
        for _ in range(TURNS * way.rounds):
            gc.set_threshold(*AS_PYTHON_COMES)
            raw.append(_raw(topic, records))
            gc.set_threshold(*relaxed)
            tuned.append(_raw(topic, records))
            ours.append(_judged(topic, records, run))
    yield Figure("raw consume loop", statistics.median(raw), "records/s")
    yield Figure("… with the garbage collector relaxed", statistics.median(tuned), "records/s")
    yield Figure("consumed and judged", statistics.median(ours), "records/s")
    yield Figure("consumed and judged / raw consume loop", ratio(ours, raw))
    yield at_least("consumed and judged / raw consume loop, relaxed", ratio(ours, tuned), 0.8)


def _fill(topic: Topic, records: int) -> int:
    """Write what is read afterwards, evenly and in large batches, as a topic with a past has them; returns the run."""
    settings = ProducerSettings(topic.name, fresh_run(), fresh_id(), format="binary", size=SIZE, linger_ms=50)
    engine = ProducerEngine(ClientSettings(topic.bootstrap), settings, constant(FILL_RATE, records / FILL_RATE))
    engine.start()
    filled = wait_until(lambda: engine.totals.acknowledged >= records or not engine.alive, END_S)
    engine.stop()
    engine.join(END_S)
    if not filled or engine.error:
        raise RuntimeError(f"only {engine.totals.acknowledged:,} of {records:,} were written: {engine.error}")
    return settings.run


def _settings(topic: Topic, run: int) -> ReaderSettings:
    return ReaderSettings(f"bench-{fresh_id()}", (topic.name,), run, session_timeout_ms=6_000)


def _raw(topic: Topic, records: int) -> float:
    """A loop that does nothing but `consume` and count, with the engine's settings and in batches of the same size."""
    consumer = Consumer(dict(_settings(topic, 0).properties(ClientSettings(topic.bootstrap))))
    consumer.subscribe([topic.name])
    count, begun, deadline = 0, 0.0, time.monotonic() + END_S
    while count < records and time.monotonic() < deadline:
        first = consumer.poll(0.05)
        if first is not None:
            begun = begun or time.perf_counter()
            count += 1 + len(consumer.consume(BATCH, 0))
    rate = count / (time.perf_counter() - begun)
    consumer.close()
    if count < records:
        raise RuntimeError(f"the raw loop got only {count:,} of {records:,} records")
    return rate


def _judged(topic: Topic, records: int, run: int) -> float:
    """The engine, which decodes, checks, accounts for and measures each of them."""
    engine = TimedConsumer(ClientSettings(topic.bootstrap), _settings(topic, run))
    engine.start()
    read = wait_until(lambda: engine.totals.delivered >= records or not engine.alive, END_S, 0.1)
    engine.stop()
    engine.join(END_S)
    if not read or engine.totals.delivered != records:
        raise RuntimeError(f"{engine.totals.delivered:,} of {records:,} records were judged: {engine.error}")
    return records / (engine.last - engine.first)
