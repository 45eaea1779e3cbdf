"""Whether librdkafka's structures are laid out as they are read here: asked of the library itself, before a run.

Arrays of C structures are read by their addresses, so a library whose structures differ would give wrong numbers
instead of an error. Its version, and records that were sent to its own mock cluster and came back, tell.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache

import numpy as np
from confluent_kafka import KafkaError, KafkaException

from kafka_load.librdkafka.library import INT, LibraryError, function
from kafka_load.librdkafka.message import MESSAGE, Messages
from kafka_load.librdkafka.producer import BulkProducer

_OLDEST, _UNTRIED = 0x02_00_00_00, 0x03_00_00_00  # its interface is stable within a major version
_TOPIC, _PARTITIONS, _NOWHERE = "layout", 4, 77
_TIMEOUT_S = 10.0


class _Deaf:
    """That brokers are mock ones need not be said."""

    def said(self, facility: str, text: str) -> None:
        """Ignore a line of the log."""

    def statistics(self, text: str) -> None:
        """Ignore statistics."""

    def failed(self, error: KafkaError) -> None:
        """Ignore an error: what does not come back is missed."""


@cache
def check_layout() -> None:
    """See that records are handed over and reported as `MESSAGE` says. Blocks; repeated calls cost nothing.

    Raises:
        LibraryError: if not.
    """
    version = int(function("version", INT)())
    if not _OLDEST <= version < _UNTRIED:
        raise LibraryError(
            f"librdkafka {_dotted(version)} is not one of the versions that this harness can drive (2.x): install the "
            "confluent-kafka that requirements.txt names"
        )
    try:
        wrong = _differences(*_sent_and_reported())
    except KafkaException as error:
        wrong = error.args[0].str()
    if wrong:
        raise LibraryError(
            f"librdkafka {_dotted(version)} does not report records as this harness reads them ({wrong}): install the "
            "confluent-kafka that requirements.txt names"
        )


def _dotted(version: int) -> str:
    return ".".join(str(version >> shift & 0xFF) for shift in (24, 16, 8))


def _sent_and_reported() -> tuple[Messages, Messages]:
    """Records of different lengths for different partitions, one of which does not exist, and all that was reported."""
    lengths = np.array([3, 17, 64, 5])
    data = np.arange(lengths.sum(), dtype=np.uint8)
    sent = np.zeros(len(lengths), MESSAGE)
    sent["payload"] = data.ctypes.data + np.cumsum(lengths) - lengths
    sent["len"] = lengths
    sent["key"], sent["key_len"] = data.ctypes.data, [1, 0, 2, 3]
    sent["partition"] = [0, 2, 2, _NOWHERE]
    sent["opaque"] = [11, -12, 1 << 40, 14]
    producer = BulkProducer({"test.mock.num.brokers": 1, "linger.ms": 0}, _TOPIC, _Deaf())
    try:
        producer.partitions(_TIMEOUT_S)
        producer.produce(sent)
        refused = sent[sent["err"] != 0].copy()
        reported, deadline = [refused], time.monotonic() + _TIMEOUT_S
        while sum(map(len, reported)) < len(sent) and time.monotonic() < deadline:
            reported.append(producer.poll(0.1))
    finally:
        producer.close()
    return sent, np.concatenate(reported)


def _differences(sent: Messages, reported: Messages) -> str:
    """What is not as it should be; empty if all is."""
    order = np.argsort(reported["opaque"])
    found, wanted = reported[order], np.sort(sent, order="opaque")
    expected: Mapping[str, list[int]] = {
        "opaque": wanted["opaque"].tolist(),
        "partition": wanted["partition"].tolist(),
        "len": wanted["len"].tolist(),
        "err": [KafkaError._UNKNOWN_PARTITION if one == _NOWHERE else 0 for one in wanted["partition"].tolist()],
    }
    for name, values in expected.items():
        if found[name].tolist() != values:
            return f"{name}: {found[name].tolist()} instead of {values}"
    second, first = (int(found["offset"][found["opaque"] == opaque][0]) for opaque in (1 << 40, -12))
    return "" if (first, second) == (0, 1) else f"offset: {[first, second]} instead of [0, 1]"
