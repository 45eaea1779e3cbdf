"""The histogram agrees with exact percentiles, whatever it is merged from."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.histogram import MIDDLES_US, Histogram, bucket_of, merged

durations = st.lists(st.integers(-5, 2**42), min_size=1, max_size=200)


@given(durations)
def test_percentiles_are_exact_within_a_bucket(values: list[int]) -> None:
    histogram = Histogram()
    histogram.add(np.array(values, np.int64))
    ordered = sorted(max(value, 0) for value in values)
    for percent in (0, 50, 99, 100):
        exact = ordered[max(1, int(np.ceil(len(ordered) * percent / 100))) - 1]
        assert abs(histogram.percentile(percent) - exact) <= exact / 128
    assert histogram.count == len(values)


@given(durations, durations)
def test_merging_is_adding(first: list[int], second: list[int]) -> None:
    parts = [Histogram(), Histogram()]
    parts[0].add(np.array(first, np.int64))
    parts[1].add(np.array(second, np.int64))
    whole = Histogram()
    whole.add(np.array(first + second, np.int64))
    assert (merged(Histogram.from_wire(part.to_wire()) for part in parts).counts == whole.counts).all()
    assert (whole.minus(parts[0]).counts == parts[1].counts).all()


def test_a_bucket_contains_its_middle_and_small_values_are_exact() -> None:
    assert (bucket_of(MIDDLES_US) == np.arange(len(MIDDLES_US))).all()
    assert MIDDLES_US[:256].tolist() == list(range(256))


@given(st.integers(-5, 2**62))
def test_a_duration_is_in_the_same_bucket_alone_as_among_others(value: int) -> None:
    assert bucket_of(np.array([value])).tolist() == bucket_of(np.array([value, 0]))[:1].tolist()


def test_an_empty_histogram_is_all_zero() -> None:
    empty = Histogram()
    assert (empty.count, empty.min, empty.max, empty.mean, empty.percentile(99)) == (0, 0, 0, 0.0, 0)
