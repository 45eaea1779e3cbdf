"""A node counts what each engine did once, also when a run ends while it is counting."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from kafka_load.engines import ReaderTotals
from kafka_load.histogram import Histogram
from kafka_load.ledger import ReaderSnapshot
from kafka_load.run.worker import WorkerRuntime


class Member:
    """An engine that was delivered ten records."""

    def __init__(self, number: int) -> None:
        self.id = f"member-{number}"
        self.alive = True
        self.statistics = None
        self.snapshot = ReaderSnapshot(self.id, 1, "warehouse", "queue", ("orders",), True, True, True, {}, {})
        latency = Histogram()
        latency.add(np.full(10, 1_000))
        self.totals = ReaderTotals(at_ns=1, delivered=10, bytes_delivered=1_000, latency=latency)


def test_who_ends_a_run_between_two_engines_counts_none_of_them_twice() -> None:
    node = WorkerRuntime("worker", cast("Any", None))  # the plan is for reports, of which there are none here
    members = [Member(number) for number in range(3)]
    for member in members:
        node.started(cast("Any", member), "warehouse-group")
    counting = node.tick()
    delivered = next(counting)[2].count
    for member in members:
        member.alive = False
    delivered += sum(delta[2].count for delta in node.tick())
    delivered += sum(delta[2].count for delta in counting)
    assert delivered == 30
    assert [delta[2].count for delta in node.tick()] == []
