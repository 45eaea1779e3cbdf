"""What was due in the warm-up is counted apart: latencies, lateness, gaps and counts."""

from __future__ import annotations

import numpy as np
from kafka_load.clock import SECOND
from kafka_load.config.schedule import constant
from kafka_load.engines.acknowledging import Acknowledgements, Availability, Reports
from kafka_load.engines.lateness import Lateness
from kafka_load.engines.producer import ProducerEngine
from kafka_load.engines.settings import ClientSettings, ProducerSettings
from kafka_load.engines.warm_up import Latencies, WarmUp
from kafka_load.ledger import Gap
from kafka_load.ledger.ended_producers import fold
from kafka_load.ledger.snapshot import ProducerSnapshot


def until(seconds: float) -> WarmUp:
    warm_up = WarmUp()
    warm_up.until_ns = int(seconds * SECOND)
    return warm_up


def test_a_latency_belongs_to_the_warm_up_if_its_record_was_due_in_it() -> None:
    latencies = Latencies(until(10))
    latencies.add(np.array([9, 10, 11]) * SECOND, np.array([5_000, 1_000, 2_000]))
    latencies.add(np.array([12]) * SECOND, np.array([3_000]))
    assert (latencies.all.count, latencies.in_warm_up.count) == (4, 1)
    assert latencies.all.minus(latencies.in_warm_up).max < 4_000
    none = Latencies(WarmUp())
    none.add(np.array([0]), np.array([1_000]))
    assert (none.all.count, none.in_warm_up.count) == (1, 0)


def test_the_harness_may_be_late_in_the_warm_up() -> None:
    lateness = Lateness(until(10))
    lateness.sent(np.array([2, 9, 10]) * SECOND, 11 * SECOND)
    assert (lateness.sent_in_warm_up, lateness.total.count, lateness.own.count) == (2, 1, 1)
    assert lateness.own.max < 1_100_000


def test_a_gap_is_none_for_records_of_the_warm_up_and_begins_with_its_end_for_others() -> None:
    available = Availability(until(10))
    available.sent(5, due_ns=2 * SECOND)
    assert available.look(40 * SECOND) == Gap()
    available.sent(9, due_ns=12 * SECOND)
    available.acknowledged(9, 15 * SECOND)
    assert available.longest == Gap(5 * SECOND, 10 * SECOND)


def test_what_was_aborted_in_the_warm_up_is_counted_there() -> None:
    acks = Acknowledgements("orders", transactional=True, warm_up=until(10))
    acks.sent(0, 3, 5 * SECOND)
    acks.sent(0, 4, 11 * SECOND)
    acks.abort({0: 1}, now=12 * SECOND)
    assert acks.sums()[4] == 6
    assert acks.aborted_in_warm_up == 2


def test_due_records_are_counted_to_the_very_end_of_the_warm_up() -> None:
    settings = ProducerSettings("orders", run=1, producer=2)
    engine = ProducerEngine(ClientSettings("nowhere:9092"), settings, constant(100))
    engine.warm_up.until_ns = 10 * SECOND
    engine._arrivals.begin(0)
    found = []
    for now in (0.5, 9.9, 10.4, 30):
        engine._publish_totals(int(now * SECOND))
        found.append((engine.totals.due, engine.totals.due_in_warm_up))
    assert found == [(50, 50), (990, 990), (1_040, 1_000), (3_000, 1_000)]


def test_producers_that_have_ended_keep_what_was_in_the_warm_up() -> None:
    acks = Acknowledgements("orders", transactional=False, warm_up=until(10))
    acks.sent(0, 2, 9 * SECOND)
    due = np.array([9, 11]) * SECOND
    acks.take(Reports(np.zeros(2, np.int32), np.arange(2), np.arange(2), due, np.full(2, 64)), 12 * SECOND)
    last = ProducerSnapshot(
        *("p", 1, "orders", 7, True, {0: acks.accounts[0].freeze()}, acks.latency.all),
        latency_in_warm_up=acks.latency.in_warm_up,
    )
    closed = fold({}, "w", [last, last])["orders"].snapshots
    assert sum(one.latency.count for one in closed) == 4
    assert sum(one.latency_in_warm_up.count for one in closed) == 2
