"""The shop's events as JSON that a person can read: an order or a click, and behind it the harness's own fields.

Those have a fixed width (numbers are padded with blanks, which JSON allows), so the end of every record has one
layout and is read by numpy in bulk instead of by a JSON parser one at a time:

    {"id": "O17", "item": "Laptop", "price": 999.99, "run": "…", "producer":  7, …, "crc": "1c291ca3"}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kafka_load.records.packed import Packed
from kafka_load.records.stamp import ALTERED, INTACT, Int64s, Stamps, Words

_FIELDS = '"run": "%016x", "producer": %10d, "partition": %6d, "sequence": %14d, "due_ns": %19d, "crc": "'
_END = b'"}'
_CRC = 8
_SAMPLE = _FIELDS % (0, 0, 0, 0, 0)
TAIL = len(_SAMPLE) + _CRC + len(_END)
_MARK = b'"run": "'

ITEMS = (
    ("Laptop", "999.99"), ("Phone", "649.00"), ("Headphones", "129.50"), ("Keyboard", "79.90"), ("Monitor", "329.00"),
    ("Mouse", "24.99"), ("Camera", "549.00"), ("Tablet", "399.00"), ("Charger", "19.95"), ("Backpack", "59.00"),
)  # fmt: skip
PAGES = ("/", "/search", "/laptops", "/phones", "/cart", "/checkout", "/orders", "/help")


def _column(name: str, width: int, opening: str = " ") -> slice:
    start = _SAMPLE.index(f'"{name}":') + len(f'"{name}":{opening}')
    return slice(start, start + width)


_HEX = {"run": _column("run", 16, ' "'), "crc": slice(len(_SAMPLE), len(_SAMPLE) + _CRC)}
_DECIMAL = {
    "producer": _column("producer", 10),
    "partition": _column("partition", 6),
    "sequence": _column("sequence", 14),
    "due_ns": _column("due_ns", 19),
}
_NO_DIGIT = np.uint64(255)
_NIBBLE = np.full(256, _NO_DIGIT, np.uint64)
_NIBBLE[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_DIGIT = np.full(256, _NO_DIGIT, np.uint64)
_DIGIT[np.frombuffer(b" 0123456789", np.uint8)] = [0, *range(10)]
_POWERS_OF_16 = np.uint64(16) ** np.arange(15, -1, -1, dtype=np.uint64)
_POWERS_OF_10 = np.uint64(10) ** np.arange(18, -1, -1, dtype=np.uint64)


class EventEncoder:
    """Encodes `order` or `click` events of one producer."""

    def __init__(self, event: str, run: int, producer: int) -> None:
        if event not in ("order", "click"):
            raise ValueError(f"unknown event {event!r}: order or click")
        if event == "order":
            heads = [f'{{"id": "O%d", "item": "{item}", "price": {price}, "customer": "%s", ' for item, price in ITEMS]
        else:
            heads = [f'{{"id": "K%d", "page": "{page}", "customer": "%s", ' for page in PAGES]
        fields = _FIELDS.replace("%016x", f"{run:016x}").replace("%10d", f"{producer:10d}")
        self._templates = [(head + fields).encode() for head in heads]
        self.mean_size = max(map(len, self._templates)) + TAIL - len(_FIELDS)

    def __call__(
        self, partitions: NDArray[np.int16], sequences: Int64s, due_ns: Int64s, keys: NDArray[np.object_]
    ) -> Packed:
        """Values of records; see `records.Encoder`."""
        templates, kinds = self._templates, len(self._templates)
        values = []
        columns = (partitions.tolist(), sequences.tolist(), due_ns.tolist())
        for partition, sequence, due, key in zip(*columns, keys.tolist(), strict=True):
            text = templates[sequence % kinds] % (sequence, key, partition, sequence, due)
            values.append(b"%b%08x%b" % (text, crc32(text), _END))
        return Packed.of(values)


def is_event(value: bytes) -> bool:
    """Whether a value ends as this harness's events do."""
    return len(value) > TAIL and value[-TAIL:].startswith(_MARK) and value.endswith(_END)


def decode(values: Sequence[bytes]) -> Stamps:
    """Stamps of values for which `is_event` holds."""
    tails: Any = np.frombuffer(b"".join([value[-TAIL:] for value in values]), np.uint8).reshape(len(values), TAIL)
    sound = np.ones(len(values), np.bool_)
    numbers: dict[str, Words] = {}
    for columns, table, powers in ((_HEX, _NIBBLE, _POWERS_OF_16), (_DECIMAL, _DIGIT, _POWERS_OF_10)):
        for name, column in columns.items():
            digits = table[tails[:, column]]
            sound &= (digits != _NO_DIGIT).all(axis=1)
            numbers[name] = digits @ powers[-digits.shape[1] :]
    sums = np.fromiter((crc32(memoryview(value)[: -_CRC - len(_END)]) for value in values), np.uint64, len(values))
    return Stamps(
        numbers["run"],
        numbers["producer"] << np.uint64(32) | numbers["partition"],
        numbers["sequence"].astype(np.int64),
        numbers["due_ns"].astype(np.int64),
        np.where(sound & (sums == numbers["crc"]), INTACT, ALTERED).astype(np.int8),
    )
