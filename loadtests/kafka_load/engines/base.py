"""An engine: a native thread that owns one client, does what was asked of it, and publishes what it knows."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from confluent_kafka import KafkaException

from kafka_load.clock import MILLISECOND, now_ns
from kafka_load.engines.client_log import ClientListener, log_once
from kafka_load.engines.client_statistics import ClientStatistics
from kafka_load.engines.settings import ClientSettings, Property
from kafka_load.engines.warm_up import WarmUp
from kafka_load.native_threads import start_thread, wait_until

Totals = TypeVar("Totals")
Snapshot = TypeVar("Snapshot")

_numbers = itertools.count(1)
_PROCESS = secrets.token_hex(4)  # two containers may have one name, and the same process ids
TOTALS_EVERY_NS = 100 * MILLISECOND
SNAPSHOT_EVERY_NS = 1_000 * MILLISECOND


class Engine(Generic[Totals, Snapshot]):
    """Base of all engines. `totals` and `snapshot` are replaced as a whole, so anybody may read them at any time."""

    totals: Totals
    snapshot: Snapshot

    def __init__(self, client: ClientSettings) -> None:
        self.id = f"{socket.gethostname()}/{os.getpid()}-{_PROCESS}/{next(_numbers)}"
        self.client = client
        self.warm_up = WarmUp()
        self.error: str | None = None
        self.alive = True
        self._stopping = False
        self._killed = False
        self._listener = ClientListener()
        self._next_totals_ns = self._next_snapshot_ns = 0

    def start(self) -> None:
        """Begin; returns at once."""
        start_thread(self._main)

    def stop(self) -> None:
        """Ask for an orderly end; returns at once. `alive` tells when it has come."""
        self._stopping = True

    def kill(self) -> None:
        """Ask for an end as by SIGKILL: nothing is flushed, committed or said to the broker; returns at once."""
        self._killed = self._stopping = True

    def join(self, timeout_s: float) -> bool:
        """Wait, cooperatively under gevent, for the end; whether it came in time."""
        return wait_until(lambda: not self.alive, timeout_s)

    @property
    def ready(self) -> bool:
        """It has begun its work."""
        return self._next_totals_ns > 0

    @property
    def statistics(self) -> Mapping[str, ClientStatistics]:
        """What each of its clients said of itself last, once a second, by the client's name."""
        return self._listener.said_last

    def _main(self) -> None:
        try:
            self._guarded(self._run)
        finally:
            self._publish(last=True)
            self.alive = False

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a thread's work; what it raises becomes `error`, as there is nobody above a thread to catch it."""
        try:
            work()
        except KafkaException as error:
            self.error = f"{type(self).__name__}: {error.args[0].str()}"
        except Exception as error:
            self.error = f"{type(self).__name__}: {type(error).__name__}: {error}"
        finally:
            if self.error:
                log_once(self.error)

    def _run(self) -> None:
        """The thread's work; ends soon after `_stopping` is set."""
        raise NotImplementedError

    def _publish_totals(self, now: int) -> None:
        raise NotImplementedError

    def _publish_snapshot(self, closed: bool) -> None:
        raise NotImplementedError

    def _publish(self, last: bool = False) -> None:
        """Publish what is due (or, `last`, everything)."""
        now = now_ns()
        if last or now >= self._next_totals_ns:
            self._publish_totals(now)
            self._next_totals_ns = now + TOTALS_EVERY_NS
        if last or now >= self._next_snapshot_ns:
            self._publish_snapshot(closed=last)
            self._next_snapshot_ns = now + SNAPSHOT_EVERY_NS

    def _listening(self, properties: dict[str, Property]) -> dict[str, object]:
        """A client's settings with its log, statistics and errors led here."""
        listener = self._listener
        return {**properties, "logger": listener, "stats_cb": listener.statistics, "error_cb": listener.failed}

    def _raise_fatal(self) -> None:
        if self._listener.fatal is not None:
            raise KafkaException(self._listener.fatal)
