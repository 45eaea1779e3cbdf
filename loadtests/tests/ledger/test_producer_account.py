"""What a producer knows of its records: what became of each, and between which offsets it can lie."""

from __future__ import annotations

import numpy as np
import pytest
from kafka_load.clock import MILLISECOND, SECOND
from kafka_load.ledger.digest import FIRST_LENGTH
from kafka_load.ledger.producer_account import NOTHING, Account, StreamAccount, total
from kafka_load.ledger.spans import EMPTY, span


def marked(*marks: tuple[int, int, int]) -> StreamAccount:
    return StreamAccount(40, span(0, 40), EMPTY, EMPTY, np.array(marks, np.int64).reshape(-1, 3))


@pytest.mark.parametrize(
    ("sequence", "lowest", "highest"),
    [(0, 0, 95), (4, 0, 99), (5, 100, 114), (6, 101, 115), (14, 109, 123), (15, 124, None), (39, 148, None)],
)
def test_a_record_lies_between_the_known_ones_before_and_behind_it(
    sequence: int, lowest: int, highest: int | None
) -> None:
    assert marked((5, 100, 1), (15, 124, 3)).offsets_around(sequence) == (lowest, highest)


def test_of_a_record_nothing_is_known_where_no_offset_is() -> None:
    assert marked().offsets_around(7) == (0, None)
    assert marked().acknowledged_at(7) == 0
    assert NOTHING.sent == 0
    assert NOTHING.indeterminate.tolist() == []


def test_a_record_was_acknowledged_about_when_its_neighbours_were() -> None:
    account = marked((5, 100, 1_000), (15, 124, 3_000))
    assert [account.acknowledged_at(sequence) for sequence in (0, 5, 10, 15, 20)] == [1_000, 1_000, 2_000, 3_000, 3_000]


def test_what_has_neither_succeeded_nor_failed_for_certain_is_indeterminate() -> None:
    account = Account()
    account.sent = 10
    account.acknowledge(0, 3, 100, 1)
    account.acknowledge(4, 5, None, 1)
    account.failed.add(5, 6)
    account.aborted.add(8, 9)
    assert account.indeterminate == 4
    frozen = account.freeze()
    assert frozen.indeterminate.tolist() == [[3, 4], [6, 8], [9, 10]]
    assert (frozen.acknowledged.tolist(), frozen.failed.tolist(), frozen.aborted.tolist()) == (
        [[0, 3], [4, 5]],
        [[5, 6]],
        [[8, 9]],
    )
    assert total([frozen, frozen]) == (8, 2, 8, 2)
    assert total([]) == (0, 0, 0, 0)


def test_an_offset_is_kept_every_fifty_milliseconds() -> None:
    account = Account()
    for number in range(200):
        account.acknowledge(number, number + 1, 100 + number, number * 10 * MILLISECOND)
    marks = account.freeze().marks
    assert marks[:3].tolist() == [[0, 100, 0], [5, 105, 50 * MILLISECOND], [10, 110, 100 * MILLISECOND]]
    assert len(marks) == 40


def test_an_acknowledgement_without_an_offset_is_no_mark_and_the_next_one_is() -> None:
    account = Account()
    account.acknowledge(0, 5, None, 0)
    account.acknowledge(5, 6, 0, 1)
    account.acknowledge(6, 7, 1, 2)
    assert account.freeze().marks.tolist() == [[5, 0, 1]]


def test_however_long_a_run_is_a_few_hundred_offsets_are_kept_all_along() -> None:
    account = Account()
    for second in range(10_000):
        account.acknowledge(second, second + 1, 3 * second, second * SECOND)
    marks = account.freeze().marks
    assert 128 <= len(marks) <= 257
    assert marks[0].tolist() == [0, 0, 0]
    assert marks[-1, 0] > 9_800
    assert (marks[:, 1] == 3 * marks[:, 0]).all()
    assert (marks[:, 2] == marks[:, 0] * SECOND).all()
    steps = np.diff(marks[:, 0])
    assert steps.max() <= 2 * steps.min()


def test_offsets_are_kept_as_far_apart_as_before_when_acknowledgements_come_faster() -> None:
    """One a second until there are too many of them, then one a millisecond; the clock counts from 1970."""
    account, start = Account(), 1_735_689_600 * SECOND + 123_456_789
    for number in range(257):
        account.acknowledge(number, number + 1, number, start + number * SECOND)
    for number in range(257, 10_257):
        account.acknowledge(number, number + 1, number, start + 256 * SECOND + (number - 256) * MILLISECOND)
    times = account.freeze().marks[:, 2]
    assert times.tolist() == [start + second * SECOND for second in range(0, 267, 2)]


def test_nothing_is_known_of_a_stream_without_records() -> None:
    assert Account().freeze().sent == Account().indeterminate == 0


def test_where_the_broker_said_that_records_lie_is_told() -> None:
    account = Account()
    account.places.add(first=100, count=3, producer=1, sequence=0)
    assert account.freeze().places.sums(FIRST_LENGTH)[0].records == 3


def test_what_was_acknowledged_out_of_order_is_put_in_order_by_sequence() -> None:
    account = Account()
    for number, (sequence, offset) in enumerate([(0, 100), (7, 104), (3, 107), (9, 110)]):
        account.acknowledge(sequence, sequence + 1, offset, number * SECOND)
    assert account.freeze().marks.tolist() == [
        [0, 100, 0],
        [3, 107, 2 * SECOND],
        [7, 104, 1 * SECOND],
        [9, 110, 3 * SECOND],
    ]


def test_what_is_added_later_does_not_change_what_was_told() -> None:
    account = Account()
    account.sent = 2
    account.acknowledge(0, 1, 100, 0)
    before = account.freeze()
    account.acknowledge(1, 2, 101, SECOND)
    assert (before.marks.tolist(), before.acknowledged.tolist()) == ([[0, 100, 0]], [[0, 1]])
    assert before.sent == 2
