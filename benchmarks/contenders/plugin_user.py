"""A locustfile for locust-plugins' Kafka user, written as its example is.

Its `send` produces one record, waits in `poll` until a record is answered, and fires one request event. The example
then calls `poll(1)` once more, which finds nothing and waits a whole second; it is left out here, to the package's
advantage. More users would not help: the wait stops every greenlet of the process.
"""

from __future__ import annotations

import itertools
import os

from confluent_kafka import Producer
from locust import task
from locust_plugins.users.kafka import KafkaUser  # type: ignore[import-not-found]  # in an environment of its own

VALUE = b"x" * 100


class AsItComes(KafkaUser):  # type: ignore[misc]  # unknown here, see above
    """The example, with a key."""

    bootstrap_servers = os.environ["BENCH_BOOTSTRAP"]

    def on_start(self) -> None:
        """Begin with the first key."""
        self.numbers = itertools.count()

    @task
    def order(self) -> None:
        """Send one record."""
        self.client.send(os.environ["BENCH_TOPIC"], VALUE, b"c-%06d" % (next(self.numbers) % 10_000))


class Tuned(AsItComes):
    """The package offers no settings, but its producer can be replaced: here by one that does not wait for company."""

    def on_start(self) -> None:
        """Replace the producer."""
        super().on_start()
        self.client.producer = Producer({"bootstrap.servers": self.bootstrap_servers, "linger.ms": 0})
