"""What happened to a topic in a run is named once, with its time."""

from __future__ import annotations

from kafka_load.run.topic_changes import TopicHistory, TopicState

DELETE = TopicState(3, "A", "delete")
ZERO = ("orders", 0)


def history(*looks: TopicState | None, ends: tuple[int, ...] = ()) -> TopicHistory:
    seen = TopicHistory()
    for second, state in enumerate(looks):
        seen.look({"orders": state}, {ZERO: ends[second]} if ends else {}, float(second), second)
    return seen


def said(seen: TopicHistory) -> list[tuple[str, float]]:
    return [(change.kind, change.at_s) for change in seen.changes]


def test_nothing_is_said_of_a_topic_that_stays_as_it_is() -> None:
    assert said(history(DELETE, TopicState(3), DELETE, ends=(5, 9, 9))) == []


def test_a_topic_that_was_made_again_is_named_and_its_new_log_is_no_truncation() -> None:
    again = TopicState(3, "B", "delete")
    seen = history(DELETE, DELETE, again, again, ends=(5, 100, 3, 7))
    assert said(seen) == [("recreated", 2.0)]
    assert "was deleted and made again at 2.0 s (id A, then B): its records were deleted" in seen.changes[0].sentence
    assert seen.truncations == {}


def test_a_topic_that_is_gone_is_named_and_so_is_its_return() -> None:
    assert said(history(DELETE, None, None, TopicState(3, "B", "delete"))) == [("deleted", 1.0), ("recreated", 3.0)]


def test_a_broker_that_does_not_know_a_topic_yet_is_no_deletion() -> None:
    assert said(history(DELETE, None, DELETE)) == []


def test_partitions_that_were_added_are_counted() -> None:
    seen = history(DELETE, TopicState(6, "A", "delete"), TopicState(6, "A", "delete"))
    assert said(seen) == [("partitions_added", 1.0)]
    assert "went from 3 to 6 partitions at 1.0 s" in seen.changes[0].sentence


def test_a_compacted_topic_is_named_whenever_it_became_one() -> None:
    assert said(history(TopicState(3, "A", "compact,delete"), DELETE)) == [("compacted", 0.0)]
    seen = history(DELETE, TopicState(3, "A", "compact"), TopicState(3, "A", "compact"))
    assert said(seen) == [("compacted", 1.0)]
    assert "is compacted since 1.0 s (cleanup.policy=compact)" in seen.changes[0].sentence


def test_a_log_that_ends_earlier_than_it_did_was_cut_off() -> None:
    seen = history(DELETE, DELETE, DELETE, ends=(5, 100, 80))
    assert said(seen) == [("truncated", 2.0)]
    assert (seen.truncations[ZERO].before, seen.truncations[ZERO].after) == (100, 80)
    assert seen.of("truncated", "recreated") == {"orders"}


def test_a_shorter_log_is_no_truncation_if_the_topic_is_then_found_to_be_another_one() -> None:
    seen = history(DELETE, DELETE, DELETE, TopicState(3, "B", "delete"), ends=(5, 100, 3, 7))
    assert said(seen) == [("recreated", 3.0)]
    assert seen.truncations == {}


def test_a_shorter_log_is_no_truncation_if_the_topic_is_then_found_to_be_deleted() -> None:
    seen = history(DELETE, DELETE, DELETE, None, ends=(5, 100, 3, 7))
    assert said(seen) == [("deleted", 3.0)]
    assert seen.truncations == {}


def test_the_topics_can_be_looked_at_without_their_logs() -> None:
    seen = history(DELETE, DELETE, ends=(5, 100))
    assert seen.look({"orders": DELETE}, {}, 2.0, 2) == []
