"""Lateness is told apart by its cause: the cluster held the records up, or the harness was too slow."""

from __future__ import annotations

import numpy as np
import pytest
from kafka_load.clock import MILLISECOND, SECOND
from kafka_load.engines.lateness import Lateness


def run(rate: int, cost_us: int, seconds: int, blocked: tuple[int, int] | None = None) -> Lateness:
    """A harness that takes `cost_us` a record, in batches of what is due; times are simulated."""
    lateness, now, sent = Lateness(), 0, 0
    due = np.arange(rate * seconds) * SECOND // rate
    while sent < len(due):
        now = max(now, int(due[sent])) + 1
        if blocked and blocked[0] <= now < blocked[1]:
            lateness.blocked("window", now, blocked[1])
            now = blocked[1]
        end = min(int(np.searchsorted(due, now)), sent + 100)
        lateness.begin(int(due[sent]), now)
        lateness.sent(due[sent:end], now)
        now += (end - sent) * cost_us * 1_000
        sent = end
    return lateness


def test_what_waits_for_the_cluster_is_not_the_harness_being_late() -> None:
    lateness = run(rate=1_000, cost_us=100, seconds=20, blocked=(5 * SECOND, 10 * SECOND))
    assert lateness.total.max > 4_900_000
    assert lateness.own.max < 50_000
    assert lateness.blocked_ns == {"window": pytest.approx(5 * SECOND, rel=0.01), "queue": 0, "transaction": 0}


def test_a_harness_that_cannot_keep_up_is_late_itself_although_the_cluster_held_it_up_before() -> None:
    lateness = run(rate=1_000, cost_us=1_500, seconds=20, blocked=(2 * SECOND, 3 * SECOND))
    undisturbed = run(rate=1_000, cost_us=1_500, seconds=20)
    assert undisturbed.own.max > 9_000_000
    assert lateness.own.max == pytest.approx(undisturbed.own.max, rel=0.02)
    assert lateness.total.max == pytest.approx(undisturbed.total.max + 1_000_000, rel=0.02)


def test_waiting_while_nothing_is_due_excuses_nothing() -> None:
    lateness = Lateness()
    lateness.blocked("transaction", 0, 10 * SECOND)
    lateness.begin(10 * SECOND, 10 * SECOND + MILLISECOND)
    lateness.sent(np.array([10 * SECOND]), 10 * SECOND + MILLISECOND)
    lateness.begin(11 * SECOND, 13 * SECOND)
    lateness.sent(np.array([11 * SECOND]), 13 * SECOND)
    assert lateness.own.max > 1_900_000
