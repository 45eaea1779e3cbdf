"""Delivery reports become accounts, latencies and gaps; nothing counts before the broker has said so for certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from confluent_kafka import KafkaError
from kafka_load.clock import SECOND
from kafka_load.engines.acknowledging import Acknowledgements, Availability
from kafka_load.ledger import Gap
from kafka_load.records import encoder
from numpy.typing import NDArray

ENCODE = encoder("binary", "", 64, 1, 2)


@dataclass
class Report:
    content: bytes
    place: int | None

    def __len__(self) -> int:
        return len(self.content)

    def value(self) -> bytes:
        return self.content

    def offset(self) -> int | None:
        return self.place


def reports(partition: int, first: int, end: int, offset: int | None = 0, due_ns: int = 0) -> list[Report]:
    count = end - first
    values = ENCODE(np.full(count, partition, np.int16), np.arange(first, end), np.full(count, due_ns), [])
    return [Report(value, None if offset is None else offset + n) for n, value in enumerate(values)]


def due(count: int, at_ns: int = 0) -> NDArray[np.int64]:
    return np.full(count, at_ns, np.int64)


@pytest.mark.parametrize("ordered", [True, False])
def test_reports_of_several_partitions_are_taken_at_once(ordered: bool) -> None:
    acks = Acknowledgements("orders", transactional=False, ordered=ordered)
    acks.sent(0, due(10))
    acks.sent(1, due(5))
    acks.take({0: reports(0, 0, 4) + reports(0, 6, 8), 1: reports(1, 0, 5)}, now=2_000_000)
    assert acks.sums() == (15, 11, 0, 4, 0)
    assert acks.accounts[0].freeze().acknowledged.tolist() == [[0, 4], [6, 8]]
    assert acks.latency.count == 11
    assert acks.latency.percentile(100) == pytest.approx(2_000, rel=0.01)
    assert acks.bytes == 11 * 64


def test_each_record_has_its_own_due_time_however_reports_are_cut() -> None:
    quick, slow = (Acknowledgements("orders", transactional=False, ordered=ordered) for ordered in (True, False))
    times = np.arange(1_000) * 1_000_000
    values = ENCODE(np.zeros(1_000, np.int16), np.arange(1_000), times, [])
    made = [Report(value, number) for number, value in enumerate(values)]
    for acks in (quick, slow):
        for start in range(0, 1_000, 100):
            acks.sent(0, times[start : start + 100])
        # 300 to 349 fail, so that what is reported around them in one piece is not whole.
        for piece in (made[:30], made[30:250], made[250:300] + made[350:351], made[351:]):
            acks.take({0: piece}, now=2_000_000_000)
    assert quick.accounts[0].freeze().acknowledged.tolist() == [[0, 300], [350, 1_000]]
    assert (quick.latency.counts == slow.latency.counts).all()
    assert quick.sums() == slow.sums()


def test_without_an_order_every_report_is_looked_into() -> None:
    acks = Acknowledgements("orders", transactional=False, ordered=False)
    acks.sent(0, due(10))
    three = reports(0, 0, 10)
    acks.take({0: [three[1], three[9], three[3]]}, now=1)
    assert acks.accounts[0].freeze().acknowledged.tolist() == [[1, 2], [3, 4], [9, 10]]


def test_a_record_that_the_broker_had_already_is_acknowledged_without_an_offset() -> None:
    acks = Acknowledgements("orders", transactional=False, ordered=True)
    acks.sent(0, due(3))
    acks.take({0: reports(0, 0, 3, offset=None)}, now=1)
    assert acks.sums() == (3, 3, 0, 0, 0)
    assert len(acks.accounts[0].freeze().marks) == 0


@pytest.mark.parametrize(
    ("code", "failed"),
    [(KafkaError.MSG_SIZE_TOO_LARGE, 1), (KafkaError._MSG_TIMED_OUT, 0), (KafkaError.NOT_ENOUGH_REPLICAS, 0)],
)
def test_only_a_certain_failure_is_one(code: int, failed: int) -> None:
    acks = Acknowledgements("orders", transactional=False, ordered=True)
    acks.sent(0, due(1))
    acks.fail(KafkaError(code), reports(0, 0, 1)[0].value())
    assert acks.sums() == (1, 0, failed, 1 - failed, 0)


def test_in_a_transaction_nothing_counts_before_its_commit() -> None:
    acks = Acknowledgements("orders", transactional=True, ordered=True)
    acks.sent(0, due(4))
    acks.take({0: reports(0, 0, 4)}, now=1)
    assert acks.sums() == (4, 0, 0, 4, 0)
    acks.commit(now=5_000_000)
    assert acks.sums() == (4, 4, 0, 0, 0)
    acks.sent(0, due(3))
    acks.take({0: reports(0, 4, 6)}, now=6)
    acks.abort({0: 4}, now=7)
    assert acks.sums() == (7, 4, 0, 0, 3)
    assert acks.latency.count == 4


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
    acks = Acknowledgements("orders", transactional=False, ordered=True)
    acks.sent(0, due(100_000))
    for start in range(0, 100_000, 100):
        acks.take({0: reports(0, start, start + 100, offset=2 * start)}, now=start * 10_000_000)
    account = acks.accounts[0].freeze()
    assert len(account.marks) <= 257
    low, high = account.offsets_around(50_050)
    assert high is not None
    assert low <= 100_000 + 50 <= high
    assert account.acknowledged_at(50_000) == pytest.approx(50_000 * 10_000_000, rel=0.01)
