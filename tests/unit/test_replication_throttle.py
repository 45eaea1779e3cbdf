"""A throttle names exactly what is copied, and one that is left behind is told with the place where it is."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_plan import Move
from ansible_collections.crucible.kafka.plugins.module_utils.replication_throttle import (
    FOLLOWERS,
    LEADERS,
    RATES,
    Throttle,
    left_behind,
    lines,
    throttled_replicas,
)


def test_only_the_replicas_that_are_copied_and_their_sources_are_throttled() -> None:
    moves = [
        Move("orders", 0, (1, 2), (1, 4), 5),
        Move("orders", 1, (2, 3), (5, 4), 5),
        Move("clicks", 7, (1, 2), (2, 1), 5),  # Another leader, and nothing to copy.
    ]
    assert throttled_replicas(moves) == {"orders": {LEADERS: "0:1,0:2,1:2,1:3", FOLLOWERS: "0:4,1:5,1:4"}}


def test_a_throttle_is_left_behind_only_while_nothing_is_reassigned() -> None:
    throttle = Throttle(RATES, {2: RATES}, {"orders": [LEADERS]})
    assert left_behind(throttle, ["orders-0"]) == []
    assert left_behind(Throttle(), []) == []
    (sentence,) = left_behind(throttle, [])
    assert sentence == (
        "A replication throttle is left on all brokers, broker 2 and topic orders while no partition is reassigned: it"
        " slows down replicas that catch up. playbooks/rebalance.yml removes it."
    )


def test_each_kind_of_throttle_counts() -> None:
    assert [bool(each) for each in (Throttle(RATES), Throttle((), {2: RATES}), Throttle((), {}, {"a": [LEADERS]}))] == [
        True,
        True,
        True,
    ]


def test_what_is_under_way_is_told() -> None:
    assert lines([], []) == []
    assert lines(["a-0", "a-1", "a-2", "a-3"], [4, 2]) == [
        "Reassignments: 4 partitions (a-0, a-1, a-2 and 1 more)",
        "Cordoned: brokers 2 and 4",
    ]
