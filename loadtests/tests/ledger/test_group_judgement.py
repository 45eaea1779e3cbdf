"""What is said of a group: each anomaly with its place, and no loss where nobody can know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from kafka_load.ledger import Drain
from kafka_load.ledger.copies import LOOKED_UP, Doubled
from kafka_load.ledger.findings import NAMED, Anomaly
from kafka_load.ledger.group_judgement import AnomalyCollector
from kafka_load.ledger.producer_account import Account
from kafka_load.ledger.snapshot import ALTERED_LOG, MISPLACED_LOG
from kafka_load.ledger.stream_judgement import SequenceRange
from one_stream import SENT, STREAM, TP, judged, member, run, sent


def test_a_record_that_is_missing_is_named_with_its_offset_and_when_it_was_acknowledged() -> None:
    group, named, _ = judged([member(run(0, 3), run(5, 10))])
    assert (group.group, group.mode, group.lost, group.consumed) == ("g", "queue", 2, 8)
    assert named == [Anomaly("lost", "g", "orders", 0, 103, 1, 3, 2, 4 * 10**9, "at an offset from 103 to 103")]


def test_between_two_known_offsets_a_missing_record_has_bounds() -> None:
    _, named, _ = judged([member(run(0, 3), run(4, 10))], sent(marks=[0, 9]))
    assert [(one.offset, one.note) for one in named] == [(103, "at an offset from 103 to 103")]
    account = replace(sent(marks=[]), marks=np.array([(0, 100, 1), (9, 200, 1)], np.int64))
    _, named, _ = judged([member(run(0, 3), run(4, 10))], account)
    assert [(one.offset, one.note) for one in named] == [(None, "at an offset from 103 to 194")]
    _, named, _ = judged([member(run(0, 3), run(4, 10))], sent(marks=[0]))
    assert [(one.offset, one.note) for one in named] == [(None, "at an offset from 103 to ?")]


def test_what_retention_removed_is_lost_and_called_deleted() -> None:
    group, named, _ = judged([member(run(5, 10))], log_start={TP: 103})
    assert (group.lost, group.deleted) == (5, 5)
    assert named[0].note == "deleted by retention before the group read it: the log starts at 103"
    group, named, _ = judged([member(run(0, 3), run(5, 10))], log_start={TP: 103})
    assert (group.lost, group.deleted) == (2, 0)


def test_what_is_missing_from_a_compacted_topic_is_not_called_lost() -> None:
    changes: dict[str, Any] = {"compacted": frozenset({"orders"}), "log_start": {TP: 200}}
    group, named, _ = judged([member(run(0, 3), run(5, 10))], **changes)
    assert (group.lost, group.deleted, group.unverifiable) == (0, 0, 2)
    assert named[0].note == "its topic is compacted, so it may have been removed for a later one of its key"


def test_a_missing_record_of_a_topic_that_was_made_again_is_unverifiable_in_the_end() -> None:
    """Nothing else is said of it either, but records of unknown fate that turned up are counted."""
    twice = member((100, 102, 0, 3, 5), (110, 112, 0, 3, 6))
    account = sent(missing=[2])
    for final, unverifiable in ((True, 7), (False, 0)):
        group, named, _ = judged([twice], account, remade=frozenset({"orders"}), final=final)
        assert (group.lost, group.duplicated_in_log, group.redelivered, named) == (0, 0, 0, [])
        assert (group.unverifiable, group.indeterminate_delivered) == (unverifiable, 1)


def test_records_that_cannot_be_read_are_named_by_their_place_alone() -> None:
    altered = member((7, 8, 7, 2, 11), stream=("orders", 0, ALTERED_LOG))
    misplaced = member((9, 9, 9, 1, 12), stream=("orders", 0, MISPLACED_LOG))
    group, named, _ = judged([member(run(0, 10)), altered, misplaced])
    assert (group.phantom, group.consumed) == (3, 10)
    assert sorted(named, key=lambda one: one.kind) == [
        Anomaly("altered", "g", "orders", 0, 7, None, None, 2, 11),
        Anomaly("misplaced", "g", "orders", 0, 9, None, None, 1, 12),
    ]


def test_the_first_hundred_of_each_kind_are_named() -> None:
    collector = AnomalyCollector("g")
    for number in range(NAMED + 20):
        collector.enter("lost", STREAM, SequenceRange(number, 2, 100, 7), "why")
    collector.enter("reordered", ("orders", 0, 0), SequenceRange(5, 1, None, 7))
    assert collector.count == {"lost": 2 * (NAMED + 20), "reordered": 1}
    assert [one.sequence for one in collector.named] == [*range(NAMED), 5]
    assert collector.named[0] == Anomaly("lost", "g", "orders", 0, 100, 1, 0, 2, 7, "why")
    assert collector.named[-1].producer == 0


def test_what_two_members_were_given_is_redelivered_and_named() -> None:
    group, named, _ = judged([member(run(0, 7)), member(run(4, 10, at_ns=9))])
    assert (group.redelivered, group.duplicated_in_log, group.consumed) == (3, 0, 13)
    assert named == [Anomaly("redelivered", "g", "orders", 0, 104, 1, 4, 3, 9)]


def test_what_a_member_was_given_twice_is_redelivered_without_a_name() -> None:
    again = member(run(0, 10))
    again = replace(again, streams={STREAM: replace(again.streams[STREAM], delivered=14)})
    group, named, _ = judged([again, member(run(8, 10))])
    assert (group.redelivered, group.consumed) == (6, 16)
    assert [(one.kind, one.count) for one in named] == [("redelivered", 2)]


def test_another_record_at_an_offset_that_a_member_has_read_is_named() -> None:
    group, named, _ = judged([member(run(0, 6)), member((104, 107, 6, 4, 8))])
    assert group.diverged == 2
    note = "members of the group were given another record at this offset"
    assert named[0] == Anomaly("diverged", "g", "orders", 0, 104, 1, 6, 2, 8, note)


def test_a_copy_is_named_and_looked_up() -> None:
    group, named, collector = judged([member(run(0, 10), (120, 121, 3, 2, 8))])
    assert (group.duplicated_in_log, group.reordered) == (2, 0)
    assert named == [Anomaly("duplicated_in_log", "g", "orders", 0, 120, 1, 3, 2, 8)]
    assert collector.doubled == [
        Doubled("orders", 0, 1, 3, ((103, 103), (120, 120))),
        Doubled("orders", 0, 1, 4, ((104, 104), (121, 121))),
    ]


def test_no_more_copies_are_looked_up_than_can_be() -> None:
    count = LOOKED_UP + 10
    group, _, collector = judged(
        [
            member(
                (0, count - 1, 0, count, 5),
                (count, count + LOOKED_UP - 6, 0, LOOKED_UP - 5, 6),
                (3 * count, 3 * count + 8, 0, 9, 7),
            )
        ],
        replace(sent(0), sent=count),
    )
    assert group.duplicated_in_log == LOOKED_UP + 4
    assert len(collector.doubled) == LOOKED_UP
    assert [one.sequence for one in collector.doubled[-6:]] == [LOOKED_UP - 6, 0, 1, 2, 3, 4]


def test_a_record_behind_a_later_one_is_reordered_but_not_in_a_share_group() -> None:
    late = [member((100, 104, 0, 5, 5), (105, 107, 7, 3, 6), (108, 109, 5, 2, 7))]
    group, named, _ = judged(late)
    assert group.reordered == 2
    assert named == [Anomaly("reordered", "g", "orders", 0, 108, 1, 5, 2, 7)]
    assert judged(late, mode="share")[0].reordered == 0


def test_records_that_failed_or_were_aborted_must_not_be_delivered() -> None:
    account = Account()
    account.sent = SENT
    account.acknowledge(0, 4, 100, 1)
    account.failed.add(4, 6)
    account.aborted.add(6, 10)
    readers = [member(run(0, 10))]
    group, named, _ = judged(readers, account.freeze())
    assert group.phantom == 6
    assert [(one.kind, one.offset, one.sequence, one.count, one.at_ns) for one in named] == [
        ("failed", 104, 4, 2, 5),
        ("aborted", 106, 6, 4, 5),
    ]
    uncommitted = [member(run(0, 5)), member(run(5, 10), read_committed=False)]
    assert judged(uncommitted, account.freeze())[0].phantom == 2, "such a group is to be given what was aborted"


def test_a_sequence_that_was_never_sent_is_a_phantom_once_its_producer_has_told_all() -> None:
    readers = [member(run(0, 13))]
    group, named, _ = judged(readers)
    assert (group.phantom, [(one.kind, one.sequence, one.count) for one in named]) == (3, [("unsent", 10, 3)])
    assert judged(readers, open_producers=frozenset({1}))[0].phantom == 0
    assert judged(readers, open_producers=frozenset({2}))[0].phantom == 3
    assert judged(readers, final=False)[0].phantom == 0
    unknown: dict[str, Any] = {"accounts": {}}
    assert judged(readers, **unknown)[0].phantom == 13
    assert judged(readers, **unknown, all_producers_known=False)[0].phantom == 0
    assert judged(readers, all_producers_known=False)[0].phantom == 3


def test_a_group_is_owed_only_its_own_topics() -> None:
    accounts = {STREAM: sent(), ("clicks", 0, 1): sent(4)}
    group, _, _ = judged([member(run(0, 10))], accounts=accounts)
    assert group.lost == 0
    group, _, _ = judged([member(run(0, 10))], accounts=accounts, topics=frozenset({"orders", "clicks"}))
    assert group.lost == 4


def test_the_lag_is_what_is_not_committed_of_the_groups_own_logs() -> None:
    ends = {TP: 110, ("orders", 1): 50, ("orders", 2): 30, ("clicks", 0): 1_000}
    changes: dict[str, Any] = {
        "log_end": ends,
        "log_start": {("orders", 1): 20},
        "committed": {TP: 107, ("orders", 2): 35},
    }
    group, _, _ = judged([member(run(0, 10))], **changes)
    assert group.lag_at_end == 3 + 30
    assert judged([member(run(0, 10))], log_end={("orders", 1): 50})[0].lag_at_end == 50


def test_the_lag_of_a_share_group_is_what_it_was_not_given() -> None:
    changes: dict[str, Any] = {"mode": "share", "log_end": {TP: 110}}
    group, _, _ = judged([member(run(0, 6))], **changes)
    assert (group.lost, group.lag_at_end) == (4, 4)
    group, _, _ = judged([member(run(0, 6))], **changes, drain=Drain({TP: 4}))
    assert (group.unread, group.lag_at_end) == (4, 4)
    dead = member(run(0, 6), closed=False)
    group, _, _ = judged([dead], **changes, dead_readers=[dead])
    assert (group.unverifiable, group.lag_at_end) == (4, 4)


def test_records_of_other_runs_and_writers_are_added_up() -> None:
    group, _, _ = judged([member(run(0, 10), foreign=2, other_runs=5), member(foreign=3, other_runs=7)])
    assert (group.foreign, group.other_runs) == (5, 12)


def test_a_log_that_was_too_broken_to_be_followed_is_told() -> None:
    whole, broken = member(run(0, 10), stream=("orders", 0, 2)), member(run(0, 10))
    broken = replace(broken, streams={STREAM: replace(broken.streams[STREAM], overflow=True)})
    assert not judged([whole])[0].overflow
    assert judged([broken, whole])[0].overflow
