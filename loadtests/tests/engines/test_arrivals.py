"""Due times are handed out once each, however they are asked for and whenever another schedule takes over."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.clock import MILLISECOND, SECOND
from kafka_load.config.schedule import Schedule, constant, ramp, spike
from kafka_load.engines.arrivals import AHEAD_NS, Arrivals

START = 1_000 * SECOND
schedules = st.one_of(
    st.builds(constant, st.floats(0, 3_000)),
    st.builds(lambda rate, seed: constant(rate).poisson(seed), st.floats(0, 3_000), st.integers(0, 9)),
    st.builds(ramp, st.floats(0, 2_000), st.floats(0, 2_000), st.floats(0.1, 1)),
    st.builds(lambda base, peak: spike(base, peak, 0.1, 0.1), st.floats(0, 500), st.floats(0, 3_000)),
)
moments = st.lists(st.integers(0, 400 * MILLISECOND), min_size=1, max_size=12).map(sorted)


def begun(schedule: Schedule) -> Arrivals:
    arrivals = Arrivals(schedule)
    arrivals.begin(START)
    return arrivals


def taken(arrivals: Arrivals, now: int, at_most: int) -> list[int]:
    """All that is due before `now`."""
    found: list[int] = []
    while True:
        found += arrivals.take(now, at_most).tolist()
        if arrivals.next_ns >= now:
            return found


@given(schedules, moments, st.integers(1, 300))
def test_what_is_due_is_handed_out_once_and_not_before(schedule: Schedule, when: list[int], at_most: int) -> None:
    arrivals, found = begun(schedule), []
    for moment in when:
        now = START + moment
        part = taken(arrivals, now, at_most)
        assert all(due < now for due in part)
        found += part
        assert len(found) == arrivals.taken == arrivals.due(now)
    expected = schedule.due_between(0, when[-1]) + START
    # Where a window is cut, a due time may be rounded the other way.
    assert np.abs(np.array(found, np.int64) - expected).max(initial=0) <= 1


@given(schedules, schedules, st.integers(0, 300 * MILLISECOND), moments)
def test_what_was_due_before_another_schedule_takes_over_is_still_handed_out(
    first: Schedule, second: Schedule, switch: int, when: list[int]
) -> None:
    arrivals, found = begun(first), []
    before = [moment for moment in when if moment <= switch]
    for moment in before:
        found += taken(arrivals, START + moment, 50)
    arrivals.switch(second, START + switch)
    end = max(switch, *when) + 100 * MILLISECOND
    found += taken(arrivals, START + end, 50)
    assert found == sorted(found)
    expected = first.count(switch) + second.count(end - switch)
    assert abs(len(found) - expected) <= 1  # at the very moment a record may be of either
    assert arrivals.taken == len(found) == arrivals.due(START + end)


def test_a_pause_forgets_what_was_looked_up_already() -> None:
    arrivals = begun(constant(1_000))
    assert len(taken(arrivals, START + MILLISECOND, 100)) == 1
    arrivals.switch(constant(0), START + MILLISECOND)
    assert taken(arrivals, START + 10 * AHEAD_NS, 100) == []


def test_a_switch_before_the_beginning_counts_from_the_beginning() -> None:
    arrivals = Arrivals(constant(0))
    arrivals.switch(constant(1_000), START - SECOND)
    arrivals.begin(START)
    assert len(taken(arrivals, START + 10 * MILLISECOND, 100)) == 10
