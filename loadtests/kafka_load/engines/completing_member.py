"""The base of members that do something with their records: a group goes on behind what they have settled."""

from __future__ import annotations

from dataclasses import replace

from confluent_kafka import Consumer, TopicPartition

from kafka_load.engines.completed_records import Settled
from kafka_load.engines.consumer import ConsumerEngine
from kafka_load.engines.settings import ClientSettings, ReaderSettings
from kafka_load.ledger import findings
from kafka_load.ledger.snapshot import ReaderSnapshot


class SettlingEngine(ConsumerEngine):
    """Tells, beside what it read, what it is done with."""

    def __init__(self, client: ClientSettings, settings: ReaderSettings) -> None:
        self._settled = Settled(settings.run)
        super().__init__(client, settings)

    def _next_offset(self, key: findings.TopicPartition) -> int | None:
        return self._settled.next_offsets.get(key)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        super()._on_assign(consumer, partitions)
        for partition in partitions:
            self._settled.next_offsets.pop((partition.topic, partition.partition), None)

    def _account(self, closed: bool) -> ReaderSnapshot:
        return replace(super()._account(closed), processing=self._settled.snapshot())
