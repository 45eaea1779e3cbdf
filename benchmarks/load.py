"""The load harness's figures, each beside its yardstick in the same run: `python benchmarks/load.py [ROW …]`.

A row is a function that returns what was measured; ratios are taken within one run, alternating, because the machine
may have other work. Rows here need only librdkafka's mock cluster. Exit status 1 if a figure misses its goal.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, Message, Producer

sys.path.insert(0, str(Path(__file__).parents[1] / "loadtests"))

from kafka_load.engines import ClientSettings, ConsumerEngine, ProducerEngine, ProducerSettings, ReaderSettings
from kafka_load.engines.producer import CHUNK
from kafka_load.ledger import Ledger, LedgerSnapshot, ProducerSnapshot, ReaderSnapshot
from kafka_load.ledger.account import Account
from kafka_load.ledger.runs import Run, RunLog
from kafka_load.ledger.snapshot import StreamLog
from kafka_load.mock import MockCluster
from kafka_load.native import relax_garbage_collector, wait_until
from kafka_load.records import fresh_id, fresh_run
from kafka_load.schedule import constant

TOPIC, PARTITIONS, SIZE, SECONDS, ROUNDS = "orders", 12, 100, 3.0, 3


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    goal: str
    ok: bool


def at_least(name: str, value: float, goal: float, unit: str = "") -> Figure:
    """A figure that should not be below its goal."""
    return Figure(name, value, unit, f"≥ {goal:g}", value >= goal)


def at_most(name: str, value: float, goal: float, unit: str) -> Figure:
    """A figure that should not be above its goal."""
    return Figure(name, value, unit, f"≤ {goal:g}", value <= goal)


def producer_settings() -> ProducerSettings:
    """100-byte keyed records from an idempotent producer."""
    return ProducerSettings(TOPIC, fresh_run(), fresh_id(), format="binary", size=SIZE)


def raw_produce(bootstrap: str) -> float:
    """Records/s of a loop that only calls `produce_batch` and counts acknowledgements, with the engine's settings."""
    producer = Producer(dict(producer_settings().properties(ClientSettings(bootstrap))))
    count = 0

    def acknowledged(error: object, _: object) -> None:
        nonlocal count
        count += error is None

    keys, value, queued = [b"c-%06d" % number for number in range(CHUNK)], b"x" * SIZE, 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        batch = [{"value": value, "key": key} for key in keys]
        queued += producer.produce_batch(TOPIC, batch, on_delivery=acknowledged)
        producer.poll(0)
        while queued - count > producer_settings().in_flight_max:
            producer.poll(0.001)
    producer.flush(30)
    return count / (time.perf_counter() - begun)


def engine_produce(bootstrap: str) -> float:
    """Records/s of the engine, which encodes, accounts and measures each of them."""
    engine = ProducerEngine(ClientSettings(bootstrap), producer_settings(), None)
    engine.start()
    wait_until(lambda: engine.totals.acknowledged > 0, 10)
    first, begun = engine.totals.acknowledged, time.perf_counter()
    time.sleep(SECONDS)
    engine.stop()
    engine.join(30)
    return (engine.totals.acknowledged - first) / (time.perf_counter() - begun)


def produce(cluster: MockCluster) -> list[Figure]:
    """Produced and accounted for, against a raw loop."""
    pairs = [(raw_produce(cluster.bootstrap), engine_produce(cluster.bootstrap)) for _ in range(ROUNDS)]
    raw, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    return [
        Figure("raw produce_batch loop", raw, "records/s", "", True),
        Figure("producer engine", ours, "records/s", "", True),
        at_least("producer engine / raw loop", statistics.median(b / a for a, b in pairs), 0.85),
    ]


def fill(cluster: MockCluster, topic: str, records: int) -> int:
    """Put records into a topic, within what the mock keeps; returns the run."""
    cluster.topic(topic, PARTITIONS)
    settings = ProducerSettings(topic, fresh_run(), fresh_id(), format="binary", size=SIZE)
    engine = ProducerEngine(ClientSettings(cluster.bootstrap), settings, constant(50_000, records / 50_000))
    engine.start()
    wait_until(lambda: engine.totals.acknowledged >= records, 60)
    engine.stop()
    engine.join(30)
    return settings.run


def raw_consume(bootstrap: str, topic: str, records: int) -> float:
    """Records/s of a loop that does nothing but `consume` and count, with the engine's settings."""
    settings = ReaderSettings(f"raw-{fresh_id()}", (topic,), 0, session_timeout_ms=2_000)
    consumer = Consumer(dict(settings.properties(ClientSettings(bootstrap))))
    consumer.subscribe([topic])
    count, begun = 0, 0.0
    while count < records:
        if consumer.poll(0.05) is not None:
            begun = begun or time.perf_counter()
            count += 1 + len(consumer.consume(10_000, 0))
    rate = count / (time.perf_counter() - begun)
    consumer.close()
    return rate


def engine_consume(bootstrap: str, topic: str, records: int, run: int) -> float:
    """Records/s of the engine, which decodes, checks, accounts for and measures each of them."""
    settings = ReaderSettings(f"engine-{fresh_id()}", (topic,), run, session_timeout_ms=2_000)
    engine = TimedConsumer(ClientSettings(bootstrap), settings)
    engine.start()
    wait_until(lambda: engine.totals.delivered >= records, 60, 0.002)
    engine.stop()
    engine.join(30)
    return engine.totals.delivered / (engine.last - engine.first)


class TimedConsumer(ConsumerEngine):
    """Notes when the first and the last record were accounted for."""

    first = last = 0.0

    def _take(self, first: Message) -> None:
        self.first = self.first or time.perf_counter()
        super()._take(first)
        self.last = time.perf_counter()


def consume(cluster: MockCluster) -> list[Figure]:
    """Consumed and judged, against a raw loop that only counts."""
    records, topic = 400_000, "full"
    run = fill(cluster, topic, records)
    pairs = [
        (raw_consume(cluster.bootstrap, topic, records), engine_consume(cluster.bootstrap, topic, records, run))
        for _ in range(ROUNDS)
    ]
    raw, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    return [
        Figure("raw consume loop", raw, "records/s", "", True),
        Figure("consumer engine", ours, "records/s", "", True),
        at_least("consumer engine / raw loop", statistics.median(b / a for a, b in pairs), 0.8),
    ]


def schedule(cluster: MockCluster) -> list[Figure]:
    """An open loop at 100,000 records/s: how late they are sent."""
    engine = ProducerEngine(ClientSettings(cluster.bootstrap), producer_settings(), constant(100_000))
    engine.start()
    wait_until(lambda: engine.totals.due > 100_000, 10)  # connections and caches are warm
    before = engine.totals.lateness
    time.sleep(5)
    engine.stop()
    engine.join(30)
    late = engine.totals.lateness.minus(before)
    return [
        Figure("sent late at 100 k/s, p50", late.percentile(50) / 1e3, "ms", "", True),
        at_most("sent late at 100 k/s, p99", late.percentile(99) / 1e3, 2, "ms"),
        at_least("sent of what was due", 100 * engine.totals.sent / engine.totals.due, 100, "%"),
    ]


def outage(cluster: MockCluster) -> list[Figure]:
    """All brokers away for two seconds: nothing due is dropped, and its latency counts from when it was due."""
    engine = ProducerEngine(ClientSettings(cluster.bootstrap), producer_settings(), constant(20_000))
    engine.start()
    time.sleep(1)
    for order in (cluster.down, cluster.up):
        for broker in (1, 2, 3):
            order(broker)
        time.sleep(2)
    engine.stop()
    engine.join(30)
    totals = engine.totals
    return [
        at_least("acknowledged of what was due, 2 s outage", 100 * totals.acknowledged / totals.due, 100, "%"),
        Figure("produce latency p99 from due time", totals.latency.percentile(99) / 1e3, "ms", "", True),
    ]


def verdict(_: MockCluster) -> list[Figure]:
    """10⁸ records of 12 streams with planted losses, duplicates and redeliveries: time and memory to a judgement."""
    total, batch, random = 100_000_000, 5_000, np.random.default_rng(1)
    each = total // PARTITIONS // batch * batch
    lost = {int(number) for number in random.integers(0, each, 37)}
    doubled = {int(number) for number in random.integers(0, each // batch, 21)} - {s // batch for s in lost}
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    producers, readers = [], []
    for partition in range(PARTITIONS):
        account, log, offset = Account(), RunLog(), 0
        for start in range(0, each, batch):
            account.sent = start + batch
            account.acknowledge(start, start + batch, offset, start * 1_000)
            holes = sorted(sequence for sequence in lost if partition == 0 and start <= sequence < start + batch)
            for begin, end in zip([start, *(hole + 1 for hole in holes)], [*holes, start + batch], strict=True):
                if end > begin:
                    log.add(0, Run(offset, offset + end - begin - 1, begin, end - begin, start))
                offset += end - begin
            if partition == 0 and start // batch in doubled:
                log.add(0, Run(offset, offset, start, 1, start))
                offset += 1
        stream = (TOPIC, partition, 1)
        producers.append(ProducerSnapshot(f"p{partition}", 1, TOPIC, 1, True, {partition: account.freeze()}))
        streams = {stream: StreamLog(log.runs(), log.delivered)}
        readers.append(ReaderSnapshot(f"r{partition}", 1, "g", "queue", (TOPIC,), True, True, True, streams, {}))
    ledger = Ledger()
    ledger.receive(LedgerSnapshot.from_wire(LedgerSnapshot("w", 1, producers, readers).to_wire()))
    [group] = ledger.judge(None, final=True).groups
    seconds = time.perf_counter() - begun
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    exact = (group.lost, group.duplicated_in_log, group.reordered) == (len(lost), len(doubled), 0)
    return [
        at_most("verdict over 10⁸ records", seconds, 5, "s"),
        at_most("its memory", megabytes, 64, "MB"),
        at_least("planted losses and duplicates found exactly", float(exact), 1),
    ]


ROWS: list[Callable[[MockCluster], list[Figure]]] = [produce, consume, schedule, outage, verdict]


def main(names: list[str]) -> int:
    """Print the rows asked for (all of them by default); the number of figures that missed their goal."""
    relax_garbage_collector()
    missed = 0
    for row in ROWS:
        if names and row.__name__ not in names:
            continue
        with MockCluster() as cluster:
            cluster.topic(TOPIC, PARTITIONS)
            for figure in row(cluster):
                missed += not figure.ok
                mark = "" if figure.ok else "   MISSED"
                print(f"{figure.name:45} {figure.value:12,.2f} {figure.unit:10} {figure.goal}{mark}", flush=True)
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
