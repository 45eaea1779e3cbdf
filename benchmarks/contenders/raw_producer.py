"""The yardstick: a loop that only calls `produce_batch` and counts acknowledgements, with the harness's settings."""

from __future__ import annotations

import os

from confluent_kafka import Producer
from kafka_load.engines import ClientSettings, ProducerSettings
from kafka_load.engines.producer import CHUNK
from kafka_load.native_threads import relax_garbage_collector

TOPIC, SIZE = os.environ["BENCH_TOPIC"], 100

settings = ProducerSettings(TOPIC, 0, 0)
producer = Producer(dict(settings.properties(ClientSettings(os.environ["BENCH_BOOTSTRAP"]))))
keys, value = [b"c-%06d" % number for number in range(CHUNK)], b"x" * SIZE


def produce() -> None:
    """Go on until the process is ended."""
    queued = acknowledged = 0

    def on_delivery(error: object, _: object) -> None:
        nonlocal acknowledged
        acknowledged += error is None

    while True:
        batch = [{"value": value, "key": key} for key in keys]
        queued += producer.produce_batch(TOPIC, batch, on_delivery=on_delivery)
        producer.poll(0)
        while queued - acknowledged > settings.in_flight_max:
            producer.poll(0.001)


relax_garbage_collector()  # the yardstick should be as fast as it can
produce()
