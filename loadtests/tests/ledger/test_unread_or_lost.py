"""A record that a group was not given is lost only where it is certain that it will not be, and was not, given it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kafka_load.ledger import Drain, ReaderSnapshot
from kafka_load.ledger.digest import Digest
from kafka_load.ledger.findings import Anomaly
from kafka_load.ledger.producer_account import Account
from one_stream import SENT, STREAM, TP, judged, member, run, sent


@pytest.mark.parametrize(("marks", "unread"), [(None, 3), ([0, 3, 9], 3), ([0, 9], 3), ([0], 7), ([], 7)])
def test_a_group_that_is_not_drained_has_lost_only_what_lies_before_what_it_has_reached(
    marks: list[int] | None, unread: int
) -> None:
    """It was given the first three, and has reached offset 107 by another producer's records."""
    position = member(run(0, 3), positions={TP: 107})
    group, _, _ = judged([position], sent(marks=marks), drain=Drain({TP: 3}))
    assert (group.lost, group.unread) == (7 - unread, unread)
    elsewhere = judged([position], sent(marks=marks), drain=Drain({("orders", 1): 3}))[0]
    assert (elsewhere.lost, elsewhere.unread) == (7, 0)


def test_what_a_dead_member_may_have_read_lies_between_its_report_and_the_commit() -> None:
    dead = member(run(0, 3), closed=False)
    alive = member(run(9, 10))
    group, named, _ = judged([dead, alive], dead_readers=[dead], committed={TP: 106})
    assert (group.lost, group.unverifiable) == (3, 3)
    assert [(one.kind, one.sequence, one.count) for one in named] == [("unverifiable", 3, 3), ("lost", 6, 3)]
    assert named[0].note == "a member that died may have read it after its last report"
    assert judged([dead, alive], dead_readers=[dead])[0].lost == 6, "the group has committed nothing"


def reading(*covered: tuple[int, int]) -> dict[tuple[str, int], Digest]:
    """A member read all of the log between these offsets."""
    return {TP: Digest(covered=np.array(covered, np.int64))}


DEAD, COMMITTED = member(run(0, 3), closed=False), {TP: 110}


@pytest.mark.parametrize(
    "death", [{"dead_readers": [DEAD]}, {"silent": [{TP: 103}]}, {"silent": [{}]}], ids=["reported", "cut off", "mute"]
)
def test_what_another_member_was_not_given_of_what_it_read_is_lost_though_a_member_died(death: dict[str, Any]) -> None:
    heir = member(run(3, 7), run(8, 10), digests=reading((103, 110)))
    group, named, _ = judged([DEAD, heir], **death, committed=COMMITTED)
    assert (group.lost, group.unverifiable) == (1, 0)
    assert [(one.kind, one.sequence, one.count) for one in named] == [("lost", 7, 1)]


def test_what_retention_removed_before_another_member_came_to_it_is_deleted_though_a_member_died() -> None:
    heir = member(run(3, 5), run(8, 10), digests=reading((103, 110)))
    group, _, _ = judged([DEAD, heir], dead_readers=[DEAD], committed=COMMITTED, log_start={TP: 108})
    assert (group.lost, group.deleted, group.unverifiable) == (3, 3, 0)


def test_what_lies_between_a_dead_members_report_and_its_heirs_first_record_is_unverifiable() -> None:
    """The heir began at the commit, wherever that was before its first record, and 8 is not in the log."""
    heir = member(run(7, 8), run(9, 10), digests=reading((107, 110)))
    group, named, _ = judged([DEAD, heir], dead_readers=[DEAD], committed=COMMITTED)
    assert [(one.kind, one.sequence, one.count) for one in named] == [("unverifiable", 3, 4), ("lost", 8, 1)]
    assert (group.lost, group.unverifiable) == (1, 4)


def test_of_two_members_that_died_one_after_the_other_each_hides_what_nobody_else_read() -> None:
    """Between them another member had the partition, and after them again; it did not find 4 and 9."""
    heir = member(run(3, 4), run(8, 9), digests=reading((103, 105), (108, 110)))
    group, named, _ = judged([DEAD, heir], dead_readers=[DEAD], silent=[{}], committed=COMMITTED, log_end={TP: 110})
    assert [(one.kind, one.sequence, one.count) for one in named] == [
        ("lost", 4, 1),
        ("unverifiable", 5, 3),
        ("lost", 9, 1),
    ]
    assert (group.lost, group.unverifiable) == (2, 3)


@pytest.mark.parametrize(("covered", "lost"), [((103, 108), 0), ((105, 114), 0), ((104, 109), 1)])
def test_only_what_lies_wholly_within_what_another_member_read_is_certain(covered: tuple[int, int], lost: int) -> None:
    """Other producers write in between, so that all that is known of sequence 4 is that it lies from 104 to 108."""
    account = replace(sent(marks=[]), marks=np.array([(0, 100, 1), (9, 113, 1)], np.int64))
    heir = member((103, 103, 3, 1, 5), (109, 113, 5, 5, 5), digests=reading(covered))
    group, _, _ = judged([DEAD, heir], account, dead_readers=[DEAD], committed={TP: 114})
    assert (group.lost, group.unverifiable) == (lost, 1 - lost)


@pytest.mark.parametrize(
    ("says", "lost"),
    [
        ({"log_end": {TP: 110}}, 1),
        ({"log_end": {TP: 109}}, 1),
        ({"log_end": {TP: 111}}, 0),
        ({}, 0),
        ({"log_end": {TP: 110}, "drain": Drain({TP: None})}, 0),
        ({"log_end": {TP: 110}, "final": False}, 0),
    ],
)
def test_a_record_behind_the_last_known_place_lies_before_the_end_of_the_log(says: dict[str, Any], lost: int) -> None:
    heir = member(run(3, 7), run(8, 10), digests=reading((103, 110)))
    group, _, _ = judged([DEAD, heir], sent(marks=[0, 3]), dead_readers=[DEAD], committed=COMMITTED, **says)
    assert (group.lost, group.unverifiable) == (lost, 1 - lost)


def test_what_a_member_of_a_share_group_that_died_was_given_nobody_knows() -> None:
    """Another one that was given what lies around it has not read the log in between."""
    alive = member(run(3, 7), run(8, 10), mode="share")
    deaths: list[dict[str, Any]] = [{"dead_readers": [DEAD]}, {"silent": [{}]}]
    for death in deaths:
        group, _, _ = judged([DEAD, alive], mode="share", drain=Drain(settled=True), **death)
        assert (group.lost, group.unverifiable) == (0, 1)


def test_of_a_stream_that_was_too_broken_to_be_followed_nothing_is_called_lost() -> None:
    """What it was given of it any further is not redelivered either."""
    broken = member(run(0, 3), run(5, 8))
    log = replace(broken.streams[STREAM], delivered=12, overflow=True)
    readers: list[ReaderSnapshot] = [replace(broken, streams={STREAM: log})]
    for mode in ("queue", "share"):
        group, named, _ = judged(readers, mode=mode, log_start={TP: 104})
        assert (group.lost, group.deleted, group.unverifiable, group.redelivered) == (0, 0, 4, 0)
        assert (group.consumed, group.overflow) == (12, True)
        assert {one.note for one in named} == {"the group was given the stream in too many pieces to be followed"}
    other = ("orders", 0, 2)
    group, named, _ = judged(readers, accounts={STREAM: sent(), other: sent(3)})
    assert (group.lost, [(one.kind, one.producer) for one in named if one.kind == "lost"]) == (3, [("lost", 2)])


def test_of_several_dead_members_the_one_that_had_reported_least_counts() -> None:
    readers = [member(run(0, 1), closed=False), member(run(4, 5), closed=False), member(run(9, 10))]
    group, _, _ = judged(readers, dead_readers=readers[:2], committed={TP: 109})
    assert (group.lost, group.unverifiable) == (0, 7)
    silent: dict[str, Any] = {"silent": [{TP: 105}], "committed": {TP: 109}}
    assert judged(readers, **silent)[0].unverifiable == 4
    silent["silent"] = [{TP: 105}, {("orders", 1): 3}]
    assert judged(readers, **silent)[0].unverifiable == 7, "one may have read from the start"


def test_what_ends_with_the_commit_is_one_stretch() -> None:
    dead, alive = member(run(0, 3), closed=False), member(run(6, 10))
    _, named, _ = judged([dead, alive], dead_readers=[dead], committed={TP: 106})
    assert [(one.kind, one.sequence, one.count) for one in named] == [("unverifiable", 3, 3)]


@pytest.mark.parametrize(("settled", "lost", "unread"), [(False, 0, 4), (True, 4, 0)])
def test_a_share_group_may_be_given_what_lies_before_others_until_it_has_settled(
    settled: bool, lost: int, unread: int
) -> None:
    group, _, _ = judged([member(run(4, 10))], mode="share", drain=Drain({TP: 4}, settled=settled))
    assert (group.lost, group.unread) == (lost, unread)


def test_what_a_share_group_has_lost_is_one_stretch() -> None:
    _, named, _ = judged([member(run(4, 10))], mode="share")
    assert named == [Anomaly("lost", "g", "orders", 0, 100, 1, 0, 4, 10**9, "at an offset from 100 to 100")]


def test_of_a_log_that_begins_at_offset_0_the_first_record_is_judged_as_all_others() -> None:
    """Neither a member that was given nothing nor a group that has committed nothing has passed it."""
    account = sent(first=0)
    nothing: dict[str, Any] = {"drain": Drain({TP: 10})}
    assert judged([member()], account, **nothing)[0].unread == 10
    assert judged([member()], account)[0].lost == 10
    assert judged([member()], account)[0].deleted == 0
    reports: list[list[dict[tuple[str, int], int]]] = [[{}], [{("orders", 1): 9}]]
    for silent in reports:
        group, _, _ = judged([member()], account, silent=silent)
        assert (group.lost, group.unverifiable) == (10, 0)
        group, _, _ = judged([member()], account, silent=silent, committed={TP: 10})
        assert (group.lost, group.unverifiable) == (0, 10)


def test_a_record_that_must_not_be_delivered_is_named_where_it_lies() -> None:
    account = Account()
    account.sent = SENT
    account.failed.add(5, 6)
    _, named, _ = judged([member(run(0, 5), (205, 209, 5, 5, 9))], account.freeze())
    assert [(one.kind, one.offset, one.sequence, one.at_ns) for one in named] == [("failed", 205, 5, 9)]


def test_the_streams_of_all_producers_are_added_up() -> None:
    """Two producers, one of them number 0, had sent ten records each, of which they know the fate of eight."""
    streams = [("orders", partition, producer) for partition in (0, 1) for producer in (0, 1)]
    accounts = dict.fromkeys(streams, sent(missing=[2, 5]))
    readers = [member(run(0, 4), run(5, 7), stream=stream) for stream in streams]
    group, _, _ = judged(readers, accounts=accounts, drain=Drain({("orders", 0): 3, ("orders", 1): 3}))
    assert (group.consumed, group.lost, group.unread) == (4 * 6, 4 * 1, 4 * 3)
    assert group.indeterminate_delivered == 4 * 2
    group, _, _ = judged(readers, accounts=accounts, remade=frozenset({"orders"}))
    assert (group.lost, group.unverifiable, group.indeterminate_delivered) == (0, 4 * 4, 4 * 2)
