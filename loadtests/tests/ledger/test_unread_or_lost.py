"""A record that a group was not given is lost only where it is certain that it will not be, and was not, given it."""

from __future__ import annotations

from typing import Any

import pytest
from kafka_load.ledger import Drain
from kafka_load.ledger.findings import Anomaly
from kafka_load.ledger.producer_account import Account
from one_stream import SENT, TP, judged, member, run, sent


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
