"""What a migration must not change: a replica that moved, a setting that is gone, an offset that went back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.cluster_contents import Contents, differences, refusal

BEFORE = Contents(
    {"orders-0": [1, 2, 3], "orders-1": [2, 3, 1]},
    {"topic orders": {"retention.ms": "1000"}},
    {"user=shop": {"producer_byte_rate": 1000.0}},
    {"warehouse": {"orders-0": 40, "orders-1": 7}},
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"replicas": {"orders-0": [1, 2, 3]}}, "the replicas of orders-1 are gone"),
        ({"replicas": {**BEFORE.replicas, "orders-0": [2, 1, 3]}}, "the replicas of orders-0 were [1, 2, 3]"),
        ({"configs": {}}, "the settings of topic orders are gone"),
        ({"configs": {"topic orders": {}}}, "the settings of topic orders were"),
        ({"quotas": {}}, "the quotas of user=shop are gone"),
        (
            {"offsets": {"warehouse": {"orders-0": 39, "orders-1": 7}}},
            "offsets of warehouse have gone back for orders-0",
        ),
        ({"offsets": {}}, "offsets of warehouse have gone back for orders-0 and orders-1"),
    ],
)
def test_what_is_gone_or_changed_is_told(change: dict[str, object], sentence: str) -> None:
    (told,) = differences(BEFORE, replace(BEFORE, **change))  # type: ignore[arg-type]
    assert sentence in told


def test_what_was_added_meanwhile_is_no_difference() -> None:
    after = Contents(
        {**BEFORE.replicas, "clicks-0": [1, 2, 3]},
        {**BEFORE.configs, "broker 1": {"log.cleaner.threads": "2"}},
        {**BEFORE.quotas, "user=new": {}},
        {"warehouse": {"orders-0": 41, "orders-1": 7, "orders-2": 1}, "other": {}},
    )
    assert list(differences(BEFORE, after)) == []
    assert list(differences(Contents(), after)) == []


def test_the_counts_say_how_much_was_compared() -> None:
    assert BEFORE.counts == "2 partitions, 1 settings, 1 quotas, 2 committed offsets of 1 groups"


def test_what_changed_is_refused_and_the_sentence_says_how_users_changes_are_accepted() -> None:
    after = replace(BEFORE, replicas={"orders-0": [1, 2, 3]}, quotas={})
    assert refusal(BEFORE, after) == (
        "The cluster does not hold what it held before this phase was begun: the replicas of orders-1 are gone; the"
        " quotas of user=shop are gone. Where users have changed this themselves, accept what the cluster holds now"
        " with -e migration_accept_changes=yes."
    )
    assert refusal(BEFORE, BEFORE) == ""
    assert refusal(Contents(), BEFORE) == ""
