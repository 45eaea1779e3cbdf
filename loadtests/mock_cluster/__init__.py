"""A Kafka cluster without brokers: librdkafka's own mock cluster, in a process of its own.

The confluent-kafka wheel carries librdkafka, whose `rd_kafka_mock_*` functions answer the wire protocol on real
sockets: groups, transactions and share groups work; brokers go down, leaders move and records are deleted on demand.
Its logs keep 5 MB or 100,000 record batches a partition and then forget the oldest. A process of its own, because the
mock shares librdkafka's threads with clients in the same process and would take their processor time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

PRODUCE, LIST_OFFSETS, OFFSET_COMMIT = 0, 2, 8  # API keys of the wire protocol
REBALANCE_IN_PROGRESS, TOPIC_AUTHORIZATION_FAILED = 27, 29  # error codes of the wire protocol


class MockCluster:
    """`brokers` mock brokers on loopback ports, numbered from 1; a context manager that ends them."""

    def __init__(self, brokers: int = 3) -> None:
        package_root = str(Path(__file__).parents[1])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mock_cluster", str(brokers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": package_root},
        )
        self.bootstrap = self._answer()

    def topic(self, name: str, partitions: int, replicas: int = 3) -> None:
        """Create a topic."""
        self._order("topic", name, partitions, replicas)

    def down(self, broker: int) -> None:
        """Drop a broker's connections and refuse new ones."""
        self._order("down", broker)

    def up(self, broker: int) -> None:
        """Let a broker answer again."""
        self._order("up", broker)

    def rtt(self, broker: int, ms: int) -> None:
        """Delay each answer of a broker."""
        self._order("rtt", broker, ms)

    def leader(self, topic: str, partition: int, broker: int) -> None:
        """Move a partition to another leader."""
        self._order("leader", topic, partition, broker)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Move the log's start to offset `before`, as retention would."""
        self._order("delete", topic, partition, before)

    def slow_answers(self, broker: int, api_key: int, ms: int) -> None:
        """Carry out the broker's next request of this kind at once, and answer it `ms` later."""
        self._order("answer", broker, api_key, 1, 0, ms)

    def refuse(self, broker: int, api_key: int, error: int, times: int = 1) -> None:
        """Answer the broker's next requests of this kind with an error and do not carry them out."""
        self._order("refuse", broker, api_key, error, times)

    def close(self) -> None:
        """End the cluster."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()  # the end of its orders is the cluster's order to end
        self._process.wait(timeout=10)

    def _order(self, *words: object) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the mock cluster has no pipe")
        print(*words, file=self._process.stdin, flush=True)
        if (answer := self._answer()) != "0":
            raise RuntimeError(f"mock cluster: {' '.join(map(str, words))}: {answer}")

    def _answer(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the mock cluster has no pipe")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the mock cluster ended with status {self._process.wait(timeout=10)}")
        return line.strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
