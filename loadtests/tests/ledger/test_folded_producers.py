"""What is kept of producers that have ended: every stream that is not whole, and of the others a row each."""

from __future__ import annotations

from typing import Any

import numpy as np
from kafka_load.clock import SECOND
from kafka_load.histogram import Histogram
from kafka_load.ledger import Gap, ProducerSnapshot
from kafka_load.ledger.delays import Delays
from kafka_load.ledger.digest import FIRST_LENGTH
from kafka_load.ledger.ended_producers import ClosedProducers, fold
from kafka_load.ledger.producer_account import Account, StreamAccount
from kafka_load.ledger.spans import EMPTY, span


def account(count: int = 20, acknowledged: int | None = None, at: int = 100, marks: bool = True) -> StreamAccount:
    """Records that lie from offset `at` on, each acknowledged a second after the one before."""
    grown = Account()
    grown.sent = count
    for sequence in range(count if acknowledged is None else acknowledged):
        offset = at + sequence
        grown.acknowledge(sequence, sequence + 1, offset if marks else None, (sequence + 1) * SECOND)
        grown.places.add(offset, 1, 1, sequence)
    return grown.freeze()


def histogram(*us: int) -> Histogram:
    made = Histogram()
    made.add(np.array(us, np.int64))
    return made


def ended(producer: int, streams: dict[int, StreamAccount] | None = None, **changes: Any) -> ProducerSnapshot:
    topic = changes.pop("topic", "orders")
    return ProducerSnapshot(f"e{producer}", 9, topic, producer, True, streams or {}, **changes)


def folded(*producers: ProducerSnapshot) -> ClosedProducers:
    [found] = fold({}, "w1", producers).values()
    return found


def test_producers_are_folded_by_topic() -> None:
    first = fold({}, "w1", [ended(1, {0: account()}), ended(2, {0: account()}, topic="clicks")])
    again = fold(first, "w1", [ended(3, {0: account()})])
    assert {topic: (one.engine, one.topic, one.whole[:, 0].tolist()) for topic, one in again.items()} == {
        "orders": ("w1/left/orders", "orders", [1, 3]),
        "clicks": ("w1/left/clicks", "clicks", [2]),
    }
    assert first["orders"].whole[:, 0].tolist() == [1], "what was known before is not changed"
    assert fold(first, "w1", []) == first


def test_only_a_stream_of_which_all_was_acknowledged_is_a_row() -> None:
    failed, aborted = Account(), Account()
    for one, lost in ((failed, failed.failed), (aborted, aborted.aborted)):
        one.sent = 20
        one.acknowledge(0, 20, 100, 1)
        lost.add(5, 6)
    streams = {0: account(), 1: account(20, 19), 2: failed.freeze(), 3: aborted.freeze(), 4: account(0)}
    found = folded(ended(7, streams))
    assert found.whole[:, :3].tolist() == [[7, 0, 20], [7, 4, 0]]
    assert {producer: list(own) for producer, own in found.broken.items()} == {7: [1, 2, 3]}
    assert found.broken[7][1] is streams[1]
    assert folded(ended(8, {0: account()})).broken == {}


def test_each_producer_comes_back_with_its_own_streams() -> None:
    streams = {0: account(20, at=100), 1: account(40, 39, at=200), 2: account(3_000, at=300)}
    other = {0: account(5, at=5_000), 2: account(9, marks=False)}
    found = folded(ended(7, streams), ended(8, other)).snapshots
    assert [(one.engine, one.producer, one.topic, one.version, one.closed) for one in found] == [
        ("w1/left/orders/7", 7, "orders", 1, True),
        ("w1/left/orders/8", 8, "orders", 1, True),
        ("w1/left/orders", -1, "orders", 1, True),
    ]
    seven, eight, sums = found
    assert (set(seven.streams), set(eight.streams), sums.streams) == ({0, 1, 2}, {0, 2}, {})
    for before, after in ((streams, seven.streams), (other, eight.streams)):
        for partition, one in before.items():
            back = after[partition]
            assert (back.sent, back.acknowledged.tolist()) == (one.sent, one.acknowledged.tolist())
            assert (back.failed.tolist(), back.aborted.tolist()) == ([], [])
            assert back.places.length == one.places.length
            assert back.places.blocks.tolist() == one.places.blocks.tolist()
    assert eight.streams[0].offsets_around(2) == (5_002, 5_002)
    assert eight.streams[2].offsets_around(2) == (0, None)


def test_of_a_long_stream_eight_offsets_are_kept_evenly_with_the_first_and_the_last() -> None:
    [back, _] = folded(ended(7, {0: account(141)})).snapshots
    marks = back.streams[0].marks
    assert marks[:, 0].tolist() == [0, 20, 40, 60, 80, 100, 120, 140]
    assert (marks[:, 1] - marks[:, 0] == 100).all()
    [back, _] = folded(ended(7, {0: account(3)})).snapshots
    assert back.streams[0].marks[:, 0].tolist() == [0, 1, 2]


def test_blocks_of_several_streams_are_kept_apart() -> None:
    long = account(3 * FIRST_LENGTH, at=0)
    [one, other, _] = folded(ended(1, {0: long, 1: account()}), ended(2, {0: account(at=999)})).snapshots
    assert one.streams[0].places.blocks.tolist() == long.places.blocks.tolist()
    assert one.streams[1].places.blocks.tolist() == account().places.blocks.tolist()
    assert other.streams[0].places.blocks.tolist() == account(at=999).places.blocks.tolist()


def test_latencies_delays_and_blocked_times_are_added_up_and_the_longest_gap_stays() -> None:
    tp, other = ("orders", 0), ("orders", 1)
    first = ended(
        1,
        latency=histogram(10, 20),
        lateness=histogram(1),
        lateness_own=histogram(1, 1, 1),
        blocked_ns={"window": 5, "queue": 2},
        gaps={tp: Gap(7, 1), other: Gap(2, 1)},
        delays={tp: Delays(span(0, 5), span(1, 2))},
        latency_in_warm_up=histogram(3),
    )
    second = ended(
        2,
        latency=histogram(30),
        lateness=histogram(1, 2),
        lateness_own=histogram(4),
        blocked_ns={"window": 1, "queue": 10},
        gaps={tp: Gap(3, 9), other: Gap(8, 9)},
        delays={tp: Delays(span(10, 15), EMPTY), other: Delays(span(3, 4), EMPTY)},
        latency_in_warm_up=histogram(5, 6),
    )
    sums = folded(first, second, ended(3)).snapshots[-1]
    assert (sums.latency.count, sums.lateness.count, sums.lateness_own.count) == (3, 3, 4)
    assert sums.latency_in_warm_up.count == 3
    assert sums.blocked_ns == {"window": 6, "queue": 12}
    assert sums.gaps == {tp: Gap(7, 1), other: Gap(8, 9)}
    assert {where: one.total.tolist() for where, one in sums.delays.items()} == {
        tp: [[0, 5], [10, 15]],
        other: [[3, 4]],
    }
    assert sums.delays[tp].cluster.tolist() == [[1, 2]]
