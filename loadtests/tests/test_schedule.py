"""Schedules are pure: whatever the cuts, the same records are due, none dropped, none twice."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.clock import SECOND
from kafka_load.schedule import Schedule, constant, ramp, spike, steps

rates = st.floats(0, 3000)
lengths = st.floats(0.01, 3)
curves = st.lists(
    st.one_of(
        st.builds(constant, rates, lengths),
        st.builds(ramp, rates, rates, lengths),
        st.builds(lambda base, peak, s: spike(base, peak, s, s, s), rates, rates, lengths),
    ),
    min_size=1,
    max_size=4,
)


def chained(parts: list[Schedule], seed: int | None) -> Schedule:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.then(part)
    return whole if seed is None else whole.poisson(seed)


@given(curves, st.none() | st.integers(0, 99), st.lists(st.floats(0, 1), max_size=12))
def test_any_cut_gives_the_same_records(parts: list[Schedule], seed: int | None, cuts: list[float]) -> None:
    schedule = chained(parts, seed)
    end = schedule.duration_ns
    assert end is not None
    whole = schedule.due_between(0, end + 1)
    edges = [0, *sorted(int(cut * end) for cut in cuts), end + 1]
    cut = np.concatenate([schedule.due_between(a, b) for a, b in pairwise(edges)])
    assert len(cut) == len(whole) == schedule.count(end + 1)
    assert np.abs(cut - whole).max(initial=0) <= 1
    assert (np.diff(cut) >= 0).all()
    assert ((whole >= 0) & (whole <= end)).all()


@given(curves, st.none() | st.integers(0, 99), st.integers(20, 500))
def test_a_backlog_taken_in_parts_drops_nothing(parts: list[Schedule], seed: int | None, at_most: int) -> None:
    schedule = chained(parts, seed)
    end = (schedule.duration_ns or 0) + 1
    taken, cursor = 0, 0
    while cursor < end:
        upto = schedule.window_end(cursor, end, at_most)
        part = len(schedule.due_between(cursor, upto))
        if seed is None:
            assert part <= at_most + 1
        taken, cursor = taken + part, upto
    assert taken == schedule.count(end)


def test_a_constant_rate_is_exact_after_hours() -> None:
    schedule = constant(100_000)
    hours = 10 * 3600 * SECOND
    assert schedule.count(hours) == 10 * 3600 * 100_000
    assert schedule.due_between(hours, hours + 10_000_000).size == 1000


def test_a_ramp_is_as_long_as_its_mean_rate_says() -> None:
    assert ramp(0, 1000, 10).count(10 * SECOND) == 5000
    assert ramp(0, 1000, 10).rate_at(5 * SECOND) == pytest.approx(500)


def test_a_pause_sends_nothing_and_then_goes_on() -> None:
    schedule = steps([(10, 1), (0, 2), (10, math.inf)])
    assert schedule.due_between(SECOND, 3 * SECOND).size == 0
    assert schedule.due_between(3 * SECOND, 4 * SECOND).tolist()[:2] == [3 * SECOND, 3_100_000_000]


def test_poisson_arrivals_have_poisson_spread() -> None:
    seconds = [constant(400).poisson(7).due_between(s * SECOND, (s + 1) * SECOND).size for s in range(200)]
    assert np.mean(seconds) == pytest.approx(400, rel=0.02)
    assert np.var(seconds) == pytest.approx(400, rel=0.35)


def test_nothing_follows_an_endless_schedule() -> None:
    with pytest.raises(ValueError, match="without an end"):
        constant(1).then(constant(1))
