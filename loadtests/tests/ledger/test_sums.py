"""Sums of blocks of offsets: what they hold, whose are put together, and when they prove a difference."""

from __future__ import annotations

import numpy as np
import pytest
from kafka_load.ledger.digest import (
    FIRST_LENGTH,
    PRODUCER_BLOCKS,
    READER_BLOCKS,
    Difference,
    Digest,
    GrowingDigest,
    Observed,
    Sums,
    common_length,
    differ,
    differences,
    extent,
    joined,
    together,
)

LAST = (1 << 64) - 1


def seen(*stretches: tuple[int, int], producer: int = 1, shift: int = 0, at_most: int = READER_BLOCKS) -> Digest:
    """An observer of these offsets, each of which holds the record whose sequence is the offset plus `shift`."""
    digest = GrowingDigest(at_most)
    for start, end in stretches:
        digest.cover(start, end)
        digest.observe(start, end - start, producer, start + shift)
    return digest.freeze()


def rows(digest: Digest) -> list[list[int]]:
    """Its blocks, each with how many records it holds."""
    return [[block, count] for block, count, *_ in digest.blocks.tolist()]


def test_sums_are_added_modulo_a_word() -> None:
    assert Sums(1, LAST, 5).plus(Sums(2, 3, LAST)) == Sums(3, 2, 4)


def test_each_block_counts_its_records() -> None:
    assert rows(seen((1_000, 2_100))) == [[0, 24], [1, 1_024], [2, 52]]
    assert rows(seen()) == []
    assert seen((5, 7), (7, 9), (20, 30)).covered.tolist() == [[5, 9], [20, 30]]


def test_a_stretch_is_summed_as_its_records_one_by_one() -> None:
    whole, single = seen((1_000, 2_100)), seen(*((offset, offset + 1) for offset in range(1_000, 2_100)))
    assert whole.blocks.tolist() == single.blocks.tolist()


def test_a_record_that_is_read_again_is_summed_once() -> None:
    once = seen((10, 30))
    assert seen((10, 20), (5, 30), (10, 15)).blocks.tolist() == seen((5, 30)).blocks.tolist()
    assert seen((10, 30), (10, 30)).blocks.tolist() == once.blocks.tolist()
    assert seen((15, 20), (10, 30)).blocks.tolist() == once.blocks.tolist()


def test_only_what_a_stretch_shows_of_an_offset_range_is_summed() -> None:
    """Other producers' records lie before and behind."""
    digest = GrowingDigest(READER_BLOCKS)
    digest.cover(0, 100)
    digest.observe(40, 20, 1, 40)
    assert digest.freeze().blocks.tolist() == seen((40, 60)).blocks.tolist()
    digest.cover(50, 200)
    digest.observe(90, 20, 1, 90)
    assert digest.freeze().blocks.tolist() == seen((40, 60), (100, 110)).blocks.tolist()


@pytest.mark.parametrize(
    "other", [seen((0, 10), producer=2), seen((0, 10), shift=1), seen((1, 11)), seen((0, 10), producer=0)]
)
def test_other_records_have_other_sums(other: Digest) -> None:
    one, two = seen((0, 10)).sums(FIRST_LENGTH)[0], other.sums(FIRST_LENGTH)[0]
    assert one.records == two.records
    assert one.place != two.place


def test_the_same_records_at_other_offsets_have_the_same_identity() -> None:
    one, moved = seen((0, 10)).sums(FIRST_LENGTH)[0], seen((5, 15), shift=-5).sums(FIRST_LENGTH)[0]
    assert (one.records, one.identity) == (moved.records, moved.identity)
    assert one.place != moved.place


def test_blocks_double_in_length_once_there_are_too_many() -> None:
    for blocks in (4, 5, 8, 9):
        grown = seen((0, blocks * FIRST_LENGTH), at_most=4)
        length = FIRST_LENGTH * (1 if blocks == 4 else 2 if blocks <= 8 else 4)
        assert grown.length == length
        assert grown.sums(length) == seen((0, blocks * FIRST_LENGTH)).sums(length)
    assert (READER_BLOCKS, PRODUCER_BLOCKS) == (256, 32)


def test_observers_are_compared_in_the_longest_of_their_blocks() -> None:
    fine, coarse = seen((0, 9_000)), seen((0, 9_000), at_most=2)
    assert (common_length([]), common_length([fine, coarse])) == (FIRST_LENGTH, coarse.length)
    assert fine.sums(coarse.length) == coarse.sums(coarse.length)


def test_the_extent_is_from_the_lowest_to_the_highest_offset_that_was_seen() -> None:
    assert extent([]) == extent([Digest()]) == (0, 0)
    assert extent([seen((50, 60), (90, 95)), Digest(), seen((40, 45))]) == (40, 95)


def view(*members: Digest, bounds: tuple[int, int] = (0, 4_096)) -> Observed:
    return together(members, FIRST_LENGTH, bounds)


def test_a_block_is_complete_if_one_member_saw_all_of_it_or_several_each_a_part() -> None:
    whole = seen((0, 4_096)).sums(FIRST_LENGTH)
    assert view(seen((0, 4_096))) == Observed(whole)
    assert view(seen((0, 1_500)), seen((1_500, 4_096))) == Observed(whole)
    assert view(seen((0, 1_500)), seen((1_500, 2_048)), seen((2_048, 4_096))) == Observed(whole)
    assert view(seen((0, 1_500)), seen((1_501, 4_096))).blocks.keys() == {0, 2, 3}
    assert view(seen((0, 1_500)), seen((1_499, 4_096))).blocks.keys() == {0, 2, 3}
    assert view(seen((0, 1_300)), seen((1_200, 1_500)), seen((1_600, 4_096))).blocks.keys() == {0, 2, 3}
    assert view().blocks == {}


def test_outside_its_bounds_a_log_holds_nothing() -> None:
    assert view(seen((100, 1_500)), bounds=(100, 1_500)).blocks.keys() == {0, 1}
    assert view(seen((100, 1_500)), bounds=(99, 1_500)).blocks.keys() == {1}
    assert view(seen((100, 1_500)), bounds=(100, 1_501)).blocks.keys() == {0}
    assert view(seen((1_024, 2_048)), bounds=(1_024, 2_048)).blocks.keys() == {1}
    assert view(seen((5, 6)), bounds=(5, 5)).blocks == {}


def test_two_members_that_saw_all_of_a_block_differently_are_told() -> None:
    found = view(seen((100, 1_500)), seen((100, 1_500)), seen((100, 1_500), shift=7), bounds=(100, 1_500))
    assert found.differences == (Difference(100, 1_024), Difference(1_024, 1_500))
    assert view(seen((100, 1_500)), seen((100, 1_500)), bounds=(100, 1_500)).differences == ()


@pytest.mark.parametrize(
    ("one", "other", "offsets", "proven"),
    [
        (Sums(5, 1, 1), Sums(5, 1, 1), 9, False),
        (Sums(5, 1, 1), Sums(5, 1, 2), 9, True),
        (Sums(5, 1, 1), Sums(5, 2, 2), 9, False),
        (Sums(5, 1, 1), Sums(5, 2, 2), 5, True),
        (Sums(5, 1, 1), Sums(4, 1, 2), 9, False),
        (Sums(5, 1, 1), Sums(4, 2, 2), 5, False),
    ],
    ids=["equal", "moved", "one may be missing", "no room for that", "fewer", "fewer where all are full"],
)
def test_sums_prove_a_difference_where_nothing_else_explains_it(
    one: Sums, other: Sums, offsets: int, proven: bool
) -> None:
    assert differ(one, other, offsets) is proven
    assert differ(other, one, offsets) is (proven and one.records == other.records)


def test_blocks_that_only_one_saw_completely_are_not_compared() -> None:
    one, other = view(seen((0, 3_000))), view(seen((0, 1_500), shift=7), seen((2_048, 4_096), shift=7))
    assert differences(one, other, FIRST_LENGTH, (0, 4_096)) == [Difference(0, 1_024)]
    full, shifted = view(seen((0, 4_096))), view(seen((0, 4_096), shift=7))
    assert differences(full, shifted, FIRST_LENGTH, (0, 4_096)) == [
        Difference(start, start + 1_024) for start in range(0, 4_096, 1_024)
    ]
    assert differences(full, full, FIRST_LENGTH, (0, 4_096)) == []


def test_a_difference_ends_with_the_log() -> None:
    one, other = (view(seen((100, 1_500), shift=by), bounds=(100, 1_500)) for by in (0, 7))
    assert differences(one, other, FIRST_LENGTH, (100, 1_500)) == [Difference(100, 1_024), Difference(1_024, 1_500)]


def test_two_members_views_are_joined_block_by_block() -> None:
    apart = joined(seen((0, 1_500)), seen((1_500, 4_096)))
    assert apart.blocks.tolist() == seen((0, 4_096)).blocks.tolist()
    assert apart.covered.tolist() == [[0, 4_096]]
    contained = seen((1_100, 1_200)), seen((1_024, 2_048))
    for first, second in (contained, contained[::-1]):
        both = joined(first, second)
        assert (both.blocks.tolist(), both.covered.tolist()) == (contained[1].blocks.tolist(), [[1_024, 2_048]])
    assert joined(contained[0], Digest()).blocks.tolist() == contained[0].blocks.tolist()


def test_a_block_that_both_saw_in_part_with_the_same_offsets_is_given_up() -> None:
    both = joined(seen((0, 1_500)), seen((1_400, 4_096)))
    assert rows(both) == [[0, 1_024], [2, 1_024], [3, 1_024]]
    assert both.covered.tolist() == [[0, 1_024], [2_048, 4_096]]


def test_views_in_blocks_of_two_lengths_are_joined_in_the_longer() -> None:
    fine, coarse = seen((0, 2_048)), seen((2_048, 9_000), at_most=4)
    assert (fine.length, coarse.length) == (1_024, 2_048)
    for first, second in ((fine, coarse), (coarse, fine)):
        both = joined(first, second)
        assert both.length == 2_048
        assert np.array_equal(both.blocks, seen((0, 9_000), at_most=5).blocks)
