"""Span sets behave as sets of numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.ledger.spans import (
    EMPTY,
    Spans,
    SpanSet,
    combine,
    difference,
    intersection,
    size,
    span,
    spans_of,
    union,
)

pieces = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


def built(parts: list[tuple[int, int]]) -> tuple[SpanSet, set[int]]:
    spans, numbers = SpanSet(), set[int]()
    for start, end in parts:
        fresh = {n for a, b in spans.add(start, end) for n in range(a, b)}
        assert fresh == set(range(start, end)) - numbers
        numbers |= set(range(start, end))
    return spans, numbers


def members(spans: Spans) -> set[int]:
    return {number for start, end in spans.tolist() for number in range(start, end)}


@given(pieces)
def test_adding_tells_what_was_new(parts: list[tuple[int, int]]) -> None:
    spans, numbers = built(parts)
    array = spans.spans()
    assert members(array) == numbers
    assert spans.size == size(array) == len(numbers)
    assert (array[1:, 0] > array[:-1, 1]).all()


@given(pieces, pieces)
def test_combining_is_set_algebra(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    (a, in_a), (b, in_b) = built(first), built(second)
    assert members(union(a.spans(), b.spans())) == in_a | in_b
    assert members(difference(a.spans(), b.spans())) == in_a - in_b
    assert members(intersection(a.spans(), b.spans())) == in_a & in_b
    assert members(combine(a.spans(), b.spans(), lambda x, y: x ^ y)) == in_a ^ in_b


@given(pieces)
def test_what_was_asked_for_before_is_not_changed_and_what_is_asked_for_later_is_right(
    parts: list[tuple[int, int]],
) -> None:
    spans, numbers, before = SpanSet(), set[int](), []
    for start, end in parts:
        spans.add(start, end)
        numbers |= set(range(start, end))
        array = spans.spans()
        assert members(array) == numbers
        assert (array[1:, 0] > array[:-1, 1]).all()
        before.append((array, array.tolist()))
    assert all(array.tolist() == content for array, content in before)


def test_adding_in_the_middle_tells_what_was_new_and_joins_what_touches() -> None:
    spans = SpanSet()
    assert len(spans) == 0
    for start, end in ((10, 20), (30, 40), (50, 60)):
        assert spans.add(start, end) == [(start, end)]
    assert len(spans) == 3
    assert spans.add(20, 25) == [(20, 25)]
    assert spans.add(5, 55) == [(5, 10), (25, 30), (40, 50)]
    assert (len(spans), spans.size, spans.spans().tolist()) == (1, 55, [[5, 60]])
    assert spans.add(0, 5) == [(0, 5)]
    assert spans.spans().tolist() == [[0, 60]]
    assert spans.add(0, 60) == []
    assert spans.add(70, 70) == [(70, 70)]


@given(st.sets(st.integers(0, 60)))
def test_numbers_in_ascending_order_are_a_set_of_spans(numbers: set[int]) -> None:
    found = spans_of(np.array(sorted(numbers), np.int64))
    assert members(found) == numbers
    assert (found[1:, 0] > found[:-1, 1]).all()


def test_one_span_holds_from_its_start_to_before_its_end() -> None:
    assert [span(*ends).tolist() for ends in ((3, 5), (3, 4), (3, 3), (4, 3))] == [[[3, 5]], [[3, 4]], [], []]
    assert size(span(3, 5)) == 2
    assert size(EMPTY) == 0
    assert combine(EMPTY, EMPTY, lambda x, y: x | y).tolist() == []
    assert difference(EMPTY, span(3, 5)).tolist() == []
