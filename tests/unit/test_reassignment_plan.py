"""A plan of reassignments gives brokers equal shares for the fewest bytes, keeps racks apart, and empties a broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_plan import (
    ReassignmentPlan,
    estimated_s,
    plan,
    problems,
    too_slow,
)
from ansible_collections.crucible.kafka.plugins.module_utils.replica_placement import (
    Placement,
    Targets,
    even_shares,
    replica_sets,
)

RACKS = st.sampled_from(["", "a", "b", "c"])


@st.composite
def clusters(draw: st.DrawFn, max_partitions: int = 8, max_brokers: int = 6) -> tuple[list[Placement], Targets]:
    """Some topics of equal replication factors somehow placed, and brokers in or without racks."""
    count = draw(st.integers(2, max_brokers))
    without = draw(st.booleans())
    racks = {node: "" if without else draw(st.sampled_from("abc")) for node in range(1, count + 1)}
    placed = []
    for topic in draw(st.sampled_from([["orders"], ["orders", "clicks"], ["a", "b", "__c"]])):
        factor = draw(st.integers(1, min(3, count)))
        for index in range(draw(st.integers(1, max_partitions // 2))):
            nodes = draw(st.permutations(sorted(racks)))[:factor]
            placed.append(Placement(topic, index, tuple(nodes), draw(st.integers(0, 5)) * 10))
    return placed, Targets(racks)


def counts(placed: Sequence[Placement], nodes: Sequence[int], topic: str | None = None) -> list[int]:
    held = Counter(node for each in placed if topic in (None, each.topic) for node in each.replicas)
    return [held[node] for node in nodes]


def drained(whole: Targets, gone: int) -> Targets:
    """The other brokers, where one is to be emptied."""
    rest = {node: rack for node, rack in whole.racks.items() if node != gone}
    return Targets(rest, drained=frozenset({gone}))


def spread(replicas: Sequence[int], racks: dict[int, str]) -> int:
    return len({racks[node] for node in replicas})


def unevenness(held: Mapping[int, int], factors: Sequence[int], racks: Mapping[int, str]) -> int:
    """What the plan calls the cost of a balance: the k-th replica above a broker's share costs k."""
    shares = even_shares(Counter(factors), racks)
    return sum(over * (over + 1) // 2 for over in (max(0, held[node] - shares[node]) for node in racks))


def cost(before: Sequence[Placement], after: Sequence[Placement], racks: dict[int, str]) -> tuple[int, int, int]:
    """The three aims in their order: what lies together in a rack, what is uneven, what is moved."""
    together = 0
    if len(set(racks.values())) > 1:
        for each in after:
            for number in Counter(racks[node] for node in each.replicas).values():
                together += number * (number - 1) // 2
    uneven = 0
    for topic in [None, *{each.topic for each in before}]:
        of_topic = [each for each in after if topic in (None, each.topic)]
        held = Counter(node for each in of_topic for node in each.replicas)
        uneven += unevenness(held, [len(each.replicas) for each in of_topic], racks)
    moved = sum(
        (new.size_bytes + 1) * len(set(new.replicas) - set(old.replicas))
        for old, new in zip(before, after, strict=True)
    )
    return together, uneven, moved


@given(clusters())
def test_replication_factors_are_kept_no_broker_holds_a_partition_twice_and_racks_are_as_many_as_can_be(
    cluster: tuple[list[Placement], Targets],
) -> None:
    placed, targets = cluster
    racks = dict(targets.racks)
    for old, new in zip(placed, plan(placed, targets).apply(placed), strict=True):
        assert len(new.replicas) == len(old.replicas) == len(set(new.replicas))
        assert set(new.replicas) <= set(racks)
        assert spread(new.replicas, racks) == min(len(new.replicas), len(set(racks.values())))


@given(clusters())
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(cluster: tuple[list[Placement], Targets]) -> None:
    placed, targets = cluster
    after = plan(placed, targets).apply(placed)
    assert plan(after, targets).moves == []


@given(clusters())
def test_without_racks_every_broker_holds_the_same_of_all_and_of_each_topic(
    cluster: tuple[list[Placement], Targets],
) -> None:
    placed, targets = cluster
    flat = Targets(dict.fromkeys(targets.racks, ""))
    after = plan(placed, flat).apply(placed)
    for topic in [None, *{each.topic for each in placed}]:
        held = counts(after, sorted(flat.racks), topic)
        assert max(held) - min(held) <= 1


@given(clusters(max_partitions=4, max_brokers=4).filter(lambda cluster: len(cluster[0]) <= 4))
def test_no_other_placement_is_as_good_for_fewer_bytes(cluster: tuple[list[Placement], Targets]) -> None:
    placed, targets = cluster
    racks = dict(targets.racks)
    sets = [list(combinations(sorted(racks), len(each.replicas))) for each in placed]
    best = min(
        cost(
            placed,
            [Placement(p.topic, p.index, nodes, p.size_bytes) for p, nodes in zip(placed, chosen, strict=True)],
            racks,
        )
        for chosen in product(*sets)
    )
    assert cost(placed, plan(placed, targets).apply(placed), racks) == best


@given(clusters(), st.data())
def test_a_drained_broker_is_empty_and_nothing_moves_that_was_not_on_it(
    cluster: tuple[list[Placement], Targets], data: st.DataObject
) -> None:
    placed, whole = cluster
    gone = data.draw(st.sampled_from(sorted(whole.racks)))
    targets = drained(whole, gone)
    rest = targets.racks
    if list(problems(placed, targets)):
        return
    placed = plan(placed, whole).apply(placed)
    result = plan(placed, targets)
    after = result.apply(placed)
    for old, new in zip(placed, after, strict=True):
        assert gone not in new.replicas
        if gone not in old.replicas:
            assert new == old
        assert spread(new.replicas, dict(rest)) == min(len(new.replicas), len(set(rest.values())))
    assert plan(after, targets).moves == []
    if len(set(rest.values())) == 1:
        on_it = sum(each.size_bytes for each in placed if gone in each.replicas)
        assert result.moved_bytes == on_it


@given(clusters(max_partitions=4, max_brokers=4).filter(lambda cluster: len(cluster[0]) <= 4), st.data())
def test_a_drain_moves_the_fewest_bytes_and_then_balances(
    cluster: tuple[list[Placement], Targets], data: st.DataObject
) -> None:
    placed, whole = cluster
    gone = data.draw(st.sampled_from(sorted(whole.racks)))
    targets = drained(whole, gone)
    racks = dict(targets.racks)
    if list(problems(placed, targets)):
        return

    def in_order(after: Sequence[Placement]) -> tuple[int, int, int]:
        together, uneven, moved = cost(placed, after, racks)
        return together, moved, uneven

    sets = [
        list(combinations(sorted(racks), len(each.replicas))) if gone in each.replicas else [each.replicas]
        for each in placed
    ]
    best = min(
        in_order([replace(each, replicas=nodes) for each, nodes in zip(placed, chosen, strict=True)])
        for chosen in product(*sets)
    )
    assert in_order(plan(placed, targets).apply(placed)) == best


@given(clusters(max_partitions=4, max_brokers=4).filter(lambda cluster: len(cluster[0]) <= 4), st.data())
def test_no_other_leaders_are_as_even_for_fewer_changes_or_in_a_drain_as_few_and_more_even(
    cluster: tuple[list[Placement], Targets], data: st.DataObject
) -> None:
    placed, whole = cluster
    gone = data.draw(st.sampled_from([None, *sorted(whole.racks)]))
    targets = whole if gone is None else drained(whole, gone)
    racks = targets.racks
    if list(problems(placed, targets)):
        return
    after = plan(placed, targets).apply(placed)

    def costs(leaders: Sequence[int]) -> tuple[int, int]:
        changes = sum(leader != each.replicas[0] for leader, each in zip(leaders, placed, strict=True))
        uneven = 0
        for topic in [None, *{each.topic for each in placed}]:
            led = Counter(leader for leader, each in zip(leaders, placed, strict=True) if topic in (None, each.topic))
            uneven += unevenness(led, [1] * led.total(), dict.fromkeys(racks, ""))
        return (uneven, changes) if gone is None else (changes, uneven)

    able = [
        each.replicas if gone is None or gone in old.replicas else old.replicas[:1]
        for each, old in zip(after, placed, strict=True)
    ]
    assert costs([each.replicas[0] for each in after]) == min(costs(leaders) for leaders in product(*able))


@given(clusters())
def test_a_cordoned_broker_takes_nothing_and_is_not_emptied_for_it(cluster: tuple[list[Placement], Targets]) -> None:
    placed, whole = cluster
    targets = Targets({**whole.racks, 99: ""}, cordoned=frozenset({99}))
    on_it = Placement("orders", 90, (99,), 5)
    after = plan([*placed, on_it], targets).apply([*placed, on_it])
    assert [each for each in after if 99 in each.replicas] == [on_it]


@given(clusters())
def test_leaders_are_as_even_as_the_replicas_let_them_be(cluster: tuple[list[Placement], Targets]) -> None:
    placed, _ = cluster
    everywhere = [Placement(each.topic, each.index, (1, 2), each.size_bytes) for each in placed]
    after = plan(everywhere, Targets({1: "", 2: ""})).apply(everywhere)
    leaders = Counter(each.replicas[0] for each in after)
    assert abs(leaders[1] - leaders[2]) <= 1


def test_a_grown_cluster_moves_exactly_the_surplus_and_of_each_broker_the_smallest() -> None:
    placed = [Placement("orders", index, (1 + index % 3,), 100 + index) for index in range(15)]
    result = plan(placed, Targets(dict.fromkeys(range(1, 6), "")))
    # Three each: 5 - 3 from each of three brokers, and of each the two smallest.
    assert len(result.moves) == 6
    assert result.moved_bytes == sum(100 + index for index in range(6))


def test_racks_are_repaired_before_anything_is_balanced() -> None:
    placed = [Placement("orders", 0, (1, 2), 10)]
    (move,) = plan(placed, Targets({1: "a", 2: "a", 3: "b"})).moves
    assert 3 in move.after
    assert move.moved_bytes == 10


def test_two_replicas_come_into_one_rack_only_if_there_are_too_few() -> None:
    placed = [Placement("orders", 0, (1, 3), 10)]
    (move,) = plan(placed, Targets({1: "a", 2: "a"}, drained=frozenset({3}))).moves
    assert set(move.after) == {1, 2}


def test_a_broker_of_a_rack_alone_gives_its_replicas_to_that_rack() -> None:
    placed = [Placement("orders", 0, (1, 3), 10)]
    (move,) = plan(placed, Targets({1: "a", 2: "a", 4: "b"}, drained=frozenset({3}))).moves
    assert (move.before, move.after, move.added) == ((1, 3), (1, 4), (4,))


def test_a_preferred_leader_stays_where_that_costs_no_balance() -> None:
    placed = [Placement("orders", 0, (1, 2, 3), 10), Placement("orders", 1, (2, 3, 1), 10)]
    result = plan(placed, Targets({1: "", 2: "", 4: ""}, drained=frozenset({3})))
    assert [move.after for move in result.moves] == [(1, 2, 4), (2, 1, 4)]


def test_a_move_tells_what_is_copied() -> None:
    placed = [Placement("orders", 0, (1, 2), 2_500_000), Placement("orders", 1, (1, 2), 0)]
    first, second = (
        plan(placed, Targets({1: "", 2: ""})),
        plan(placed[:1], Targets({2: "", 3: ""}, drained=frozenset({1}))),
    )
    assert [str(move) for move in first.moves] in (
        ["orders-0 [1,2] -> [2,1], leader only"],
        ["orders-1 [1,2] -> [2,1], leader only"],
    )
    assert [str(move) for move in second.moves] == ["orders-0 [1,2] -> [2,3], 2.5 MB"]


def test_batches_tell_how_far_the_whole_is_and_come_to_kafkas_own_topics_last() -> None:
    placed = [Placement("__offsets", 0, (1,), 1_000_000), *(Placement("orders", i, (1,), 2_000_000) for i in range(2))]
    result = plan(placed, Targets({2: ""}, drained=frozenset({1})))
    assert [(batch.progress, [move.name for move in batch.moves]) for batch in result.batches(2)] == [
        ("2 of 3 partitions, 4.0 of 5.0 MB", ["orders-0", "orders-1"]),
        ("3 of 3 partitions, 5.0 of 5.0 MB", ["__offsets-0"]),
    ]
    # 4 MB and then 1 MB, each sent by broker 1 alone.
    assert estimated_s(result.batches(2), 1_000_000) == 5.0
    assert estimated_s(ReassignmentPlan().batches(2), 1) == 0


def test_the_busiest_broker_decides_how_long_it_takes() -> None:
    placed = [Placement("orders", index, (1 + index,), 1_000_000) for index in range(2)]
    result = plan(placed, Targets({3: ""}, drained=frozenset({1, 2})))
    assert estimated_s(result.batches(9), 1_000_000) == 2.0


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (Targets({1: "", 2: ""}), "factor 3 of orders does not fit the 2 brokers that would hold replicas (1 and 2)."),
        (Targets({1: "", 2: "", 3: ""}, frozenset({3})), "does not fit the 2 brokers"),
        (Targets({1: "", 2: "", 3: ""}), ""),
    ],
)
def test_a_replication_factor_that_does_not_fit_is_refused(targets: Targets, sentence: str) -> None:
    told = list(problems([Placement("orders", 0, (1, 2, 3))], targets))
    assert (len(told) == 1 and sentence in told[0]) if sentence else told == []


@example(([Placement("orders", 0, (1,), 1), Placement("orders", 1, (1,), 1)], Targets({1: "a", 2: "b"})))
@given(clusters())
def test_the_same_cluster_gets_the_same_plan_in_whatever_order_it_is_told(
    cluster: tuple[list[Placement], Targets],
) -> None:
    placed, targets = cluster
    backwards = Targets(dict(reversed(list(targets.racks.items()))))
    assert plan(placed, targets) == plan(list(reversed(placed)), backwards)


def test_a_broker_that_sends_to_two_others_takes_the_time_of_both() -> None:
    placed = [Placement("orders", index, (1,), 1_000_000) for index in range(2)]
    result = plan(placed, Targets({2: "", 3: ""}, drained=frozenset({1})))
    assert {move.after for move in result.moves} == {(2,), (3,)}
    assert estimated_s(result.batches(9), 1_000_000) == 2.0


def test_what_a_cordoned_broker_keeps_is_not_in_the_shares_of_the_others() -> None:
    placed = [Placement("orders", index, (9 if index < 2 else 1,), 10) for index in range(4)]
    (move,) = plan(placed, Targets({1: "", 2: "", 9: ""}, cordoned=frozenset({9}))).moves
    assert (move.before, move.after) == ((1,), (2,))


def test_without_a_broker_that_takes_replicas_that_is_said() -> None:
    (told,) = problems([Placement("orders", 0, (1,))], Targets({1: ""}, cordoned=frozenset({1})))
    assert told.endswith("the 0 brokers that would hold replicas (none).")


SLOW_RATE, TIMEOUT_S = 1_000_000, 10


def test_a_batch_that_cannot_end_in_time_is_refused_with_what_to_change() -> None:
    placed = [Placement("orders", index, (1,), 4_000_000 + index) for index in range(4)]
    batches = list(plan(placed, Targets({2: ""}, drained=frozenset({1}))).batches(3))
    assert list(too_slow(batches, SLOW_RATE, TIMEOUT_S)) == [
        "1 of 2 batches cannot end in time and would be cancelled: the largest one copies 12.0 MB of 3 partitions"
        " (orders-0, orders-1 and orders-2), which takes at least 13 s by the throttle, and rebalance_batch_timeout_s"
        " is 10. Set rebalance_batch_timeout_s well above 13, or rebalance_throttle_bytes_per_second (1000000) well"
        " above 1200001, or rebalance_batch_partitions below 3."
    ]


def test_the_largest_of_the_batches_that_cannot_end_in_time_is_named() -> None:
    placed = [Placement("orders", index, (1,), size * 1_000_000) for index, size in enumerate([11, 30, 20, 1])]
    batches = list(plan(placed, Targets({2: ""}, drained=frozenset({1}))).batches(1))
    (told,) = too_slow(batches, SLOW_RATE, TIMEOUT_S)
    assert told.startswith("3 of 4 batches cannot end in time and would be cancelled: the largest one copies 30.0 MB")


def test_fewer_partitions_at_a_time_are_advised_only_where_each_can_end_in_time() -> None:
    placed = [Placement("orders", index, (1,), size * 1_000_000) for index, size in enumerate([11, 1])]
    result = plan(placed, Targets({2: ""}, drained=frozenset({1})))
    for partitions in (1, 2):
        (told,) = too_slow(list(result.batches(partitions)), SLOW_RATE, TIMEOUT_S)
        assert "rebalance_batch_partitions" not in told
        assert told.endswith(" well above 1200000." if partitions == 2 else " well above 1100000.")


@pytest.mark.parametrize(("rate", "timeout_s"), [(0, 1), (SLOW_RATE, 12), (SLOW_RATE * 2, 6)])
def test_a_batch_is_not_refused_that_ends_just_in_time_or_has_no_throttle(rate: int, timeout_s: float) -> None:
    placed = [Placement("orders", index, (1,), 6_000_000) for index in range(2)]
    batches = list(plan(placed, Targets({2: ""}, drained=frozenset({1}))).batches(2))
    assert list(too_slow(batches, rate, timeout_s)) == []
    assert list(too_slow(batches, SLOW_RATE, 11.9)) != []


def test_without_moves_or_bytes_no_batch_is_too_slow() -> None:
    assert list(too_slow([], 1, 1)) == []
    leaders_only = plan([Placement("orders", index, (1, 2), 9) for index in range(2)], Targets({1: "", 2: ""}))
    assert len(leaders_only.moves) == 1
    assert list(too_slow(list(leaders_only.batches(9)), 1, 1)) == []


def test_a_timeout_of_0_is_too_short_for_all_that_is_copied() -> None:
    result = plan([Placement("orders", 0, (1,), 10)], Targets({2: ""}, drained=frozenset({1})))
    assert len(list(too_slow(list(result.batches(1)), 1, 0))) == 1


def grown(brokers: int, partitions: int, racks: Mapping[int, str]) -> tuple[list[Placement], Targets]:
    """One replica in each of three racks, evenly on all brokers but the last, which is new."""
    of_rack = [[node for node in range(1, brokers) if racks[node] == rack] for rack in "abc"]
    placed = []
    for index in range(partitions):
        nodes = [of_rack[(index + step) % 3] for step in range(3)]
        replicas = tuple(those[index // 3 % len(those)] for those in nodes)
        placed.append(Placement(f"topic-{index // 12}", index % 12, replicas, 100 + index))
    return placed, Targets(racks)


def test_a_new_broker_gets_its_share_of_its_rack_though_other_racks_have_fewer_brokers() -> None:
    racks = {node: "abc"[node % 3] for node in range(1, 11)}  # Rack b has four of them.
    placed, targets = grown(10, 240, racks)
    after = plan(placed, targets).apply(placed)
    held = Counter(node for each in after for node in each.replicas)
    assert {node: held[node] for node in racks} == {node: 60 if racks[node] == "b" else 80 for node in racks}


@pytest.mark.parametrize(
    ("factors", "racks", "kept", "shares"),
    [
        ({3: 10}, "aaabbbccc", 0, [3] * 9),
        ({3: 240}, "abcabcabca", 0, [60, 80, 80] * 3 + [60]),  # Each rack has to hold one of each.
        ({2: 60}, "abcccccc", 0, [30, 30, *[10] * 6]),  # And can hold no more: c has 60, the others share as many.
        ({2: 90}, "abbccc", 0, [30] * 6),
        ({2: 12}, "aabbcc", 0, [4] * 6),
        ({3: 8}, "aaab", 0, [5, 5, 5, 8]),  # Of three replicas two lie in one of two racks, and one in the other.
        ({1: 4}, ["", ""], 2, [1, 1]),
        ({1: 2, 3: 2}, ["", "", ""], 0, [2, 2, 2]),
        ({3: 10}, ["", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"], 0, [1] * 37),
    ],
)
def test_shares_are_equal_but_for_racks_that_cannot_hold_so_much_or_have_to_hold_more(
    factors: dict[int, int], racks: Sequence[str], kept: int, shares: list[int]
) -> None:
    assert list(even_shares(factors, dict(enumerate(racks)), kept).values()) == shares


@given(clusters(), st.integers(1, 12))
def test_what_is_decided_in_groups_of_topics_is_feasible_even_and_final(
    cluster: tuple[list[Placement], Targets], pairs: int
) -> None:
    placed, targets = cluster
    flat = Targets(dict.fromkeys(targets.racks, ""))

    def sets(of: Sequence[Placement], where: Targets) -> list[set[int]]:
        return replica_sets(of, set(of), where, pairs)

    for each, nodes in zip(placed, sets(placed, targets), strict=True):
        assert len(nodes) == len(each.replicas)
        assert spread(sorted(nodes), dict(targets.racks)) == min(len(nodes), len(set(targets.racks.values())))
    chosen = sets(placed, flat)
    after = [replace(each, replicas=tuple(sorted(nodes))) for each, nodes in zip(placed, chosen, strict=True)]
    held = counts(after, sorted(flat.racks))
    assert max(held) - min(held) <= 1
    assert [set(each.replicas) for each in after] == sets(after, flat)


@given(clusters(), st.data())
def test_a_drain_that_is_decided_in_groups_moves_only_what_has_to(
    cluster: tuple[list[Placement], Targets], data: st.DataObject
) -> None:
    placed, whole = cluster
    gone = data.draw(st.sampled_from(sorted(whole.racks)))
    targets = drained(whole, gone)
    if list(problems(placed, targets)):
        return
    movable = {each for each in placed if gone in each.replicas}
    for each, nodes in zip(placed, replica_sets(placed, movable, targets, 1), strict=True):
        assert len(nodes) == len(each.replicas)
        assert gone not in nodes
        assert each in movable or nodes == set(each.replicas)


def test_groups_begin_with_the_smallest_partitions() -> None:
    large = [Placement("a", index, (1,), 1_000) for index in range(4)]
    small = [Placement("b", index, (1,), 1) for index in range(4)]
    placed = [*large, *small]
    chosen = replica_sets(placed, set(placed), Targets({1: "", 2: ""}), pairs=8)
    moved = [each.topic for each, nodes in zip(placed, chosen, strict=True) if nodes == {2}]
    assert sorted(moved) == ["a", "a", "b", "b"]  # Each topic is to be even, too.
    alone = [Placement(topic, 0, (1,), size) for topic, size in (("a", 1_000), ("b", 1), ("c", 1_000), ("d", 1))]
    chosen = replica_sets(alone, set(alone), Targets({1: "", 2: ""}), pairs=2)
    assert [nodes == {2} for nodes in chosen] == [False, True, False, True]
