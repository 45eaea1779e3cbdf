"""The independent check of a rolling restart finds each fault that it looks for."""

import pytest
from rolling_restart_check import faults

BROKERS = {1, 2, 3}


def history(*entries: set[int]) -> list[frozenset[int]]:
    return [frozenset(entry) for entry in entries]


GOOD = history({2}, set(), {3}, set(), {1}, set())


def test_a_roll_one_at_a_time_with_the_controller_last_has_no_fault() -> None:
    assert faults(GOOD, BROKERS, controller=1) == []


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (history({2}, {2, 3}, {3}, set(), {1}, set()), "Brokers [2, 3] were away at the same time."),
        (history({2}, set(), {1}, set()), "Broker 3 was not restarted."),
        (history({2}, set(), {3}, set(), {2}, set(), {1}, set()), "Broker 2 went away 2 times."),
        (history({2}, set(), {3}, set(), {1}), "Brokers [1] did not come back."),
        (history({1}, set(), {3}, set(), {2}, set()), "Broker 2 was the last, not 1, the active controller."),
        (history(), "Broker 1 was not restarted."),
    ],
)
def test_each_fault_is_named(seen: list[frozenset[int]], sentence: str) -> None:
    assert sentence in faults(seen, BROKERS, controller=1)
