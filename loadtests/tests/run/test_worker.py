"""A node counts what each engine did once, also when a run ends while it is counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import numpy as np
from kafka_load.clock import SECOND
from kafka_load.config.schedule import constant
from kafka_load.engines import ClientSettings, ProducerEngine, ProducerSettings, ProducerTotals, ReaderTotals
from kafka_load.engines.warm_up import WarmUp
from kafka_load.histogram import Histogram
from kafka_load.ledger import ReaderSnapshot
from kafka_load.output.timeline import WARM_UP
from kafka_load.run.worker import NEVER_NS, WorkerRuntime
from planned_run import USERS, asked


class Member:
    """An engine that was delivered ten records."""

    def __init__(self, number: int) -> None:
        self.id = f"member-{number}"
        self.warm_up = WarmUp()
        self.alive = True
        self.statistics: dict[str, Any] = {}
        self.snapshot = ReaderSnapshot(self.id, 1, "warehouse", "queue", ("orders",), True, True, True, {}, {})
        latency = Histogram()
        latency.add(np.full(10, 1_000))
        self.totals = ReaderTotals(at_ns=1, delivered=10, bytes_delivered=1_000, latency=latency)


def test_who_ends_a_run_between_two_engines_counts_none_of_them_twice() -> None:
    node = WorkerRuntime("worker", cast("Any", SimpleNamespace(warmup_s=0.0)))
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


class Producer:
    """An engine that sent 40 records, 30 of them due in the warm-up."""

    id, alive = "producer", True
    statistics: Mapping[str, Any] = MappingProxyType({})

    def __init__(self) -> None:
        self.warm_up = WarmUp()
        self.totals = ProducerTotals(due=40, sent=40, due_in_warm_up=30, sent_in_warm_up=30, acknowledged_in_warm_up=29)


def test_an_engine_is_told_when_the_warm_up_ends_whether_it_comes_before_or_after_the_start() -> None:
    @dataclass(frozen=True)
    class Plan:
        warmup_s: float = 30.0
        window_topics: tuple[str, ...] = ("orders",)
        users: Any = None

    node = WorkerRuntime("worker", cast("Any", Plan()))
    early, late = Member(1), Member(2)
    node.started(cast("Any", early), "warehouse-group")
    assert early.warm_up.until_ns == NEVER_NS, "the run has no start yet"
    node.go(5 * SECOND, {})
    node.started(cast("Any", late), "warehouse-group")
    assert early.warm_up.until_ns == late.warm_up.until_ns == 35 * SECOND
    node.started(cast("Any", producer := Producer()), "orders")
    for _ in node.tick():
        producer.totals = replace(producer.totals)  # the same again: nothing more was done
    list(node.tick())
    counts = node._total.counts
    assert {name: counts[name] for name in counts if name.startswith(WARM_UP)} == {
        **{"warm_up.due.orders": 30, "warm_up.sent.orders": 30, "warm_up.acknowledged.orders": 29}
    }


def test_the_latencies_of_a_topic_are_told_apart_where_its_windows_are_limited() -> None:
    @dataclass(frozen=True)
    class Plan:
        window_topics: tuple[str, ...] = ("orders",)
        warmup_s: float = 0.0

    node = WorkerRuntime("worker", cast("Any", Plan()))
    for topic, us in (("orders", 3_000), ("clicks", 7_000)):
        engine = Producer()
        engine.id = topic
        latency, warm = Histogram(), Histogram()
        latency.add(np.array([us, us]))
        warm.add(np.array([us]))
        engine.totals = replace(engine.totals, latency=latency, latency_in_warm_up=warm)
        node.started(cast("Any", engine), topic)
    list(node.tick())
    seen = {name: histogram.count for name, histogram in node._total.histograms.items() if "produce" in name}
    assert seen == {"produce": 4, "warm_up.produce": 2, "produce.orders": 2, "warm_up.produce.orders": 1}


def test_a_rate_that_the_search_asks_for_is_shared_by_those_who_produce_in_steps() -> None:
    steps = {"shape": "steps", "from": 100, "to": 500, "steps": 5, "tolerance": 0.5}
    plan = asked(duration="70s", rate={"OrderProducer": steps, "ClickProducer": 50}).plan
    node = WorkerRuntime("worker", plan)
    engines = {
        user: ProducerEngine(ClientSettings("nowhere:9092"), ProducerSettings(topic, 1, number), constant(0))
        for number, (user, topic) in enumerate([("OrderProducer", "orders"), ("ClickProducer", "clicks")])
    }
    for user, engine in engines.items():
        node.started(engine, engine.settings.topic, user)
    node.set_position(0.5, 40 * SECOND)
    node.set_position(None, 50 * SECOND)
    assert list(engines["OrderProducer"]._arrivals._switches) == [
        (40 * SECOND, constant(300 / USERS["OrderProducer"])),
        (50 * SECOND, constant(0)),
    ]
    assert not engines["ClickProducer"]._arrivals._switches
