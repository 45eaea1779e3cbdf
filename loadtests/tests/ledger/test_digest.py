"""Sums over blocks of offsets: equal for observers of one log, however they read it, and different for others."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka_load.ledger.digest import (
    FIRST_LENGTH,
    READER_BLOCKS,
    Difference,
    Digest,
    GrowingDigest,
    common_length,
    differences,
    extent,
    joined,
    together,
)
from kafka_load.serialization import pack, unpack


@dataclass(frozen=True)
class Record:
    producer: int
    sequence: int


Log = dict[int, Record]


def log_of(count: int, seed: int = 1, markers: int = 0) -> Log:
    """A log of two producers in stretches of one to nine records; each `markers`-th offset holds none."""
    chance, log, sent = random.Random(seed), Log(), {1: 0, 2: 0}
    producer = 1
    while len(log) < count:
        producer = 3 - producer
        for _ in range(chance.randint(1, 9)):
            offset = 5_000 + len(log)
            log[offset] = Record(0, 0) if markers and offset % markers == 0 else Record(producer, sent[producer])
            sent[producer] += log[offset].producer != 0
    return log


def read(log: Log, *sessions: tuple[int, int], at_most: int = READER_BLOCKS) -> Digest:
    """What a reader sees that is delivered the offsets [start, end) of each session one by one."""
    digest = GrowingDigest(at_most)
    for start, end in sessions:
        for offset in range(start, end):
            digest.cover(offset, offset + 1)
            if offset in log and log[offset].producer:
                digest.observe(offset, 1, log[offset].producer, log[offset].sequence)
    return digest.freeze()


def found(*groups: list[Digest]) -> list[Difference]:
    """What differs between the groups, and within each."""
    digests = [member for group in groups for member in group]
    length, bounds = common_length(digests), extent(digests)
    seen = [together(group, length, bounds) for group in groups]
    own = [difference for one in seen for difference in one.differences]
    return own + [difference for other in seen[1:] for difference in differences(seen[0], other, length, bounds)]


def whole(log: Log) -> tuple[int, int]:
    return min(log), max(log) + 1


def swapped(log: Log, one: int, other: int) -> Log:
    return {**log, one: log[other], other: log[one]}


@pytest.mark.parametrize("markers", [0, 50])
def test_readers_of_one_log_agree_however_it_was_handed_to_them(markers: int) -> None:
    log = log_of(20_000, markers=markers)
    start, end = whole(log)
    long = GrowingDigest(READER_BLOCKS)
    offset = start
    while offset < end:  # in stretches that are as long as they can be
        first, count = log[offset], 1
        while (offset + count) in log and log[offset + count] == Record(first.producer, first.sequence + count):
            count += 1
        long.cover(offset, offset + count)
        if first.producer:
            long.observe(offset, count, first.producer, first.sequence)
        offset += count
    shared = [read(log, (start, start + 7_000)), read(log, (start + 7_000, end))]
    again = [read(log, (start, start + 9_000), (start + 8_000, end))]
    coarse = [read(log, (start, end), at_most=3)]
    assert found([long.freeze()], shared, again, coarse) == []
    assert coarse[0].length > FIRST_LENGTH


@settings(max_examples=40)
@given(st.integers(0, 2_999), st.integers(1, 2_999), st.integers(0, 5))
def test_two_records_that_change_places_are_found(place: int, distance: int, seed: int) -> None:
    log = log_of(3_000, seed)
    start, end = whole(log)
    other = swapped(log, start + place, start + (place + distance) % 3_000)
    differing = found([read(log, (start, end))], [read(other, (start, end))])
    assert differing
    assert all(difference.start <= start + place or difference.end > start + place for difference in differing)


def test_another_record_at_one_offset_is_found_where_each_offset_holds_one() -> None:
    log = log_of(3_000)
    start, end = whole(log)
    other = {**log, start + 1_500: Record(3, 0)}
    [difference] = found([read(log, (start, end))], [read(other, (start, end))])
    assert difference.start <= start + 1_500 < difference.end
    assert difference.end - difference.start <= FIRST_LENGTH


def test_a_log_that_was_cut_off_and_written_anew_differs_from_where_it_was_cut() -> None:
    log = log_of(6_000)
    start, end = whole(log)
    cut = start + 4_000
    rest = {offset: log[offset + 1] for offset in range(cut, end - 1)}  # without the record that was there
    after = {**{offset: log[offset] for offset in range(start, cut)}, **rest, end - 1: Record(3, 0)}
    differing = found([read(log, (start, end))], [read(after, (start, end))])
    assert min(difference.start for difference in differing) > cut - FIRST_LENGTH
    assert max(difference.end for difference in differing) == end


def test_members_of_one_group_that_saw_different_logs_are_found() -> None:
    log = log_of(3_000)
    start, end = whole(log)
    other = swapped(log, start + 100, start + 2_000)
    assert found([read(log, (start, end)), read(other, (start, end))])


def test_records_that_were_removed_before_a_group_came_are_no_difference() -> None:
    log = log_of(6_000)
    start, end = whole(log)
    later = {offset: record for offset, record in log.items() if offset >= start + 3_500 and offset % 7}
    assert found([read(log, (start, end))], [read(later, (start, end))], [read(log, (start + 3_500, end))]) == []


def test_what_two_members_both_read_in_part_is_not_compared() -> None:
    log = log_of(6_000)
    start, end = whole(log)
    members = [read(log, (start, start + 3_000)), read(log, (start + 2_900, end))]
    assert found(members, [read(log, (start, end))]) == []
    length, bounds = FIRST_LENGTH, (start, end)
    assert len(together(members, length, bounds).blocks) == -(-end // length) - start // length - 1


def test_members_that_left_are_folded_without_loss_but_for_what_both_read_in_part() -> None:
    log = log_of(6_000)
    start, end = whole(log)
    other = swapped(log, start + 100, start + 300)
    cuts = [(start, start + 2_000), (start + 2_000, start + 4_000), (start + 4_000, end)]
    first, second, third = (read(log, cut) for cut in cuts)
    folded = joined(joined(first, second), third)
    assert found([folded], [read(log, (start, end))]) == []
    assert found([folded], [read(other, (start, end))]) != []
    overlapping = joined(read(log, (start, start + 3_000)), read(log, (start + 2_900, end)))
    assert found([overlapping], [read(log, (start, end))]) == []
    assert found([overlapping], [read(other, (start, end))]) != []


def test_memory_is_flat_and_a_message_carries_it() -> None:
    digest = GrowingDigest(READER_BLOCKS)
    for number in range(20_000):
        digest.cover(number * 5_000, (number + 1) * 5_000)
        digest.observe(number * 5_000, 5_000, 1 + number % 2, number // 2 * 5_000)
    frozen = digest.freeze()
    assert len(frozen.blocks) <= READER_BLOCKS
    assert frozen.covered.tolist() == [[0, 10**8]]
    again = unpack(pack(frozen))
    assert (again.length, again.blocks.tolist()) == (frozen.length, frozen.blocks.tolist())
