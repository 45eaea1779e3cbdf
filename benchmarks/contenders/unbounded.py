"""A locustfile: one of the harness's producers, as fast as its records are acknowledged."""

from __future__ import annotations

import os

from kafka_load.engines import Engine, ProducerEngine
from kafka_load.engines.producer import ProducerTotals
from kafka_load.ledger.snapshot import ProducerSnapshot
from kafka_load.locust_adapter.users import ProducerUser
from kafka_load.plugin import install
from kafka_load.records import fresh_id

install()


class Unbounded(ProducerUser):
    """A producer without a schedule: a closed loop, from the moment it is there."""

    topic = os.environ["BENCH_TOPIC"]

    def engine(self) -> Engine[ProducerTotals, ProducerSnapshot]:
        """A producer that does not wait for anybody."""
        settings = self.node.plan.producer(self.topic, self.event, fresh_id())
        return ProducerEngine(self.node.plan.client, settings, None)

    def began(self, engine: Engine[ProducerTotals, ProducerSnapshot]) -> None:
        """There is no schedule to follow."""
