"""Topics that a profile declares: what differs from the cluster's, and which of them the harness made."""

from __future__ import annotations

import pytest
from kafka_load.cluster.topics import FoundTopic
from kafka_load.config.profile_types import DeclaredTopic
from kafka_load.run.declared_objects import MADE, differences, made_by_harness

DECLARED = DeclaredTopic("payments", 6, 3, {"retention.ms": "60000"})
SAME = FoundTopic(6, 3, {"retention.ms": "60000"})


def test_a_topic_that_is_as_declared_is_used() -> None:
    assert list(differences(DECLARED, SAME)) == []


def test_what_the_profile_does_not_say_may_be_anything() -> None:
    assert list(differences(DeclaredTopic("payments"), SAME)) == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (FoundTopic(3, 3, SAME.config), "topic payments exists with 3 partitions, and the profile declares 6:"),
        (FoundTopic(6, 1, SAME.config), "topic payments exists with 1 replicas, and the profile declares 3:"),
        (FoundTopic(6, 3, {"retention.ms": "1"}), "exists with retention.ms 1, and the profile declares 60000:"),
        (FoundTopic(6, 3, {}), "topic payments has no config retention.ms, which the profile declares:"),
    ],
)
def test_a_topic_that_is_otherwise_is_refused_by_name(found: FoundTopic, says: str) -> None:
    [sentence] = differences(DECLARED, found)
    assert says in sentence
    assert sentence.endswith("change the profile, or give the topic another name")


def test_only_a_topic_with_the_id_of_its_mark_was_made_by_the_harness() -> None:
    marks = {"mine": f"{MADE}a1", "made-again": f"{MADE}a2", "gone": f"{MADE}a3", "theirs": "billing"}
    ids = {"mine": "a1", "made-again": "b2", "theirs": "a4", "unmarked": "a5"}
    assert made_by_harness(marks, ids) == ["mine"]
