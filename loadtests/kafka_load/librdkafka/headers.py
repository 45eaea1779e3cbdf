"""Records with headers. `rd_kafka_produce_batch` has no place for those, so each record is handed over by a call.

The arguments of `rd_kafka_produceva` are a row of `rd_kafka_vu_t` a record, prepared for all records at once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from confluent_kafka import KafkaError

from kafka_load.librdkafka.handle import error_code
from kafka_load.librdkafka.library import POINTER, SIZE, function
from kafka_load.librdkafka.message import Messages

Header = tuple[str, bytes]

_TOPIC, _PARTITION, _VALUE, _KEY, _OPAQUE, _FLAGS, _HEADER = 2, 3, 4, 5, 6, 7, 9  # RD_KAFKA_VTYPE_*
_COPY = 0x2  # RD_KAFKA_MSG_F_COPY
# As rdkafka.h declares it: the type, and a union of which 64 bytes are reserved. Up to three pointers of it are used.
ARGUMENT = np.dtype(
    {
        "names": ["type", "number", "pointer", "second", "third"],
        "formats": [np.int32, np.int32, np.uint64, np.uint64, np.int64],
        "offsets": [0, 8, 8, 16, 24],
        "itemsize": 72,
    }
)

_produceva = function("produceva", POINTER, POINTER, POINTER, SIZE)


class HeaderedRecords:
    """Hands records over one by one, each with the same `headers` (name and value)."""

    def __init__(self, client: int, topic: int, headers: Sequence[Header]) -> None:
        self._client, self._topic = client, topic
        self._texts = [(name.encode(), value) for name, value in headers]  # kept: the arguments point to them
        self._buffers = [
            (ctypes.create_string_buffer(name), ctypes.create_string_buffer(value, max(1, len(value))))
            for name, value in self._texts
        ]

    def produce(self, messages: Messages) -> int:
        """Take records with all that they point to; returns how many were taken. The others' `err` says why not.

        A full queue refuses all that follow, so that they keep their order when they are offered again.
        """
        rows = self._arguments(messages)
        address, width = rows.ctypes.data, rows.strides[0]
        codes = np.zeros(len(messages), np.int32)
        for place in range(len(messages)):
            error = _produceva(self._client, address + place * width, rows.shape[1])
            if error is None:
                continue
            codes[place] = error_code(error)
            if codes[place] == KafkaError._QUEUE_FULL:
                codes[place:] = KafkaError._QUEUE_FULL
                break
        messages["err"] = codes
        return int((codes == 0).sum())

    def _arguments(self, messages: Messages) -> Messages:
        rows = np.zeros((len(messages), 6 + len(self._buffers)), ARGUMENT)
        rows["type"][:, :6] = (_TOPIC, _PARTITION, _VALUE, _KEY, _OPAQUE, _FLAGS)
        rows["pointer"][:, 0] = self._topic
        rows["number"][:, 1] = messages["partition"]
        rows["pointer"][:, 2], rows["second"][:, 2] = messages["payload"], messages["len"]
        rows["pointer"][:, 3], rows["second"][:, 3] = messages["key"], messages["key_len"]
        rows["pointer"][:, 4] = messages["opaque"]
        rows["number"][:, 5] = _COPY
        for place, (name, value) in enumerate(self._buffers, start=6):
            rows["type"][:, place] = _HEADER
            rows["pointer"][:, place], rows["second"][:, place] = ctypes.addressof(name), ctypes.addressof(value)
            rows["third"][:, place] = len(self._texts[place - 6][1])
        return rows
