"""What is said of a worker's clock is true, however slow, unequal and irregular the way to the coordinator is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load import clock
from kafka_load.clock import MILLISECOND, SECOND, SLEW, Correction
from kafka_load.ledger import LedgerSnapshot, ProducerSnapshot, ReaderSnapshot
from kafka_load.run import clock_comparison
from kafka_load.run.clock_comparison import ClockComparison
from kafka_load.run.clock_offset import DRIFT, ENOUGH, ClockError, Exchange, ExchangeWindow, uncertainty_us

AHEAD = 5 * SECOND
delays = st.integers(0, 3 * SECOND)


class Hosts:
    """A worker's clock that is off and drifts, and the coordinator's; `true_ns` is the coordinator's time."""

    def __init__(self, ahead_ns: int, drift: float) -> None:
        self.true_ns = 1_000 * SECOND
        self._began_ns, self._ahead_ns, self._drift = self.true_ns, ahead_ns, drift

    @property
    def worker_ns(self) -> int:
        return self.true_ns + self._ahead_ns + int(self._drift * (self.true_ns - self._began_ns))

    def exchange(self, there_ns: int, thinks_ns: int, back_ns: int) -> Exchange:
        asked_ns = self.worker_ns
        self.true_ns += there_ns
        received_ns = self.true_ns
        self.true_ns += thinks_ns
        answered_ns = self.true_ns
        self.true_ns += back_ns
        return Exchange(asked_ns, received_ns, answered_ns, self.worker_ns)


@given(
    st.integers(-3600 * SECOND, 3600 * SECOND),
    st.floats(-DRIFT, DRIFT),
    st.lists(st.tuples(delays, delays, delays, st.integers(0, 90 * SECOND)), min_size=ENOUGH, max_size=20),
)
def test_the_clock_is_never_further_off_than_is_said(
    ahead_ns: int, drift: float, exchanges: list[tuple[int, int, int, int]]
) -> None:
    hosts, window = Hosts(ahead_ns, drift), ExchangeWindow()
    for there_ns, thinks_ns, back_ns, pause_ns in exchanges:
        window.add(hosts.exchange(there_ns, thinks_ns, back_ns), "coordinator")
        hosts.true_ns += pause_ns
        if found := window.offset(hosts.worker_ns):
            rounding_ns = 2_000
            off_ns = abs(hosts.worker_ns + found.offset_ns - hosts.true_ns)
            assert off_ns <= found.uncertainty_ns * (1 + 2 * DRIFT) + rounding_ns


def test_the_quickest_exchange_counts() -> None:
    hosts, window = Hosts(AHEAD, 0), ExchangeWindow()
    for there_ns in (400, 300, 2, 500, 600):
        window.add(hosts.exchange(there_ns * MILLISECOND, 0, 2 * MILLISECOND), "coordinator")
    found = window.offset(hosts.worker_ns)
    assert found is not None
    assert found.offset_ns == -AHEAD
    assert 2 * MILLISECOND <= found.uncertainty_ns < 4 * MILLISECOND


def test_a_clock_is_not_known_before_it_was_compared_often_enough_nor_by_the_answers_of_another_process() -> None:
    hosts, window = Hosts(AHEAD, 0), ExchangeWindow()
    for _ in range(ENOUGH - 1):
        window.add(hosts.exchange(1, 0, 1), "coordinator")
    assert window.offset(hosts.worker_ns) is None
    window.add(hosts.exchange(1, 0, 1), "coordinator")
    assert window.offset(hosts.worker_ns) is not None
    window.add(hosts.exchange(1, 0, 1), "another")
    assert window.offset(hosts.worker_ns) is None


@given(st.integers(-SECOND, SECOND), st.integers(-SECOND, SECOND), st.lists(st.integers(0, SECOND), max_size=20))
def test_a_corrected_clock_never_goes_backwards_and_hardly_faster(first: int, second: int, steps: list[int]) -> None:
    local_ns = 1_000 * SECOND
    correction = Correction(target_ns=first).toward(second, local_ns)
    for step_ns in steps:
        went_ns = step_ns + correction.at(local_ns + step_ns) - correction.at(local_ns)
        assert abs(went_ns - step_ns) <= SLEW * step_ns + 2
        local_ns += step_ns
    assert correction.at(local_ns + 10_000 * SECOND) == second


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """This process's clock is the worker's of two hosts."""
    apart = Hosts(AHEAD, 0)
    monkeypatch.setattr(clock, "_in_force", [Correction()])
    monkeypatch.setattr(clock, "local_ns", lambda: apart.worker_ns)
    return apart


def compare(hosts: Hosts, comparison: ClockComparison, *, at_once: bool, way_ns: int = MILLISECOND) -> None:
    question: dict[str, Any] = comparison.question()
    hosts.true_ns += way_ns
    answer = {**question, "received_ns": hosts.true_ns, "answered_ns": hosts.true_ns, "process": "coordinator"}
    hosts.true_ns += way_ns
    comparison.take(answer, at_once=at_once)


def test_a_clock_is_set_before_there_is_anything_to_measure_and_bent_from_then_on(hosts: Hosts) -> None:
    comparison = ClockComparison()
    for _ in range(ENOUGH):
        assert comparison.error is None
        compare(hosts, comparison, at_once=True)
    assert comparison.error is not None
    assert clock._in_force[0].at(hosts.worker_ns) == -AHEAD
    hosts._ahead_ns += 100 * MILLISECOND
    hosts.true_ns += 100 * SECOND
    compare(hosts, comparison, at_once=False)
    assert clock._in_force[0].at(hosts.worker_ns) == -AHEAD
    assert comparison.error.offset_ns == -AHEAD - 100 * MILLISECOND
    assert comparison.error.worst_ns >= 100 * MILLISECOND
    for _ in range(100):
        hosts.true_ns += 10 * SECOND
        compare(hosts, comparison, at_once=False)
    assert clock._in_force[0].at(hosts.worker_ns) == -AHEAD - 100 * MILLISECOND
    assert comparison.error.uncertainty_ns < 2 * MILLISECOND
    assert comparison.error.worst_ns >= 100 * MILLISECOND, "of the whole run"


def test_while_no_answer_comes_a_clock_becomes_less_certain(hosts: Hosts) -> None:
    comparison = ClockComparison()
    for _ in range(ENOUGH):
        compare(hosts, comparison, at_once=True)
    hosts.true_ns += 40 * SECOND
    compare(hosts, comparison, at_once=False)
    assert comparison.error is not None
    assert comparison.error.worst_ns >= 40 * SECOND * DRIFT > comparison.error.uncertainty_ns


def test_the_coordinator_answers_by_its_own_clock() -> None:
    answer = clock_comparison.answer({"asked_ns": 7})
    assert answer["asked_ns"] == 7
    assert answer["received_ns"] <= answer["answered_ns"]


def snapshot(worker: str, *, produces: bool = False, reads: bool = False, earliest_us: int = 0) -> LedgerSnapshot:
    producer = ProducerSnapshot(f"{worker}/p", 1, "orders", 1, True, {})
    reader = ReaderSnapshot(
        f"{worker}/r", 1, "warehouse", "queue", ("orders",), True, True, True, {}, {}, earliest_us=earliest_us
    )
    return LedgerSnapshot(worker, 1, [producer] * produces, [reader] * reads)


CLOCKS = {"a": ClockError(0, 1, 3_000_000), "b": ClockError(0, 1, 4_000_000), "here": None}


@pytest.mark.parametrize(
    ("snapshots", "expected"),
    [
        ([snapshot("a", produces=True, reads=True)], 0),
        ([snapshot("a", produces=True), snapshot("b", reads=True)], 7_000),
        ([snapshot("a", produces=True), snapshot("b")], 0),
        ([snapshot("here", produces=True), snapshot("b", reads=True)], 4_000),
        ([snapshot("a", produces=True), snapshot("b", reads=True, earliest_us=9_000)], 9_000),
    ],
    ids=["one process", "two workers", "nobody reads", "the coordinator's own clock", "shown to be more"],
)
def test_a_latency_is_as_uncertain_as_the_two_clocks_together(snapshots: list[LedgerSnapshot], expected: int) -> None:
    assert uncertainty_us("warehouse", snapshots, CLOCKS) == expected
