"""The producer to a dead-letter topic: each record as it came, with headers that say where it failed and why.

The headers are those of Spring for Apache Kafka (`KafkaHeaders.DLT_*`), which tools for dead letters know: numbers are
big-endian, the partition has four bytes and the offset eight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from kafka_load.engines.messages import Delivered

ORIGINAL_TOPIC = "kafka_dlt-original-topic"
ORIGINAL_PARTITION = "kafka_dlt-original-partition"
ORIGINAL_OFFSET = "kafka_dlt-original-offset"
ORIGINAL_GROUP = "kafka_dlt-original-consumer-group"
EXCEPTION = "kafka_dlt-exception-fqcn"
EXCEPTION_MESSAGE = "kafka_dlt-exception-message"


class Failed(Delivered, Protocol):
    """A message that could not be processed."""

    def key(self) -> bytes | None:
        """Its key."""

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Its own headers."""


def headers_of(message: Failed, group: str, attempts: int) -> list[tuple[str, str | bytes | None]]:
    """The headers of a dead letter: the record's own, and where and why it failed."""
    return [
        *(message.headers() or ()),
        (ORIGINAL_TOPIC, message.topic().encode()),
        (ORIGINAL_PARTITION, message.partition().to_bytes(4, "big")),
        (ORIGINAL_OFFSET, message.offset().to_bytes(8, "big")),
        (ORIGINAL_GROUP, group.encode()),
        (EXCEPTION, b"kafka_load.SimulatedFailure"),
        (EXCEPTION_MESSAGE, f"each of {attempts} attempts failed, as the profile says".encode()),
    ]


class DeadLetters:
    """Sends records to a dead-letter topic and says when each is acknowledged."""

    def __init__(self, properties: dict[str, Any], topic: str, group: str) -> None:
        self._producer = Producer(properties)
        self._topic, self._group = topic, group

    def send(self, message: Failed, attempts: int, acknowledged: Callable[[], None]) -> None:
        """Send a record; calls `acknowledged` from `poll` or `flush` once the broker has it.

        A record that the broker does not take in time is sent again, for as long as the producer works.
        """
        headers = headers_of(message, self._group, attempts)

        def delivered(error: KafkaError | None, _: object) -> None:
            if error is None:
                acknowledged()
            elif error.code() != KafkaError._PURGE_QUEUE:
                self.send(message, attempts, acknowledged)

        while True:
            try:
                self._producer.produce(
                    self._topic, message.value(), message.key(), headers=headers, on_delivery=delivered
                )
            except BufferError:  # the queue is full: wait until some of it is acknowledged
                self._producer.poll(0.1)
            except KafkaException as refusal:
                if refusal.args[0].fatal():
                    raise
                self._producer.poll(0.1)
            else:
                return

    def poll(self) -> None:
        """Take what was acknowledged."""
        self._producer.poll(0)

    def flush(self, timeout_s: float) -> None:
        """Wait until all are acknowledged, at most so long."""
        self._producer.flush(timeout_s)
