"""Whole runs against a cluster that a real application uses: the run is refused, and nothing has changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from locust_run import Run
from mock_cluster import MockCluster

SMOKE = ("--profile", "smoke", "--run-time", "3s")
GROUP, ORDERS = "warehouse-group", [TopicPartition("orders", number) for number in range(3)]


def application(cluster: MockCluster) -> Consumer:
    """A client of the application's group that is no member of it."""
    return Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": GROUP, "log_level": 0})


def write_one(cluster: MockCluster, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    producer.produce("orders", value, partition=1)
    assert producer.flush(10) == 0


def ends(cluster: MockCluster) -> list[int]:
    """The ends of the logs of `orders`, asked for by a client that is not the harness's."""
    client = application(cluster)
    found = [client.get_watermark_offsets(partition, timeout=10)[1] for partition in ORDERS]
    client.close()
    return found


def test_offsets_of_an_application_stay_as_they_are_until_its_user_gives_them_up(
    shop: MockCluster, tmp_path: Path
) -> None:
    write_one(shop, b"")
    client = application(shop)
    client.commit(offsets=[TopicPartition("orders", 1, 0, metadata="billing")], asynchronous=False)
    told = ("--write-topics", "orders")
    run = Run(tmp_path / "refused", shop.bootstrap, *SMOKE, *told)
    assert run.wait() == 3
    assert f"group {GROUP} has offsets in orders that this harness did not commit" in run.output
    [_, kept, _] = client.committed(ORDERS, timeout=10)
    assert (kept.offset, kept.metadata) == (0, "billing")
    assert ends(shop) == [0, 1, 0]
    assert not (tmp_path / "refused").exists()

    run = Run(tmp_path / "prefixed", shop.bootstrap, *SMOKE, *told, "--group-prefix", "test-")
    assert run.wait() == 0
    assert {group["group"] for group in run.verdict["groups"]} >= {f"test-{GROUP}"}
    [_, kept, _] = client.committed(ORDERS, timeout=10)
    assert (kept.offset, kept.metadata) == (0, "billing")

    run = Run(tmp_path / "reset", shop.bootstrap, *SMOKE, "--reset-offsets", *told)
    assert run.wait() == 0
    assert all("kafka-load run " in (one.metadata or "") for one in client.committed(ORDERS, timeout=10))
    client.close()


@pytest.mark.parametrize("value", [b"an invoice", b'{"id": "O1", "item": "Laptop", "price": 999.99}'])
def test_a_topic_with_records_of_an_application_is_not_written_into(
    shop: MockCluster, tmp_path: Path, value: bytes
) -> None:
    write_one(shop, value)
    run = Run(tmp_path, shop.bootstrap, *SMOKE)
    assert run.wait() == 3
    assert "topic orders holds records that this harness did not write (orders-1 at offset 0)" in run.output
    assert ends(shop) == [0, 1, 0]
    run = Run(tmp_path, shop.bootstrap, *SMOKE, "--write-topics", "orders")
    assert run.wait() == 0


def test_a_group_with_a_live_member_is_left_alone(shop: MockCluster, tmp_path: Path) -> None:
    member = application(shop)
    member.subscribe(["orders"])
    while not member.assignment():
        member.poll(0.1)
    run = Run(tmp_path, shop.bootstrap, *SMOKE, "--reset-offsets")
    while run.process.poll() is None:
        member.poll(0.1)
    assert run.wait() == 3
    assert f"group {GROUP}" in run.output
    assert ends(shop) == [0, 0, 0]
    assert len(member.assignment()) == 3
    member.close()


def test_a_second_run_uses_what_the_first_one_left(shop: MockCluster, tmp_path: Path) -> None:
    for number in (1, 2):
        run = Run(tmp_path / str(number), shop.bootstrap, *SMOKE, "--group-prefix", f"run{number}-")
        assert run.wait() == 0
