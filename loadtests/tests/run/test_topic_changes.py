"""What happened to a topic in a run is named once, with its time."""

from __future__ import annotations

from dataclasses import replace

from kafka_load.run.topic_changes import TopicHistory, TopicState, Truncation, untold, unwatched

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
    assert said(history(DELETE, DELETE, ends=(0, 0))) == []


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
    assert seen.of("partitions_added") == {"orders"}
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


def test_each_change_says_what_happened_and_what_it_means() -> None:
    deleted = history(DELETE, None).changes[0]
    assert deleted.sentence == (
        "topic orders was deleted at 1.0 s: its records were deleted with it, so the run proves nothing about them"
    )
    compacted = history(TopicState(3, "A", "compact")).changes[0]
    assert compacted.sentence == (
        "topic orders is compacted (cleanup.policy=compact): a record may be removed once there is a later one of its"
        " key, so what a group was not given is not called lost"
    )
    cut = history(DELETE, DELETE, ends=(100, 80)).changes[0]
    assert (cut.topic, cut.sentence) == (
        "orders",
        "topic orders partition 0 was cut off at 1.0 s: its log ended at 100 and then at 80: records that were in the"
        " log are not there any more",
    )


def test_a_topic_that_never_was_there_was_not_deleted() -> None:
    assert said(history(None, None)) == []


def test_each_look_returns_what_is_new() -> None:
    seen = TopicHistory()
    assert seen.look({"orders": DELETE, "clicks": DELETE}, {}, 0.0, 0) == []
    [first] = seen.look({"orders": None, "clicks": DELETE}, {}, 1.0, 1)
    [second] = seen.look({"orders": None, "clicks": None}, {}, 2.0, 2)
    assert seen.look({"orders": None, "clicks": None}, {}, 3.0, 3) == []
    assert [(one.kind, one.topic, one.at_s) for one in (first, second)] == [
        ("deleted", "orders", 1.0),
        ("deleted", "clicks", 2.0),
    ]
    assert seen.changes == [first, second]


def test_a_topic_that_comes_back_as_it_was_leaves_the_deletion_of_another_standing() -> None:
    seen = TopicHistory()
    for number, (orders, clicks) in enumerate(((DELETE, DELETE), (None, None), (DELETE, None))):
        seen.look({"orders": orders, "clicks": clicks}, {}, float(number), number)
    assert [(one.kind, one.topic) for one in seen.changes] == [("deleted", "clicks")]


def test_a_topic_without_an_id_may_be_another_one() -> None:
    """A cluster that tells no ids cannot say that it is the same topic again."""
    unnamed = TopicState(3, None, "delete")
    assert said(history(unnamed, None, unnamed)) == [("deleted", 1.0)]


def test_an_id_that_is_told_later_or_not_for_a_while_is_no_change() -> None:
    unnamed, other = TopicState(3, None, "delete"), TopicState(3, "B", "delete")
    assert said(history(unnamed, DELETE, unnamed, DELETE)) == []
    assert said(history(DELETE, unnamed, other)) == [("recreated", 2.0)]


def test_a_topic_that_was_made_again_twice_is_named_twice_and_its_partitions_count_anew() -> None:
    small, again = TopicState(1, "B", "delete"), TopicState(2, "C", "delete")
    assert said(history(DELETE, small, again)) == [("recreated", 1.0), ("recreated", 2.0)]
    assert said(history(DELETE, small, TopicState(2, "B", "delete"))) == [
        ("recreated", 1.0),
        ("partitions_added", 2.0),
    ]


def test_partitions_that_a_broker_does_not_know_yet_are_not_added_a_second_time() -> None:
    more = TopicState(6, "A", "delete")
    assert said(history(DELETE, TopicState(1, "A", "delete"), DELETE)) == []
    assert said(history(DELETE, more, DELETE, more)) == [("partitions_added", 1.0)]


def test_a_compaction_that_ends_and_begins_again_is_named_once() -> None:
    compact = TopicState(3, "A", "compact")
    assert said(history(compact, DELETE, compact)) == [("compacted", 0.0)]


def test_each_topic_that_is_compacted_is_named() -> None:
    seen = TopicHistory()
    compact = TopicState(3, "A", "compact")
    seen.look({"orders": compact, "clicks": replace(compact, topic_id="B")}, {}, 0.0, 0)
    assert seen.of("compacted") == {"orders", "clicks"}


def test_a_log_is_cut_off_once_and_its_first_cut_stays_known() -> None:
    seen = TopicHistory()
    one, other = ("orders", 0), ("orders", 1)
    for number, ends in enumerate(({one: 100, other: 10}, {one: 80, other: 10}, {one: 90, other: 9}, {one: 70}, {})):
        seen.look({"orders": DELETE}, ends, float(number), 1_000 + number)
    assert said(seen) == [("truncated", 1.0), ("truncated", 2.0)]
    assert seen.truncations == {one: Truncation(100, 80, 1_001), other: Truncation(10, 9, 1_002)}


def test_a_log_of_another_topic_than_the_deleted_one_is_cut_off_all_the_same() -> None:
    seen, clicks = TopicHistory(), ("clicks", 0)
    seen.look({"orders": DELETE, "clicks": DELETE}, {ZERO: 100, clicks: 50}, 0.0, 0)
    seen.look({"orders": None, "clicks": DELETE}, {ZERO: 3, clicks: 40}, 1.0, 1)
    assert [(one.kind, one.topic) for one in seen.changes] == [("deleted", "orders"), ("truncated", "clicks")]
    assert set(seen.truncations) == {clicks}
    seen.look({"orders": TopicState(3, "B"), "clicks": DELETE}, {ZERO: 9, clicks: 60}, 2.0, 2)
    assert set(seen.truncations) == {clicks}


def test_where_nobody_looked_until_the_end_that_is_said() -> None:
    assert unwatched(None, described_last=True) == []
    [died] = unwatched("ClusterWatch: no memory", described_last=True)
    assert died.startswith("the cluster was not watched until the end (ClusterWatch: no memory), so a change")
    [silent] = unwatched(None, described_last=False)
    assert silent.startswith("the cluster did not describe the topics after the run")


def test_topics_whose_policy_is_not_told_are_named() -> None:
    assert untold({"orders": DELETE, "gone": None}) == []
    [sentence] = untold({"orders": DELETE, "clicks": TopicState(3, "B"), "audit": TopicState(1, "C")})
    assert "cleanup.policy of audit, clicks (it lacks an ACL for DescribeConfigs)" in sentence
