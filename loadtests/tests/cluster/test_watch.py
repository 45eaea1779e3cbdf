"""The watch tells when the cluster said that a leader or an ISR is another one, however seldom somebody listens."""

from __future__ import annotations

from functools import partial

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from kafka_load.clock import now_ns
from kafka_load.cluster import ClusterWatch
from kafka_load.engines import ClientSettings
from kafka_load.native_threads import native_sleep, wait_until
from mock_cluster import MockCluster
from scenario import end

ORDERS_0 = ("orders", 0)


class StuckWatch(ClusterWatch):
    """Waits for the end of a log whose leader does not answer."""

    def _read_bounds(self, client: Consumer) -> None:
        while not self._stopping:
            native_sleep(0.02)


class DeafLeaders(ClusterWatch):
    """Is told by no leader where a log ends."""

    def _read_bounds(self, client: Consumer) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def led_by(watch: ClusterWatch, leader: int) -> bool:
    return watch.view.partitions[ORDERS_0].leader == leader


@pytest.mark.parametrize("kind", [ClusterWatch, StuckWatch])
def test_each_change_of_a_leader_is_kept_with_its_time(cluster: MockCluster, kind: type[ClusterWatch]) -> None:
    watch = kind(ClientSettings(cluster.bootstrap), ("orders",), (), every_ms=20)
    watch.start()
    assert wait_until(lambda: ORDERS_0 in watch.view.partitions, 30)
    first = watch.view.partitions[ORDERS_0].leader
    others = [broker for broker in (1, 2, 3) if broker != first]
    ordered_ns = []
    for leader in (*others, first):
        ordered_ns.append(now_ns())
        cluster.leader("orders", 0, leader)
        assert wait_until(partial(led_by, watch, leader), 30)
    end(watch)
    changes = watch.take_changes()
    assert [change.partitions[ORDERS_0].leader for change in changes] == [first, *others, first]
    seen_ns = [change.at_ns for change in changes[1:]]
    assert all(
        before <= seen <= after
        for before, seen, after in zip(ordered_ns, seen_ns, [*ordered_ns[1:], now_ns()], strict=True)
    )
    assert watch.take_changes() == []


def test_a_log_is_followed_to_its_new_leader_while_the_former_one_is_down(cluster: MockCluster) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    watch = ClusterWatch(ClientSettings(cluster.bootstrap), ("orders",), (), every_ms=20)
    watch.start()
    assert wait_until(lambda: watch.view.log_end.get(ORDERS_0) == 0, 30)
    former = watch.view.partitions[ORDERS_0].leader
    for partition in range(3):
        cluster.leader("orders", partition, former % 3 + 1)
    cluster.down(former)
    producer.produce("orders", b"", partition=0)
    assert producer.flush(30) == 0
    assert wait_until(lambda: watch.view.log_end[ORDERS_0] == 1, 30)
    end(watch)


def test_commits_are_seen_while_a_log_cannot_be_asked_for_its_end(cluster: MockCluster) -> None:
    watch = DeafLeaders(ClientSettings(cluster.bootstrap), ("orders",), ("reader",), every_ms=20)
    watch.start()
    assert wait_until(lambda: ORDERS_0 in watch.view.partitions, 30)
    reader = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "reader", "log_level": 0})
    reader.commit(offsets=[TopicPartition(*ORDERS_0, 7)], asynchronous=False)
    reader.close()
    assert wait_until(lambda: watch.view.committed.get("reader", {}).get(ORDERS_0) == 7, 30)
    assert watch.view.error is not None
    end(watch)
