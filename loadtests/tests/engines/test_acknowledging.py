"""Delivery reports become accounts, latencies and gaps; nothing counts before the broker has said so for certain."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from confluent_kafka import KafkaError
from kafka_load.clock import SECOND
from kafka_load.engines.acknowledging import Acknowledgements, Availability, Reports
from kafka_load.ledger import Gap
from kafka_load.ledger.delays import NEVER


def reports(partition: int, first: int, end: int, offset: int | None = 0, due_ns: int = 0) -> Reports:
    numbers = np.arange(first, end)
    offsets = np.full(len(numbers), -1001) if offset is None else offset + numbers - first
    at = np.full(len(numbers), due_ns)
    return Reports(np.full(len(numbers), partition, np.int32), numbers, offsets, at, np.full(len(numbers), 64))


def joined(*some: Reports) -> Reports:
    return Reports(*(np.concatenate([getattr(one, field.name) for one in some]) for field in fields(Reports)))


def test_reports_of_several_partitions_are_taken_at_once() -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 10, 0)
    acks.sent(1, 12, 0)
    # What follows 8 of partition 0 is 9 of partition 1, which would be next if it were the same one.
    acks.take(joined(reports(0, 0, 4), reports(0, 6, 9), reports(1, 9, 12), reports(1, 0, 5)), now=2_000_000)
    assert acks.sums() == (22, 15, 0, 7, 0)
    assert acks.accounts[0].freeze().acknowledged.tolist() == [[0, 4], [6, 9]]
    assert acks.accounts[1].freeze().acknowledged.tolist() == [[0, 5], [9, 12]]
    assert acks.latency.all.count == 15
    assert acks.latency.all.percentile(100) == pytest.approx(2_000, rel=0.01)
    assert acks.bytes == 15 * 64


def test_reports_may_come_in_any_order() -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 10, 0)
    every = reports(0, 0, 10)
    acks.take(joined(*(every.part(every.sequence == number) for number in (1, 9, 3))), now=1)
    assert acks.accounts[0].freeze().acknowledged.tolist() == [[1, 2], [3, 4], [9, 10]]


def test_where_every_report_was_of_a_failure_nothing_is_left_to_take() -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 3, 0)
    acks.take(reports(0, 0, 0), now=1)
    assert acks.sums() == (3, 0, 0, 3, 0)


def test_a_record_that_the_broker_had_already_is_acknowledged_without_an_offset() -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 3, 0)
    acks.take(reports(0, 0, 3, offset=None), now=1)
    assert acks.sums() == (3, 3, 0, 0, 0)
    assert len(acks.accounts[0].freeze().marks) == 0


@pytest.mark.parametrize(
    ("code", "failed"),
    [(KafkaError.MSG_SIZE_TOO_LARGE, 1), (KafkaError._MSG_TIMED_OUT, 0), (KafkaError.NOT_ENOUGH_REPLICAS, 0)],
)
def test_only_a_certain_failure_is_one(code: int, failed: int) -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 1, 0)
    acks.fail(code, 0, 0)
    assert acks.sums() == (1, 0, failed, 1 - failed, 0)


def test_in_a_transaction_nothing_counts_before_its_commit() -> None:
    acks = Acknowledgements("orders", transactional=True)
    acks.sent(0, 4, 0)
    acks.take(reports(0, 0, 4), now=1)
    assert acks.sums() == (4, 0, 0, 4, 0)
    acks.commit(now=5_000_000)
    assert acks.sums() == (4, 4, 0, 0, 0)
    acks.sent(0, 3, 0)
    acks.take(reports(0, 4, 6), now=6)
    acks.abort({0: 4}, now=7)
    assert acks.sums() == (7, 4, 0, 0, 3)
    assert acks.latency.all.count == 4


def test_a_gap_counts_only_while_records_were_due() -> None:
    available = Availability()
    available.sent(10, due_ns=1 * SECOND)
    available.acknowledged(10, 2 * SECOND)
    available.sent(20, due_ns=60 * SECOND)  # nothing was due for 58 s: no gap
    available.acknowledged(20, 61 * SECOND)
    assert available.longest == Gap(SECOND, 1 * SECOND)
    available.sent(30, due_ns=61 * SECOND)
    available.sent(40, due_ns=62 * SECOND)
    assert available.look(64 * SECOND) == Gap(3 * SECOND, 61 * SECOND)  # still going on
    available.acknowledged(30, 65 * SECOND)
    available.acknowledged(40, 66 * SECOND)
    assert available.longest == Gap(4 * SECOND, 61 * SECOND)


def test_marks_stay_few_and_lead_to_a_lost_records_place() -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 100_000, 0)
    for start in range(0, 100_000, 100):
        acks.take(reports(0, start, start + 100, offset=2 * start), now=start * 10_000_000)
    account = acks.accounts[0].freeze()
    assert len(account.marks) <= 257
    low, high = account.offsets_around(50_050)
    assert high is not None
    assert low <= 100_000 + 50 <= high
    assert account.acknowledged_at(50_000) == pytest.approx(50_000 * 10_000_000, rel=0.01)


def test_records_that_waited_more_than_a_second_are_late_also_while_they_wait() -> None:
    acks = Acknowledgements("orders", transactional=False)
    acks.sent(0, 10, due_ns=1 * SECOND, own_ns=SECOND // 2)
    acks.sent(0, 10, due_ns=2 * SECOND)
    acks.sent(1, 10, due_ns=2 * SECOND)
    acks.take(joined(reports(0, 0, 20), reports(1, 0, 10)), now=3 * SECOND - 1)
    [(where, delays)] = acks.delays(3 * SECOND).items()
    assert where == ("orders", 0)
    assert delays.total.tolist() == [[1 * SECOND, 13 * SECOND - 1]]
    assert delays.cluster.tolist() == [[3 * SECOND // 2, 13 * SECOND - 1]]
    acks.sent(1, 5, due_ns=60 * SECOND)
    assert acks.delays(62 * SECOND)["orders", 1].total.tolist() == [[60 * SECOND, NEVER]]
