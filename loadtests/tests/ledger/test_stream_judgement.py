"""What a group saw of one stream: which records twice, which out of order, and which it is owed."""

from __future__ import annotations

import numpy as np
import pytest
from kafka_load.ledger.producer_account import Account, StreamAccount
from kafka_load.ledger.runs import NONE, Runs
from kafka_load.ledger.spans import EMPTY, Spans
from kafka_load.ledger.stream_judgement import Observed, SequenceRange, missing, scan_runs

Row = tuple[int, int, int, int, int]  # first and last offset, first sequence, how many, when


def scan(*rows: Row, ordered: bool = True) -> Observed:
    runs: Runs = np.array(rows, np.int64).reshape(-1, 5)
    return scan_runs(runs, ordered)


def test_a_stream_that_was_not_seen_has_nothing() -> None:
    observed = scan_runs(NONE, ordered=True)
    assert (observed.seen.tolist(), observed.duplicated, observed.reordered) == ([], [], [])


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ([(10, 14, 0, 5, 1)], [[0, 5]]),
        ([(10, 14, 0, 5, 1), (20, 24, 5, 5, 2)], [[0, 10]]),
        ([(10, 14, 0, 5, 1), (20, 24, 6, 5, 2)], [[0, 5], [6, 11]]),
        ([(10, 14, 0, 5, 1), (20, 24, 6, 5, 2), (30, 30, 11, 1, 3), (40, 41, 20, 2, 4)], [[0, 5], [6, 12], [20, 22]]),
    ],
)
def test_ascending_runs_are_joined_where_no_record_is_missing(rows: list[Row], seen: list[list[int]]) -> None:
    observed = scan(*rows)
    assert (observed.seen.tolist(), observed.duplicated, observed.reordered) == (seen, [], [])


def test_what_comes_again_at_higher_offsets_is_a_duplicate_and_what_is_new_in_between_is_reordered() -> None:
    """The second run has 2 and 3 for the first time, 4 to 6 again, and 7 behind 6 where it belongs."""
    observed = scan((10, 11, 0, 2, 1), (12, 14, 4, 3, 2), (15, 20, 2, 6, 3))
    assert observed.seen.tolist() == [[0, 8]]
    assert observed.duplicated == [SequenceRange(4, 3, 17, 3)]
    assert observed.reordered == [SequenceRange(2, 2, 15, 3)]


def test_a_long_run_behind_a_short_one_is_looked_at_too() -> None:
    observed = scan((10, 10, 5, 1, 1), (20, 29, 0, 10, 2))
    assert observed.seen.tolist() == [[0, 10]]
    assert observed.duplicated == [SequenceRange(5, 1, 25, 2)]
    assert observed.reordered == [SequenceRange(0, 5, 20, 2)]


def test_a_run_may_begin_and_end_with_what_was_there_already() -> None:
    observed = scan((10, 14, 0, 5, 1), (15, 18, 8, 4, 2), (20, 29, 3, 7, 3))
    assert observed.seen.tolist() == [[0, 12]]
    assert [(one.sequence, one.length) for one in observed.duplicated] == [(3, 2), (8, 2)]
    assert [(one.sequence, one.length) for one in observed.reordered] == [(5, 3)]


def test_where_other_records_lie_in_between_the_offset_of_the_first_and_the_last_is_known_alone() -> None:
    observed = scan((10, 19, 0, 5, 1), (30, 39, 3, 4, 2))
    assert observed.duplicated == [SequenceRange(3, 2, 30, 2)]
    observed = scan((10, 19, 4, 2, 1), (30, 39, 3, 4, 2))
    assert observed.duplicated == [SequenceRange(4, 2, None, 2)]
    assert observed.reordered == [SequenceRange(3, 1, 30, 2)]


def test_a_copy_of_a_record_that_was_the_last_one_is_no_change_of_order() -> None:
    observed = scan((10, 14, 0, 5, 1), (15, 15, 4, 1, 2), (16, 17, 5, 2, 3))
    assert (observed.duplicated, observed.reordered) == ([SequenceRange(4, 1, 15, 2)], [])


def test_what_comes_behind_the_highest_seen_is_in_order_even_after_a_step_back() -> None:
    observed = scan((10, 14, 5, 5, 1), (15, 16, 0, 2, 2), (17, 19, 10, 3, 3), (20, 20, 4, 1, 4))
    assert observed.reordered == [SequenceRange(0, 2, 15, 2), SequenceRange(4, 1, 20, 4)]


def test_a_share_group_has_no_order() -> None:
    observed = scan((10, 11, 4, 2, 1), (12, 15, 2, 4, 2), ordered=False)
    assert (observed.duplicated, observed.reordered) == ([SequenceRange(4, 2, 14, 2)], [])


def owed(acknowledged: list[tuple[int, int]], sent: int = 10) -> StreamAccount:
    account = Account()
    account.sent = sent
    for start, end in acknowledged:
        account.acknowledge(start, end, None, 0)
    return account.freeze()


@pytest.mark.parametrize(
    ("seen", "final", "from_start", "expected"),
    [
        ([[0, 2], [5, 7]], True, True, [[2, 4], [7, 9]]),
        ([[0, 2], [5, 7]], False, True, [[2, 4]]),
        ([[2, 3], [5, 7]], True, False, [[3, 4], [7, 9]]),
        ([[2, 3], [5, 7]], False, False, [[3, 4]]),
        ([[2, 3], [5, 7]], True, True, [[0, 2], [3, 4], [7, 9]]),
        ([], True, True, [[0, 4], [5, 9]]),
        ([], False, True, []),
        ([], True, False, []),
        ([], False, False, []),
    ],
)
def test_a_group_is_owed_what_was_acknowledged_between_where_it_began_and_where_it_has_come(
    seen: list[list[int]], final: bool, from_start: bool, expected: list[list[int]]
) -> None:
    """Sequences 4 and 9 were sent and are of unknown fate."""
    spans: Spans = np.array(seen, np.int64).reshape(-1, 2) if seen else EMPTY
    assert missing(owed([(0, 4), (5, 9)]), spans, final, from_start).tolist() == expected
