"""Whether two observers of a partition saw the same log: sums over blocks of offsets, in flat memory.

A run of the ledger does not say at which offset each of its records lies when several producers write into a partition,
and to keep every offset would cost as much as the log. So each observer sums over blocks of offsets: how many records
there are, which, and which of them at which offset. Two observers that saw all of a block and have other sums were
given different logs. A run of records with consecutive sequences and offsets is added in one step, whatever its length.

A block doubles in length once there are too many of them, so memory does not grow with the log. Readers keep which
offsets they have observed, and sum an offset that they are given again only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafka_load.ledger.spans import (
    EMPTY,
    Spans,
    SpanSet,
    difference,
    intersection,
    size,
    span,
    union,
)
from kafka_load.serialization import wired

READER_BLOCKS, PRODUCER_BLOCKS = 256, 32
FIRST_LENGTH = 1_024
_WORD = (1 << 64) - 1
_NO_BLOCKS: NDArray[np.int64] = np.empty((0, 4), np.int64)


class Sums(NamedTuple):
    """A block's sums: how many records; which (`identity`); which of them at which offset (`place`); modulo 2⁶⁴."""

    records: int = 0
    identity: int = 0
    place: int = 0

    def plus(self, other: Sums) -> Sums:
        """The sums of both together."""
        return Sums(
            self.records + other.records, (self.identity + other.identity) & _WORD, (self.place + other.place) & _WORD
        )


@wired
@dataclass(frozen=True)
class Digest:
    """What an observer saw of one partition. `blocks` has rows of block, count, identity, place; `length` is theirs.

    `covered` are the offsets that it has observed, whatever they hold.
    """

    length: int = FIRST_LENGTH
    blocks: NDArray[np.int64] = field(default_factory=lambda: _NO_BLOCKS)
    covered: Spans = field(default_factory=lambda: EMPTY)

    def sums(self, length: int) -> dict[int, Sums]:
        """The sums of blocks of `length`, a multiple of its own."""
        ratio, found = length // self.length, dict[int, Sums]()
        for block, count, identity, place in self.blocks.tolist():
            one = Sums(count, identity & _WORD, place & _WORD)
            found[block // ratio] = found.get(block // ratio, Sums()).plus(one)
        return found


class GrowingDigest:
    """A `Digest` while it grows."""

    __slots__ = ("_at_most", "_blocks", "_covered", "_fresh", "_length")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._length = FIRST_LENGTH
        self._blocks: dict[int, list[int]] = {}  # count, identity, place
        self._covered = SpanSet()
        self._fresh: list[tuple[int, int]] = []

    def cover(self, start: int, end: int) -> None:
        """Offsets [start, end) are observed; what `observe` says from now on counts where they were not before."""
        self._fresh = self._covered.add(start, end)

    def observe(self, first: int, count: int, producer: int, sequence: int) -> None:
        """`records` records of a producer, from `sequence` on, lie at the offsets from `first` on."""
        for start, end in self._fresh:
            if start <= first and first + count <= end:
                self.add(first, count, producer, sequence)
            elif (low := max(start, first)) < (high := min(end, first + count)):
                self.add(low, high - low, producer, sequence + low - first)

    def add(self, first: int, count: int, producer: int, sequence: int) -> None:
        """As `observe`, wherever it is."""
        end, length = first + count, self._length
        known, linear, square = _weights(producer)
        weight = _mix(known ^ (sequence - first))
        while first < end:
            block = first // length
            stop = min(end, (block + 1) * length)
            after = sequence + stop - first
            # Sums of s and of s² over the sequences; each offset o weighs 2o + 1, so that records that change places
            # change the sum.
            identity = linear * (after * (after - 1) - sequence * (sequence - 1))
            identity += square * (
                (after - 1) * after * (2 * after - 1) - (sequence - 1) * sequence * (2 * sequence - 1)
            )
            sums = self._blocks.get(block)
            if sums is None:
                sums = self._blocks[block] = [0, 0, 0]
            sums[0] += stop - first
            sums[1] = (sums[1] + identity) & _WORD
            sums[2] = (sums[2] + weight * (stop * stop - first * first)) & _WORD
            first, sequence = stop, after
        while len(self._blocks) > self._at_most:
            self._coarsen()

    def _coarsen(self) -> None:
        self._length *= 2
        halves, self._blocks = self._blocks, {}
        for block, sums in halves.items():
            whole = self._blocks.setdefault(block // 2, [0, 0, 0])
            whole[:] = [whole[0] + sums[0], (whole[1] + sums[1]) & _WORD, (whole[2] + sums[2]) & _WORD]

    def freeze(self) -> Digest:
        """The state now."""
        rows = [(block, sums[0], *map(_signed, sums[1:])) for block, sums in sorted(self._blocks.items())]
        return Digest(self._length, np.array(rows, np.int64).reshape(-1, 4), self._covered.spans())


class Difference(NamedTuple):
    """Offsets [start, end) in which two observers saw different logs."""

    start: int
    end: int


@dataclass(frozen=True)
class Observed:
    """What several observers, such as the members of a group, saw together.

    `blocks` are the sums of the blocks that they saw completely; `differences` are those of them that two members saw
    differently.
    """

    blocks: Mapping[int, Sums]
    differences: tuple[Difference, ...] = ()


def common_length(digests: Iterable[Digest]) -> int:
    """The block length in which all of these can be compared."""
    return max((digest.length for digest in digests), default=FIRST_LENGTH)


def extent(digests: Iterable[Digest]) -> tuple[int, int]:
    """The lowest offset that any of these covers, and the one after the highest; (0, 0) if there is none."""
    covered = [digest.covered for digest in digests if len(digest.covered)]
    return min((int(c[0, 0]) for c in covered), default=0), max((int(c[-1, 1]) for c in covered), default=0)


def together(members: Sequence[Digest], length: int, bounds: tuple[int, int]) -> Observed:
    """Put the members of a group together, in blocks of `length`; offsets outside `bounds` hold nothing to be seen.

    Of a block that no member saw all of, the parts are added up if no offset is in two of them.
    """
    sums = [member.sums(length) for member in members]
    complete: dict[int, Sums] = {}
    differences = []
    for block in range(bounds[0] // length, -(-bounds[1] // length)):
        whole = span(max(bounds[0], block * length), min(bounds[1], (block + 1) * length))
        if not (wanted := size(whole)):
            continue
        seen = [size(intersection(member.covered, whole)) for member in members]
        full = [one.get(block, Sums()) for one, offsets in zip(sums, seen, strict=True) if offsets == wanted]
        if full:
            complete[block] = full[0]
            if any(differ(full[0], other, wanted) for other in full[1:]):
                differences.append(Difference(*whole[0].tolist()))
        elif sum(seen) == wanted and size(_all_covered(members, whole)) == wanted:
            parts = Sums()
            for one in sums:
                parts = parts.plus(one.get(block, Sums()))
            complete[block] = parts
    return Observed(complete, tuple(differences))


def _all_covered(members: Iterable[Digest], whole: Spans) -> Spans:
    covered = EMPTY
    for member in members:
        covered = union(covered, intersection(member.covered, whole))
    return covered


def joined(first: Digest, second: Digest) -> Digest:
    """Both members' view, as one observer's: blocks that both saw in part, with the same offsets, are given up."""
    length = common_length((first, second))
    mine, other = first.sums(length), second.sums(length)
    blocks, covered = dict(mine), union(first.covered, second.covered)
    for block, sums in other.items():
        whole = span(block * length, (block + 1) * length)
        if block not in mine:
            blocks[block] = sums
        elif not size(intersection(intersection(first.covered, second.covered), whole)):
            blocks[block] = mine[block].plus(sums)
        elif size(intersection(first.covered, whole)) < size(intersection(covered, whole)):
            if size(intersection(second.covered, whole)) == size(intersection(covered, whole)):
                blocks[block] = sums
            else:
                del blocks[block]
                covered = difference(covered, whole)
    rows = [(block, sums.records, *map(_signed, sums[1:])) for block, sums in sorted(blocks.items())]
    return Digest(length, np.array(rows, np.int64).reshape(-1, 4), covered)


def differ(one: Sums, other: Sums, offsets: int) -> bool:
    """Whether two observers that saw all of a block of so many `offsets` were given different records at one of them.

    Where one was given fewer records, or others, the block proves nothing: they may have been removed before it came,
    and what is missing is found by its sequence. But the same records at other offsets, or other records where each
    offset holds one, leave no room for that.
    """
    if one.records != other.records or one.place == other.place:
        return False
    return one.identity == other.identity or one.records == offsets


def differences(one: Observed, other: Observed, length: int, bounds: tuple[int, int]) -> list[Difference]:
    """The blocks that both saw completely and differently."""
    found = []
    for block in sorted(one.blocks.keys() & other.blocks.keys()):
        start, end = max(bounds[0], block * length), min(bounds[1], (block + 1) * length)
        if differ(one.blocks[block], other.blocks[block], end - start):
            found.append(Difference(start, end))
    return found


def _mix(value: int) -> int:
    """A permutation of the 64-bit words without pattern (splitmix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _WORD  # of a negative number too
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)


@lru_cache(maxsize=4_096)
def _weights(producer: int) -> tuple[int, int, int]:
    return _mix(3 * producer), _mix(3 * producer + 1), _mix(3 * producer + 2)


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word
