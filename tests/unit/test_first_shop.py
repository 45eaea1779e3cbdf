"""The first shop must see it when a promise is not kept."""

from dataclasses import replace

import first_shop
import pytest
from first_shop import GROUPS, Order, Reading, catalogue, problems, table

PARTITIONS = 3


def sent_orders() -> list[Order]:
    """The catalogue as acknowledged, each key in a partition of its own."""
    ends = dict.fromkeys(range(PARTITIONS), 0)
    orders = []
    for key, value in catalogue():
        partition = sum(key.encode()) % PARTITIONS
        orders.append(Order(key, value, partition, ends[partition]))
        ends[partition] += 1
    return orders


SENT = sent_orders()
COMMITTED = {group: {p: sum(o.partition == p for o in SENT) for p in range(PARTITIONS)} for group in GROUPS}


def readings() -> dict[tuple[str, int], Reading]:
    """A run in which everything holds: each member of a group reads its share of the partitions."""
    return {
        (group, member): Reading(group, member, tuple(o for o in SENT if o.partition % members == member - 1))
        for group, members in GROUPS.items()
        for member in range(1, members + 1)
    }


def judged(changed: Reading | None = None, committed: dict[str, dict[int, int]] = COMMITTED) -> list[str]:
    """What is found when one member's reading is another than it should be."""
    run = readings()
    if changed:
        run[changed.group, changed.member] = changed
    return problems(SENT, list(run.values()), committed)


def test_a_run_in_which_everything_holds_has_no_problems() -> None:
    assert judged() == []


def test_the_first_orders_are_the_laptop_and_the_phone() -> None:
    (key1, order1), (key2, order2), *more = catalogue()
    assert (key1, order1) == ("order1", '{"id": "O1", "item": "Laptop", "price": 999.99}')
    assert (key2, order2) == ("order2", '{"id": "O2", "item": "Phone", "price": 499.99}')
    assert len({key for key, _ in more}) == first_shop.CUSTOMERS


@pytest.mark.parametrize("reader", list(readings()))
def test_a_lost_order_is_found(reader: tuple[str, int]) -> None:
    reading = readings()[reader]
    (found,) = judged(replace(reading, orders=reading.orders[:5] + reading.orders[6:]))
    assert found == f"{reader[0]} never got {reading.orders[5]}."


def test_an_order_read_by_two_members_is_found() -> None:
    theirs = readings()["warehouse-group", 2]
    mine = readings()["warehouse-group", 1]
    (found,) = judged(replace(mine, orders=(*mine.orders, theirs.orders[0])))
    assert found == f"warehouse-group got {theirs.orders[0]} 2 times."


def test_orders_of_a_key_in_another_order_are_found() -> None:
    reading = readings()["analytics-group", 1]
    own = [index for index, order in enumerate(reading.orders) if order.key == "customer07"]
    orders = list(reading.orders)
    orders[own[0]], orders[own[1]] = orders[own[1]], orders[own[0]]
    (found,) = judged(replace(reading, orders=tuple(orders)))
    assert found == "analytics-group got the orders of customer07 in another order than they were sent in."


def test_an_altered_order_is_found() -> None:
    reading = readings()["notification-group", 1]
    altered = replace(reading.orders[0], value="{}")
    found = judged(replace(reading, orders=(altered, *reading.orders[1:])))
    assert f"notification-group got {altered}, which nobody sent." in found


def test_a_member_without_orders_is_found() -> None:
    run = readings()
    first, second = run["warehouse-group", 1], run["warehouse-group", 2]
    run["warehouse-group", 1] = replace(first, orders=first.orders + second.orders)
    run["warehouse-group", 2] = replace(second, orders=())
    assert problems(SENT, list(run.values()), COMMITTED) == ["1 of the 3 members of warehouse-group got nothing."]


def test_an_offset_that_was_not_committed_is_found() -> None:
    end = COMMITTED["analytics-group"][1]
    (found,) = judged(committed=COMMITTED | {"analytics-group": COMMITTED["analytics-group"] | {1: end - 1}})
    assert found == f"analytics-group read orders-1 up to offset {end} and committed {end - 1}."


def test_the_table_says_who_read_what_up_to_where() -> None:
    rows = table(list(readings().values()), COMMITTED).splitlines()
    assert len(rows) == 1 + 3 + 3 + 3
    end = str(COMMITTED["warehouse-group"][0])
    assert rows[1].split() == ["warehouse-group", "1", "orders-0", end, end]
