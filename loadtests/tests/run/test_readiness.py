"""What a group reads, and when its members have all they will have."""

from __future__ import annotations

import pytest
from kafka_load.run.readiness import Group, UnreadyError, settled, united

Some = set[tuple[str, int]]
ORDERS: Some = {("orders", number) for number in range(3)}
BOTH: Some = ORDERS | {("clicks", number) for number in range(3)}


def orders(*numbers: int) -> Some:
    return {("orders", number) for number in numbers}


def both(*numbers: int) -> Some:
    return orders(*numbers) | {("clicks", number) for number in numbers}


@pytest.mark.parametrize(
    ("partitions", "assigned", "expected"),
    [
        (ORDERS, [orders(0, 1, 2)], True),
        (ORDERS, [orders(0, 1), orders(2)], True),
        (ORDERS, [orders(0), orders(1), orders(2)], True),
        (ORDERS, [orders(0), orders(1), orders(2), orders()], True),
        (BOTH, [both(0), both(1), both(2), both()], True),
        (orders(), [orders(), orders()], True),
        (ORDERS, [orders(0, 1, 2), orders()], False),
        (ORDERS, [orders(0, 1), orders(2), orders()], False),
        (ORDERS, [orders(0), orders(2)], False),
        (ORDERS, [orders(), orders()], False),
        (ORDERS, [orders(0, 1, 2), orders(2)], False),
        (ORDERS, [], False),
    ],
)
def test_a_group_is_settled_when_no_rebalance_is_to_come(
    partitions: Some, assigned: list[Some], expected: bool
) -> None:
    assert settled(partitions, assigned) is expected


def test_a_group_of_several_classes_of_users_reads_the_topics_of_all() -> None:
    clicks, other, both = (
        Group(name, "queue", topics) for name, topics in (("g", ("clicks",)), ("h", ()), ("g", ("orders", "clicks")))
    )
    assert united([clicks, other, both]) == [Group("g", "queue", ("clicks", "orders")), other]


def test_classes_of_one_group_with_different_modes_are_refused() -> None:
    with pytest.raises(UnreadyError, match="group g: its users have the modes queue and share"):
        united([Group("g", "queue", ("clicks",)), Group("g", "share", ("clicks",))])
