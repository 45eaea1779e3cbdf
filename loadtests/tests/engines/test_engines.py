"""Engines against a mock cluster: they keep the schedule, lose nothing, and know what they do not know."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from kafka_load.clock import SECOND
from kafka_load.cluster import check_cluster, end_offsets
from kafka_load.config.schedule import constant, spike
from kafka_load.engines import (
    ClientSettings,
    ProducerEngine,
    ProducerSettings,
    TransactionSettings,
    take_log_lines,
)
from kafka_load.native_threads import native_call, wait_until
from mock_cluster import MockCluster
from scenario import TOPIC, Scenario, end, group, read_log


def test_after_an_outage_everything_due_is_sent_and_the_wait_counts(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(1_000, 4), in_flight_max=6_000)
    assert wait_until(lambda: engine.totals.acknowledged > 500, 10)
    for broker in (1, 2, 3):
        cluster.down(broker)
    time.sleep(2)  # the outage
    for broker in (1, 2, 3):
        cluster.up(broker)
    assert wait_until(lambda: engine.totals.acknowledged == 4_000, 20)
    end(engine)
    judgement = run.finish()
    assert (engine.totals.due, engine.totals.sent, judgement.produced.acknowledged) == (4_000, 4_000, 4_000)
    assert engine.totals.latency.max > 1_900_000
    assert max(gap.longest_ns for gap in judgement.availability.values()) > 1_900_000_000
    assert group(judgement, "warehouse").lost == 0


def test_what_was_late_because_of_a_full_window_is_not_the_harnesss_own_doing(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(4_000, 3), in_flight_max=3_000)
    assert wait_until(lambda: engine.totals.acknowledged > 1_000, 10)
    for broker in (1, 2, 3):
        cluster.down(broker)
    assert wait_until(lambda: engine.totals.blocked_ns["window"] > SECOND, 10)
    for broker in (1, 2, 3):
        cluster.up(broker)
    assert wait_until(lambda: engine.totals.acknowledged == 12_000, 20)
    end(engine)
    run.finish()
    snapshot = engine.snapshot
    assert snapshot.lateness.max > 1_000_000
    assert snapshot.lateness.count == snapshot.lateness_own.count == 12_000
    assert snapshot.lateness_own.mean < snapshot.lateness.mean / 2
    assert snapshot.blocked_ns == engine.totals.blocked_ns


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_producer_whose_client_takes_nothing_more_ends_when_it_is_told_to(cluster: MockCluster, how: str) -> None:
    """The client's queue is smaller than the engine's window, and no broker answers."""
    run = Scenario(cluster)
    client = {"queue.buffering.max.messages": 100, "message.timeout.ms": 600_000}
    engine = ProducerEngine(
        ClientSettings(cluster.bootstrap, client),
        ProducerSettings(TOPIC, run.run, 7),
        constant(5_000),
        flush_s=1,
    )
    engine.start()
    assert wait_until(lambda: engine.totals.acknowledged > 100, 10)
    for broker in (1, 2, 3):
        cluster.down(broker)
    assert wait_until(lambda: engine.totals.blocked_ns["queue"] > SECOND // 2 or not engine.alive, 20)
    getattr(engine, how)()
    assert engine.join(20), "it goes on offering records to a client that does not take them"
    totals = engine.totals
    assert totals.failed > 0  # what the client never had was never sent, for certain
    assert totals.sent == totals.acknowledged + totals.failed + totals.indeterminate
    assert totals.indeterminate <= 100
    end(run.watch)


def test_no_more_bytes_are_in_flight_than_chosen(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    for broker in (1, 2, 3):
        cluster.rtt(broker, 500)
    engine = run.producer(None, format="binary", size=10_000, in_flight_bytes=1_000_000)
    most = 0

    def sent_enough() -> bool:
        nonlocal most
        most = max(most, engine.totals.indeterminate)
        return engine.totals.acknowledged > 300 or not engine.alive

    assert wait_until(sent_enough, 30)
    end(engine)
    end(run.watch)
    assert 0 < most <= 100


def test_records_that_time_out_leave_the_producer_going_on(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(500), message_timeout_ms=1_000, idempotent=False)
    assert wait_until(lambda: engine.totals.acknowledged > 100, 10)
    for broker in (1, 2, 3):
        cluster.down(broker)
    before = engine.totals.due
    assert wait_until(lambda: engine.totals.due > before + 1_500 or not engine.alive, 10)
    for broker in (1, 2, 3):
        cluster.up(broker)
    after = engine.totals.acknowledged
    assert wait_until(lambda: engine.totals.acknowledged > after + 500 or not engine.alive, 10)
    end(engine)
    judgement = run.finish()
    assert engine.error is None
    assert judgement.produced.indeterminate > 0
    assert group(judgement, "warehouse").lost == 0


def test_a_transaction_that_meets_an_outage_is_ended_after_it(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(500), transaction=TransactionSettings("shop", records=100, ms=100))
    assert wait_until(lambda: engine.totals.acknowledged > 300, 15)
    for broker in (1, 2, 3):
        cluster.down(broker)
    before = engine.totals.acknowledged
    assert wait_until(lambda: engine.totals.due > before + 1_000, 10)
    for broker in (1, 2, 3):
        cluster.up(broker)
    assert wait_until(lambda: engine.totals.acknowledged > before + 2_000 or not engine.alive, 20)
    end(engine)
    judgement = run.finish()
    assert (engine.error, engine.totals.sent) == (None, engine.totals.acknowledged)
    assert (group(judgement, "warehouse").lost, group(judgement, "warehouse").duplicated_in_log) == (0, 0)


def test_an_outage_is_reported_in_one_line_each_way(cluster: MockCluster) -> None:
    take_log_lines()
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(500))
    assert wait_until(lambda: engine.totals.acknowledged > 100, 10)
    said: list[str] = []

    def heard(words: str) -> bool:
        said.extend(one.text for one in take_log_lines())
        return any(words in text for text in said)

    cluster.down(2)
    assert wait_until(lambda: heard("is down"), 10)
    cluster.up(2)
    assert wait_until(lambda: heard("is up again"), 10)
    end(engine)
    run.finish()
    about_brokers = [text for text in said if text.startswith("broker ")]
    assert len(about_brokers) == 2
    assert "is down: Connect to" in about_brokers[0]


def test_the_ends_of_the_logs_are_asked_for_until_every_leader_answers(cluster: MockCluster) -> None:
    cluster.leader(TOPIC, 0, 2)
    cluster.down(2)
    back = threading.Timer(1.0, cluster.up, [2])
    back.start()
    found = end_offsets(ClientSettings(cluster.bootstrap), [TOPIC], 20)
    assert not back.is_alive(), "the leader was not away, so nothing was shown"
    assert {number for _, number in found} == set(range(len(found)))


def test_the_rate_can_be_changed_while_running(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    engine = run.producer(spike(200, 800, 0.5, 0.5))
    assert wait_until(lambda: engine.totals.sent > 200, 10)
    engine.set_rate(2_000)
    sooner = engine.totals.sent + 10_000
    assert wait_until(lambda: engine.totals.sent > sooner, 12)  # as planned, it takes 50 s
    engine.set_rate(0)
    assert wait_until(lambda: engine.totals.target_rate == 0, 10)
    paused = engine.totals.due
    time.sleep(0.3)  # in which nothing may become due
    assert engine.totals.due == engine.totals.sent == paused
    end(engine, run.watch)


def test_a_killed_producer_leaves_indeterminate_records(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(1_000))
    assert wait_until(lambda: engine.totals.acknowledged > 200, 10)
    for broker in (1, 2, 3):
        cluster.rtt(broker, 2_000)
    assert wait_until(lambda: engine.totals.sent > engine.totals.acknowledged + 100, 10)
    engine.kill()
    assert engine.join(10)
    for broker in (1, 2, 3):
        cluster.rtt(broker, 0)
    judgement = run.finish()
    in_log = sum(map(len, read_log(cluster).values()))
    verdict = group(judgement, "warehouse")
    assert judgement.produced.indeterminate > 0
    assert verdict.indeterminate_delivered == in_log - judgement.produced.acknowledged
    assert (verdict.lost, verdict.phantom) == (0, 0)


def test_records_that_were_never_sent_have_failed_for_certain(cluster: MockCluster) -> None:
    run = Scenario(cluster)
    run.join("warehouse")
    engine = run.producer(constant(100, 1), format="binary", size=5_000, client={"message.max.bytes": 2_000})
    assert wait_until(lambda: engine.totals.failed == 100, 10)
    end(engine)
    judgement = run.finish()
    assert (judgement.produced.failed, judgement.produced.indeterminate) == (100, 0)
    assert (group(judgement, "warehouse").lost, group(judgement, "warehouse").consumed) == (0, 0)


def test_an_engine_that_cannot_start_says_why(cluster: MockCluster) -> None:
    client = ClientSettings(cluster.bootstrap, {"no.such": 1})
    engine = ProducerEngine(client, ProducerSettings(TOPIC, 1, 2), constant(1))
    engine.start()
    assert engine.join(15)
    assert engine.error == 'ProducerEngine: No such configuration property: "no.such"'


def test_what_stands_in_the_way_of_a_run_is_said_in_sentences(cluster: MockCluster) -> None:
    client = ClientSettings(cluster.bootstrap)
    assert check_cluster(client, [TOPIC]) == []
    assert check_cluster(client, [TOPIC, "nowhere"]) == [f"Topic nowhere does not exist on {cluster.bootstrap}."]
    assert check_cluster(ClientSettings("127.0.0.1:1"), [], timeout_s=1) == [
        "No broker of 127.0.0.1:1 answered within 1 s."
    ]
    assert "not valid" in check_cluster(ClientSettings("x", {"no.such": 1}), [])[0]


def test_a_native_call_returns_raises_or_gives_up() -> None:
    assert native_call(lambda: 7, timeout_s=5) == 7
    with pytest.raises(ZeroDivisionError):
        native_call(lambda: 1 // 0, timeout_s=5)
    with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
        native_call(time.sleep, 1, timeout_s=0.05)


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import json, sys, time, gevent
from kafka_load.engines import *
from kafka_load.config.schedule import constant
ticks = []
def tick():
    while True:
        gevent.sleep(0.01)
        ticks.append(time.perf_counter())
client = ClientSettings(sys.argv[1])
gevent.spawn(tick)
engines = [ProducerEngine(client, ProducerSettings("orders", 1, 2), constant(500)),
           reader(client, ReaderSettings("g", ("orders",), 1)),
           reader(ClientSettings("127.0.0.1:1"), ReaderSettings("h", ("orders",), 1))]
for engine in engines: engine.start()
while engines[1].totals.delivered < 800: gevent.sleep(0.01)
for engine in engines: engine.stop()
ended = [engine.join(10) for engine in engines]
print(json.dumps({"ended": ended, "ticks": len(ticks)}))
"""


def test_engines_do_not_block_greenlets(cluster: MockCluster) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT, cluster.bootstrap],
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["ended"] == [True, True, True]
    assert seen["ticks"] > 25


def test_engines_of_two_processes_with_one_name_and_one_process_id_are_told_apart() -> None:
    ask = (
        "import os, socket; socket.gethostname = lambda: 'load-1'; os.getpid = lambda: 7\n"
        "from kafka_load.cluster import ClusterWatch\n"
        "from kafka_load.engines import ClientSettings\n"
        "print(ClusterWatch(ClientSettings('x'), (), ()).id)"
    )
    root = {"PYTHONPATH": str(Path(__file__).parents[2])}
    ids = [subprocess.check_output([sys.executable, "-c", ask], env=root, text=True) for _ in range(2)]
    assert ids[0] != ids[1]
    assert all(one.startswith("load-1/7-") for one in ids)
