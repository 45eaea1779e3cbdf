"""What the ledger makes of the workers' reports: which count, what each group is judged by, and what is said of all."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.ledger import Drain, Gap, Ledger, LedgerSnapshot, ProducerSnapshot, ReaderSnapshot, WorkerLedger
from kafka_load.ledger.findings import NAMED, Anomaly
from kafka_load.ledger.ledger import longest_gaps
from kafka_load.ledger.snapshot import StreamLog
from kafka_load.run.readiness import Group
from kafka_load.run.topic_changes import TopicHistory, TopicState
from shop import PARTITION, TOPIC, Entry, Producers, read

TP = (TOPIC, PARTITION)
LOG = [Entry(100 + sequence, 1, sequence) for sequence in range(10)]
PRODUCER = Producers({1: 10}, {1: set(range(10))}).snapshots()[0]


def member(start: int, end: int, engine: str = "r", group: str = "group", **changes: Any) -> ReaderSnapshot:
    return replace(read([LOG[start:end]], "queue", engine), group=group, **changes)


def ledger(*readers: ReaderSnapshot, producers: tuple[ProducerSnapshot, ...] = (PRODUCER,)) -> Ledger:
    """Each reader is of a worker of its own."""
    taken = Ledger()
    taken.receive(LedgerSnapshot("producing", 1, list(producers), []))
    for reader in readers:
        taken.receive(LedgerSnapshot(reader.engine, 1, [], [reader]))
    return taken


def cluster(**says: Any) -> Any:
    return SimpleNamespace(**({"log_start": {}, "log_end": {}, "committed": {}, "regressions": ()} | says))


class Engine:
    def __init__(self, snapshot: ProducerSnapshot | ReaderSnapshot | None, alive: bool = True) -> None:
        self.snapshot, self.alive = snapshot, alive


def collected(*engines: Engine) -> WorkerLedger:
    worker = WorkerLedger("w1")
    for engine in engines:
        worker.add(cast("Any", engine))
    return worker


def test_a_report_that_comes_late_or_again_changes_nothing() -> None:
    taken = Ledger()
    for version, end in ((2, 8), (1, 10), (2, 10)):
        taken.receive(LedgerSnapshot("w", version, [PRODUCER], [member(0, end)]))
        assert taken.judge(None, final=True).groups[0].lost == 2
    taken.receive(LedgerSnapshot("w", 3, [PRODUCER], [member(0, 9)]))
    assert taken.judge(None, final=True).groups[0].lost == 1


def test_a_journal_counts_where_it_tells_more_than_the_report() -> None:
    taken = ledger(member(0, 8, version=5))
    for version, end, lost in ((5, 10, 2), (7, 9, 1), (6, 10, 1), (7, 10, 1), (8, 10, 0)):
        taken.receive_journal(member(0, end, version=version))
        assert taken.judge(None, final=True).groups[0].lost == lost
    assert len(taken.readers) == 1
    taken.receive_journal(member(0, 3, engine="unreported", version=1))
    assert {reader.engine for reader in taken.readers} == {"r", "unreported"}


def test_a_worker_reports_engines_that_run_and_folds_those_that_have_ended() -> None:
    running, ended = Engine(member(0, 4, "a")), Engine(member(4, 8, "b"), alive=False)
    other = Engine(member(0, 9, "c", "another"), alive=False)
    again = Engine(member(8, 10, "d"), alive=False)
    worker = collected(running, ended, other, again, Engine(None), Engine(None, alive=False), Engine(PRODUCER))
    for version in (1, 2):
        said = worker.snapshot()
        assert (said.worker, said.version) == ("w1", version)
        assert [reader.engine for reader in said.readers] == ["w1/left/group", "w1/left/another", "a"]
        assert said.producers[0].engine == PRODUCER.engine
    taken = Ledger()
    taken.receive(said)
    group, another = sorted(taken.judge(None, final=True).groups, key=lambda one: -one.consumed)
    assert (group.consumed, group.lost, another.consumed, another.lost) == (10, 0, 9, 1)


def test_an_engine_that_ends_is_counted_once() -> None:
    engine = Engine(member(0, 10))
    worker = collected(engine, Engine(replace(PRODUCER, closed=True), alive=False))
    worker.snapshot()
    engine.alive = False
    for _ in range(2):
        said = worker.snapshot()
        taken = Ledger()
        taken.receive(said)
        judgement = taken.judge(None, final=True)
        assert (judgement.groups[0].consumed, judgement.groups[0].redelivered) == (10, 0)
        assert judgement.produced.acknowledged == 10
        assert [closed.engine for closed in said.closed] == [f"w1/left/{TOPIC}"]


def test_the_groups_of_the_plan_and_those_that_were_seen_are_judged_in_order() -> None:
    planned = [Group("b", "share", (TOPIC,)), Group("group", "share", ("elsewhere",))]
    judgement = ledger(member(0, 9)).judge(
        cluster(log_end={TP: 110}), final=True, planned=planned, drains={"group": Drain({TP: 1})}
    )
    absent, group = judgement.groups
    assert [(one.group, one.mode) for one in judgement.groups] == [("b", "share"), ("group", "queue")]
    assert (absent.lost, absent.lag_at_end, absent.drain) == (10, 10, Drain())
    assert (group.lost, group.unread, group.drain) == (0, 1, Drain({TP: 1}))


def test_a_group_is_owed_the_topics_of_all_its_members() -> None:
    clicks = replace(PRODUCER, topic="clicks", engine="clicks")
    one, other = member(0, 10), member(0, 0, "other", topics=("clicks",))
    assert ledger(one, producers=(PRODUCER, clicks)).judge(None, final=True).groups[0].lost == 0
    assert ledger(one, other, producers=(PRODUCER, clicks)).judge(None, final=True).groups[0].lost == 10


def test_what_the_cluster_says_of_the_group_is_what_it_is_judged_by() -> None:
    committed = {"group": {TP: 104}, "another": {TP: 110}}
    judgement = ledger(member(0, 10)).judge(cluster(log_end={TP: 110}, committed=committed), final=True)
    assert judgement.groups[0].lag_at_end == 6
    removed = ledger(member(8, 10), producers=(placed(),)).judge(cluster(log_start={TP: 150}), final=True)
    assert removed.groups[0].deleted == 8


def placed(count: int = 10) -> ProducerSnapshot:
    """The producer of so many records, to which the broker has told where they lie."""
    producer = Producers({1: count}, {1: set(range(count))}).snapshots()[0]
    marks = np.array([(sequence, 100 + sequence, 5) for sequence in range(count)], np.int64)
    return replace(producer, streams={PARTITION: replace(producer.streams[PARTITION], marks=marks)})


def test_a_commit_that_went_backwards_is_its_groups_but_not_in_a_topic_that_was_made_again() -> None:
    back = [
        Anomaly("offset_regression", group, topic, 0, 5, None, None, 1, 7)
        for group, topic in (("group", TOPIC), ("another", TOPIC), ("group", "clicks"))
    ]
    topics = TopicHistory()
    topics.look({"clicks": TopicState(1, "A")}, {}, 0.0, 0)
    topics.look({"clicks": TopicState(1, "B")}, {}, 1.0, 1)
    seen = ledger(member(0, 10)).judge(cluster(regressions=tuple(back)), final=True)
    assert (seen.groups[0].offset_regressions, seen.anomalies) == (2, [back[0], back[2]])
    seen = ledger(member(0, 10)).judge(cluster(regressions=tuple(back)), final=True, topics=topics)
    assert (seen.groups[0].offset_regressions, seen.anomalies) == (1, [back[0]])


def test_what_happened_to_a_topic_decides_how_its_records_are_judged() -> None:
    for states, lost, unverifiable in (
        ((TopicState(1, "A", "delete"), TopicState(1, "A", "delete")), 2, 0),
        ((TopicState(1, "A", "delete"), TopicState(1, "B", "delete")), 0, 2),
        ((TopicState(1, "A", "delete"), None), 0, 2),
        ((TopicState(1, "A", "compact"), TopicState(1, "A", "compact")), 0, 2),
    ):
        topics = TopicHistory()
        for second, state in enumerate(states):
            topics.look({TOPIC: state}, {}, float(second), second)
        [group] = ledger(member(0, 8)).judge(None, final=True, topics=topics).groups
        assert (group.lost, group.unverifiable) == (lost, unverifiable)


def test_what_a_member_that_still_reads_may_have_read_is_not_in_doubt_during_the_run() -> None:
    running = ledger(member(0, 3, closed=False), member(9, 10, "b"), producers=(placed(),))
    view = cluster(committed={"group": {TP: 110}})
    during, end = (running.judge(view, final=final).groups[0] for final in (False, True))
    assert (during.lost, during.unverifiable) == (6, 0)
    assert (end.lost, end.unverifiable) == (0, 6)


def test_dead_workers_are_named_and_what_their_group_may_have_read_is_unverifiable() -> None:
    taken = ledger(member(9, 10, "alive"), producers=(placed(),))
    taken.receive(LedgerSnapshot("dead", 1, [], [member(0, 3, "x"), member(0, 7, "y", "another")]))
    taken.mark_dead("dead", journals=False)
    taken.mark_dead("buried")
    view = cluster(committed={"group": {TP: 110}, "another": {TP: 110}})
    judgement = taken.judge(view, final=True)
    assert judgement.dead_workers == ["buried", "dead"]
    another, group = judgement.groups
    assert (another.lost, another.unverifiable) == (0, 3)
    assert (group.lost, group.unverifiable) == (0, 6)


def test_a_dead_worker_whose_journals_can_be_read_leaves_nothing_in_doubt_in_the_end() -> None:
    """It had reported less than its members had written down; one of them wrote nothing, as it committed nothing."""
    taken = ledger(member(9, 10, "alive"), producers=(placed(),))
    reported = [member(0, 3, "journal", closed=False), member(0, 2, "idle", closed=False)]
    taken.receive(LedgerSnapshot("dead", 1, [], reported))
    taken.receive_journal(member(0, 5, "journal", closed=False, version=2))
    taken.receive_journal(member(0, 4, "unreported", closed=False))
    taken.mark_dead("dead")
    view = cluster(committed={"group": {TP: 110}})
    end, during = (taken.judge(view, final=final).groups[0] for final in (True, False))
    assert (end.lost, end.unverifiable) == (4, 0)
    assert (during.lost, during.unverifiable) == (0, 4), "its journals are read in the end"


def test_a_member_of_a_share_group_writes_no_journal_and_leaves_its_records_in_doubt() -> None:
    taken = ledger(member(9, 10, "alive", mode="share"), producers=(placed(),))
    taken.receive(LedgerSnapshot("dead", 1, [], [member(0, 5, "gone", mode="share", closed=False)]))
    taken.mark_dead("dead")
    [group] = taken.judge(cluster(), final=True).groups
    assert (group.lost, group.unverifiable) == (0, 4)


def test_a_member_that_stands_still_leaves_in_doubt_what_it_may_have_committed() -> None:
    """Its worker lives, and so its journals are not read."""
    taken = ledger(member(9, 10, "alive"), member(0, 5, "stuck", closed=False), producers=(placed(),))
    [group] = taken.judge(cluster(committed={"group": {TP: 108}}), final=True).groups
    assert (group.lost, group.unverifiable) == (1, 3)


@given(
    st.sets(st.integers(0, 29)),
    st.lists(st.tuples(*[st.integers(0, 12)] * 3, st.sampled_from(["alive", "reported", "mute"])), max_size=5),
)
def test_whoever_dies_after_whom_only_what_is_not_in_the_log_is_lost(
    lost: set[int], members: list[tuple[int, int, int, str]]
) -> None:
    """Each member begins where the one before it had committed; one that dies may have read more than it reported."""
    log = [Entry(100 + sequence, 1, sequence) for sequence in range(30) if sequence not in lost]
    taken, begin, known, certain = Ledger(), 0, set[int](), set[int]()
    taken.receive(LedgerSnapshot("producing", 1, [placed(30)], []))
    for number, (length, commits, reports, fate) in enumerate([*members, (30, 30, 30, "alive")]):
        end = begin + length if fate == "alive" else begin + max(length, commits)
        reported = end if fate == "alive" else begin + min(reports, end - begin) if fate == "reported" else begin
        given_to = [entry for entry in log if begin <= entry.sequence < reported]
        name = f"w{number}"
        if fate != "mute":
            reader = replace(read([given_to], "queue", name), closed=fate == "alive")
            taken.receive(LedgerSnapshot(name, 1, [], [reader]))
            known |= {entry.sequence for entry in given_to}
            if given_to:
                certain |= set(range(given_to[0].sequence, given_to[-1].sequence + 1)) & lost
        if fate != "alive":
            taken.mark_dead(name, journals=False)
        begin = min(30, end if fate == "alive" else begin + commits)
    view = cluster(committed={"group": {TP: 100 + begin}})
    judgement = taken.judge(view, final=True)
    found = {
        one.sequence + number
        for one in judgement.anomalies
        if one.kind == "lost" and one.sequence is not None
        for number in range(one.count)
    }
    assert certain <= found <= lost
    [group] = judgement.groups
    assert group.lost + group.unverifiable == 30 - len(known)


def test_copies_are_told_by_group_and_each_once() -> None:
    twice = [replace(LOG[2], offset=200), replace(LOG[3], offset=201)]
    one = replace(read([[*LOG, *twice]], "queue", "a"), group="a")
    judgement = ledger(one, member(0, 10, "b", "b")).judge(None, final=True)
    assert [copy.sequence for copy in judgement.doubled["a"]] == [2, 3]
    assert judgement.doubled["b"] == []
    thrice = [*LOG, twice[0], replace(LOG[2], offset=300)]
    judgement = ledger(replace(read([thrice], "queue", "a"), group="a")).judge(None, final=True)
    assert judgement.groups[0].duplicated_in_log == 2
    assert [len(copy.places) for copy in judgement.doubled["a"]] == [3]


def test_a_log_that_was_too_broken_makes_its_groups_counts_lower_bounds() -> None:
    broken = replace(member(0, 10, "b", "b"), streams={(TOPIC, 0, 1): StreamLog(overflow=True)})
    b, z = ledger(broken, member(0, 10, "z", "z")).judge(None, final=True).groups
    assert (b.overflow, b.lost, b.unverifiable) == (True, 0, 10)
    assert (z.overflow, z.lost, z.unverifiable) == (False, 0, 0)


def test_logs_that_differ_are_looked_for_in_the_end_only_and_the_first_hundred_are_named() -> None:
    moved = placed()
    account = moved.streams[PARTITION]
    marks = np.array([(n, 1_000 + n, 5) for n in range(150)], np.int64)
    moved = replace(moved, streams={PARTITION: replace(account, sent=150, marks=marks)})
    topics = TopicHistory()
    topics.look({TOPIC: TopicState(1, "A")}, {TP: 2_000}, 0.0, 0)
    topics.look({TOPIC: TopicState(1, "A")}, {TP: 1_000}, 1.0, 10)
    members = member(0, 10), member(0, 10, "b", "b")
    taken = ledger(*members, producers=(moved,))
    assert [one.diverged for one in taken.judge(None, final=False, topics=topics).groups] == [0, 0]
    judgement = taken.judge(None, final=True, topics=topics)
    assert [one.diverged for one in judgement.groups] == [150, 150]
    for group in ("group", "b"):
        assert sum(one.kind == "diverged" and one.group == group for one in judgement.anomalies) == NAMED


def test_each_groups_anomalies_are_its_own() -> None:
    other = [replace(LOG[3], offset=104), replace(LOG[4], offset=103)]
    differing = replace(read([[*LOG[:3], *reversed(other), *LOG[5:]]], "queue", "x"), group="b")
    judgement = ledger(member(0, 9, "a", "a"), member(0, 10, "b", "b"), differing).judge(None, final=True)
    a, b = judgement.groups
    assert (a.diverged, a.lost, b.lost) == (0, 1, 0)
    assert b.diverged > 0
    assert {one.group for one in judgement.anomalies if one.kind == "diverged"} == {"b"}
    assert [one.group for one in judgement.anomalies if one.kind == "lost"] == ["a"]


@pytest.mark.parametrize(
    ("then", "differ"),
    [(TopicState(1, "A"), True), (TopicState(1, "B"), False), (None, False)],
    ids=["as it was", "made again", "deleted"],
)
def test_logs_of_a_topic_that_was_deleted_may_differ(then: TopicState | None, differ: bool) -> None:
    moved = [replace(entry, offset=entry.offset + 1) for entry in LOG]
    readers = [replace(read([log], "queue", name), group=name) for name, log in (("a", LOG), ("b", moved))]
    topics = TopicHistory()
    topics.look({TOPIC: TopicState(1, "A")}, {}, 0.0, 0)
    topics.look({TOPIC: then}, {}, 1.0, 1)
    judgement = ledger(*readers, producers=(placed(),)).judge(None, final=True, topics=topics)
    assert [bool(one.diverged) for one in judgement.groups] == [False, differ]


def test_the_fates_and_gaps_of_all_producers_are_added_up() -> None:
    one = replace(PRODUCER, gaps={TP: Gap(5, 1)})
    other = replace(
        Producers({2: 7}, {2: {0, 1}}, {2: {2}}).snapshots()[0], gaps={TP: Gap(9, 2), (TOPIC, 1): Gap(1, 3)}
    )
    judgement = ledger(producers=(one, other)).judge(None, final=True)
    produced = judgement.produced
    assert (produced.acknowledged, produced.failed, produced.indeterminate, produced.aborted) == (12, 0, 4, 1)
    assert judgement.availability == {TP: Gap(9, 2), (TOPIC, 1): Gap(1, 3)}
    assert longest_gaps([]) == {}
