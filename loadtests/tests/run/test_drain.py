"""When a group has drained: what is left to it, and how certain that is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka_load.ledger import Drain, Judgement, Ledger, LedgerSnapshot
from kafka_load.run.drain import LogEnds, Silence, drains, settled_groups, worth_waiting_for
from kafka_load.run.readiness import Group
from shop import PARTITION, TOPIC, Entry, Producers, read

TP, SENT = (TOPIC, PARTITION), 10
LOG = [Entry(100 + sequence, 1, sequence) for sequence in range(SENT)]
PRODUCERS = Producers({1: SENT}, {1: set(range(SENT))})
MARKERS = LogEnds({TP: 112})  # two commit markers behind the last record
QUEUE, SHARE = Group("group", "queue", (TOPIC,)), Group("group", "share", (TOPIC,))


def known(given: list[Entry], mode: str, producers: Producers = PRODUCERS) -> LedgerSnapshot:
    return LedgerSnapshot("w", 1, producers.snapshots(), [read([given], mode, "r")])


def drain(given: list[Entry], group: Group, producers: Producers = PRODUCERS, settled: bool = False) -> Drain:
    snapshots = [known(given, group.mode, producers)]
    return drains([group], snapshots, MARKERS, settled={group.name} if settled else ())[group.name]


def judged(given: list[Entry], settled: bool) -> Judgement:
    ledger = Ledger()
    ledger.receive(known(given, "share"))
    return ledger.judge(None, True, [SHARE], {"group": drain(given, SHARE, settled=settled)})


def test_a_consumer_group_passes_offsets() -> None:
    assert drain(LOG, QUEUE).unread == {TP: 2}
    assert drain(LOG[:7], QUEUE).unread == {TP: 5}


def test_a_share_group_is_drained_when_it_was_given_all_records_whatever_markers_follow() -> None:
    assert drain(LOG, SHARE).drained
    assert drain(LOG[:7], SHARE).unread == {TP: 3}


def test_a_record_that_was_handed_back_is_not_drained_though_later_ones_were_given() -> None:
    handed_back = LOG[:4] + LOG[5:]
    assert drain(handed_back, SHARE).unread == {TP: 1}
    assert worth_waiting_for(drain(handed_back, SHARE))


def test_aborted_records_are_not_waited_for() -> None:
    aborted = Producers({1: SENT}, {1: {*range(5)}}, {1: {*range(5, SENT)}})
    assert drain(LOG[:5], SHARE, aborted).drained


def test_a_share_group_without_a_record_has_all_of_them_left() -> None:
    nothing = replace(known([], "share"), readers=[read([], "share", "r")])
    assert drains([SHARE], [nothing], MARKERS)["group"].unread == {TP: SENT}


@pytest.mark.parametrize(
    ("given", "settled", "lost", "unread"),
    [
        (LOG[:4] + LOG[5:], False, 0, 1),
        (LOG[:4] + LOG[5:], True, 1, 0),
        (LOG[:7], True, 0, 3),
        (LOG[:4] + LOG[5:7], True, 1, 3),
    ],
    ids=["may be given again", "will not be given again", "not reached", "both"],
)
def test_what_a_share_group_was_not_given_is_lost_once_nobody_can_keep_it(
    given: list[Entry], settled: bool, lost: int, unread: int
) -> None:
    [group] = judged(given, settled).groups
    assert (group.lost, group.unread) == (lost, unread)
    assert group.drain.drained is (settled and not unread)


def test_a_share_group_settles_after_a_lock_and_a_margin_without_a_record() -> None:
    silence, locks = Silence(), {"group": 20.0}
    some, more = [known(LOG[:4], "share")], [known(LOG[:6], "share")]

    def settled(snapshots: list[LedgerSnapshot], now_s: float) -> bool:
        return settled_groups([SHARE, QUEUE], snapshots, silence, locks, now_s) == {"group"}

    assert [settled(some, 0), settled(some, 24), settled(more, 26), settled(more, 50), settled(more, 52)] == [
        *(False, False, False, False),
        True,
    ]
