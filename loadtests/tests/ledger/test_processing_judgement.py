"""A group that processes its records: each acknowledged one is processed or in the dead-letter topic, or it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka_load.clock import SECOND
from kafka_load.cluster import ClusterView
from kafka_load.config.processing import Processing
from kafka_load.ledger import Drain, GroupWork, Ledger, LedgerSnapshot
from kafka_load.ledger.findings import Judgement, ProcessingJudgement
from kafka_load.ledger.producer_account import Account
from kafka_load.ledger.snapshot import ProcessingSnapshot, ProducerSnapshot, ReaderSnapshot
from kafka_load.ledger.spans import Spans, span, spans_of
from kafka_load.run.topic_changes import TopicHistory
from shop import PARTITION, TOPIC, Entry, Producers, read
from topic_history import AFTER, BEFORE, COMPACTED, changed

PRODUCER, SEED = 1, 4711
STREAM = (TOPIC, PARTITION, PRODUCER)
RULES = Processing(failures=0.4, retries=1, dead_letter_topic="dead")
SENT = 40


def spans(sequences: set[int]) -> Spans:
    return spans_of(np.array(sorted(sequences), np.int64))


def hopeless(count: int = SENT, producer: int = PRODUCER) -> set[int]:
    """The sequences of which each attempt fails."""
    origins = np.full(count, producer << 32 | PARTITION, np.uint64)
    return set(np.flatnonzero(RULES.failed_attempts(SEED, origins, np.arange(count)) > RULES.retries).tolist())


def member(settled: set[int], read_to: int = SENT, processed_to: int = SENT, engine: str = "r") -> ReaderSnapshot:
    """A member that read all up to an offset and says that it has settled these records, and passed another offset."""
    reader = read([[Entry(sequence, PRODUCER, sequence) for sequence in range(read_to)]], "queue", engine)
    work = ProcessingSnapshot({STREAM: spans(settled)}, {(TOPIC, PARTITION): processed_to}, len(settled - hopeless()))
    return replace(reader, processing=work)


def judged(
    members: list[ReaderSnapshot],
    acknowledged: set[int],
    dead_letters: set[int] | None,
    drain: Drain | None = None,
    ledger: Ledger | None = None,
) -> tuple[Judgement, ProcessingJudgement]:
    ledger = ledger or Ledger()
    producers = Producers({PRODUCER: SENT}, {PRODUCER: acknowledged}).snapshots()
    ledger.receive(LedgerSnapshot.from_wire(LedgerSnapshot("w", 1, producers, members).to_wire()))
    there = None if dead_letters is None else {STREAM: spans(dead_letters)}
    work = {"group": GroupWork(RULES, SEED, there, len(dead_letters or ()))}
    drains: Mapping[str, Drain] = {"group": drain} if drain else {}
    judgement = ledger.judge(None, final=True, drains=drains, work=work)
    [group] = judgement.groups
    assert group.processing is not None
    return judgement, group.processing


sequences = st.sets(st.integers(0, SENT - 1))


@settings(max_examples=200)
@given(sequences, st.lists(sequences, min_size=1, max_size=3), sequences)
def test_every_record_is_judged_by_the_definition(
    acknowledged: set[int], settled: list[set[int]], dead_letters: set[int]
) -> None:
    members = [member(some, engine=f"r{number}") for number, some in enumerate(settled)]
    _, found = judged(members, acknowledged, dead_letters)
    done = set().union(*settled) - hopeless()
    assert found.unprocessed == len(acknowledged - done - dead_letters)
    assert (found.processed, found.dead_lettered, found.unverifiable) == (len(done), len(dead_letters), 0)
    assert found.processed_again == sum(len(some - hopeless()) for some in settled) - len(done)
    [folded, *others] = members
    for other in others:
        folded = folded.folded(other)
    assert judged([folded], acknowledged, dead_letters)[1] == found


def test_what_was_not_processed_is_named_and_not_lost() -> None:
    judgement, found = judged([member(set(range(SENT)))], set(range(SENT)), set())
    assert found.unprocessed == len(hopeless()) > 0
    assert judgement.groups[0].lost == 0
    named = {anomaly.sequence for anomaly in judgement.anomalies}
    assert named <= hopeless()
    assert {anomaly.kind for anomaly in judgement.anomalies} == {"unprocessed"}
    assert sum(anomaly.count for anomaly in judgement.anomalies) == found.unprocessed
    assert {anomaly.note for anomaly in judgement.anomalies} == {"neither processed nor in the dead-letter topic"}


def test_what_several_members_did_with_several_producers_records_is_added_up() -> None:
    """Each member has the records of another producer; what they sent to the dead-letter topic is there, some twice."""
    other = (TOPIC, PARTITION, 2)
    lists = {STREAM: spans(hopeless()), other: spans(hopeless(producer=2))}
    dead = sum(map(len, (hopeless(), hopeless(producer=2))))
    members = []
    for number, stream in enumerate(lists):
        entries = [Entry(SENT * number + sequence, stream[2], sequence) for sequence in range(SENT)]
        done = ProcessingSnapshot({stream: spans(set(range(SENT)))}, {(TOPIC, PARTITION): 2 * SENT}, SENT, 3 + number)
        members.append(replace(read([entries], "queue", f"r{number}"), processing=done))
    ledger = Ledger()
    acknowledged = {1: set(range(SENT)), 2: set(range(SENT))}
    ledger.receive(LedgerSnapshot("w", 1, Producers({1: SENT, 2: SENT}, acknowledged).snapshots(), members))

    def found(work: GroupWork) -> ProcessingJudgement | None:
        return ledger.judge(None, final=True, work={"group": work}).groups[0].processing

    assert found(GroupWork(RULES, SEED, lists, dead)) == ProcessingJudgement(2 * SENT - dead, dead, 7, dead)
    assert found(GroupWork(RULES, SEED, lists, dead + 2)) == ProcessingJudgement(2 * SENT - dead, dead, 7, dead, 2)
    assert found(GroupWork(RULES, SEED, None)) == ProcessingJudgement(2 * SENT - dead, dead, 7, unverifiable=dead)


def test_which_records_must_be_dead_letters_does_not_depend_on_how_long_the_stretch_is() -> None:
    work, long = GroupWork(RULES, SEED), (1 << 20) + 50
    assert members_of(work.must_be_dead_letters(STREAM, span(10, 30))) == hopeless() & set(range(10, 30))
    assert members_of(work.must_be_dead_letters(STREAM, span(0, long))) == hopeless(long)


def members_of(found: Spans) -> set[int]:
    return {sequence for start, end in found.tolist() for sequence in range(start, end)}


def test_where_nobody_can_read_the_dead_letters_what_should_be_there_is_unverifiable() -> None:
    _, found = judged([member(set(range(SENT)))], set(range(SENT)), None)
    assert (found.unprocessed, found.unverifiable) == (0, len(hopeless()))
    settled = set(range(SENT)) - {min(set(range(SENT)) - hopeless()), min(hopeless())}
    _, found = judged([member(settled)], set(range(SENT)), None)
    assert (found.unprocessed, found.unverifiable) == (2, len(hopeless()) - 1)


def test_what_the_group_had_no_time_for_is_unverifiable_and_what_it_passed_over_is_not() -> None:
    """It read all, passed 30, and left out 5 of those."""
    done = set(range(30)) - set(range(10, 15))
    drain = Drain(unread={(TOPIC, PARTITION): 10})
    _, found = judged([member(done, processed_to=30)], set(range(SENT)), hopeless(), drain)
    rest = set(range(30, SENT)) - hopeless()
    assert (found.unprocessed, found.unverifiable) == (len(set(range(10, 15)) - hopeless()), len(rest))


def test_what_a_member_that_died_may_have_done_after_its_last_report_is_unverifiable() -> None:
    """It had reported 10 of the 30 that the group has committed, and the next member began at 30."""

    here = (TOPIC, PARTITION)
    view = ClusterView(log_start={here: 0}, log_end={here: SENT}, committed={"group": {here: 30}})
    dead = replace(member(set(range(10)), processed_to=10, engine="dead"), closed=False)
    after = member(set(range(30, SENT)), engine="next")
    ledger = Ledger()
    producers = Producers({PRODUCER: SENT}, {PRODUCER: set(range(SENT))}).snapshots()
    ledger.receive(LedgerSnapshot("w", 1, producers, [dead, after]))
    work = {"group": GroupWork(RULES, SEED, {STREAM: spans(hopeless())})}
    [group] = ledger.judge(view, final=True, work=work).groups
    assert group.processing is not None
    assert (group.processing.unprocessed, group.lost) == (0, 0)
    assert group.processing.unverifiable == len(set(range(10, 30)) - hopeless())


NO_FAILURES = Processing()


def one_each_second() -> list[ProducerSnapshot]:
    """A producer whose records were acknowledged a second after each other, so that all offsets are known."""
    account = Account()
    account.sent = SENT
    for sequence in range(SENT):
        account.acknowledge(sequence, sequence + 1, sequence, sequence * SECOND)
    return [ProducerSnapshot("p", 1, TOPIC, PRODUCER, True, {PARTITION: account.freeze()})]


def unprocessed(judgement: Judgement) -> list[tuple[int | None, int]]:
    return [(one.sequence, one.count) for one in judgement.anomalies if one.kind == "unprocessed"]


def test_of_a_stretch_that_was_not_processed_the_group_is_done_with_a_part() -> None:
    """It passed 30, left out the last 5 of those, and had no time for the rest."""
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, one_each_second(), [member(set(range(25)), processed_to=30)]))
    drains = {"group": Drain(unread={(TOPIC, PARTITION): 10})}
    judgement = ledger.judge(None, final=True, drains=drains, work={"group": GroupWork(NO_FAILURES, SEED)})
    found = judgement.groups[0].processing
    assert found is not None
    assert (found.unprocessed, found.unverifiable) == (5, 10)
    assert unprocessed(judgement) == [(25, 5)]


def test_of_a_stretch_that_was_not_processed_a_member_that_died_may_have_done_a_part() -> None:
    """It left out 5 before its last report; what it did from 10 to 30 nobody knows; the next one left out 5 more."""
    here = (TOPIC, PARTITION)
    view = ClusterView(log_start={here: 0}, log_end={here: SENT}, committed={"group": {here: 30}})
    dead = replace(member(set(range(5)), processed_to=10, engine="dead"), closed=False)
    after = member(set(range(35, SENT)), engine="next")
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, one_each_second(), [dead, after]))
    judgement = ledger.judge(view, final=True, work={"group": GroupWork(NO_FAILURES, SEED)})
    found = judgement.groups[0].processing
    assert found is not None
    assert (found.unprocessed, found.unverifiable) == (10, 20)
    assert unprocessed(judgement) == [(5, 5), (30, 5)]


def test_what_a_dead_members_heir_did_not_find_in_the_log_nobody_has_processed() -> None:
    """Sequence 20 is not in the log. What the heir read and did not process the dead member may have processed."""
    here = (TOPIC, PARTITION)
    view = ClusterView(log_start={here: 0}, log_end={here: SENT}, committed={"group": {here: SENT}})
    dead = replace(member(set(range(5)), read_to=10, processed_to=10, engine="dead"), closed=False)
    found = [Entry(sequence, PRODUCER, sequence) for sequence in range(10, SENT) if sequence != 20]
    done = ProcessingSnapshot({STREAM: spans(set(range(15, SENT)) - {20})}, {here: SENT})
    ledger = Ledger()
    heir = replace(read([found], "queue", "heir"), processing=done)
    ledger.receive(LedgerSnapshot("w", 1, one_each_second(), [dead, heir]))
    judgement = ledger.judge(view, final=True, work={"group": GroupWork(NO_FAILURES, SEED)})
    [group] = judgement.groups
    assert group.processing is not None
    assert (group.lost, group.unverifiable) == (1, 0)
    assert (group.processing.unprocessed, group.processing.unverifiable) == (5 + 1, 5)
    assert unprocessed(judgement) == [(5, 5), (20, 1)]


def test_a_dead_letter_that_is_not_there_is_unprocessed_though_a_member_died() -> None:
    """Nobody can have processed such a record; of the others a dead member's heir did not find nobody knows."""
    here = (TOPIC, PARTITION)
    view = ClusterView(log_start={here: 0}, log_end={here: SENT}, committed={"group": {here: SENT}})
    alone = member(set(), read_to=0)
    for there in (hopeless() - {min(hopeless())}, None):
        ledger = Ledger()
        ledger.receive(LedgerSnapshot("w", 1, one_each_second(), [alone]))
        ledger.mark_dead("dead", journals=False)
        letters = None if there is None else {STREAM: spans(there)}
        [group] = ledger.judge(view, final=True, work={"group": GroupWork(RULES, SEED, letters)}).groups
        assert group.processing is not None
        certain = int(there is not None)
        assert group.processing.unprocessed == certain
        assert group.processing.unverifiable == SENT - certain - len(there or ())


def test_what_may_have_been_removed_from_the_input_before_the_group_came_is_not_called_unprocessed() -> None:
    """The group was not given 10 to 14; what it was given and did not process, 30, is unprocessed whatever happened."""
    found = [Entry(sequence, PRODUCER, sequence) for sequence in range(SENT) if not 10 <= sequence < 15]
    settled = set(range(SENT)) - set(range(10, 15)) - {30}
    done = ProcessingSnapshot({STREAM: spans(settled)}, {(TOPIC, PARTITION): SENT})
    ledger = Ledger()
    reader = replace(read([found], "queue", "r"), processing=done)
    ledger.receive(LedgerSnapshot("w", 1, one_each_second(), [reader]))
    work = {"group": GroupWork(NO_FAILURES, SEED)}
    for view, history, certain in (
        (None, None, [(10, 5), (30, 1)]),
        (None, changed(TOPIC, COMPACTED), [(30, 1)]),
        (None, changed("elsewhere", COMPACTED), [(10, 5), (30, 1)]),
        (ClusterView(log_start={(TOPIC, PARTITION): 13}), None, [(13, 2), (30, 1)]),
        (ClusterView(log_start={(TOPIC, PARTITION): SENT}), None, [(30, 1)]),
    ):
        judgement = ledger.judge(view, final=True, topics=history, work=work)
        found_so = judgement.groups[0].processing
        assert found_so is not None
        assert unprocessed(judgement) == certain
        assert found_so.unprocessed + found_so.unverifiable == 6


@pytest.mark.parametrize(
    ("history", "certain"),
    [
        (changed("dead", COMPACTED), False),
        (changed("dead", BEFORE, AFTER), False),
        (changed("dead", BEFORE, None), False),
        (changed("dead", BEFORE, BEFORE), True),
        (changed("elsewhere", BEFORE, AFTER), True),
    ],
    ids=["compacted", "made again", "deleted", "as it was", "another"],
)
def test_dead_letters_may_be_gone_from_a_topic_that_was_compacted_or_made_again(
    history: TopicHistory, certain: bool
) -> None:
    """What should be there and is not is unverifiable; a record that only had to be processed is unprocessed."""
    kept = set(range(SENT)) - {min(set(range(SENT)) - hopeless())}
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, one_each_second(), [member(kept)]))
    there = spans(set(sorted(hopeless())[2:]))
    work = {"group": GroupWork(RULES, SEED, {STREAM: there}, len(hopeless()) - 2)}
    found = ledger.judge(None, final=True, topics=history, work=work).groups[0].processing
    assert found is not None
    assert (found.unprocessed, found.unverifiable) == ((3, 0) if certain else (1, 2))
    assert found.dead_lettered == len(hopeless()) - 2


def test_before_the_end_and_of_groups_that_only_read_nothing_is_judged() -> None:
    ledger = Ledger()
    ledger.receive(LedgerSnapshot("w", 1, [], [member(set())]))
    work = {"group": GroupWork(RULES, SEED)}
    assert ledger.judge(None, final=False, work=work).groups[0].processing is None
    assert ledger.judge(None, final=True, work={}).groups[0].processing is None
