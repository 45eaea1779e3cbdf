"""Logs that differ: two groups that were given different records at one offset, and an acknowledged offset that holds
another record than the one that was acknowledged there. Kafka promises one log for all, so neither may happen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kafka_load.ledger.digest import (
    Difference,
    Digest,
    Sums,
    common_length,
    differ,
    differences,
    extent,
    together,
)
from kafka_load.ledger.findings import Anomaly, TopicPartition
from kafka_load.ledger.producer_account import StreamAccount
from kafka_load.ledger.snapshot import ReaderSnapshot, Stream
from kafka_load.run.topic_changes import Truncation

DIVERGED = "diverged"
_OTHER = "an offset was acknowledged for another record than the group was given there"
_PLACED: NDArray[np.int64] = np.empty((0, 4), np.int64)  # first, last, producer, sequence at `first`


def diverged(
    groups: Mapping[str, Sequence[ReaderSnapshot]],
    accounts: Mapping[Stream, StreamAccount],
    ignored: Collection[str] = (),
    truncations: Mapping[TopicPartition, Truncation] = MappingProxyType({}),
) -> list[Anomaly]:
    """All that shows that `groups` (their members by name) and producers did not see the same logs.

    `ignored` are topics that were deleted and made again, whose logs are others by right. `truncations` are logs that
    were cut off: a record that had been acknowledged behind the cut is not in the log any more.
    """
    found: list[Anomaly] = []
    seen = {tp for members in groups.values() for member in members for tp in member.digests}
    for tp in sorted(tp for tp in seen if tp[0] not in ignored):
        own = {stream: account for stream, account in accounts.items() if stream[:2] == tp}
        digests = {group: [m.digests[tp] for m in members if tp in m.digests] for group, members in groups.items()}
        readers = {group: members for group, members in digests.items() if members}
        found += _between_groups(tp, readers, [account.places for account in own.values()])
        for group, members in groups.items():
            found += _acknowledged_elsewhere(tp, group, members, own)
    for tp, cut in truncations.items():
        readers_of = [name for name, members in groups.items() if any(tp[0] in member.topics for member in members)]
        found += [one for group in readers_of for one in _cut_off(tp, group, cut, accounts)]
    return found


def _cut_off(
    tp: TopicPartition, group: str, cut: Truncation, accounts: Mapping[Stream, StreamAccount]
) -> Iterator[Anomaly]:
    """Acknowledgements of which the offset is known, at offsets that were cut off afterwards."""
    for stream, account in accounts.items():
        if stream[:2] == tp:
            offset, at_ns = account.marks[:, 1], account.marks[:, 2]
            for mark in np.flatnonzero((offset >= cut.after) & (offset < cut.before) & (at_ns < cut.at_ns)).tolist():
                note = (
                    f"acknowledged there, and then the log was cut off: it ended at {cut.before}, then at {cut.after}"
                )
                yield _anomaly(tp, group, int(offset[mark]), note, stream[2], int(account.marks[mark, 0]))


def _between_groups(tp: TopicPartition, groups: Mapping[str, list[Digest]], places: list[Digest]) -> Iterator[Anomaly]:
    """Blocks of offsets of which observers have different sums."""
    members = [digest for digests in groups.values() for digest in digests]
    length, bounds = common_length([*members, *places]), extent(members)
    seen = {group: together(digests, length, bounds) for group, digests in groups.items()}
    for group, one in seen.items():
        for difference in one.differences:
            yield _in_block(tp, group, difference, "members of the group were given different records")
    for (group, one), (other, two) in combinations(sorted(seen.items()), 2):
        for difference in differences(one, two, length, bounds):
            for name in (group, other):
                yield _in_block(tp, name, difference, f"{group} and {other} were given different records")
    acknowledged: dict[int, Sums] = {}
    for digest in places:
        for block, sums in digest.sums(length).items():
            acknowledged[block] = acknowledged.get(block, Sums()).plus(sums)
    for block, sums in acknowledged.items():
        whole = Difference(block * length, (block + 1) * length)
        for group, one in seen.items():
            if sums.records > length:
                yield _in_block(tp, group, whole, f"{sums.records} records were acknowledged in {length} offsets")
            elif block in one.blocks and differ(sums, one.blocks[block], length):
                yield _in_block(tp, group, whole, _OTHER)


def _in_block(tp: TopicPartition, group: str, where: Difference, why: str) -> Anomaly:
    note = f"{why}, at one or more of the offsets from {where.start} to {where.end - 1}"
    return _anomaly(tp, group, where.start, note)


def _anomaly(
    tp: TopicPartition, group: str, offset: int, note: str, producer: int | None = None, sequence: int | None = None
) -> Anomaly:
    return Anomaly(DIVERGED, group, *tp, offset, producer, sequence, 1, 0, note)


def _acknowledged_elsewhere(
    tp: TopicPartition, group: str, members: Sequence[ReaderSnapshot], accounts: Mapping[Stream, StreamAccount]
) -> Iterator[Anomaly]:
    """Acknowledgements of which the offset is known, where a member was given another record at that offset."""
    placed = _placed(tp, members)
    if not len(placed):
        return
    for stream, account in accounts.items():
        sequence, offset = account.marks[:, 0], account.marks[:, 1]
        at = np.searchsorted(placed[:, 0], offset, side="right") - 1
        there = (at >= 0) & (offset <= placed[at, 1])
        other = (placed[at, 2] != stream[2]) | (placed[at, 3] + offset - placed[at, 0] != sequence)
        for mark in np.flatnonzero(there & other).tolist():
            first, _, producer, begin = placed[at[mark]].tolist()
            where = int(offset[mark])
            note = (
                f"acknowledged for sequence {sequence[mark]} of producer {stream[2]}, and the group was given sequence"
                f" {begin + where - first} of producer {producer} there"
            )
            yield _anomaly(tp, group, where, note, stream[2], int(sequence[mark]))


def _placed(tp: TopicPartition, members: Sequence[ReaderSnapshot]) -> NDArray[np.int64]:
    """The runs of which each record's offset is known: those without other producers' records in between."""
    tables = []
    for member in members:
        for stream, log in member.streams.items():
            if stream[:2] != tp or stream[2] < 0:
                continue
            runs = log.runs
            dense = runs[runs[:, 1] - runs[:, 0] + 1 == runs[:, 3]]
            tables.append(np.stack([dense[:, 0], dense[:, 1], np.full(len(dense), stream[2]), dense[:, 2]], axis=1))
    if not tables:
        return _PLACED
    table = np.concatenate(tables)
    return np.asarray(table[np.argsort(table[:, 0], kind="stable")], np.int64)
