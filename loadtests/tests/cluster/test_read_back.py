"""What members wrote is read up to where the log ends, not up to where an open transaction hides the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from kafka_load.cluster import queries, read_back
from kafka_load.engines.settings import ClientSettings
from mock_cluster import MockCluster

WHERE = ("enriched", 0)


@dataclass(frozen=True)
class Message:
    """A record, or the end that a reader is told of."""

    at: int
    end: bool = False

    def error(self) -> Any:
        return SimpleNamespace(code=lambda: KafkaError._PARTITION_EOF) if self.end else None

    def offset(self) -> int:
        return self.at

    def topic(self) -> str:
        return WHERE[0]

    def partition(self) -> int:
        return WHERE[1]


class Reader:
    """A partition with ten records whose last five are behind an open transaction, which `aborted` ends in time."""

    aborted = True

    def __init__(self, properties: dict[str, Any], **_: Any) -> None:
        self._sees_all = properties["isolation.level"] == "read_uncommitted"
        self._told = self._tell()

    def _tell(self) -> Iterator[Message | None]:
        yield from (Message(at) for at in range(5))
        yield Message(5, end=True)
        yield None
        while not self.aborted:
            yield None
        yield from (Message(at) for at in range(5, 10))
        yield Message(11, end=True)  # Behind the marker that ended the transaction.

    def assign(self, _: Any) -> None:
        pass

    def get_watermark_offsets(self, *_: Any) -> tuple[int, int]:
        return 0, 10 if self._sees_all else 5

    def poll(self, _: float) -> Message | None:
        return next(self._told)

    def consume(self, *_: Any) -> list[Message]:
        return []

    def close(self) -> None:
        pass


@pytest.fixture
def _behind_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (read_back, queries):
        monkeypatch.setattr(module, "Consumer", Reader)


@pytest.mark.usefixtures("_behind_a_transaction")
def test_records_behind_an_open_transaction_are_waited_for() -> None:
    taken: list[Any] = []
    read_back.read_back(ClientSettings("nowhere:1"), {WHERE: 0}, taken.extend, timeout_s=60)
    assert [message.offset() for message in taken] == list(range(10))


@pytest.mark.usefixtures("_behind_a_transaction")
def test_where_the_transaction_stays_open_nothing_is_said_of_what_is_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Reader, "aborted", False)
    with pytest.raises(KafkaException) as refused:
        read_back.read_back(ClientSettings("nowhere:1"), {WHERE: 0}, lambda _: None, timeout_s=0.2)
    assert refused.value.args[0].code() == KafkaError._TIMED_OUT


def test_a_real_log_is_read_from_where_it_is_told_to_its_end() -> None:
    with MockCluster() as cluster:
        cluster.topic(*WHERE[:1], 1)
        producer = Producer({"bootstrap.servers": cluster.bootstrap})
        for number in range(5):
            producer.produce(WHERE[0], str(number))
        producer.flush()
        taken: list[Any] = []
        read_back.read_back(ClientSettings(cluster.bootstrap), {WHERE: 2}, taken.extend, timeout_s=60)
    assert [message.value() for message in taken] == [b"2", b"3", b"4"]
