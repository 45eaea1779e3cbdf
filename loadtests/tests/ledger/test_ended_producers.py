"""Producers that have ended are folded into a table, and are judged as if each had stayed as it was."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from kafka_load.histogram import Histogram
from kafka_load.ledger import Gap, Ledger, LedgerSnapshot, ProducerSnapshot, WorkerLedger
from kafka_load.ledger.producer_account import Account
from kafka_load.serialization import pack, unpack

PARTITIONS = 12


class Ended:
    """An engine that has ended with this snapshot."""

    alive = False

    def __init__(self, producer: int, broken: bool = False) -> None:
        latency = Histogram()
        latency.add(np.full(100 * PARTITIONS, 1_000 + producer))
        self.snapshot = ProducerSnapshot(
            f"engine-{producer}",
            9,
            "orders",
            producer,
            True,
            {partition: self.account(producer, broken and partition == 3) for partition in range(PARTITIONS)},
            latency,
            latency,
            {("orders", 0): Gap(producer, 5)},
            latency,
            {"window": 10, "queue": 0},
        )

    @staticmethod
    def account(producer: int, broken: bool) -> Any:
        account = Account()
        account.sent = 100
        for first in range(0, 100, 10):
            if broken and first == 50:
                account.failed.add(50, 60)
                continue
            account.acknowledge(first, first + 10, 1_000 * producer + first, 1_000_000_000 * (first + 1))
            account.places.add(1_000 * producer + first, 10, producer, first)
        return account.freeze()


def reported(*ended: Ended) -> LedgerSnapshot:
    ledger = WorkerLedger("worker")
    for engine in ended:
        ledger.add(cast("Any", engine))
    return LedgerSnapshot.from_wire(ledger.snapshot().to_wire())


def test_a_folded_producer_tells_what_it_told_before() -> None:
    ended = [Ended(1), Ended(2, broken=True), Ended(3)]
    snapshot = reported(*ended)
    assert not snapshot.running
    told = {producer.producer: producer for producer in snapshot.producers if producer.producer > 0}
    assert all(producer.closed for producer in snapshot.producers)
    for engine in ended:
        before, after = engine.snapshot, told[engine.snapshot.producer]
        assert after.streams.keys() == before.streams.keys()
        for partition, account in before.streams.items():
            folded = after.streams[partition]
            assert folded.sent == account.sent
            for name in ("acknowledged", "failed", "aborted", "indeterminate"):
                assert getattr(folded, name).tolist() == getattr(account, name).tolist()
            assert folded.places.sums(folded.places.length) == account.places.sums(account.places.length)
            assert folded.offsets_around(0)[0] == account.offsets_around(0)[0]
            assert folded.offsets_around(95)[0] == account.offsets_around(95)[0]
    assert sum(producer.latency.count for producer in snapshot.producers) == 3 * 100 * PARTITIONS
    assert sum(producer.blocked_ns.get("window", 0) for producer in snapshot.producers) == 30
    ledger = Ledger()
    ledger.receive(snapshot)
    judgement = ledger.judge(None, final=True)
    assert (judgement.produced.acknowledged, judgement.produced.failed) == (3 * 100 * PARTITIONS - 10, 10)
    assert judgement.availability["orders", 0] == Gap(3, 5)


def test_another_thousand_producers_that_come_and_go_cost_little() -> None:
    few, many = (len(repr(pack(reported(*map(Ended, range(1, count)))))) for count in (100, 200))
    alone = len(repr(pack(Ended(1).snapshot)))
    assert (many - few) / 100 < alone / 8


def test_a_report_of_folded_producers_survives_the_wire_and_may_come_twice() -> None:
    snapshot = reported(Ended(1), Ended(2, broken=True))
    again = unpack(pack(snapshot))
    assert [one.streams.keys() for one in again.producers] == [one.streams.keys() for one in snapshot.producers]
