"""A producer that takes records, and reports on them, by arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence

import numpy as np
from confluent_kafka import KafkaError

from kafka_load.librdkafka.handle import DELIVERY, Handle, Listener, check, destroy_event, failure
from kafka_load.librdkafka.headers import Header, HeaderedRecords
from kafka_load.librdkafka.library import INT, INT32, POINTER, PRODUCER, SIZE, TEXT, function
from kafka_load.librdkafka.memory import copies
from kafka_load.librdkafka.message import MESSAGE, Messages

_COPY, _PARTITION = 0x2, 0x8  # RD_KAFKA_MSG_F_*: copy the payloads; each record says its partition
_NOTHING = np.empty(0, MESSAGE)
_UNASSIGNED = -1  # RD_KAFKA_PARTITION_UA
_AT_ONCE = 65_536  # reports that one poll takes, as many as there may be in one event beyond that

_topic_new = function("topic_new", POINTER, POINTER, TEXT, POINTER)
_last_error = function("last_error", INT)
_topic_destroy = function("topic_destroy", None, POINTER)
_produce_batch = function("produce_batch", INT, POINTER, INT32, INT, POINTER, INT)
_event_message_count = function("event_message_count", SIZE, POINTER, quick=True)
_event_message_array = function("event_message_array", SIZE, POINTER, POINTER, SIZE)
_metadata = function("metadata", INT, POINTER, INT, POINTER, POINTER, INT)
_metadata_destroy = function("metadata_destroy", None, POINTER)
_init_transactions = function("init_transactions", POINTER, POINTER, INT)
_begin_transaction = function("begin_transaction", POINTER, POINTER)
_commit_transaction = function("commit_transaction", POINTER, POINTER, INT)
_abort_transaction = function("abort_transaction", POINTER, POINTER, INT)


class _TopicMetadata(ctypes.Structure):
    _fields_ = (
        ("topic", ctypes.c_char_p),
        ("partition_count", ctypes.c_int),
        ("partitions", ctypes.c_void_p),
        ("err", ctypes.c_int),
    )


class _Metadata(ctypes.Structure):
    _fields_ = (
        ("broker_count", ctypes.c_int),
        ("brokers", ctypes.c_void_p),
        ("topic_count", ctypes.c_int),
        ("topics", ctypes.POINTER(_TopicMetadata)),
    )


class BulkProducer(Handle):
    """Writes to one topic, each record with these `headers`. All time-outs are in seconds; all methods raise
    KafkaException.
    """

    def __init__(
        self, properties: Mapping[str, object], topic: str, listener: Listener, headers: Sequence[Header] = ()
    ) -> None:
        super().__init__(PRODUCER, properties, DELIVERY, listener)
        self._name = topic
        self._topic = _topic_new(self._rk, topic.encode(), None)
        if self._topic is None:
            code = _last_error()
            super().close()
            raise failure(code, f"librdkafka takes no topic of the name {topic!r} ({len(topic)} characters)")
        self._make_room(_AT_ONCE)
        self._headered = HeaderedRecords(self._rk, self._topic, headers) if headers else None

    def close(self) -> None:
        """End the producer; what it has not sent is not sent."""
        _topic_destroy(self._topic)
        super().close()

    def partitions(self, timeout_s: float) -> int:
        """How many the topic has."""
        answer = ctypes.POINTER(_Metadata)()
        code = _metadata(self._rk, 0, self._topic, ctypes.byref(answer), int(timeout_s * 1_000))
        if code:
            raise failure(code)
        topics = answer.contents.topics[: answer.contents.topic_count]
        about = {found.topic.decode(): (found.err, found.partition_count) for found in topics}
        _metadata_destroy(answer)
        code, count = about.get(self._name, (KafkaError._UNKNOWN_TOPIC, 0))
        if code:
            raise failure(code)
        return int(count)

    def produce(self, messages: Messages) -> int:
        """Take records (a contiguous array) with all that they point to; returns how many were taken. The others' `err`
        says why not.
        """
        if self._headered is not None:
            return self._headered.produce(messages)
        address = messages.ctypes.data
        return int(_produce_batch(self._topic, _UNASSIGNED, _COPY | _PARTITION, address, len(messages)))

    def poll(self, wait_s: float) -> Messages:
        """Delivery reports, shape (n,), and all else that has happened; waits if nothing has yet.

        What the reports' pointers point to is gone; their `opaque`, `partition`, `offset`, `len` and `err` say all.
        """
        events: list[int] = []
        count = 0
        while count < _AT_ONCE and (event := self._next_event(wait_s, DELIVERY)) is not None:
            events.append(event)
            count += self._note(event, count)
            wait_s = 0
        if not events:
            return _NOTHING
        reports = copies(self._addresses[:count], MESSAGE)
        for event in events:
            destroy_event(event)
        return reports

    def _note(self, event: int, place: int) -> int:
        """Note where an event's reports lie; returns how many there are."""
        count = int(_event_message_count(event))
        if place + count > len(self._addresses):
            known = self._addresses[:place]
            self._make_room(2 * (place + count))
            self._addresses[:place] = known
        return int(_event_message_array(event, self._memory + place * self._addresses.itemsize, count))

    def _make_room(self, most: int) -> None:
        """For the addresses of so many reports; where that is, numpy takes long to say."""
        self._addresses = np.empty(most, np.uint64)
        self._memory = int(self._addresses.ctypes.data)

    def init_transactions(self, timeout_s: float) -> None:
        """Fence whoever had the transactional id before."""
        check(_init_transactions(self._rk, int(timeout_s * 1_000)))

    def begin_transaction(self) -> None:
        """Begin one."""
        check(_begin_transaction(self._rk))

    def commit_transaction(self, timeout_s: float) -> None:
        """Commit. Waits for reports that are not polled yet, so poll before, and between attempts."""
        check(_commit_transaction(self._rk, int(timeout_s * 1_000)))

    def abort_transaction(self, timeout_s: float) -> None:
        """Take everything back. Waits for reports, as a commit does."""
        check(_abort_transaction(self._rk, int(timeout_s * 1_000)))
