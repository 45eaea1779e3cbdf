"""Compact records of a chosen size: six 64-bit words and padding, made and read by numpy, thousands at a time.

The words are a mark with the record's size, the run, the origin (producer and partition), the sequence, the due time,
and a checksum: a weighted sum of all words, with odd weights, chosen so that the whole sums to zero modulo 2**64. Any
change confined to one word is found for certain, any other with a probability of 1 - 2**-64 for random changes, at a
tenth of the cost of a CRC computed record by record.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kafka_load.records.packed import Packed
from kafka_load.records.stamp import (
    ALTERED,
    FOREIGN,
    INTACT,
    Int64s,
    Stamps,
    Words,
    origins,
    unknown,
)

MAGIC = b"CRU1"
HEAD, RUN, ORIGIN, SEQUENCE, DUE, CHECKSUM = range(6)
SMALLEST = 6 * 8
_WORD = 8
_FILLING_BYTES = 4 << 20  # more than a batch, whose largest size is 1 MB by default


@lru_cache(maxsize=64)
def weights(words: int) -> Words:
    """The weight of each word of a record; those of fewer words are the first of those of more."""
    chosen = np.random.default_rng(0xC0FFEE).integers(0, 2**63, words, np.uint64) * np.uint64(2) + np.uint64(1)
    chosen[CHECKSUM] = 1
    return chosen


def first_word(size: int) -> np.uint64:
    """The first word of a record."""
    return np.uint64(int.from_bytes(MAGIC, "little") | size << 32)


def _padding(size: int) -> bytes:
    """What fills a record up to whole words, in memory only."""
    return bytes(-size % _WORD)


@lru_cache(maxsize=8)
def filling(size: int, entropy: float) -> tuple[Words, Words]:
    """What many records of a size are filled with behind their words, shape (n, words), and each one's weighted sum.

    The share `entropy` of each record's bytes is random, so that no compression makes less of it; the others are the
    same in all. There are enough of them that a batch does not hold one twice.
    """
    words, behind = -(-size // _WORD) - CHECKSUM - 1, max(0, size - SMALLEST)
    count = max(1, _FILLING_BYTES // max(_WORD, words * _WORD))
    table = np.zeros((count, words * _WORD), np.uint8)
    chosen = round(entropy * behind)
    table[:, :chosen] = np.frombuffer(secrets.token_bytes(count * chosen), np.uint8).reshape(count, chosen)
    rows = table.view(np.uint64)
    return rows, rows @ weights(CHECKSUM + 1 + words)[CHECKSUM + 1 :]


def weighted_sum(payload: bytes) -> np.uint64:
    """That of what a record has behind its header."""
    words = np.frombuffer(payload + _padding(len(payload)), np.uint64)
    return np.uint64(words @ weights(CHECKSUM + 1 + len(words))[CHECKSUM + 1 :])


class BinaryEncoder:
    """Encodes records of one producer; raises ValueError if `size` (bytes) cannot hold the header.

    `entropy` (0 to 1) is the share of the bytes behind the header that no compression can make less of.
    """

    def __init__(self, size: int, run: int, producer: int, entropy: float = 1.0) -> None:
        if size < SMALLEST:
            raise ValueError(f"a binary record takes at least {SMALLEST} bytes, not {size}")
        self._producer, self._size, self.mean_size = producer, size, size
        self._template = np.zeros(CHECKSUM + 1, np.uint64)
        self._template[HEAD], self._template[RUN] = first_word(size), run
        self._weights = weights(-(-size // _WORD))
        self._constant_sum = self._template @ self._weights[: CHECKSUM + 1]
        self._filling, self._sums = filling(size, entropy)
        self._next = secrets.randbelow(len(self._sums))

    def __call__(
        self, partitions: NDArray[np.int16], sequences: Int64s, due_ns: Int64s, keys: NDArray[np.object_]
    ) -> Packed:
        """Values of records; see `records.Encoder`."""
        rows = np.empty((len(due_ns), len(self._weights)), np.uint64)
        rows[:, : CHECKSUM + 1] = self._template
        total = self._constant_sum + self._fill(rows[:, CHECKSUM + 1 :])
        varying = ((ORIGIN, origins(self._producer, partitions)), (SEQUENCE, sequences), (DUE, due_ns))
        for place, column in varying:
            words = column.astype(np.uint64)
            rows[:, place] = words
            total = total + words * self._weights[place]
        rows[:, CHECKSUM] = -total
        return Packed.rows(rows.view(np.uint8), self._size)

    def _fill(self, behind: Words) -> Words:
        """Fill these rows with what is next; returns their weighted sums, shape (n,)."""
        count, known = len(behind), len(self._sums)
        chosen: slice | Int64s = slice(self._next, self._next + count)
        if self._next + count > known:
            chosen = (self._next + np.arange(count)) % known
        behind[:] = self._filling[chosen]
        self._next = (self._next + count) % known
        return self._sums[chosen]


def decode(values: Sequence[bytes]) -> Stamps:
    """Stamps of values of one length that begin with the magic bytes."""
    size = len(values[0])
    return _decode(values, size) if size >= SMALLEST else unknown(len(values), ALTERED)


def decode_uniform(values: Sequence[bytes | None]) -> Stamps | None:
    """Stamps if all values are intact or altered records of one size, which costs least; else None."""
    size = len(values[0]) if values and values[0] else 0
    if size < SMALLEST:
        return None
    try:
        stamps = _decode(values, size)
    except (TypeError, ValueError):  # a tombstone among them, or another size
        return None
    return None if (stamps.state == FOREIGN).any() else stamps


def _decode(values: Sequence[bytes | None], size: int) -> Stamps:
    padding = _padding(size)
    data = padding.join(values) + padding  # type: ignore[arg-type]  # a tombstone (None) raises, as it should
    rows = np.frombuffer(data, np.uint64).reshape(len(values), -(-size // _WORD))
    columns = np.ascontiguousarray(rows[:, :CHECKSUM].T)
    head = columns[HEAD]
    intact = (head == first_word(size)) & (rows @ weights(rows.shape[1]) == 0)
    if intact.all():
        state = np.zeros(len(rows), np.int8)
    else:
        marked = (head & np.uint64(0xFFFF_FFFF)) == np.uint64(int.from_bytes(MAGIC, "little"))
        state = np.where(intact, INTACT, np.where(marked, ALTERED, FOREIGN)).astype(np.int8)
    sequence, due_ns = columns[SEQUENCE].view(np.int64), columns[DUE].view(np.int64)
    return Stamps(columns[RUN], columns[ORIGIN], sequence, due_ns, state)
