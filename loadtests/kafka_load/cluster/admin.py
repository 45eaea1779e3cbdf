"""librdkafka's admin client, and its answers, taken without waiting on a lock."""

from __future__ import annotations

import threading
import time
from _thread import RLock
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kafka_load.engines.settings import ClientSettings
from kafka_load.native_threads import native_sleep

ANSWER_S = 5.0
T = TypeVar("T")


class NativeFuture(Future[Any]):
    """A future with a lock of the operating system, also where gevent has replaced Python's.

    librdkafka's own thread sets the answer while a native thread looks for it. A greenlet's lock is not made for two
    such threads: once both want it at the same time, neither may ever get it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._condition = threading.Condition(RLock())


def _create_future() -> Future[Any]:
    future = NativeFuture()
    future.set_running_or_notify_cancel()
    return future


# All that the admin client is asked goes through this function of its class; it has no setting for it.
AdminClient._create_future = staticmethod(_create_future)  # type: ignore[method-assign]


class Silence:
    """A client's log where the answer, or its absence, says enough."""

    def log(self, *_: object) -> None:
        """Drop a line."""


def admin_client(client: ClientSettings) -> AdminClient:
    """An admin client of the run's settings; it must live until the answers to what it is asked are there."""
    return AdminClient(dict(client.properties()), logger=Silence())


def answer(future: Future[T], timeout_s: float = ANSWER_S) -> T:
    """The result of an admin call. Waiting on the future would wake gevent's hub of this thread, so ask again."""
    end = time.monotonic() + timeout_s + 1  # the call ends by itself before that
    while not future.done() and time.monotonic() < end:
        native_sleep(0.01)
    try:
        if not future.done():
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return future.result(timeout=0)
    finally:
        # A refusal has this frame and those above it, and the future has the refusal: in a circle they would keep the
        # caller's client. One with a request to a coordinator that is overdue ends the process when a broker restarts
        # (librdkafka#4605).
        del future
