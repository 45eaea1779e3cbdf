"""A member that takes its time over its records: it stays in its group, holds up nobody, and commits what is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from kafka_load.config.processing import Processing, ProcessingTime
from kafka_load.engines import ClientSettings, processing
from kafka_load.native_threads import wait_until
from mock_cluster import MockCluster
from scenario import TOPIC, Scenario, end, group


def fixed(seconds: float, **more: Any) -> Processing:
    return Processing(ProcessingTime("fixed", {"value": seconds}), **more)


def committed(cluster: MockCluster, name: str) -> int:
    """The sum of a group's committed offsets, as a plain client is told them."""
    client = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": name, "log_level": 0})
    found = client.committed([TopicPartition(TOPIC, number) for number in range(3)], timeout=10)
    client.close()
    return sum(max(0, one.offset) for one in found)


def work(member: Any) -> Any:
    assert member.snapshot.processing is not None
    return member.snapshot.processing


def test_a_member_whose_record_takes_longer_than_the_poll_interval_stays_in_its_group(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.client = ClientSettings(
        cluster.bootstrap, {"max.poll.interval.ms": 2_000, "session.timeout.ms": 2_000}
    )
    member = scenario_run.join("billing", processing=fixed(3.0))
    assert wait_until(lambda: member.totals.rebalances == 1, 15)
    scenario_run.send(2)
    judgement = scenario_run.finish()
    assert scenario_run.drained
    assert member.totals.rebalances == 1
    assert work(member).processed == group(judgement, "billing").consumed == 2
    assert work(member).latency.min >= 3_000_000
    assert committed(cluster, "billing") == 2


def test_a_slow_member_takes_no_more_than_it_can_hold_and_another_group_is_not_held_up(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    scenario_run.send(4_000, rate=20_000)
    slow = scenario_run.join("billing", processing=fixed(0.05))
    quick = scenario_run.join("archive", processing=fixed(0.0))
    assert wait_until(lambda: bool(quick.snapshot.processing) and work(quick).processed == 4_000, 30)
    assert wait_until(lambda: work(slow).processed >= 40, 30)
    end(slow)
    done = work(slow).processed
    assert done < slow.totals.delivered <= done + processing.PENDING
    assert committed(cluster, "billing") == done
    after = scenario_run.join("billing", processing=fixed(0.0))
    judgement = scenario_run.finish()
    assert scenario_run.drained
    assert group(judgement, "billing").lost == 0
    assert work(after).processed == 4_000 - done


def test_a_member_that_is_full_while_a_partition_is_looked_up_reads_each_record_once(cluster: MockCluster) -> None:
    cluster.leader(TOPIC, 2, 3)
    cluster.rtt(3, 400)  # The member is full, and empty again, before it is told where partition 2 begins.
    scenario_run = Scenario(cluster)
    scenario_run.send(6_000, rate=20_000)
    member = scenario_run.join("billing", processing=fixed(0.0))
    assert wait_until(lambda: bool(member.snapshot.processing) and work(member).processed >= 6_000, 30)
    scenario_run.send(200, rate=100)  # For longer than a look-up that was asked for a second time would wait.
    judgement = scenario_run.finish()
    assert scenario_run.drained
    assert work(member).processed == group(judgement, "billing").consumed == 6_200
    assert group(judgement, "billing").redelivered == 0


def test_a_record_is_committed_once_the_dead_letter_topic_has_it(
    cluster: MockCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[Callable[[], None]] = []

    class Unanswered:
        def __init__(self, *_: object) -> None:
            pass

        def send(self, message: object, attempts: int, acknowledged: Callable[[], None]) -> None:
            assert attempts == 3
            waiting.append(acknowledged)

        def poll(self) -> None:
            pass

        def flush(self, timeout_s: float) -> None:
            pass

    monkeypatch.setattr(processing, "DeadLetters", Unanswered)
    scenario_run = Scenario(cluster)
    member = scenario_run.join("billing", processing=fixed(0, failures=1.0, retries=2, dead_letter_topic="dead"))
    assert wait_until(lambda: member.totals.rebalances == 1, 15)
    scenario_run.send(30)
    assert wait_until(lambda: len(waiting) == 30, 15)
    assert (work(member).dead_lettered, committed(cluster, "billing")) == (0, 0)
    while waiting:
        waiting.pop()()
    assert wait_until(lambda: committed(cluster, "billing") == 30, 15)
    scenario_run.finish()
    assert (work(member).dead_lettered, work(member).retried, work(member).processed) == (30, 60, 0)


def test_a_record_that_fails_takes_the_time_of_all_its_attempts(cluster: MockCluster) -> None:
    scenario_run = Scenario(cluster)
    cluster.topic("dead", 1)
    chosen = fixed(0.2, failures=1.0, retries=2, backoff_s=0.3, dead_letter_topic="dead")
    member = scenario_run.join("billing", processing=chosen)
    assert wait_until(lambda: member.totals.rebalances == 1, 15)
    scenario_run.send(1)
    scenario_run.finish()
    assert work(member).dead_lettered == 1
    assert work(member).latency.min >= 1_190_000  # three attempts and two waits, in buckets of 0.8 %
