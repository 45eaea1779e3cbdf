"""A group that transforms its records: each has one output record, in order, or it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka_load.cluster import ClusterView
from kafka_load.ledger import Drain, Ledger, LedgerSnapshot, TopicPartition, TransformWork
from kafka_load.ledger.findings import Judgement, TransformJudgement
from kafka_load.ledger.snapshot import ProcessingSnapshot
from kafka_load.run.topic_changes import TopicHistory
from shop import PARTITION, TOPIC, Entry, Producers, read
from topic_history import AFTER, BEFORE, COMPACTED, changed

PRODUCER, SENT = 1, 12
HERE = (TOPIC, PARTITION)
OUTPUT = "enriched"


def judged(
    acknowledged: set[int],
    batches: list[list[int]],
    done_to: int = SENT,
    drain: Drain | None = None,
    known: bool = True,
    topics: TopicHistory | None = None,
    removed_to: int = 0,
    not_given: frozenset[int] = frozenset(),
    elsewhere: Mapping[TopicPartition, list[int]] | None = None,
) -> tuple[Judgement, TransformJudgement]:
    """The input record with sequence n lies at offset n; the output has these, batch by batch as it is read back.

    `elsewhere` are offsets of other partitions of the input that have an output.
    """
    entries = [Entry(sequence, PRODUCER, sequence) for sequence in range(SENT) if sequence not in not_given]
    member = read([entries], "queue", "r")
    member = replace(member, processing=ProcessingSnapshot({}, {HERE: done_to}, aborted=3))
    work = TransformWork(known, topic=OUTPUT)
    for where, offsets in (elsewhere or {}).items():
        work.inputs[where].add(np.array(offsets, np.int64))
    for batch in filter(None, batches):
        work.inputs[HERE].add(np.array(batch, np.int64))
        for sequence in batch:
            work.streams[(*HERE, PRODUCER)].add(sequence, sequence + 1)
    ledger = Ledger()
    producers = Producers({PRODUCER: SENT}, {PRODUCER: acknowledged}).snapshots()
    ledger.receive(LedgerSnapshot.from_wire(LedgerSnapshot("w", 1, producers, [member]).to_wire()))
    judgement = ledger.judge(
        ClusterView(log_start={HERE: removed_to}),
        final=True,
        drains={"group": drain} if drain else {},
        topics=topics,
        work={"group": work},
    )
    [group] = judgement.groups
    assert group.transform is not None
    return judgement, group.transform


numbers = st.integers(0, SENT - 1)


@settings(max_examples=300)
@given(st.sets(numbers), st.lists(st.lists(numbers, max_size=8), max_size=4))
def test_every_output_is_judged_by_the_definition(acknowledged: set[int], batches: list[list[int]]) -> None:
    _, found = judged(acknowledged, batches)
    output = [offset for batch in batches for offset in batch]
    first = [offset for place, offset in enumerate(output) if offset not in output[:place]]
    behind = sum(offset < max(first[:place]) for place, offset in enumerate(first) if place)
    assert found == TransformJudgement(
        transformed=len(first),
        missing_outputs=len(acknowledged - set(output)),
        doubled_outputs=len(output) - len(first),
        reordered_outputs=behind,
        aborted=3,
    )


def test_what_is_wrong_is_named_by_its_place_in_the_input() -> None:
    judgement, _ = judged(set(range(8)), [[0, 1, 2], [1, 2, 3, 6, 7, 5]])
    named = {anomaly.kind: anomaly for anomaly in judgement.anomalies}
    for kind, offset, count in (("doubled_output", 1, 2), ("reordered_output", 5, 1)):
        one = named[kind]
        assert (one.topic, one.partition, one.producer) == (TOPIC, PARTITION, None)
        assert (one.offset, one.sequence, one.count, one.at_ns) == (offset, None, count, 0)
        assert one.note == "offset and count are those of the input"
    missing = [anomaly for anomaly in judgement.anomalies if anomaly.kind == "missing_output"]
    assert [(one.sequence, one.count, one.note) for one in missing] == [(4, 1, "no output record of it can be read")]


def test_the_output_of_each_partition_counts_and_that_of_a_topic_that_was_made_again_does_not() -> None:
    """The topic sorts before the others, so that they come after it."""
    remade, other = ("a", 0), (TOPIC, PARTITION + 1)
    topics = changed(remade[0], BEFORE, AFTER)
    _, found = judged(set(range(8)), [list(range(8))], topics=topics, elsewhere={remade: [1, 2], other: [5, 6, 7]})
    assert (found.transformed, found.missing_outputs) == (8 + 3, 0)
    _, found = judged(set(range(8)), [[0, 1, 1]], topics=topics, elsewhere={remade: [1, 1], other: [6, 5]})
    assert (found.doubled_outputs, found.reordered_outputs) == (1, 1)


def test_of_what_the_group_had_not_done_or_could_not_be_read_back_nobody_knows() -> None:
    _, found = judged(set(range(SENT)), [[0, 1, 2, 4]], done_to=6, drain=Drain(unread={HERE: SENT - 6}))
    assert (found.missing_outputs, found.unverifiable) == (1, SENT - 5)
    _, found = judged(set(range(SENT)), [[2, 3, 6]], known=False)
    assert (found.missing_outputs, found.unverifiable) == (0, SENT - 3)


def test_an_input_record_that_may_have_been_removed_before_the_group_came_need_not_have_an_output() -> None:
    """The group was not given 4 and 5; it was given 6, of which there is no output either."""
    there, not_given = [[0, 1, 2, 3, 7, 8, 9, 10, 11]], frozenset({4, 5})
    for topics, removed_to, unverifiable in (
        (None, 0, 0),
        (changed("elsewhere", COMPACTED), 0, 0),
        (changed(TOPIC, COMPACTED), 0, 2),
        (None, SENT, 2),
    ):
        _, found = judged(set(range(SENT)), there, topics=topics, removed_to=removed_to, not_given=not_given)
        assert (found.missing_outputs, found.unverifiable) == (3 - unverifiable, unverifiable)


@pytest.mark.parametrize(
    ("topics", "missing", "disorder"),
    [
        (changed(OUTPUT, COMPACTED), False, True),
        (changed(OUTPUT, BEFORE, AFTER), False, False),
        (changed(OUTPUT, BEFORE, None), False, False),
        (changed(OUTPUT, BEFORE, BEFORE), True, True),
    ],
    ids=["compacted", "made again", "deleted", "as it was"],
)
def test_output_may_be_gone_from_a_topic_that_was_compacted_or_made_again(
    topics: TopicHistory, missing: bool, disorder: bool
) -> None:
    """Of two logs under one name neither copies nor order are judged; compaction changes no order."""
    _, found = judged(set(range(8)), [[0, 1, 2], [1, 2, 3, 6, 7, 5]], topics=topics)
    assert (found.missing_outputs, found.unverifiable) == ((1, 0) if missing else (0, 1))
    assert (found.doubled_outputs, found.reordered_outputs) == ((2, 1) if disorder else (0, 0))
    assert found.transformed == 7
