"""A member of a consumer group that is given records by arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from confluent_kafka import KafkaError

from kafka_load.librdkafka.handle import Handle, Listener, check, failure
from kafka_load.librdkafka.library import CONSUMER, INT, INT32, INT64, POINTER, SIZE, TEXT, function
from kafka_load.librdkafka.memory import copies
from kafka_load.librdkafka.message import MESSAGE, Messages

_NO_CLOSE = 0x8  # RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE
_WATERMARKS_UNKNOWN = -1001  # RD_KAFKA_OFFSET_INVALID

TopicPartition = tuple[str, int]


class _Partition(ctypes.Structure):
    _fields_ = (
        ("topic", ctypes.c_char_p),
        ("partition", ctypes.c_int32),
        ("offset", ctypes.c_int64),
        ("metadata", ctypes.c_void_p),
        ("metadata_size", ctypes.c_size_t),
        ("opaque", ctypes.c_void_p),
        ("err", ctypes.c_int),
        ("_private", ctypes.c_void_p),
    )


class _Partitions(ctypes.Structure):
    _fields_ = (("count", ctypes.c_int), ("size", ctypes.c_int), ("elements", ctypes.POINTER(_Partition)))


_LIST = ctypes.POINTER(_Partitions)
_REBALANCE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, _LIST, ctypes.c_void_p)

_set_rebalance_cb = function("conf_set_rebalance_cb", None, POINTER, _REBALANCE)
_list_new = function("topic_partition_list_new", _LIST, INT)
_list_add = function("topic_partition_list_add", ctypes.POINTER(_Partition), _LIST, TEXT, INT32)
_list_destroy = function("topic_partition_list_destroy", None, _LIST)
_subscribe = function("subscribe", INT, POINTER, _LIST)
_rebalance_protocol = function("rebalance_protocol", TEXT, POINTER)
_assign = function("assign", INT, POINTER, POINTER)
_incremental_assign = function("incremental_assign", POINTER, POINTER, _LIST)
_incremental_unassign = function("incremental_unassign", POINTER, POINTER, _LIST)
_assignment_lost = function("assignment_lost", INT, POINTER)
_queue_get_consumer = function("queue_get_consumer", POINTER, POINTER)
_queue_destroy = function("queue_destroy", None, POINTER)
_consumer_poll = function("consumer_poll", POINTER, POINTER, INT)
_consume_batch_queue = function("consume_batch_queue", ctypes.c_ssize_t, POINTER, INT, POINTER, SIZE)
_message_destroy = function("message_destroy", None, POINTER, quick=True)
_topic_name = function("topic_name", TEXT, POINTER, quick=True)
_commit = function("commit", INT, POINTER, _LIST, INT)
_watermarks = function("get_watermark_offsets", INT, POINTER, TEXT, INT32, POINTER, POINTER)
_consumer_close = function("consumer_close", INT, POINTER)
_destroy_flags = function("destroy_flags", None, POINTER, INT)


class Group(Protocol):
    """Who hears what the group decides, in the thread that fetches; before it takes effect."""

    def assigned(self, partitions: list[TopicPartition]) -> None:
        """These are this member's now."""

    def revoked(self, partitions: list[TopicPartition]) -> None:
        """These will be another's. What was read of them can still be committed."""

    def lost(self, partitions: list[TopicPartition]) -> None:
        """These are another's already."""


class BulkConsumer(Handle):
    """Fetches at most `at_once` records at a time. All time-outs are in seconds; all methods raise KafkaException."""

    def __init__(self, properties: Mapping[str, object], listener: Listener, group: Group, at_once: int) -> None:
        self._group = group
        self._raised: BaseException | None = None
        self._rebalance = _REBALANCE(self._on_rebalance)  # kept, since librdkafka has only its address
        super().__init__(CONSUMER, properties, 0, listener, lambda conf: _set_rebalance_cb(conf, self._rebalance))
        self._fetched = _queue_get_consumer(self._rk)
        self._addresses, self._count = np.empty(at_once, np.uint64), 0
        self._names: dict[int, str] = {}

    def subscribe(self, topics: Iterable[str]) -> None:
        """Ask the group for a share of these topics."""
        wanted = _listed((topic, -1, None) for topic in topics)
        code = _subscribe(self._rk, wanted)
        _list_destroy(wanted)
        _check(code)

    def fetch(self, wait_s: float) -> Messages:
        """Records and a consumer's other events (`err` is not 0), shape (n,); waits if there are none yet.

        What they point to is there until `release`.
        """
        self._next_event(0, 0)
        first = _consumer_poll(self._rk, int(wait_s * 1_000))
        if first is not None:
            self._addresses[0] = first
            more = self._addresses[1:]
            self._count = 1 + max(0, _consume_batch_queue(self._fetched, 0, more.ctypes.data, len(more)))
        self._raise()
        return copies(self._addresses[: self._count], MESSAGE)

    def release(self) -> None:
        """Give back what was fetched."""
        for address in self._addresses[: self._count].tolist():
            _message_destroy(address)
        self._count = 0

    @staticmethod
    def topic(address: int) -> str:
        """The name of the topic that a message points to."""
        return str(_topic_name(address).decode())

    def commit(self, offsets: Mapping[TopicPartition, int], *, wait: bool) -> None:
        """Commit where to go on reading."""
        committed = _listed((*key, offset) for key, offset in offsets.items())
        code = _commit(self._rk, committed, not wait)
        _list_destroy(committed)
        _check(code)

    def watermarks(self, partition: TopicPartition) -> tuple[int, int] | None:
        """Where the log begins and ends (high watermark), as the last fetch told; None: none has yet."""
        low, high = ctypes.c_int64(), ctypes.c_int64()
        topic, number = partition
        code = _watermarks(self._rk, topic.encode(), number, ctypes.byref(low), ctypes.byref(high))
        return None if code or high.value == _WATERMARKS_UNKNOWN else (low.value, high.value)

    def leave(self) -> None:
        """Give all partitions back, which the group hears of, and leave it."""
        _check(_consumer_close(self._rk))
        self._raise()

    def close(self) -> None:
        """End the client. A member that has not left is missed only when its session runs out."""
        self.release()
        _queue_destroy(self._fetched)
        self._destroy(lambda rk: _destroy_flags(rk, _NO_CLOSE))

    def _raise(self) -> None:
        if self._raised is not None:
            raise self._raised

    def _on_rebalance(self, rk: int, code: int, listed: Any, _: int) -> None:
        try:
            self._rebalanced(rk, code, listed)
        except BaseException as error:  # librdkafka, which called, cannot pass it on
            self._raised = error

    def _rebalanced(self, rk: int, code: int, listed: Any) -> None:
        elements = listed.contents.elements
        partitions = [(elements[n].topic.decode(), elements[n].partition) for n in range(listed.contents.count)]
        cooperative = _rebalance_protocol(rk) == b"COOPERATIVE"
        if code == KafkaError._ASSIGN_PARTITIONS:
            self._group.assigned(partitions)
            if cooperative:
                check(_incremental_assign(rk, listed))
            else:
                _check(_assign(rk, listed))
            return
        (self._group.lost if _assignment_lost(rk) else self._group.revoked)(partitions)
        if cooperative:
            check(_incremental_unassign(rk, listed))
        else:
            _check(_assign(rk, None))


def _check(code: int) -> None:
    if code:
        raise failure(code)


def _listed(partitions: Iterable[tuple[str, int, int | None]]) -> Any:
    """A `rd_kafka_topic_partition_list_t *` for the caller to destroy."""
    made = _list_new(0)
    for topic, number, offset in partitions:
        element = _list_add(made, topic.encode(), number)
        if offset is not None:
            element.contents.offset = offset
    return made
