"""The ledger finds exactly what happened, whatever happened and whoever reported it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from histories import histories
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka_load.ledger import Drain, Gap, Ledger, LedgerSnapshot, WorkerLedger
from kafka_load.ledger.ledger import longest_gaps
from kafka_load.ledger.producer_account import Account
from kafka_load.ledger.snapshot import ProducerSnapshot
from kafka_load.run.readiness import Group
from shop import PARTITION, TOPIC, Entry, Producers, Session, expected, found, judged, read


@settings(max_examples=300)
@given(histories(), st.integers(1, 3))
def test_every_history_is_judged_by_the_definitions(
    history: tuple[str, list[list[Session]], Producers], workers: int
) -> None:
    mode, members, producers = history
    readers = [read(sessions, mode, f"r{number}") for number, sessions in enumerate(members)]
    wanted = expected(members, producers, ordered=mode == "queue")
    assert found(judged(producers.snapshots(), readers, workers)) == wanted


@settings(max_examples=60)
@given(histories())
def test_folding_members_that_left_changes_nothing(history: tuple[str, list[list[Session]], Producers]) -> None:
    mode, members, producers = history
    folded, *others = [read(sessions, mode, f"r{number}") for number, sessions in enumerate(members)]
    for reader in others:
        folded = folded.folded(reader)
    assert found(judged(producers.snapshots(), [folded])) == expected(members, producers, ordered=mode == "queue")


def clean(count: int = 10) -> tuple[list[Entry], Producers]:
    log = [Entry(100 + sequence, 1, sequence) for sequence in range(count)]
    return log, Producers({1: count}, {1: set(range(count))})


def test_an_anomaly_is_named_with_its_place() -> None:
    log, producers = clean()
    lost, twice = log.pop(4), replace(log[2], offset=200)
    judgement = judged(producers.snapshots(), [read([[*log, twice]], "queue", "r")])
    by_kind = {anomaly.kind: anomaly for anomaly in judgement.anomalies}
    assert (by_kind["lost"].topic, by_kind["lost"].partition, by_kind["lost"].sequence) == (TOPIC, 0, lost.sequence)
    assert (by_kind["duplicated_in_log"].sequence, by_kind["duplicated_in_log"].offset) == (2, 200)


def test_a_log_that_was_cut_off_and_written_anew_is_no_redelivery() -> None:
    log, producers = clean(15)
    before, after = log[:10], [replace(entry, offset=entry.offset - 5) for entry in log[10:]]
    readers = [read([before], "queue", "a"), read([after], "queue", "b")]
    judgement = judged(producers.snapshots(), readers)
    assert found(judgement) == {"consumed": 15}
    [anomaly] = (one for one in judgement.anomalies if one.count == 5)
    assert (anomaly.kind, anomaly.offset, anomaly.sequence) == ("diverged", 105, 10)
    assert judgement.groups[0].diverged >= 5


def test_only_a_hundred_are_named_but_all_are_counted() -> None:
    log, producers = clean(1000)
    judgement = judged(producers.snapshots(), [read([log[::2]], "queue", "r")])
    assert judgement.groups[0].lost == 500
    assert len(judgement.anomalies) == 100


def test_what_is_not_read_yet_is_lag_until_the_end() -> None:
    log, producers = clean()
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, producers.snapshots(), [read([log[0:3], log[5:7]], "queue", "r")]))
    assert ledger.judge(None, final=False).groups[0].lost == 2
    assert ledger.judge(None, final=True).groups[0].lost == 5


def test_a_group_that_started_at_the_end_is_owed_nothing_before() -> None:
    log, producers = clean()
    late = replace(read([log[6:10]], "pubsub", "r"), from_start=False)
    assert judged(producers.snapshots(), [late]).groups[0].lost == 0


class View:
    """What a cluster says, for the judge."""

    def __init__(self, log_start: int = 0, committed: int = 0) -> None:
        self.log_start = {(TOPIC, PARTITION): log_start}
        self.log_end = {(TOPIC, PARTITION): 110}
        self.committed = {"group": {(TOPIC, PARTITION): committed}}
        self.regressions = ()


def test_records_that_retention_removed_are_lost_and_the_reason_is_said() -> None:
    log, _ = clean()
    account = Account()
    account.sent = 10
    for sequence in range(10):
        account.acknowledge(sequence, sequence + 1, 100 + sequence, sequence * 10**9)
    producer = replace(Producers({1: 10}).snapshots()[0], streams={PARTITION: account.freeze()})
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, [producer], [read([log[4:10]], "queue", "r")]))
    judgement = ledger.judge(View(log_start=104), final=True)
    assert (judgement.groups[0].lost, judgement.groups[0].deleted) == (4, 4)
    assert (judgement.anomalies[0].offset, judgement.anomalies[0].count) == (100, 4)
    assert "deleted by retention" in judgement.anomalies[0].note


@pytest.mark.parametrize(("committed", "unverifiable"), [(103, 0), (110, 7)])
def test_what_a_dead_member_may_have_read_is_not_called_lost_for_certain(committed: int, unverifiable: int) -> None:
    log, producers = clean()
    account = producers.snapshots()[0].streams[PARTITION]
    marks = account.marks.copy()
    marks[:, 1] += 100
    producer = replace(producers.snapshots()[0], streams={PARTITION: replace(account, marks=marks)})
    dead = replace(read([log[0:3]], "queue", "r"), closed=False)
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, [producer], [dead]))
    group = ledger.judge(View(committed=committed), final=True).groups[0]
    assert (group.lost, group.unverifiable) == (7 - unverifiable, unverifiable)


def marked(every: int) -> ProducerSnapshot:
    """The producer of `clean`, whose records lie at their sequence + 100, which it knows of some of them."""
    whole = clean()[1].snapshots()[0]
    account = whole.streams[PARTITION]
    marks = np.array([(sequence, sequence + 100, 5) for sequence in range(0, account.sent, every)], np.int64)
    return replace(whole, streams={PARTITION: replace(account, marks=marks)})


@pytest.mark.parametrize("every", [1, 4, 100])
@pytest.mark.parametrize("journals", [False, True])
@pytest.mark.parametrize("reported", [True, False])
def test_what_a_worker_with_a_disk_of_its_own_read_is_unverifiable_if_its_group_committed_it(
    every: int, journals: bool, reported: bool
) -> None:
    """It is the only one that read what comes before the others' records, up to 107."""
    log, _ = clean()
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("alive", 1, [marked(every)], [read([log[7:10]], "queue", "r")]))
    if reported:
        first = replace(read([log[0:3]], "queue", "gone"), closed=False)
        ledger.receive(LedgerSnapshot("dead", 1, [], [first]))
    if journals:
        ledger.receive_journal(replace(read([log[0:7]], "queue", "gone"), closed=False, version=2))
    ledger.mark_dead("dead", journals=journals)
    group = ledger.judge(View(committed=110), final=True).groups[0]
    unknown = 0 if journals else 4 if reported else 7
    assert (group.lost, group.unverifiable) == (0, unknown)
    running = ledger.judge(View(committed=110), final=False).groups[0]
    assert running.lost == 0


def test_what_the_group_of_a_dead_worker_had_not_committed_or_it_had_reported_to_have_passed_is_lost() -> None:
    log, _ = clean()
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("alive", 1, [marked(1)], [read([log[9:10]], "queue", "r")]))
    passed_over = replace(read([[log[0], *log[2:4]]], "queue", "gone"), closed=False)
    ledger.receive(LedgerSnapshot("dead", 1, [], [passed_over]))
    ledger.mark_dead("dead", journals=False)
    group = ledger.judge(View(committed=106), final=True).groups[0]
    assert (group.lost, group.unverifiable) == (1 + 3, 2)


@pytest.mark.parametrize("reported", [True, False])
def test_what_a_dead_member_of_a_share_group_may_have_acknowledged_is_unverifiable(reported: bool) -> None:
    """Members of share groups write no journals, wherever they are."""
    log, producers = clean()
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("alive", 1, producers.snapshots(), [read([log[4:10]], "share", "r")]))
    if reported:
        ledger.receive(LedgerSnapshot("dead", 1, [], [replace(read([log[0:2]], "share", "gone"), closed=False)]))
    ledger.mark_dead("dead", journals=True)
    group = ledger.judge(None, final=True).groups[0]
    assert (group.lost, group.unverifiable) == (0, 2 if reported else 4)


def test_what_a_group_had_not_read_to_the_end_of_the_log_is_unread_and_what_it_passed_over_is_lost() -> None:
    log, producers = clean()
    passed_over = [entry for entry in log[0:6] if entry.sequence != 2]
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, producers.snapshots(), [read([passed_over], "queue", "r")]))
    end_unknown = Drain({(TOPIC, PARTITION): None})
    group = ledger.judge(None, final=True, drains={"group": end_unknown}).groups[0]
    assert (group.lost, group.unread) == (1, 4)
    group = ledger.judge(None, final=True).groups[0]
    assert (group.lost, group.unread) == (5, 0)


def test_a_planned_group_without_a_member_is_judged_and_has_everything_unread() -> None:
    log, producers = clean()
    planned = Group("absent", "queue", (TOPIC,))
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, producers.snapshots(), []))
    drain = Drain({(TOPIC, PARTITION): len(log)}, joined=False)
    [group] = ledger.judge(None, final=True, planned=[planned], drains={"absent": drain}).groups
    assert (group.group, group.consumed, group.lost, group.unread) == ("absent", 0, 0, len(log))
    assert not group.drain.drained


def test_a_producer_whose_worker_died_may_have_sent_more_than_it_reported() -> None:
    log, producers = clean()
    readers = [read([log[0:10]], "queue", "r")]
    told = Producers({1: 6}, {1: set(range(6))})
    assert judged(told.snapshots(closed=True), readers).groups[0].phantom == 4
    assert judged(told.snapshots(closed=False), readers).groups[0].phantom == 0
    unknown = Ledger()
    unknown.receive(LedgerSnapshot("w", 1, [], readers))
    assert unknown.judge(None, final=True).groups[0].phantom == 10
    unknown.mark_dead("another")
    judgement = unknown.judge(None, final=True)
    assert (judgement.groups[0].phantom, judgement.dead_workers) == (0, ["another"])
    assert producers.sent == {1: 10}


def test_a_journal_stands_in_for_a_report_that_never_came() -> None:
    log, producers = clean()
    early, late = read([log[0:3]], "queue", "r"), replace(read([log[0:10]], "queue", "r"), version=2)
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, producers.snapshots(), [early]))
    ledger.receive_journal(late)
    ledger.receive_journal(replace(early, version=1))
    assert ledger.judge(None, final=True).groups[0].lost == 0


class EndedEngine:
    alive = False

    def __init__(self, snapshot: object) -> None:
        self.snapshot = snapshot


def test_churn_does_not_make_a_worker_grow() -> None:
    log, producers = clean(1000)
    worker = WorkerLedger("w")
    for number in range(100):
        worker.add(EndedEngine(read([log[number * 10 : number * 10 + 12]], "queue", f"r{number}")))  # type: ignore[arg-type]
        last = worker.snapshot()
    assert len(last.readers) == 1
    group = judged(producers.snapshots(), last.readers).groups[0]
    assert (group.lost, group.redelivered, group.consumed) == (0, 198, 1198)


def test_indeterminate_records_may_appear_or_not() -> None:
    log, _ = clean()
    producers = Producers({1: 10}, {1: set(range(5))})
    judgement = judged(producers.snapshots(), [read([log[0:8]], "queue", "r")])
    assert judgement.produced.indeterminate == 5
    assert (judgement.groups[0].lost, judgement.groups[0].indeterminate_delivered) == (0, 3)


def test_the_longest_gap_of_any_producer_counts() -> None:
    gaps = longest_gaps([{("a", 0): Gap(5, 1)}, {("a", 0): Gap(9, 2), ("a", 1): Gap(1, 3)}, {("a", 0): Gap(7, 4)}])
    assert gaps == {("a", 0): Gap(9, 2), ("a", 1): Gap(1, 3)}


def test_a_message_that_is_no_snapshot_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        LedgerSnapshot.from_wire({"is": "os.system"})
    with pytest.raises(ValueError, match="not a ledger snapshot"):
        LedgerSnapshot.from_wire([1, 2])
