"""When records were late: spans that stay few, an upper and a lower bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kafka_load.clock import SECOND
from kafka_load.ledger.delays import MOST, NEVER, SETTLED_NS, Delays, DelayTracker
from kafka_load.serialization import pack, unpack


def seconds(delays: Delays) -> tuple[list[list[float]], list[list[float]]]:
    """Both as [begin, end] in s, the end as that of the last late record."""
    return tuple(  # type: ignore[return-value]  # two lists
        [[begin / SECOND, (end - SETTLED_NS) / SECOND] for begin, end in spans.tolist()]
        for spans in (delays.total, delays.cluster)
    )


def tracked(*acknowledged: tuple[float, float, float]) -> DelayTracker:
    """Acknowledgements as (due, sendable, acknowledged) in s."""
    tracker = DelayTracker()
    for due_s, sendable_s, at_s in acknowledged:
        tracker.acknowledged(int(due_s * SECOND), int(sendable_s * SECOND), int(at_s * SECOND))
    return tracker


def test_only_what_waited_more_than_a_second_is_late() -> None:
    assert seconds(tracked((1, 1, 2), (3, 3, 4.5), (5, 5, 5.1)).delays()) == ([[3, 4.5]], [[3, 4.5]])


def test_what_follows_within_ten_seconds_belongs_to_it_and_what_comes_later_does_not() -> None:
    found, _ = seconds(tracked((3, 3, 5), (14, 14, 16), (27, 27, 29)).delays())
    assert found == [[3, 16], [27, 29]]
    assert seconds(tracked((3, 3, 5), (15, 15, 17)).delays()) == ([[3, 17]], [[3, 17]])


def test_what_the_harness_was_late_itself_is_not_the_clusters() -> None:
    assert seconds(tracked((3, 4, 4.5)).delays()) == ([[3, 4.5]], [])
    assert seconds(tracked((3, 4, 5.5)).delays()) == ([[3, 5.5]], [[4, 5.5]])


def test_what_waits_has_no_end_until_it_is_acknowledged() -> None:
    tracker = tracked((3, 3, 4.5))
    open_ = tracker.delays(8 * SECOND, 9 * SECOND, 10 * SECOND)
    assert open_.total.tolist() == [[3 * SECOND, NEVER]]
    assert seconds(open_)[1] == [[3, 4.5]]
    tracker.acknowledged(8 * SECOND, 9 * SECOND, 11 * SECOND)
    assert seconds(tracker.delays()) == ([[3, 11]], [[3, 11]])


def test_what_waits_because_of_the_cluster_is_the_clusters_after_more_than_a_second() -> None:
    tracker = tracked((3, 3, 4.5))
    waiting = tracker.delays(28 * SECOND, 29 * SECOND, 31 * SECOND)
    late = [3 * SECOND, 4.5 * SECOND + SETTLED_NS]
    assert waiting.total.tolist() == [late, [28 * SECOND, NEVER]]
    assert waiting.cluster.tolist() == [late, [29 * SECOND, NEVER]]
    assert seconds(tracker.delays(28 * SECOND, 28 * SECOND, 29 * SECOND)) == ([[3, 4.5]], [[3, 4.5]])


def test_where_there_are_too_many_the_closest_are_joined_and_the_shortest_left_out() -> None:
    """The 41st follows soon after the 40th; the 11th is the shortest. Others are a minute apart and equally long."""
    steps = [(60 * number, 60 * number, 60 * number + 5) for number in range(MOST + 1)]
    steps[40] = (2_380, 2_380, 2_404)
    steps[10] = (600, 600, 603)
    expected_total: list[list[float]] = [[due, at] for due, _, at in steps]
    expected_total[39:41] = [[39 * 60, 2_404]]
    expected_cluster = [[due, at] for due, _, at in steps if due != 600]
    assert seconds(tracked(*steps).delays()) == (expected_total, expected_cluster)
    halves = [tracked(*some).delays() for some in (steps[::2], steps[1::2])]
    assert seconds(halves[0].joined(halves[1])) == (expected_total, expected_cluster)
    assert seconds(tracked(*steps[:MOST]).delays())[0] == [[due, at] for due, _, at in steps[:MOST]]


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 40), st.integers(0, 20)), max_size=400))
def test_there_are_never_many_and_the_bounds_hold(steps: list[tuple[int, int, int]]) -> None:
    """Against a set of the seconds in which something was late, which forgets nothing."""
    tracker, now, total, cluster = DelayTracker(), 0, set[int](), set[int]()
    for passed, delay, own in steps:
        now += passed
        due, sendable = now - delay, now - delay + min(delay, own)
        tracker.acknowledged(due * SECOND, sendable * SECOND, now * SECOND)
        total |= set(range(due, now + SETTLED_NS // SECOND)) if delay > 1 else set()
        cluster |= set(range(sendable, now + SETTLED_NS // SECOND)) if now - sendable > 1 else set()
    delays = unpack(pack(tracker.delays()))
    both = delays.joined(tracked((now, now, now + 3)).delays()).joined(Delays())
    for found in (delays, both):
        assert max(len(found.total), len(found.cluster)) <= MOST
        upper, lower = (
            {second for begin, end in spans.tolist() for second in range(begin // SECOND, end // SECOND)}
            for spans in (found.total, found.cluster)
        )
        assert total <= upper
        assert lower <= cluster | set(range(now, now + 13))
    if len(steps) <= MOST:
        assert {s for b, e in delays.total.tolist() for s in range(b // SECOND, e // SECOND)} == total
