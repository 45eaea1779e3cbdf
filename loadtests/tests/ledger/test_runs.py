"""Runs of one stream put together: what readers saw twice, what they saw differently, and how little is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.ledger import runs as module
from kafka_load.ledger.runs import NONE, Merged, Run, RunLog, merge

Row = tuple[int, int, int, int, int]  # first and last offset, first sequence, how many, when


def merged(*rows: Row) -> Merged:
    return merge(np.array(rows, np.int64).reshape(-1, 5))


def test_the_offset_of_each_record_is_known_where_no_other_lies_in_between() -> None:
    dense, sparse = Run(100, 104, 7, 5, 1), Run(100, 105, 7, 5, 1)
    assert (dense.end, dense.dense, sparse.dense) == (12, True, False)
    assert [dense.offset_of(sequence) for sequence in (7, 9, 11)] == [100, 102, 104]
    assert [sparse.offset_of(sequence) for sequence in (7, 9, 11)] == [100, None, 105]


@pytest.mark.parametrize(
    ("later", "contradicts"),
    [
        (Run(105, 109, 0, 5, 2), False),
        (Run(104, 108, 0, 5, 2), True),
        (Run(102, 106, 2, 5, 2), False),
        (Run(102, 106, 3, 5, 2), True),
        (Run(102, 109, 2, 5, 2), False),
        (Run(102, 109, 0, 5, 2), False),
        (Run(102, 109, 4, 5, 2), False),
        (Run(102, 109, 5, 5, 2), True),
        (Run(104, 109, 9, 5, 2), True),
    ],
)
def test_two_runs_contradict_each_other_where_they_show_other_records_at_the_same_offsets(
    later: Run, contradicts: bool
) -> None:
    """The earlier one has the sequences 0 to 4 at 100 to 104."""
    assert later.contradicts(Run(100, 104, 0, 5, 1)) is contradicts


def test_what_a_sparse_run_began_with_may_be_anywhere_in_it() -> None:
    assert not Run(102, 103, 4, 2, 2).contradicts(Run(100, 109, 0, 5, 1))
    assert Run(102, 103, 5, 2, 2).contradicts(Run(100, 109, 0, 5, 1))


def test_runs_apart_stay_apart_in_the_order_of_their_offsets() -> None:
    found = merged((200, 204, 5, 5, 2), (100, 104, 0, 5, 1))
    assert found.runs.tolist() == [[100, 104, 0, 5, 1], [200, 204, 5, 5, 2]]
    assert (found.again, found.contradictions) == ([], [])
    assert merge(NONE).runs.tolist() == []


def test_a_run_that_goes_on_where_another_ended_is_one_with_it() -> None:
    assert merged((105, 109, 5, 5, 2), (100, 104, 0, 5, 1)).runs.tolist() == [[100, 109, 0, 10, 1]]
    apart = [[100, 104, 0, 5, 1], [105, 109, 6, 5, 2]]
    assert merged((105, 109, 6, 5, 2), (100, 104, 0, 5, 1)).runs.tolist() == apart
    assert merged((100, 104, 0, 5, 1), (105, 109, 5, 5, 2), (110, 111, 10, 2, 3)).runs.tolist() == [
        [100, 111, 0, 12, 1]
    ]


def test_what_several_readers_were_given_is_told_and_kept_once() -> None:
    found = merged((100, 104, 0, 5, 1), (103, 107, 3, 5, 2), (105, 106, 5, 2, 3))
    assert found.runs.tolist() == [[100, 107, 0, 8, 1]]
    assert found.again == [(103, 3, 2, 2), (105, 5, 2, 3)]
    found = merged((100, 104, 0, 5, 1), (100, 104, 0, 5, 2), (100, 102, 0, 3, 3))
    assert (found.runs.tolist(), found.again) == ([[100, 104, 0, 5, 1]], [(100, 0, 5, 2), (100, 0, 3, 3)])
    found = merged((100, 102, 0, 3, 1), (100, 109, 0, 10, 2))
    assert (found.runs.tolist(), found.again) == ([[100, 109, 0, 10, 2]], [(100, 0, 3, 1)])


def test_overlaps_with_other_producers_in_between_are_counted_by_their_sequences() -> None:
    found = merged((100, 119, 0, 10, 1), (110, 129, 5, 10, 2))
    assert (found.runs.tolist(), found.again) == ([[100, 129, 0, 15, 1]], [(110, 5, 5, 2)])


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 9), st.integers(0, 3), st.sampled_from([0, 0, 0, 7])), max_size=40
    )
)
def test_many_runs_are_put_together_as_few_are(shapes: list[tuple[int, int, int, int]]) -> None:
    """Runs at any offsets, some with others' records in between and some that contradict the rest."""
    rows = [
        (at, at + length - 1 + spread, at + shift, length, n) for n, (at, length, spread, shift) in enumerate(shapes)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", len(rows))
        few = merged(*rows)
        patch.setattr(module, "FEW", 0)
        many = merged(*rows)
    assert many.runs.tolist() == few.runs.tolist()
    assert (many.again, many.contradictions) == (few.again, few.contradictions)


def test_members_that_take_turns_have_one_run_together() -> None:
    turns = [(10 * turn, 10 * turn + 9, 10 * turn, 10, turn) for turn in range(1_000)]
    assert merged(*turns).runs.tolist() == [[0, 9_999, 0, 10_000, 0]]
    again = (500, 504, 500, 5, 7)
    found = merged(*turns[::2], *turns[1::2], again)
    assert (found.runs.tolist(), found.again) == ([[0, 9_999, 0, 10_000, 0]], [(500, 500, 5, 7)])


def test_what_goes_on_behind_a_contradiction_does_not_hide_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 0)
    found = merged((100, 109, 0, 10, 1), (105, 112, 4, 8, 2), (113, 120, 12, 4, 3))
    assert found.contradictions == [(105, 4, 5, 2)]


def test_where_the_log_has_changed_both_are_kept_and_the_difference_is_told() -> None:
    """It was cut off at 103 and written anew."""
    found = merged((100, 106, 0, 7, 1), (103, 109, 7, 7, 2))
    assert found.runs.tolist() == [[100, 106, 0, 7, 1], [103, 109, 7, 7, 2]]
    assert (found.again, found.contradictions) == ([], [(103, 7, 4, 2)])


def test_a_contradiction_within_a_longer_run_leaves_that_to_be_compared_further() -> None:
    found = merged((100, 109, 0, 10, 1), (103, 104, 50, 2, 2), (108, 111, 8, 4, 3))
    assert found.runs.tolist() == [[100, 111, 0, 12, 1], [103, 104, 50, 2, 2]]
    assert (found.again, found.contradictions) == ([(108, 8, 2, 3)], [(103, 50, 2, 2)])
    found = merged((100, 109, 0, 10, 1), (103, 109, 50, 7, 2), (110, 111, 10, 2, 3))
    assert found.runs.tolist() == [[100, 111, 0, 12, 1], [103, 109, 50, 7, 2]]


def test_of_a_contradiction_with_other_producers_in_between_one_record_is_certain() -> None:
    assert merged((100, 109, 0, 5, 1), (103, 112, 50, 10, 2)).contradictions == [(103, 50, 1, 2)]
    assert merged((100, 109, 0, 10, 1), (103, 113, 50, 10, 2)).contradictions == [(103, 50, 1, 2)]


def test_a_reader_that_goes_on_keeps_one_run_however_it_is_told() -> None:
    log = RunLog()
    assert log.runs().tolist() == []
    for start in range(0, 1_000, 10):
        log.add(1, Run(2 * start, 2 * start + 18, start, 10, start))
    assert log.runs().tolist() == [[0, 1_998, 0, 1_000, 0]]
    assert (log.delivered, log.overflow) == (1_000, False)


def test_a_hole_or_another_session_begins_a_run() -> None:
    log = RunLog()
    log.add(1, Run(0, 8, 0, 5, 1))
    log.add(1, Run(20, 28, 6, 5, 2))
    log.add(2, Run(40, 48, 11, 5, 3))
    log.add(0, Run(60, 61, 16, 2, 4))
    assert log.runs().tolist() == [[0, 8, 0, 5, 1], [20, 28, 6, 5, 2], [40, 48, 11, 5, 3], [60, 61, 16, 2, 4]]
    assert log.runs().tolist() == log.runs().tolist(), "to be asked changes nothing"
    log.add(0, Run(62, 62, 18, 1, 5))
    assert log.runs().tolist()[-1] == [60, 62, 16, 3, 4]
    assert log.delivered == 18


def test_what_a_reader_reads_again_and_again_takes_no_room() -> None:
    log = RunLog()
    for session in range(10_000):
        log.add(session, Run(100, 109, 0, 10, session))
    assert log.runs().tolist() == [[100, 109, 0, 10, 0]]
    assert log.delivered == 100_000
    assert len(log._closed) < 5 * 256


def test_a_log_that_is_too_broken_is_not_followed_any_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 300)
    log = RunLog()
    for number in range(1_000):
        log.add(1, Run(10 * number, 10 * number, 2 * number, 1, number))
        assert log.overflow is (number >= 512)
    assert len(log.runs()) == 513
    assert log.delivered == 1_000
