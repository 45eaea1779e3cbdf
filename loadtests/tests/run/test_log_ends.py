"""Which logs were written to in a run, and how much of them a group has still to read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka_load.ledger import Drain, LedgerSnapshot, ReaderSnapshot
from kafka_load.run.drain import LOCK_S, MARGIN_S, LogEnds, Silence, drains, settled_groups, worth_waiting_for
from kafka_load.run.readiness import Group
from shop import PARTITION, TOPIC, Entry, Producers, read

TP = (TOPIC, PARTITION)
GROUP = Group("group", "queue", (TOPIC,))
SHARE = Group("group", "share", (TOPIC,))
LOG = [Entry(100 + sequence, 1, sequence) for sequence in range(10)]
PRODUCERS = Producers({1: 10}, {1: set(range(10))})


def known(*readers: ReaderSnapshot) -> list[LedgerSnapshot]:
    """A worker of its own for the producers and for each reader."""
    return [
        LedgerSnapshot("producing", 1, PRODUCERS.snapshots(), []),
        *(LedgerSnapshot(reader.engine, 1, [], [reader]) for reader in readers),
    ]


def drained(ends: LogEnds, *readers: ReaderSnapshot, group: Group = GROUP, cut_short: bool = False) -> Drain:
    return drains([group], known(*readers), ends, cut_short=cut_short)["group"]


def test_only_logs_that_were_written_to_have_an_end_to_be_read_to() -> None:
    before = {("a", 0): 5, ("a", 1): 7, ("b", 0): 9}
    found = LogEnds.since(before, {("a", 0): 5, ("a", 1): 17, ("b", 0): 4, ("c", 0): 1, ("c", 1): 0}, "why")
    assert found.ends == {("a", 1): 17, ("b", 0): 4, ("c", 0): 1}
    assert found.written == {("a", 1): 10, ("c", 0): 1}, "a log that was cut off grew by nobody knows how much"
    assert found.why == "why"
    assert LogEnds.since({}, {}).why == ""


def test_an_end_that_could_not_be_read_is_not_known() -> None:
    found = LogEnds.since({("a", 0): 5, ("a", 1): 7}, {("a", 1): 8})
    assert found.ends == {("a", 0): None, ("a", 1): 8}
    assert found.known == {("a", 1): 8}
    assert found.unreadable == "a-0"


@pytest.mark.parametrize(
    ("count", "named"),
    [(0, ""), (2, "t-0, t-1"), (5, "t-0, t-1, t-2, t-3, t-4"), (7, "t-0, t-1, t-2, t-3, t-4 and 2 more")],
)
def test_five_logs_without_an_end_are_named(count: int, named: str) -> None:
    ends = {("t", number): None for number in reversed(range(count))}
    assert LogEnds({**ends, ("t", 99): 5}).unreadable == named


def test_a_group_has_no_more_left_than_was_written_in_the_run() -> None:
    """What was in the log before is nothing to a group that began at its end."""
    assert drained(LogEnds({TP: 110}, {TP: 10}), read([], "queue", "r")).unread == {TP: 10}
    assert drained(LogEnds({TP: 110}, {TP: 10}), read([LOG[:7]], "queue", "r")).unread == {TP: 3}
    assert drained(LogEnds({TP: 110}), read([], "queue", "r")).unread == {TP: 110}


def test_an_unknown_end_of_a_log_is_unread_by_the_groups_that_read_its_topic() -> None:
    ends = LogEnds({TP: 110, ("clicks", 0): None, (TOPIC, 1): None})
    found = drained(ends, read([LOG], "queue", "r"))
    assert found.unread == {(TOPIC, 1): None}
    assert (found.drained, found.offsets, found.unknown) == (False, 0, 1)
    assert drained(ends, read([LOG], "share", "r"), group=SHARE).unread == {(TOPIC, 1): None}
    assert not worth_waiting_for(found), "an unknown end stays unknown"


def test_logs_of_other_topics_are_nothing_to_a_group() -> None:
    assert drained(LogEnds({TP: 110, ("clicks", 0): 5}), read([LOG], "queue", "r")).drained


def test_a_group_without_a_member_has_everything_left_and_is_not_waited_for() -> None:
    other = replace(read([LOG], "queue", "r"), group="another")
    found = drained(LogEnds({TP: 110}, {TP: 10}), other)
    assert (found.unread, found.joined, found.drained) == ({TP: 10}, False, False)
    assert not worth_waiting_for(found)


def test_what_is_left_when_the_user_does_not_wait_is_cut_short() -> None:
    ends = LogEnds({TP: 110}, {TP: 10})
    assert drained(ends, read([LOG[:7]], "queue", "r"), cut_short=True).cut_short
    assert not drains([GROUP], known(read([LOG[:7]], "queue", "r")), ends)["group"].cut_short
    whole = drained(ends, read([LOG], "queue", "r"), cut_short=True)
    assert (whole.cut_short, whole.drained) == (False, True)


def test_more_time_may_help_a_group_that_has_offsets_left_and_has_not_settled() -> None:
    assert worth_waiting_for(Drain({TP: 1}))
    assert not worth_waiting_for(Drain({}))
    assert not worth_waiting_for(Drain({TP: 1}, settled=True))


def test_silence_begins_with_the_last_record() -> None:
    silence = Silence()
    given = [("a", 5, 10.0), ("a", 5, 12.0), ("b", 5, 13.0), ("a", 6, 15.0), ("a", 6, 18.5), ("b", 5, 19.0)]
    assert [silence.seconds(*now) for now in given] == [0, 2.0, 0, 0, 3.5, 6.0]


def settles(*looks: tuple[list[LedgerSnapshot], float], locks_s: dict[str, float], group: Group = SHARE) -> list[bool]:
    silence = Silence()
    return [settled_groups([group], known, silence, locks_s, now_s) == {"group"} for known, now_s in looks]


@pytest.mark.parametrize(("locks_s", "after_s"), [({}, LOCK_S + MARGIN_S), ({"group": 50.0}, 50 + MARGIN_S)])
def test_a_share_group_settles_only_after_its_own_lock(locks_s: dict[str, float], after_s: float) -> None:
    some = known(read([LOG[:4]], "share", "r"))
    assert settles((some, 0), (some, after_s), (some, after_s + 0.001), locks_s=locks_s) == [False, False, True]


def test_what_any_member_is_given_breaks_the_silence() -> None:
    first = read([LOG[:4]], "share", "a")
    few, more = known(first, read([LOG[4:5]], "share", "b")), known(first, read([LOG[4:7]], "share", "b"))
    assert settles((few, 0), (more, 30), (more, 60), (more, 66), locks_s={}) == [False, False, False, True]


def test_what_another_group_is_given_does_not() -> None:
    few, more = (
        known(read([LOG[:4]], "share", "a"), replace(read([LOG[:count]], "share", "b"), group="another"))
        for count in (3, 9)
    )
    assert settles((few, 0), (more, 30), (more, 36), locks_s={}) == [False, False, True]


def test_each_group_has_a_silence_of_its_own() -> None:
    groups = [replace(SHARE, name="a"), replace(SHARE, name="b")]
    silence, a = Silence(), replace(read([LOG[:4]], "share", "a"), group="a")
    settled = [
        settled_groups(groups, known(a, replace(read([LOG[:count]], "share", "b"), group="b")), silence, {}, now_s)
        for count, now_s in ((1, 0), (2, 20), (3, 36), (3, 72))
    ]
    assert settled == [set(), set(), {"a"}, {"a", "b"}]


def test_a_settled_group_has_left_only_what_lies_behind_its_last_record() -> None:
    given = known(read([LOG[:4], LOG[5:7]], "share", "r"))
    assert drains([SHARE], given, LogEnds({TP: 110}))["group"].unread == {TP: 4}
    assert drains([SHARE], given, LogEnds({TP: 110}), settled={"group"})["group"].unread == {TP: 3}
    passed_over = known(read([LOG[:4], LOG[5:]], "share", "r"))
    assert drains([SHARE], passed_over, LogEnds({TP: 110}), settled={"group"})["group"].unread == {}


def test_a_group_that_passes_offsets_never_settles() -> None:
    some = known(read([LOG[:4]], "queue", "r"))
    assert settles((some, 0), (some, 1_000), locks_s={}, group=GROUP) == [False, False]
    assert drains([GROUP], some, LogEnds({TP: 110}), settled={"group"})["group"].settled is False
