"""librdkafka's admin client, and its answers, taken without waiting on a lock."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kafka_load.engines.settings import ClientSettings
from kafka_load.native_threads import native_sleep

ANSWER_S = 5.0
T = TypeVar("T")


class Silence:
    """A client's log where the answer, or its absence, says enough."""

    def log(self, *_: object) -> None:
        """Drop a line."""


def admin_client(client: ClientSettings) -> AdminClient:
    """An admin client of the run's settings; it must live until the answers to what it is asked are there."""
    return AdminClient(dict(client.properties()), logger=Silence())


def answer(future: Future[T], timeout_s: float = ANSWER_S) -> T:
    """The result of an admin call. Waiting on the future would use a lock that gevent may have replaced."""
    end = time.monotonic() + timeout_s + 1  # the call ends by itself before that
    while not future.done() and time.monotonic() < end:
        native_sleep(0.01)
    if not future.done():
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    return future.result(timeout=0)
