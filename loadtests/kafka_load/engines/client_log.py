"""librdkafka's log, one line a change.

While a broker is down every client logs every attempt to reach it. Here the clients of a process share one memory of
what they said: a broker is reported down once and up once, anything else once every ten seconds. Native threads must
not use Python's logging under gevent (its locks are greenlets' locks), so lines wait in a queue until the caller
takes them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError

from kafka_load.clock import SECOND, now_ns
from kafka_load.engines import client_statistics
from kafka_load.engines.client_statistics import ClientStatistics

_BROKER = re.compile(r"\]: (?:\w+Coordinator\S*: )?(?P<address>[^\s/]+:\d+)(?:/\S+)?: (?P<reason>.*)")
# A coordinator is a broker under another name, and what is wrong with it the broker's own line says already.
_COORDINATOR = re.compile(r"\]: \w+Coordinator(?:/\d+)?: (?:Timed out|Connect to) ")
_STATE = re.compile(r" \(after \d+ms.*")
_THREAD = re.compile(r"^\[thrd:[^\]]*\]: ")
# Facilities of librdkafka's log, as sentences that say what they mean for the run.
_MEANINGS = {
    "GETPID": "a producer is not given its id yet, and asks again",
    "PIDCHANGE": "a producer's epoch was raised",
    "MAXPOLL": "a consumer has left its group, as it did not poll in time",
}
_NUMBER = re.compile(r"\d+")
_REPEAT_NS = 10 * SECOND


@dataclass(frozen=True)
class LogLine:
    """One line for people; `common`: a client of any process has it to say, so that one process will do."""

    at_ns: int
    text: str
    common: bool


_queue: deque[LogLine] = deque(maxlen=1_000)
_down_since: dict[str, int] = {}
_said: dict[str, int] = {}


def take_log_lines() -> list[LogLine]:
    """Lines since the last call, oldest first."""
    return [_queue.popleft() for _ in range(len(_queue))]


def log_once(text: str, *, common: bool = False) -> None:
    """Say something, unless it was said within the last ten seconds (but for its numbers)."""
    now, gist = now_ns(), _NUMBER.sub("#", text)
    if now - _said.get(gist, -_REPEAT_NS) >= _REPEAT_NS:
        _said[gist] = now
        _queue.append(LogLine(now, text, common))


class ClientListener:
    """Hears what one client has to say, and stands in for a `logging.Logger` in its settings (`logger=`).

    `fatal` is the error after which the client does nothing more; `said_last` are the statistics of each client that
    has this listener, by its name.
    """

    def __init__(self) -> None:
        self.fatal: KafkaError | None = None
        self.said_last: Mapping[str, ClientStatistics] = {}

    def log(self, _level: int, _form: str, facility: str, _client: str, text: str) -> None:
        """Take one line of librdkafka's log, as a logger is given it."""
        self.said(facility, text)

    def said(self, facility: str, text: str) -> None:
        """Take one line of librdkafka's log."""
        broker = _BROKER.search(text)
        if _COORDINATOR.search(text):
            return
        if broker is None:
            log_once(_plain(facility, _STATE.sub("", _THREAD.sub("", text))), common=True)
        elif facility in ("FAIL", "REQTMOUT") and not broker["reason"].startswith("Disconnected"):
            address = broker["address"]
            if address not in _down_since:
                _down_since[address] = now_ns()
                log_once(f"broker {address} is down: {_STATE.sub('', broker['reason'])}", common=True)

    def failed(self, error: KafkaError) -> None:
        """Take an error of the client as a whole. All but a fatal one it repairs, and its log has said so."""
        if error.fatal():
            self.fatal = error

    def statistics(self, text: str) -> None:
        """Take a client's statistics, which are also the only place where librdkafka says that a broker is back."""
        own, brokers = client_statistics.split(text)
        self.said_last = {**self.said_last, own["name"]: client_statistics.of(own, brokers)}
        if not _down_since:
            return
        for broker in brokers.values():
            address = broker["nodename"]
            since = _down_since.get(address)
            if since and broker["state"] == "UP" and broker["stateage"] * 1_000 < now_ns() - since:
                _said.clear()  # what was said about the outage may be said about the next one
                if _down_since.pop(address, None):
                    log_once(f"broker {address} is up again", common=True)


def _plain(facility: str, text: str) -> str:
    """A line of librdkafka's log for people who do not know its facilities."""
    return f"{_MEANINGS.get(facility, 'librdkafka')}: {text}"
