"""Records of many sizes or of a user's own content: six words of header, and behind them a payload out of a pool.

A pool has the payloads of some kinds, such as sizes, each kind with the share of the records that are of it. The
payloads of a kind come one after the other, so that a batch holds none twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kafka_load.records import binary
from kafka_load.records.packed import Packed
from kafka_load.records.stamp import Int64s, Words, origins

HEADER = binary.SMALLEST
MOST_SIZES = 32
MOST_SHARE = 1e9


class LinesError(ValueError):
    """A file whose lines cannot be used; the message is one sentence that names it."""


@lru_cache(maxsize=8)
def lines(path: str) -> tuple[bytes, ...]:
    """The lines of a file that are not empty, without their ends.

    Raises:
        LinesError: if it cannot be read or has none.
    """
    try:
        found = tuple(filter(None, Path(path).read_bytes().splitlines()))
    except OSError as error:
        raise LinesError(f"{path} cannot be read: {error.strerror}") from None
    if not found:
        raise LinesError(f"{path} has no line that is not empty")
    return found


@dataclass(frozen=True)
class Pool:
    """Payloads, the kinds that they are of, and what their records have in their headers. Shared: never changed.

    Attributes:
        payloads: All payloads, those of a kind beside each other.
        begins: The number of each kind's first payload, and the number of payloads.
        cumulated: For each kind the share of records that are of it or one before it; the last is 1.
        heads: The first word of each payload's record.
        sums: The weighted sum of each payload's words.
    """

    payloads: Sequence[bytes]
    begins: Int64s
    cumulated: NDArray[np.float64]
    heads: Words
    sums: Words

    @property
    def mean_size(self) -> int:
        """Bytes that a record has on average."""
        shares = np.diff(self.cumulated, prepend=0.0)
        sizes = np.fromiter(map(len, self.payloads), np.float64, len(self.payloads))
        means = [sizes[a:b].mean() for a, b in zip(self.begins[:-1], self.begins[1:], strict=True)]
        return max(1, round(HEADER + float(shares @ means)))


@lru_cache(maxsize=8)
def of_file(path: str) -> Pool:
    """A pool of one kind: the lines of a file.

    Raises:
        LinesError: if it cannot be read or has none.
    """
    payloads = lines(path)
    sums = np.array([binary.weighted_sum(payload) for payload in payloads], np.uint64)
    return _pool([payloads], [1.0], sums)


@lru_cache(maxsize=8)
def of_sizes(shares: tuple[tuple[int, float], ...], entropy: float) -> Pool:
    """A pool for records of these sizes (bytes), each with its share (in any unit) of them."""
    kinds, sums = [], []
    for size, _ in shares:
        rows, weighted = binary.filling(size, entropy)
        kinds.append([row.tobytes()[: size - HEADER] for row in rows])
        sums.append(weighted)
    return _pool(kinds, [share for _, share in shares], np.concatenate(sums))


def _pool(kinds: Sequence[Sequence[bytes]], shares: Sequence[float], sums: Words) -> Pool:
    payloads = [payload for kind in kinds for payload in kind]
    cumulated = np.cumsum(shares) / sum(shares)
    cumulated[-1] = 1.0
    return Pool(
        payloads,
        np.cumsum([0, *map(len, kinds)]),
        cumulated,
        np.array([binary.first_word(HEADER + len(payload)) for payload in payloads], np.uint64),
        sums,
    )


class PoolEncoder:
    """Encodes records of one producer; the same seed chooses the same kinds."""

    def __init__(self, pool: Pool, run: int, producer: int) -> None:
        self._pool, self._producer = pool, producer
        self.mean_size = pool.mean_size
        self._weights = binary.weights(HEADER // 8)
        self._run = np.uint64(run)
        self._random = np.random.default_rng(producer)
        counts = np.diff(pool.begins).tolist()
        self._next = [secrets.randbelow(count) for count in counts]

    def __call__(
        self, partitions: NDArray[np.int16], sequences: Int64s, due_ns: Int64s, keys: NDArray[np.object_]
    ) -> Packed:
        """Values of records; see `records.Encoder`."""
        chosen = self._choose(len(due_ns))
        rows = np.empty((len(chosen), HEADER // 8), np.uint64)
        columns = {
            binary.HEAD: self._pool.heads[chosen],
            binary.RUN: self._run,
            binary.ORIGIN: origins(self._producer, partitions),
            binary.SEQUENCE: sequences.astype(np.uint64),
            binary.DUE: due_ns.astype(np.uint64),
        }
        total = self._pool.sums[chosen]
        for place, column in columns.items():
            rows[:, place] = column
            total = total + rows[:, place] * self._weights[place]
        rows[:, binary.CHECKSUM] = -total
        headers, payloads = rows.tobytes(), self._pool.payloads
        return Packed.of(
            [headers[HEADER * i : HEADER * (i + 1)] + payloads[number] for i, number in enumerate(chosen.tolist())]
        )

    def _choose(self, count: int) -> Int64s:
        """Numbers of payloads: a kind by chance, and of each kind the next."""
        begins = self._pool.begins
        kinds = np.searchsorted(self._pool.cumulated, self._random.random(count), side="right")
        chosen = np.empty(count, np.int64)
        for kind in np.unique(kinds).tolist():
            mine = kinds == kind
            number, known = int(mine.sum()), int(begins[kind + 1] - begins[kind])
            chosen[mine] = begins[kind] + (self._next[kind] + np.arange(number)) % known
            self._next[kind] = (self._next[kind] + number) % known
        return chosen


def shares_of(table: Mapping[str, object]) -> tuple[tuple[int, float], ...]:
    """Sizes and their shares of a profile's table `{"100" = 70, "1000" = 30}`. Raises ValueError with the reason."""
    found = []
    for size, share in table.items():
        if not size.isdecimal() or int(size) < HEADER:
            raise ValueError(f"{size!r} is not a number of bytes, at least {HEADER}")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= MOST_SHARE:
            raise ValueError(
                f"the share of {size} bytes must be a number above 0, at most {MOST_SHARE:,.0f}, not {share!r}"
            )
        found.append((int(size), float(share)))
    if not 0 < len(found) <= MOST_SIZES:
        raise ValueError(f"there must be 1 to {MOST_SIZES} sizes, not {len(found)}")
    return tuple(sorted(found))
