"""Produces records with every codec, as clients do, and fails unless each record was acknowledged."""

from __future__ import annotations

import sys

from confluent_kafka import Producer

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def failures(bootstrap: str, topic: str, codec: str) -> list[str]:
    """Produce a batch that is worth compressing; return what was said of records that were not acknowledged."""
    errors: list[str] = []
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": 50, "log_level": 2})
    for _ in range(100):
        producer.produce(topic, b"x" * 1000, on_delivery=lambda error, _: errors.extend([str(error)] if error else []))
    left = producer.flush(300)
    return errors + [f"{left} records without an answer"] * bool(left)


if __name__ == "__main__":
    found = {codec: failures(sys.argv[1], sys.argv[2], codec) for codec in CODECS}
    sys.exit("\n".join(f"{codec}: {errors[0]}" for codec, errors in found.items() if errors))
