"""Saturation: the first step that breaks a limit ends the search, and the one before it is the answer."""

import json
from typing import Any

import numpy as np
import pytest
from kafka_load.histogram import Histogram
from kafka_load.output.measurements import Requirements
from kafka_load.output.timeline import Bin
from kafka_load.run.saturation import Saturation

LIMITS = {"lost": 0.0, "p99_produce_ms": 50.0, "achieved_rate": 0.98}


def second(number: int, rate: int, *, ms: float, achieved: float = 1.0, late_ms: float = 0.1) -> Bin:
    latencies = {}
    for name, value in (("produce", ms), ("late_own", late_ms)):
        latencies[name] = Histogram()
        latencies[name].add(np.full(100, int(value * 1000), np.int64))
    return Bin(number, {"due": rate, "acknowledged": int(rate * achieved)}, {}, latencies)


def search(*seconds: dict[str, Any]) -> Saturation:
    """Two steps of four seconds each, 1,000 and 2,000 records/s."""
    saturation = Saturation([1000, 2000], 4.0, LIMITS, Requirements())
    for number, what in enumerate(seconds):
        saturation.add(second(number, 1000 if number < 4 else 2000, **what))
    return saturation


def test_the_highest_step_that_kept_the_limits_is_found() -> None:
    found = search(*[{"ms": 10}] * 4, *[{"ms": 80}] * 4)
    assert found.best is not None
    assert found.best.target_rate == 1000
    assert found.broken is not None
    assert found.sentence() == (
        "the highest rate that kept the limits was 1,000 records/s; at 2,000 p99_produce_ms was 80.13 (limit 50)"
    )
    assert {result.name: result.ok for result in found.slo()} == {"p99_produce_ms": True, "achieved_rate": True}


def test_the_change_to_a_step_is_not_held_against_it() -> None:
    assert search({"ms": 900}, *[{"ms": 10}] * 3).broken is None


def test_what_is_not_achieved_breaks_a_step() -> None:
    found = search(*[{"ms": 10, "achieved": 0.9}] * 4)
    assert found.best is None
    assert found.sentence() == "no step kept the limits: achieved_rate was 0.9 (limit 0.98)"
    assert not all(result.ok for result in found.slo())


def test_a_step_without_an_acknowledgement_is_not_sustained_and_has_no_latency() -> None:
    found = Saturation([1000], 4.0, LIMITS, Requirements())
    for number in range(4):
        found.add(Bin(number, {"due": 1000}))
    assert found.sentence() == (
        "no step kept the limits: achieved_rate was 0 (limit 0.98) and no record was acknowledged"
    )
    assert [result.name for result in found.slo()] == ["achieved_rate"]
    json.dumps([[result.as_dict() for result in found.slo()], found.as_dict(), *found.rows()], allow_nan=False)


def test_a_late_harness_is_named_as_the_limit() -> None:
    found = search(*[{"ms": 10, "late_ms": 1500}] * 4)
    assert found.broken is not None
    assert "the harness itself was" in found.broken.why


def test_a_latency_of_many_seconds_is_said_in_full() -> None:
    found = Saturation([1000], 4.0, {"p99_produce_ms": 1_234_567.0}, Requirements())
    for number in range(4):
        found.add(second(number, 1000, ms=2_000_000))
    assert found.broken is not None
    assert "e+" not in found.broken.why
    assert found.broken.why.endswith("(limit 1,234,567)")


@pytest.mark.parametrize("count", [8, 12])
def test_a_cluster_that_keeps_every_step_may_carry_more(count: int) -> None:
    found = search(*[{"ms": 10}] * count)
    assert (
        found.sentence()
        == "the highest rate that kept the limits was 2,000 records/s, the last step: the cluster may carry more"
    )


@pytest.mark.parametrize("step_s", [1.0, 2.0, 2.5, 7.3])
def test_every_step_has_the_rate_of_its_own_whole_seconds(step_s: float) -> None:
    rates = [1000, 2000, 3000]
    saturation = Saturation(rates, step_s, LIMITS, Requirements())
    for number in range(int(3 * step_s)):
        within = number + 1 <= (int(number / step_s) + 1) * step_s
        saturation.add(second(number, rates[int(number / step_s)] if within else 777_777, ms=10))
    assert [step.acknowledged_rate for step in saturation.steps] == rates
