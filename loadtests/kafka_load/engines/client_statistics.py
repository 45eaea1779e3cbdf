"""What is used of librdkafka's statistics: the client's queue, throttling, and the round trips to each broker.

The document grows with the partitions of a topic, so only what comes before the topics is parsed
(https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_BROKERS = '"brokers":'
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class RoundTrips:
    """Requests that a broker answered within the last interval: how many, the sum of their times and its p99, in µs."""

    count: int
    sum_us: int
    p99_us: int


@dataclass(frozen=True)
class ClientStatistics:
    """What a client said last.

    `queue_records` and `queue_bytes` wait in a producer or are on their way to a broker; `throttle_ms` is the longest
    time for which a broker throttled the client within the last interval. `round_trips` are those of a producer, by the
    broker's id: a consumer's last as long as the broker has no records for it.
    """

    queue_records: int = 0
    queue_bytes: int = 0
    throttle_ms: int = 0
    round_trips: Mapping[int, RoundTrips] = field(default_factory=dict)


def split(text: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The client's own values, and those of each of its brokers."""
    at = text.index(_BROKERS)
    own = json.loads(text[:at].rstrip().rstrip(",") + "}")
    brokers, _ = _DECODER.raw_decode(text, text.index("{", at))
    return own, brokers


def of(own: Mapping[str, Any], brokers: Mapping[str, Mapping[str, Any]]) -> ClientStatistics:
    """The statistics in the parts that `split` returns."""
    produces = own["type"] == "producer"
    return ClientStatistics(
        queue_records=own["msg_cnt"],
        queue_bytes=own["msg_size"],
        throttle_ms=max((broker["throttle"]["max"] for broker in brokers.values()), default=0),
        round_trips={
            broker["nodeid"]: RoundTrips(times["cnt"], times["sum"], _p99(times))
            for broker in brokers.values()
            if produces and broker["nodeid"] >= 0 and (times := broker["rtt"])["cnt"]
        },
    )


def _p99(times: Mapping[str, int]) -> int:
    """librdkafka's histogram leaves out what lasts longer than 500 ms; from 1 % of that on the longest counts."""
    return times["max"] if 100 * times["outofrange"] >= times["cnt"] else times["p99"]
