"""The watch tells when the cluster said that a leader or an ISR is another one, however seldom somebody listens."""

from __future__ import annotations

from functools import partial

import pytest
from confluent_kafka import Consumer
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
