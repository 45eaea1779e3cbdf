"""Where two logs differ is said with the group, the offsets, and what each was given or acknowledged there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from kafka_load.ledger import ReaderSnapshot
from kafka_load.ledger.digest import FIRST_LENGTH
from kafka_load.ledger.divergence import diverged
from kafka_load.ledger.findings import Anomaly
from kafka_load.ledger.producer_account import Account, StreamAccount
from kafka_load.run.topic_changes import Truncation
from shop import PARTITION, TOPIC, Entry, read

TP = (TOPIC, PARTITION)
STREAM = (TOPIC, PARTITION, 1)
LOG = [Entry(100 + sequence, 1, sequence) for sequence in range(20)]
BLOCK = "at one or more of the offsets from 100 to 119"


def member(log: list[Entry], engine: str = "r", **changes: Any) -> ReaderSnapshot:
    return replace(read([log], "queue", engine), **changes)


def account(log: list[Entry], producer: int = 1, marks: bool = True, places: bool = True) -> StreamAccount:
    """A producer's records, acknowledged at the offsets of this log, second by second."""
    grown = Account()
    for entry in log:
        if entry.producer == producer:
            grown.sent = entry.sequence + 1
            offset = entry.offset if marks else None
            grown.acknowledge(entry.sequence, entry.sequence + 1, offset, 10**9 * (entry.offset - 99))
            if places:
                grown.places.add(entry.offset, 1, producer, entry.sequence)
    return grown.freeze()


def swapped(one: int, other: int) -> list[Entry]:
    log = list(LOG)
    log[one], log[other] = replace(LOG[other], offset=100 + one), replace(LOG[one], offset=100 + other)
    return log


def anomaly(group: str, offset: int, note: str, **record: int) -> Anomaly:
    return Anomaly(
        "diverged", group, TOPIC, PARTITION, offset, record.get("producer"), record.get("sequence"), 1, 0, note
    )


def test_two_groups_that_were_given_different_logs_both_have_the_finding() -> None:
    found = diverged({"b": [member(LOG)], "a": [member(swapped(3, 5))]}, {})
    note = f"a and b were given different records, {BLOCK}"
    assert found == [anomaly("a", 100, note), anomaly("b", 100, note)]
    assert diverged({"a": [member(LOG)], "b": [member(LOG)]}, {}) == []


def test_each_pair_of_groups_is_compared() -> None:
    found = diverged({"a": [member(LOG)], "b": [member(swapped(3, 5))], "c": [member(LOG)]}, {})
    assert [(one.group, one.note.partition(" were")[0]) for one in found] == [
        ("a", "a and b"),
        ("b", "a and b"),
        ("b", "b and c"),
        ("c", "b and c"),
    ]


def test_members_of_one_group_that_were_given_different_logs_are_told() -> None:
    found = diverged({"a": [member(LOG), member(swapped(3, 5), "other")], "b": []}, {})
    assert found == [anomaly("a", 100, f"members of the group were given different records, {BLOCK}")]


def test_an_acknowledgement_names_both_records() -> None:
    """The account of another partition and that of another topic say nothing of this one."""
    elsewhere = {(TOPIC, 1, 1): account(swapped(3, 5)), ("clicks", PARTITION, 1): account(swapped(3, 5))}
    found = diverged({"a": [member(LOG)]}, {STREAM: account(swapped(3, 5), places=False), **elsewhere})
    note = "acknowledged for sequence {} of producer 1, and the group was given sequence {} of producer 1 there"
    assert found == [
        anomaly("a", 105, note.format(3, 5), producer=1, sequence=3),
        anomaly("a", 103, note.format(5, 3), producer=1, sequence=5),
    ]


def test_an_acknowledgement_for_another_producers_record_is_told() -> None:
    mine = [Entry(104, 2, 0)]
    found = diverged({"a": [member(LOG)]}, {(TOPIC, PARTITION, 2): account(mine, producer=2, places=False)})
    note = "acknowledged for sequence 0 of producer 2, and the group was given sequence 4 of producer 1 there"
    assert found == [anomaly("a", 104, note, producer=2, sequence=0)]


@pytest.mark.parametrize(("offset", "found"), [(99, False), (100, True), (119, True), (120, False)])
def test_only_offsets_that_the_group_was_given_are_compared(offset: int, found: bool) -> None:
    strange = {(TOPIC, PARTITION, 2): account([Entry(offset, 2, 0)], producer=2, places=False)}
    assert bool(diverged({"a": [member(LOG)]}, strange)) is found


def test_where_other_producers_lie_in_between_an_offset_proves_nothing_by_itself() -> None:
    alternating = [Entry(100 + n, 1 + n % 2, n // 2) for n in range(20)]
    strange = {(TOPIC, PARTITION, 3): account([Entry(104, 3, 0)], producer=3, places=False)}
    assert diverged({"a": [member(alternating)]}, strange) == []


def test_what_was_altered_is_not_taken_for_another_record() -> None:
    altered = [replace(entry, kind="altered") if entry.sequence == 4 else entry for entry in LOG]
    assert diverged({"a": [member(altered)]}, {STREAM: account(LOG, places=False)}) == []


def test_sums_tell_of_an_acknowledgement_that_has_no_known_offset() -> None:
    whole = [Entry(sequence, 1, sequence) for sequence in range(FIRST_LENGTH)]
    other = [*whole[:7], replace(whole[8], offset=7), replace(whole[7], offset=8), *whole[9:]]
    found = diverged({"a": [member(whole)], "b": [member(whole)]}, {STREAM: account(other, marks=False)})
    note = (
        "an offset was acknowledged for another record than the group was given there, at one or more of the offsets"
        " from 0 to 1023"
    )
    assert found == [anomaly("a", 0, note), anomaly("b", 0, note)]
    assert diverged({"a": [member(whole)]}, {STREAM: account(whole, marks=False)}) == []


def test_no_more_can_be_acknowledged_than_there_are_offsets() -> None:
    whole = [Entry(sequence, 1, sequence) for sequence in range(FIRST_LENGTH)]
    twice = {
        STREAM: account(whole, marks=False),
        (TOPIC, PARTITION, 2): account([Entry(3, 2, 0)], producer=2, marks=False),
    }
    [one] = diverged({"a": [member(whole)]}, twice)
    assert one == anomaly(
        "a", 0, "1025 records were acknowledged in 1024 offsets, at one or more of the offsets from 0 to 1023"
    )


def test_a_topic_that_was_made_again_has_logs_that_differ_by_right() -> None:
    groups = {"a": [member(LOG)], "b": [member(swapped(3, 5))]}
    assert diverged(groups, {STREAM: account(swapped(3, 5))}, ignored={TOPIC}) == []
    assert diverged(groups, {}, ignored={"clicks"}) != []


def test_what_had_been_acknowledged_behind_a_cut_is_told_to_each_group_that_reads_the_topic() -> None:
    """The log ended at 110 and then at 105, which was seen at second 8; 107 was acknowledged then."""
    groups = {"a": [member(LOG)], "b": [], "c": [member([], topics=("clicks",))], "d": [member([])]}
    cut = {TP: Truncation(110, 105, 8 * 10**9)}
    found = diverged(groups, {STREAM: account(LOG), (TOPIC, 1, 9): account(LOG)}, truncations=cut)
    note = "acknowledged there, and then the log was cut off: it ended at 110, then at 105"
    assert found == [
        anomaly(group, 100 + sequence, note, producer=1, sequence=sequence) for group in "ad" for sequence in (5, 6)
    ]
    cut = {TP: Truncation(107, 105, 10**12)}
    assert [one.offset for one in diverged({"a": [member(LOG)]}, {STREAM: account(LOG)}, truncations=cut)] == [105, 106]


def test_a_record_that_cannot_be_read_hides_no_other() -> None:
    """The first was altered; producer 0 is a producer like any other."""
    log = [replace(entry, producer=0, kind="altered" if entry.sequence == 0 else "ours") for entry in LOG]
    strange = [replace(entry, producer=0) for entry in swapped(3, 5)]
    found = diverged({"a": [member(log)]}, {(TOPIC, PARTITION, 0): account(strange, producer=0, places=False)})
    assert [(one.producer, one.offset) for one in found] == [(0, 105), (0, 103)]


def test_an_offset_of_a_full_block_holds_what_was_acknowledged_there() -> None:
    whole = [Entry(sequence, 1, sequence) for sequence in range(FIRST_LENGTH)]
    other = [*whole[:7], Entry(7, 2, 0), *whole[8:]]
    [one] = diverged({"a": [member(other)]}, {STREAM: account(whole, marks=False)})
    assert one.note.startswith("an offset was acknowledged for another record")


def test_each_log_that_was_cut_off_is_told_beside_what_else_differs() -> None:
    other = (TOPIC, 1)
    cuts = {TP: Truncation(107, 105, 10**12), other: Truncation(103, 102, 10**12)}
    groups = {"a": [member(LOG)], "b": [member(swapped(3, 5))]}
    found = diverged(groups, {STREAM: account(LOG, places=False), (*other, 1): account(LOG)}, truncations=cuts)
    of_cuts = [(one.group, one.partition, one.offset) for one in found if "cut off" in one.note]
    assert of_cuts == [("a", 0, 105), ("a", 0, 106), ("b", 0, 105), ("b", 0, 106), ("a", 1, 102), ("b", 1, 102)]
    assert any("a and b were given different records" in one.note for one in found)
