"""What a producer costs that has little to send, in a process without the mock cluster."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from confluent_kafka import Producer
from kafka_load.config.schedule import constant
from kafka_load.engines import ClientSettings, ProducerEngine, ProducerSettings
from kafka_load.native_threads import wait_until
from kafka_load.records import fresh_id, fresh_run

from benchmarks.load_rows.figure import Figure, Way, at_most
from benchmarks.load_rows.topic import fresh_topic

PARTITIONS, PRODUCERS, WARM_UP_S, END_S = 12, 10, 3.0, 30.0
PRODUCER = {
    0: "a producer that has nothing to send",
    10: "a producer that sends 10 records/s",
    100: "a producer that sends 100 records/s",
}


def row(way: Way) -> Iterator[Figure]:
    """Ten producers in one process, which send nothing, 10 and 100 records/s each: the share of a processor that one of
    them takes.
    """
    for rate, name in PRODUCER.items():
        with (
            fresh_topic(None, PARTITIONS) as topic,
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        ):
            share = pool.submit(_share, topic.bootstrap, topic.name, way.seconds, rate).result()
        yield at_most(name, 100 * share, 2, "% of a processor")
    with fresh_topic(None, PARTITIONS) as topic, ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        share = pool.submit(_bare_share, topic.bootstrap, topic.name, way.seconds, rate).result()
    yield Figure("confluent-kafka alone, with the same settings", 100 * share, "% of a processor")


def _bare_share(bootstrap: str, topic: str, seconds: float, rate: int) -> float:
    """What of it the client takes that records are sent with: the harness can cost no less."""
    given = ProducerSettings(topic, fresh_run(), fresh_id(), format="binary", size=100)
    settings = given.properties(ClientSettings(bootstrap))
    acknowledged, over = count(), threading.Event()

    def note(*_: object) -> None:
        next(acknowledged)

    def send() -> None:
        producer, due_s = Producer(settings), time.perf_counter()
        while not over.is_set():
            due_s += 1 / rate
            producer.poll(0)
            time.sleep(max(0.0, due_s - time.perf_counter()))
            producer.produce(topic, b"x" * given.size, on_delivery=note)
        producer.flush(END_S)

    threads = [threading.Thread(target=send) for _ in range(PRODUCERS)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP_S)
    spent, began, before = time.process_time(), time.perf_counter(), next(acknowledged)
    time.sleep(seconds)
    spent, lasted, sent = time.process_time() - spent, time.perf_counter() - began, next(acknowledged) - before
    over.set()
    for thread in threads:
        thread.join()
    if sent < 0.9 * PRODUCERS * rate * lasted:
        raise RuntimeError(f"only {sent:,} records were acknowledged in {lasted:.1f} s")
    return spent / lasted / PRODUCERS


def _share(bootstrap: str, topic: str, seconds: float, rate: int) -> float:
    run, client = fresh_run(), ClientSettings(bootstrap)
    engines = [
        ProducerEngine(client, ProducerSettings(topic, run, fresh_id(), format="binary", size=100), constant(rate))
        for _ in range(PRODUCERS)
    ]
    for engine in engines:
        engine.start()
    wait_until(lambda: all(engine.ready for engine in engines), END_S)
    time.sleep(WARM_UP_S)
    spent, began, before = time.process_time(), time.perf_counter(), _acknowledged(engines)
    time.sleep(seconds)
    spent, lasted, sent = time.process_time() - spent, time.perf_counter() - began, _acknowledged(engines) - before
    for engine in engines:
        engine.stop()
    for engine in engines:
        engine.join(END_S)
    if sent < 0.9 * PRODUCERS * rate * lasted:
        raise RuntimeError(f"only {sent:,} records were acknowledged in {lasted:.1f} s")
    return spent / lasted / PRODUCERS


def _acknowledged(engines: list[ProducerEngine]) -> int:
    return sum(engine.totals.acknowledged for engine in engines)
