"""Looks at the cluster as its clients do: from outside, through each broker by itself."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from live import BOOTSTRAP, BROKERS, replicas_in_sync

from ansible_collections.crucible.kafka.plugins.module_utils.admin import Endpoint, wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.survey import read_partitions

TOPIC = "verify"
NODES = (1, 2, 3)


@pytest.fixture(scope="module")
def admin() -> AdminClient:
    return AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP)})


@pytest.fixture(scope="module", autouse=True)
def topic(admin: AdminClient) -> Iterator[str]:
    """A topic of which each broker leads one partition: node n the partition n - 1."""
    replicas_in_sync()  # A broker that is still coming back would not lead its partition.
    order = [[1, 2, 3], [2, 3, 1], [3, 1, 2]]
    admin.create_topics([NewTopic(TOPIC, num_partitions=3, replica_assignment=order)])[TOPIC].result()
    assert wait_until(lambda: [server for server in BOOTSTRAP if leaders(server) != [1, 2, 3]], 300) == []
    yield TOPIC
    admin.delete_topics([TOPIC])[TOPIC].result()


def leaders(server: str) -> list[int]:
    """Who leads the topic's partitions, as one broker has heard."""
    with Endpoint([server], {}, 10.0).connect() as asked:
        return [partition.leader for partition in read_partitions(asked, [TOPIC])]


def produce(server: str, partition: int, value: str) -> None:
    """Produce in a transaction, for which the internal topic of transactions must serve too."""
    outcome: list[object] = []
    producer = Producer({"bootstrap.servers": server, "transactional.id": f"verify-{server}"})
    producer.init_transactions(300)
    producer.begin_transaction()
    producer.produce(TOPIC, value, partition=partition, on_delivery=lambda error, _: outcome.append(error))
    producer.commit_transaction(300)
    assert outcome == [None]


def read(server: str, partition: int) -> Message:
    """Read the last record and commit its offset, for which the internal topic of offsets must serve too."""
    consumer = Consumer({"bootstrap.servers": server, "group.id": "verify", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(TOPIC, partition, 0)])
    record = consumer.poll(300)
    assert record is not None
    assert record.error() is None
    consumer.commit(message=record, asynchronous=False)
    committed = consumer.committed([TopicPartition(TOPIC, partition)], 300)[0].offset
    assert committed == (record.offset() or 0) + 1
    consumer.close()
    return record


@pytest.mark.parametrize("node", NODES)
def test_a_record_is_read_back_through_each_broker(admin: AdminClient, node: int) -> None:
    server = f"{BROKERS[f'kafka{node}']}:9092"
    assert admin.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions[node - 1].leader == node
    produce(server, node - 1, f"through {node}")
    assert read(server, node - 1).value() == f"through {node}".encode()


def test_every_topic_survives_a_broker_internal_ones_too(admin: AdminClient) -> None:
    topics = admin.list_topics(timeout=10).topics
    assert {"__consumer_offsets", "__transaction_state"} <= topics.keys()
    few = {name for name, topic in topics.items() for part in topic.partitions.values() if len(part.replicas) != 3}
    assert few == set()
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in topics])
    assert {name.name: answer.result()["min.insync.replicas"].value for name, answer in asked.items()} == dict.fromkeys(
        topics, "2"
    )


def test_every_replica_is_in_sync_after_the_reboot() -> None:
    replicas_in_sync()


def test_a_topic_that_nobody_declared_is_not_made_by_a_typo() -> None:
    outcome: list[object] = []
    producer = Producer({"bootstrap.servers": ",".join(BOOTSTRAP), "message.timeout.ms": 3000})
    producer.produce("oders", "lost", on_delivery=lambda error, _: outcome.append(error))
    producer.flush(300)
    assert "oders" not in AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP)}).list_topics(timeout=10).topics
    assert outcome[0] is not None
