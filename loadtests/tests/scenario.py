"""A small run against a mock cluster, and an independent check that shares no code with the harness."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from kafka_load.cluster import ClusterWatch, end_offsets
from kafka_load.config.profile_types import Mode
from kafka_load.config.schedule import Schedule, constant
from kafka_load.engines import (
    ClientSettings,
    ConsumerEngine,
    ProducerEngine,
    ProducerSettings,
    ReaderSettings,
    ShareEngine,
    reader,
)
from kafka_load.ledger import GroupJudgement, Judgement, Ledger, WorkerLedger
from kafka_load.native_threads import wait_until
from kafka_load.records import fresh_id, fresh_run
from kafka_load.run.drain import LogEnds, drains, worth_waiting_for
from kafka_load.run.readiness import Group
from mock_cluster import MockCluster

TOPIC = "orders"


@dataclass
class Scenario:
    """One run: engines are added, records sent, readers drained, and everything is judged."""

    cluster: MockCluster
    watched: tuple[str, ...] = ()
    run: int = field(default_factory=fresh_run)

    drained: bool = False

    def __post_init__(self) -> None:
        self.client = ClientSettings(self.cluster.bootstrap)
        self.ledger = WorkerLedger("worker")
        self.readers: list[ConsumerEngine | ShareEngine] = []
        self.watch = ClusterWatch(self.client, (TOPIC,), self.watched, every_ms=50)
        self.watch.start()

    def join(self, group: str, **settings: Any) -> ConsumerEngine | ShareEngine:
        """A member joins a group."""
        chosen = ReaderSettings(
            group, (TOPIC,), self.run, **{"session_timeout_ms": 2_000, "commit_ms": 200, **settings}
        )
        member = reader(self.client, chosen)
        self.ledger.add(member)
        self.readers.append(member)
        member.start()
        return member

    def producer(
        self,
        schedule: Schedule | None,
        kind: Callable[..., ProducerEngine] = ProducerEngine,
        client: dict[str, Any] | None = None,
        **settings: Any,
    ) -> ProducerEngine:
        """A producer, started."""
        engine = kind(
            ClientSettings(self.cluster.bootstrap, client or {}),
            ProducerSettings(TOPIC, self.run, fresh_id(), **settings),
            schedule,
        )
        self.ledger.add(engine)
        engine.start()
        return engine

    def send(self, records: int, rate: float = 2_000, **more: Any) -> ProducerEngine:
        """Send so many records and wait until they are answered."""
        engine = self.producer(constant(rate, records / rate), **more)
        assert wait_until(lambda: engine.totals.sent >= records or not engine.alive, 30)
        end(engine)
        assert engine.error is None, engine.error
        return engine

    def finish(self) -> Judgement:
        """Drain, end all readers, and judge."""
        ends = LogEnds({tp: high for tp, (_, high) in end_offsets(self.client, [TOPIC]).items()})
        chosen = {member.settings.group: member.settings for member in self.readers}
        groups = [Group(name, cast("Mode", settings.mode), settings.topics) for name, settings in chosen.items()]

        def drained() -> bool:
            return not any(map(worth_waiting_for, drains(groups, [self.ledger.snapshot()], ends).values()))

        self.drained = wait_until(drained, 15, 0.1)
        time.sleep(0.5)  # a reader that has passed the end must not be delivered anything more
        end(*self.readers)
        end(self.watch)
        ledger = Ledger()
        ledger.receive(self.ledger.snapshot())
        return ledger.judge(self.watch.view, final=True)


def end(*engines: Any) -> None:
    """Stop engines and wait for them."""
    for engine in engines:
        engine.stop()
    for engine in engines:
        assert engine.join(20), f"{engine.id} did not end"


def group(judgement: Judgement, name: str) -> GroupJudgement:
    """One group's judgement."""
    return next(one for one in judgement.groups if one.group == name)


def read_log(cluster: MockCluster) -> dict[int, list[tuple[int, dict[str, Any]]]]:
    """What is in the log, read by a plain consumer and parsed by the standard library: offset and fields, by partition.

    A value that is no JSON object counts as {}.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "check",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    partitions = list(consumer.list_topics(TOPIC, timeout=5).topics[TOPIC].partitions)
    consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in partitions])
    content: dict[int, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    ended: set[int | None] = set()
    while len(ended) < len(partitions):
        if (message := consumer.poll(5)) is None:
            raise TimeoutError("the independent check saw no end of the log")
        if message.error():
            ended.add(message.partition())
            continue
        try:
            fields = json.loads(message.value() or b"")
        except ValueError:
            fields = {}
        content[message.partition() or 0].append((message.offset() or 0, fields))
    consumer.close()
    return content
