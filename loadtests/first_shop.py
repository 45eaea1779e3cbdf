#!/usr/bin/env python3
"""The first shop on a new cluster: orders go in, three groups read them, and each promise made to a shop is checked.

`warehouse-group` shares the orders among three members; `analytics-group` and `notification-group` each get them all.
It can be repeated: it reads from where the topic ended when it began, and counts only its own. A topic or group that
somebody else uses it leaves alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from kafka_load.config import client_config
from kafka_load.config.inventory import ENV, InventoryError, bootstrap_servers
from kafka_load.engines import ClientSettings
from kafka_load.ownership import CLIENT_ID, SHOP_HEADER, offset_metadata
from kafka_load.run.readiness import Group, UnreadyError, check, check_ownership

TOPIC = "orders"
GROUPS = {"warehouse-group": 3, "analytics-group": 1, "notification-group": 1}  # group: members
RUN_HEADER = SHOP_HEADER
CONNECT_S = 8.0
PATIENCE_S = 60.0
SESSION_S = 45.0  # librdkafka's default: how long a group keeps a member that was killed
SHOWN = 10  # problems, when there are many

FIRST_ORDERS = (("order1", "Laptop", 999.99), ("order2", "Phone", 499.99))
MORE_ORDERS = 400
CUSTOMERS = 50
ITEMS = (("Keyboard", 49.99), ("Monitor", 229.0), ("Headphones", 89.5), ("Webcam", 59.99), ("Desk", 310.0))


@dataclass(frozen=True)
class Order:
    """One record: its key, its value, and the partition and offset that the broker gave it."""

    key: str
    value: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Reading:
    """What one member of a group read, in the order in which it read it."""

    group: str
    member: int
    orders: tuple[Order, ...]


def catalogue() -> list[tuple[str, str]]:
    """Return the keys and values of the orders to send: the first two, then a few hundred over fifty keys."""
    more = ((f"customer{number % CUSTOMERS + 1:02}", *ITEMS[number % len(ITEMS)]) for number in range(MORE_ORDERS))
    return [
        (key, json.dumps({"id": f"O{number}", "item": item, "price": price}))
        for number, (key, item, price) in enumerate([*FIRST_ORDERS, *more], start=1)
    ]


def by_key(orders: Iterable[Order]) -> dict[str, list[str]]:
    """Return the values of each key, in their order."""
    values: dict[str, list[str]] = defaultdict(list)
    for order in orders:
        values[order.key].append(order.value)
    return values


def problems(
    sent: Sequence[Order], readings: Sequence[Reading], committed: Mapping[str, Mapping[int, int]]
) -> list[str]:
    """Return what does not hold, a sentence each.

    Args:
        sent: The acknowledged orders, in the order in which they were sent.
        readings: What the members of all groups read.
        committed: For each group, the committed offset of each partition.
    """
    found = []
    for group, members in GROUPS.items():
        own = [reading for reading in readings if reading.group == group]
        read = [order for reading in own for order in reading.orders]
        times = Counter(read)
        found += [f"{group} never got {order}." for order in sent if order not in times]
        found += [f"{group} got {order} {count} times." for order, count in times.items() if count > 1]
        found += [f"{group} got {order}, which nobody sent." for order in times.keys() - set(sent)]
        if idle := members - sum(bool(reading.orders) for reading in own):
            found.append(f"{idle} of the {members} members of {group} got nothing.")

        order_sent = by_key(sent)
        found += [
            f"{group} got the orders of {key} in another order than they were sent in."
            for key, values in by_key(read).items()
            if values != order_sent[key] and sorted(values) == sorted(order_sent[key])
        ]
        for partition in sorted({order.partition for order in read}):
            end = max(order.offset for order in read if order.partition == partition) + 1
            at = committed[group].get(partition)
            if at != end:
                found.append(f"{group} read {TOPIC}-{partition} up to offset {end} and committed {at}.")
    return found


def table(readings: Sequence[Reading], committed: Mapping[str, Mapping[int, int]]) -> str:
    """Return who read what, from which partition, up to which committed offset."""
    rows = [f"{'group':20} {'member':>6}  {'partition':10} {'records':>7}  {'committed offset':>16}"]
    for reading in readings:
        counts = Counter(order.partition for order in reading.orders)
        rows += [
            f"{reading.group:20} {reading.member:>6}  {f'{TOPIC}-{partition}':10} {count:>7}"
            f"  {committed[reading.group][partition]:>16}"
            for partition, count in sorted(counts.items())
        ]
    return "\n".join(rows)


def client(cluster: ClientSettings) -> dict[str, object]:
    """Return the settings that every client shares; what goes wrong is raised, so librdkafka need not log it too."""
    return {"bootstrap.servers": cluster.bootstrap, "log_level": 0, **cluster.extra}


class Member:
    """One member of a consumer group, which reads this run's orders from `start` on."""

    def __init__(self, cluster: ClientSettings, group: str, number: int, start: Mapping[int, int]) -> None:
        self.group, self.number = group, number
        self.orders: list[Order] = []
        self.assigned: set[int] = set()
        self._start = start
        self._consumer = Consumer(
            client(cluster) | {"group.id": group, "client.id": CLIENT_ID, "enable.auto.commit": False}
        )
        self._consumer.subscribe([TOPIC], on_assign=self._take)

    def _take(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.assigned = {partition.partition for partition in partitions}
        consumer.assign([TopicPartition(TOPIC, number, self._start[number]) for number in self.assigned])

    def poll(self, run: str) -> None:
        """Read what is there, keeping the records that carry this run's header."""
        for message in self._consumer.consume(500, 0.05):
            if message.error():
                raise KafkaException(message.error())
            if (RUN_HEADER, run.encode()) in (message.headers() or ()):
                self.orders.append(as_order(message))

    def commit(self, run: str) -> dict[int, int]:
        """Commit what was read; return the offsets that the broker then has for this member's partitions."""
        partitions = [TopicPartition(TOPIC, number) for number in self.assigned]
        if self.orders:
            mark = offset_metadata(int(run, 16))
            read = self._consumer.position(partitions)
            self._consumer.commit(
                offsets=[
                    TopicPartition(TOPIC, at.partition, at.offset, metadata=mark) for at in read if at.offset >= 0
                ],
                asynchronous=False,
            )
        return {partition.partition: partition.offset for partition in self._consumer.committed(partitions, CONNECT_S)}

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()


def as_order(message: Message) -> Order:
    """Return the order that a message carries."""
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise ValueError("a message without a place in the log is no record")
    return Order((message.key() or b"").decode(), (message.value() or b"").decode(), partition, offset)


def end_of_topic(cluster: ClientSettings) -> dict[int, int]:
    """Return the offset at which each partition ends now. Raises KafkaException where there is no such topic."""
    consumer = Consumer(client(cluster) | {"group.id": "first-shop"})
    try:
        topic = consumer.list_topics(TOPIC, CONNECT_S).topics[TOPIC]
        if topic.error:
            raise KafkaException(topic.error)
        return {
            number: consumer.get_watermark_offsets(TopicPartition(TOPIC, number), CONNECT_S)[1]
            for number in topic.partitions
        }
    finally:
        consumer.close()


def check_leave(cluster: ClientSettings) -> None:
    """See that the topic and the groups are nobody else's. Raises UnreadyError where they are."""
    check(cluster, [TOPIC])
    groups = [Group(name, "queue", (TOPIC,)) for name in GROUPS]
    refusals = check_ownership(cluster, groups, [TOPIC], reset_offsets=False, write_topics=(), leave_s=SESSION_S)
    if refusals:
        raise UnreadyError(refusals[0].why)


def send(cluster: ClientSettings, run: str) -> list[Order]:
    """Send the catalogue and return the orders as acknowledged. Raises KafkaException for the first that was not."""
    acknowledged: dict[str, Order] = {}
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error:
            failed.append(error)
        else:
            order = as_order(message)
            acknowledged[order.value] = order

    producer = Producer(client(cluster) | {"enable.idempotence": True, "acks": "all", "message.timeout.ms": 30_000})
    values = catalogue()
    for key, value in values:
        producer.produce(TOPIC, value, key, headers={RUN_HEADER: run}, on_delivery=delivered)
    producer.flush(PATIENCE_S)
    if failed:
        raise KafkaException(failed[0])
    return [acknowledged[value] for _, value in values]


def poll_until(members: Sequence[Member], run: str, reached: Callable[[], bool]) -> None:
    """Poll all members until a state is reached or PATIENCE_S has passed; who lacks what is for the checks to say."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached() and time.monotonic() < deadline:
        for member in members:
            member.poll(run)


def shop(cluster: ClientSettings) -> tuple[list[Order], list[Reading], dict[str, dict[int, int]]]:
    """Send the orders and let the groups read them; return what was sent, read and committed."""
    run = uuid.uuid4().hex
    start = end_of_topic(cluster)
    members = [Member(cluster, group, number + 1, start) for group, size in GROUPS.items() for number in range(size)]

    def shared_out() -> bool:
        shares = Counter((member.group, partition) for member in members for partition in member.assigned)
        return all(member.assigned for member in members) and shares == Counter(itertools.product(GROUPS, start))

    def all_read() -> bool:
        counts = Counter({member.group: 0 for member in members})
        for member in members:
            counts[member.group] += len(member.orders)
        return min(counts.values()) >= len(sent)

    try:
        poll_until(members, run, shared_out)
        sent = send(cluster, run)
        poll_until(members, run, all_read)
        committed: dict[str, dict[int, int]] = defaultdict(dict)
        for member in members:
            committed[member.group] |= member.commit(run)
    finally:
        for member in members:
            member.close()
    return sent, [Reading(member.group, member.number, tuple(member.orders)) for member in members], committed


def main() -> int:
    """Run the shop; the exit status is 0 if every promise held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--bootstrap-servers",
        default=os.environ.get(ENV),
        help=f"host:port,… of the cluster (default: {ENV}, else Ansible's inventory)",
    )
    parser.add_argument(
        client_config.FLAG,
        default=os.environ.get(client_config.ENV, ""),
        help=f"a client.properties, for a secured cluster (default: {client_config.ENV})",
    )
    options = parser.parse_args()
    try:
        told = client_config.read(options.client_config)
        servers = options.bootstrap_servers or told.bootstrap or bootstrap_servers(timeout_s=PATIENCE_S)
        cluster = ClientSettings(servers, told.properties)
        check_leave(cluster)
        sent, readings, committed = shop(cluster)
    except (client_config.ClientConfigError, InventoryError, UnreadyError) as error:
        print(f"The shop cannot open: {error}.", file=sys.stderr)
        return 1
    except KafkaException as error:
        print(
            f"The shop cannot do its work: {error.args[0].str()} (is the cluster deployed, with its topics?)",
            file=sys.stderr,
        )
        return 1

    print(f"{len(sent)} orders of {len(by_key(sent))} keys sent to {TOPIC}.\n")
    print(table(readings, committed))
    if found := problems(sent, readings, committed):
        print(f"\n{len(found)} promises were not kept, the first of them:", *found[:SHOWN], sep="\n", file=sys.stderr)
        return 1
    print("\nEach order reached each group once; the three members shared them; every key kept its order.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
