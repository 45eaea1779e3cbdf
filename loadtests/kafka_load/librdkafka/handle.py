"""One client of librdkafka, whose events are taken from its queue instead of being called back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException

from kafka_load.librdkafka.library import INT, POINTER, SIZE, TEXT, function

DELIVERY, LOG, ERROR, STATISTICS = 0x1, 0x4, 0x8, 0x40  # RD_KAFKA_EVENT_*
_REASON_SIZE = 512

_conf_new = function("conf_new", POINTER)
_conf_set = function("conf_set", INT, POINTER, TEXT, TEXT, TEXT, SIZE)
_conf_set_events = function("conf_set_events", None, POINTER, INT)
_conf_destroy = function("conf_destroy", None, POINTER)
_new = function("new", POINTER, INT, POINTER, TEXT, SIZE)
_destroy = function("destroy", None, POINTER)
_set_log_queue = function("set_log_queue", INT, POINTER, POINTER)
_queue_get_main = function("queue_get_main", POINTER, POINTER)
_queue_poll = function("queue_poll", POINTER, POINTER, INT)
_queue_destroy = function("queue_destroy", None, POINTER)
_event_type = function("event_type", INT, POINTER, quick=True)
destroy_event = function("event_destroy", None, POINTER)
_event_error = function("event_error", INT, POINTER)
_event_error_is_fatal = function("event_error_is_fatal", INT, POINTER)
_event_error_string = function("event_error_string", TEXT, POINTER)
_event_log = function("event_log", INT, POINTER, POINTER, POINTER, POINTER)
_event_stats = function("event_stats", TEXT, POINTER)
_err2str = function("err2str", TEXT, INT)
_error_code = function("error_code", INT, POINTER)
_error_string = function("error_string", TEXT, POINTER)
_error_is_fatal = function("error_is_fatal", INT, POINTER)
_error_is_retriable = function("error_is_retriable", INT, POINTER)
_error_txn_requires_abort = function("error_txn_requires_abort", INT, POINTER)
_error_destroy = function("error_destroy", None, POINTER)


class Listener(Protocol):
    """Who hears what a client has to say, in the thread that polls it."""

    def said(self, facility: str, text: str) -> None:
        """A line of its log."""

    def statistics(self, text: str) -> None:
        """Its statistics, as JSON."""

    def failed(self, error: KafkaError) -> None:
        """An error of the client as a whole."""


def failure(code: int, reason: str | None = None) -> KafkaException:
    """The exception for one of librdkafka's error codes."""
    return KafkaException(KafkaError(code, reason or _err2str(code).decode()))


def check(error: int | None) -> None:
    """Raises KafkaException for an `rd_kafka_error_t *` that is not NULL, and frees it."""
    if error is None:
        return
    found = KafkaError(
        _error_code(error),
        _error_string(error).decode(),
        fatal=bool(_error_is_fatal(error)),
        retriable=bool(_error_is_retriable(error)),
        txn_requires_abort=bool(_error_txn_requires_abort(error)),
    )
    _error_destroy(error)
    raise KafkaException(found)


def error_code(error: int) -> int:
    """The code of an `rd_kafka_error_t *`, which is freed."""
    code = int(_error_code(error))
    _error_destroy(error)
    return code


def new_client(kind: int, properties: Mapping[str, object], events: int) -> int:
    """A `rd_kafka_t *` that makes these events. Raises KafkaException if librdkafka refuses a property."""
    reason = ctypes.create_string_buffer(_REASON_SIZE)
    conf = _conf_new()
    _conf_set_events(conf, events)
    given = ((name.encode(), _text(value)) for name, value in properties.items())
    refused = any(_conf_set(conf, *one, reason, len(reason)) for one in given)
    client = None if refused else _new(kind, conf, reason, len(reason))
    if client is None:
        _conf_destroy(conf)
        raise failure(KafkaError._INVALID_ARG, reason.value.decode())
    return int(client)


class Handle:
    """A client of one thread: who made it makes every call."""

    def __init__(self, kind: int, properties: Mapping[str, object], events: int, listener: Listener) -> None:
        """Raises KafkaException if librdkafka refuses a property."""
        self._listener = listener
        self._rk = new_client(kind, {**properties, "log.queue": True}, events | LOG | ERROR | STATISTICS)
        self._queue = _queue_get_main(self._rk)
        if code := _set_log_queue(self._rk, self._queue):
            Handle.close(self)
            raise failure(code)
        self._hearings: dict[int, Callable[[int], None]] = {
            LOG: self._hear_log,
            ERROR: self._hear_error,
            STATISTICS: self._hear_statistics,
        }

    def close(self) -> None:
        """End the client; what it has not sent is not sent."""
        _queue_destroy(self._queue)
        _destroy(self._rk)

    def _next_event(self, wait_s: float, wanted: int) -> int | None:
        """The next event of the `wanted` kind, for the caller to destroy. All others before it go to the listener."""
        while (event := _queue_poll(self._queue, int(wait_s * 1_000))) is not None:
            kind = _event_type(event)
            if kind == wanted:
                return int(event)
            if kind in self._hearings:
                self._hearings[kind](event)
            destroy_event(event)
            wait_s = 0
        return None

    def _hear_log(self, event: int) -> None:
        facility, text, level = ctypes.c_char_p(), ctypes.c_char_p(), ctypes.c_int()
        _event_log(event, ctypes.byref(facility), ctypes.byref(text), ctypes.byref(level))
        self._listener.said(_decoded(facility.value), _decoded(text.value))

    def _hear_statistics(self, event: int) -> None:
        self._listener.statistics(_decoded(_event_stats(event)))

    def _hear_error(self, event: int) -> None:
        reason, fatal = _decoded(_event_error_string(event)), bool(_event_error_is_fatal(event))
        self._listener.failed(KafkaError(_event_error(event), reason, fatal=fatal))


def _text(value: Any) -> bytes:
    """A property's value as librdkafka reads it."""
    return (str(value).lower() if isinstance(value, bool) else str(value)).encode()


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode(errors="replace")
