"""Schedules are pure: whatever the cuts, the same records are due, none dropped, none twice."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.clock import SECOND
from kafka_load.config import poisson
from kafka_load.config.poisson import CELL, arrivals, count
from kafka_load.config.schedule import Schedule, constant, ramp, spike, steps

DRAWS = (poisson._places, poisson._cell, poisson._block, poisson._first_half)
# Below a record in a thousand seconds the place of a record within a piece is beyond what a float can tell.
rates = st.just(0.0) | st.floats(0.001, 3000)
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
    """One schedule after the other."""
    times = [0.0]
    for part in parts:
        times += [times[-1] + time for time in part.times_ns[1:]]
    starts, ends = (tuple(rate for part in parts for rate in getattr(part, name)) for name in ("starts", "ends"))
    return Schedule(tuple(times), starts, ends, seed)


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


def draws() -> int:
    """Random draws made so far by all Poisson schedules of this process."""
    return sum(cached.cache_info().misses for cached in DRAWS)


def draws_of_a_minute(at_s: int) -> int:
    """What a producer draws in a minute of a run in which it looks up what is due ten times a second."""
    schedule, before = constant(1_000).poisson(at_s), draws()
    for tenth in range(at_s * 10, (at_s + 60) * 10):
        schedule.count(tenth * SECOND // 10)
        schedule.due_between(tenth * SECOND // 10, (tenth + 1) * SECOND // 10)
    return draws() - before


def test_a_day_of_poisson_arrivals_costs_the_same_in_its_first_minutes_and_in_its_last() -> None:
    early, late = draws_of_a_minute(300), draws_of_a_minute(24 * 3600)
    assert late <= 1.1 * early
    # 60,000 records are 59 cells: of each its arrivals, its number and about two nodes of its tree.
    assert early < 59 * 5 + 60


def test_a_late_joiner_sees_the_arrivals_of_one_that_was_there_from_the_start() -> None:
    schedule, hour = constant(400).poisson(3), 3_600 * SECOND
    joined = schedule.due_between(hour, hour + SECOND).tolist()
    for cached in DRAWS:
        cached.cache_clear()
    walked = 0
    for tenth in range(0, 36_010, 10):
        part = schedule.due_between(tenth * SECOND // 10, (tenth + 10) * SECOND // 10)
        assert walked == schedule.count(tenth * SECOND // 10)
        walked += len(part)
    assert part.tolist() == joined


def test_counts_of_disjoint_times_are_poisson_and_independent_also_over_long_ones() -> None:
    # One cell, and 16 of them: each with a variance as large as its mean, and no correlation with the next.
    for cells in (1, 16):
        ends = np.array([count(11, cells * number * CELL) for number in range(2_001)], np.float64)
        inside = np.diff(ends)
        assert inside.mean() == pytest.approx(cells * CELL, rel=0.01)
        assert inside.var() == pytest.approx(cells * CELL, rel=0.15)
        assert abs(np.corrcoef(inside[1:], inside[:-1])[0, 1]) < 0.08


def test_no_arrival_lies_outside_its_cell_however_far_out() -> None:
    for cell in range(2**33, 2**33 + 50):
        inside = arrivals(5, cell * CELL, (cell + 1) * CELL)
        assert len(inside) == count(5, (cell + 1) * CELL) - count(5, cell * CELL)


def test_poisson_arrivals_have_poisson_spread() -> None:
    seconds = [constant(400).poisson(7).due_between(s * SECOND, (s + 1) * SECOND).size for s in range(200)]
    assert np.mean(seconds) == pytest.approx(400, rel=0.02)
    assert np.var(seconds) == pytest.approx(400, rel=0.35)
