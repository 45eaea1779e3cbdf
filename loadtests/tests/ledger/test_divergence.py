"""Logs that differ are found, whoever was given what; and histories of one log have no such finding."""

from __future__ import annotations

from dataclasses import replace

from histories import histories
from hypothesis import given, settings
from kafka_load.ledger import Judgement, ProducerSnapshot, ReaderSnapshot
from kafka_load.ledger.producer_account import Account
from shop import PARTITION, TOPIC, Entry, Producers, Session, judged, read

COUNT = 40
# Two producers whose records alternate, so that a run of the ledger does not say where each of its records lies.
LOG = [Entry(100 + number, 1 + number % 2, number // 2) for number in range(COUNT)]
SENT = Producers({1: COUNT // 2, 2: COUNT // 2}, {1: set(range(COUNT // 2)), 2: set(range(COUNT // 2))})


def acknowledged(log: list[Entry]) -> list[ProducerSnapshot]:
    """Producers whose records were acknowledged at the offsets that they have in `log`."""
    snapshots = []
    for producer, sent in SENT.sent.items():
        account = Account()
        account.sent = sent
        for entry in log:
            if entry.producer == producer:
                account.acknowledge(entry.sequence, entry.sequence + 1, entry.offset, 10**9 * entry.offset)
                account.places.add(entry.offset, 1, producer, entry.sequence)
        snapshots.append(ProducerSnapshot(f"p{producer}", 1, TOPIC, producer, True, {PARTITION: account.freeze()}))
    return snapshots


def group(name: str, log: list[Entry]) -> ReaderSnapshot:
    return replace(read([log], "queue", name), group=name)


def swapped(one: int, other: int) -> list[Entry]:
    """The log with two records in each other's places."""
    log = list(LOG)
    log[one] = replace(LOG[other], offset=LOG[one].offset)
    log[other] = replace(LOG[one], offset=LOG[other].offset)
    return log


def counts(judgement: Judgement) -> dict[str, int]:
    return {one.group: one.diverged for one in judgement.groups}


def test_nothing_diverges_where_all_saw_one_log() -> None:
    judgement = judged(acknowledged(LOG), [group("a", LOG), group("b", LOG)])
    assert counts(judgement) == {"a": 0, "b": 0}
    assert judgement.anomalies == []


def test_two_groups_that_were_given_different_records_at_one_offset_are_found() -> None:
    # Neither loss nor order nor a copy shows it: each group has each record once and each producer's in order.
    judgement = judged(SENT.snapshots(), [group("a", LOG), group("b", swapped(10, 11))])
    assert {(one.lost, one.reordered, one.duplicated_in_log, one.phantom) for one in judgement.groups} == {(0, 0, 0, 0)}
    notes = [one.note for one in judgement.anomalies if "a and b were given different records" in one.note]
    assert len(notes) == 2
    assert min(counts(judgement).values()) > 0


def test_an_acknowledged_offset_that_holds_another_record_is_found() -> None:
    judgement = judged(acknowledged(LOG), [group("a", swapped(10, 11)), group("b", swapped(10, 11))])
    assert min(counts(judgement).values()) > 0
    exact = [one for one in judgement.anomalies if one.note.startswith("acknowledged for sequence")]
    assert {one.offset for one in exact} <= {110, 111}
    assert any("an offset was acknowledged for another record" in one.note for one in judgement.anomalies)


def test_more_acknowledged_records_than_offsets_are_found() -> None:
    whole = [replace(entry, offset=entry.offset - 100) for entry in LOG]
    account = Account()
    account.sent = 2_000
    account.acknowledged.add(0, 2_000)
    for first in (0, 24):  # the second thousand was written over the first
        account.places.add(first, 1_000, 1, first)
    producer = ProducerSnapshot("p", 1, TOPIC, 1, True, {PARTITION: account.freeze()})
    judgement = judged([producer], [group("a", whole)])
    assert any("were acknowledged in 1024 offsets" in one.note for one in judgement.anomalies)


@settings(max_examples=100)
@given(histories())
def test_no_history_of_one_log_diverges(history: tuple[str, list[list[Session]], Producers]) -> None:
    mode, members, producers = history
    readers = [replace(read(sessions, mode, f"r{n}"), group=f"g{n % 2}") for n, sessions in enumerate(members)]
    # The offsets of these acknowledgements are made up; without them only what the readers saw is compared.
    unplaced = [
        replace(one, streams={p: replace(a, marks=a.marks[:0]) for p, a in one.streams.items()})
        for one in producers.snapshots()
    ]
    assert set(counts(judged(unplaced, readers)).values()) == {0}
