"""A whole run in which one group is given another log than all others: two of its records have changed places.

Nothing else shows it: each group gets each record once, and those of each producer in their order.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from locust_run import PROJECT, Run
from mock_cluster import MockCluster

PARTITIONS = 3
PROFILE = """
duration = "4s"
size = "json"
[rate]
OrderProducer = 300
[users]
OrderProducer = 2
WarehouseMember = 1
NotificationReader = 1
"""
# A user whose group reads another cluster: the mock's logs cannot be changed behind its back.
LOCUSTFILE = """
import sys
sys.path.insert(0, {root!r})
from kafka_load.plugin import install
from kafka_load.engines import ClientSettings, reader
from kafka_load.locust_adapter import users
from kafka_load.locust_adapter.users import OrderProducer, WarehouseMember
install()
class NotificationReader(users.NotificationReader):
    def engine(self):
        plan = self.node.plan
        chosen = plan.reader(self.group, self.topics, self.mode, self.name, self.node.worker)
        return reader(ClientSettings({other!r}), chosen)
"""


def log(bootstrap: str, partition: int) -> list[bytes]:
    """The values of a partition, by a plain consumer."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "check", "enable.partition.eof": True, "log_level": 0}
    )
    consumer.assign([TopicPartition("orders", partition, 0)])
    values: list[bytes] = []
    while True:
        message = consumer.poll(10)
        assert message is not None, "the independent check saw no end of the log"
        if message.error():
            consumer.close()
            return values
        values.append(message.value() or b"")


class Copier:
    """Copies `orders` to another cluster as it grows; with `swap`, two neighbours of different producers change places.

    `swapped` is the offset of the first of them.
    """

    def __init__(self, source: str, target: str, swap: bool) -> None:
        self.swapped: int | None = None
        self._stopping = threading.Event()
        self._swap = swap
        self._thread = threading.Thread(target=self._copy, args=(source, target))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _copy(self, source: str, target: str) -> None:
        consumer = Consumer({"bootstrap.servers": source, "group.id": "copier", "log_level": 0})
        consumer.assign([TopicPartition("orders", number, 0) for number in range(PARTITIONS)])
        producer = Producer({"bootstrap.servers": target, "enable.idempotence": True, "log_level": 0})
        while not self._stopping.is_set():
            held = [m for m in consumer.consume(200, 0.2) if m.error() is None]
            for number in range(PARTITIONS):
                values = [m.value() or b"" for m in held if m.partition() == number]
                first = next((m.offset() or 0 for m in held if m.partition() == number), 0)
                place = self._place(values) if self._swap and self.swapped is None else None
                if place is not None:
                    values[place], values[place + 1] = values[place + 1], values[place]
                    self.swapped, self.partition = first + place, number
                for value in values:
                    producer.produce("orders", value, partition=number)
            assert producer.flush(10) == 0
        consumer.close()

    @staticmethod
    def _place(values: list[bytes]) -> int | None:
        who = [json.loads(value)["producer"] for value in values]
        return next((at for at in range(1, len(who) - 1) if who[at] != who[at + 1]), None)


@pytest.mark.parametrize("swap", [False, True], ids=["same log", "other log"])
def test_a_group_that_is_given_another_log_is_found(shop: MockCluster, tmp_path: Path, swap: bool) -> None:
    with MockCluster() as other:
        other.topic("orders", PARTITIONS)
        locustfile, profile = tmp_path / "twice.py", tmp_path / "twice.toml"
        locustfile.write_text(LOCUSTFILE.format(root=str(PROJECT / "loadtests"), other=other.bootstrap))
        profile.write_text(PROFILE)
        copier = Copier(shop.bootstrap, other.bootstrap, swap)
        try:
            run = Run(tmp_path, shop.bootstrap, "-f", str(locustfile), "--profile", str(profile))
            status = run.wait(180)
        finally:
            copier.stop()
        logs = [[log(one.bootstrap, number) for number in range(PARTITIONS)] for one in (shop, other)]
    assert sum(map(len, logs[0])) == sum(map(len, logs[1])) == run.verdict["produced"]["acknowledged"] > 0
    groups = {group["group"]: group for group in run.verdict["groups"]}
    assert all(group["lost"] == group["reordered"] == group["redelivered"] == 0 for group in groups.values())
    broken = [limit["name"] for limit in run.verdict["slo"] if not limit["ok"]]
    if not swap:
        assert logs[0] == logs[1]
        assert (status, broken) == (0, [])
        return
    assert copier.swapped is not None, "nothing was swapped, so nothing was shown"
    here, there = (one[copier.partition] for one in logs)
    assert [at for at in range(len(here)) if here[at] != there[at]] == [copier.swapped, copier.swapped + 1]
    assert (status, run.verdict["outcome"], broken) == (1, "fail", ["diverged"])
    assert groups["notification-group"]["diverged"] > 0
    assert "were given different records" in (tmp_path / "latest" / "anomalies.csv").read_text()
