"""Produces records with every codec, as clients do (`produce`), or tells how many records a topic holds (`count`)."""

from __future__ import annotations

import sys

from confluent_kafka import Consumer, Producer, TopicPartition

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
BATCH = 100


def failures(bootstrap: str, topic: str, codec: str) -> list[str]:
    """Produce a batch that is worth compressing; return what was said of records that were not acknowledged."""
    errors: list[str] = []
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": 50, "log_level": 2})
    for _ in range(BATCH):
        producer.produce(topic, b"x" * 1000, on_delivery=lambda error, _: errors.extend([str(error)] if error else []))
    left = producer.flush(300)
    return errors + [f"{left} records without an answer"] * bool(left)


def count(bootstrap: str, topic: str) -> int:
    """Return how many records the topic's partitions hold."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "count", "log_level": 2})
    partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=60) for partition in partitions]
    consumer.close()
    return sum(high - low for low, high in ends)


if __name__ == "__main__":
    command, bootstrap, topic = sys.argv[1:]
    if command == "count":
        print(count(bootstrap, topic))
        sys.exit()
    found = {codec: failures(bootstrap, topic, codec) for codec in CODECS}
    sys.exit("\n".join(f"{codec}: {errors[0]}" for codec, errors in found.items() if errors) or 0)
