"""The identities (producer id, epoch, sequence) under which records lie in the log, read from its batches.

librdkafka does not show them, so kafka-python fetches here, in a process of its own: gevent's patches would reach its
threads otherwise. What it needs to know of the cluster, which may be secret, goes to that process by a pipe.

    {"properties": {…}, "run": 1, "records": [["orders", 0, 7, 118, [[19787, 19787], [19790, 19790]]]]}
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.protocol.consumer import FetchRequest
from kafka.record.memory_records import MemoryRecords

from kafka_load.engines.settings import ClientSettings
from kafka_load.ledger.copies import Doubled, Identity
from kafka_load.records import INTACT, decode

SCANNED = 20_000
"""Offsets that are read where a record's place is only known by its bounds."""
_FETCH_BYTES = 4 << 20
_SEQUENCES = 1 << 31  # sequence numbers begin again at 0 after the largest 32-bit integer

# librdkafka's properties, and kafka-python's of the same meaning.
_NAMES = {
    "bootstrap.servers": "bootstrap_servers",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
}


class LogUnreadableError(RuntimeError):
    """The log's batches could not be read; the message says why."""


def read_identities(
    client: ClientSettings, run: int, records: Sequence[Doubled], timeout_s: float = 60
) -> list[list[Identity]]:
    """For each record the identity of each time that it is in the log, as far as found. Blocks.

    Raises:
        LogUnreadableError: if the cluster did not let itself be read in that way, or not in time.
    """
    properties = {"bootstrap.servers": client.bootstrap, **client.extra}
    order = {"properties": properties, "run": run, "records": [astuple(record) for record in records]}
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(order, default=str),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LogUnreadableError(f"the log's batches were not read within {timeout_s:g} s") from None
    if done.returncode:
        raise LogUnreadableError((done.stderr.strip().splitlines() or ["no reason was given"])[-1])
    return [[Identity(*identity) for identity in found] for found in json.loads(done.stdout)]


@dataclass(frozen=True)
class _Batch:
    """Records from offset `first` on; their `sequences` of this run by offset, if they had to be decoded."""

    first: int
    last: int
    producer_id: int
    epoch: int
    base_sequence: int
    stamps: Mapping[int, tuple[int, int]]

    def identity(self, offset: int) -> Identity:
        """That of one of its records."""
        if self.producer_id < 0:
            return Identity(-1, -1, -1)
        return Identity(self.producer_id, self.epoch, (self.base_sequence + offset - self.first) % _SEQUENCES)


class _Log:
    """Fetches batches of one cluster, each only once."""

    def __init__(self, properties: Mapping[str, Any], run: int) -> None:
        # The version only decides how the first question is put: by one that every release since 2.0 understands.
        self._consumer = KafkaConsumer(**kafka_python(properties), group_id=None, api_version=(2, 0))
        self._manager = self._consumer._client._manager  # there is no public way to a batch
        self._run = run
        self._known: dict[tuple[str, int], dict[int, _Batch]] = {}

    def close(self) -> None:
        """End the connection."""
        self._consumer.close()

    def find(self, topic: str, partition: int, stamp: tuple[int, int], low: int, high: int) -> Identity | None:
        """The identity of a record that lies between two offsets."""
        exact = low == high
        for batch in self._batches(topic, partition, max(low, high - SCANNED), high, exact):
            if exact and batch.first <= high <= batch.last:
                return batch.identity(high)
            for offset, found in batch.stamps.items():
                if found == stamp and low <= offset <= high:
                    return batch.identity(offset)
        return None

    def _batches(self, topic: str, partition: int, low: int, high: int, exact: bool) -> list[_Batch]:
        known = self._known.setdefault((topic, partition), {})
        chosen: list[_Batch] = []
        offset = low
        while offset <= high:
            batch = known.get(offset)
            if batch is None or not (exact or batch.stamps):
                fetched = self._fetch(topic, partition, offset, exact)
                if not fetched:
                    break
                for one in fetched:
                    known.update(dict.fromkeys(range(one.first, one.last + 1), one))
                batch = known.get(offset, fetched[0])
            chosen.append(batch)
            offset = batch.last + 1
        return chosen

    def _fetch(self, topic: str, partition: int, offset: int, exact: bool) -> list[_Batch]:
        self._consumer.partitions_for_topic(topic)  # asks for the topic's leaders, if they are not known
        leader = self._manager.cluster.leader_for_partition(TopicPartition(topic, partition))
        wanted = FetchRequest.FetchTopic.FetchPartition(
            partition=partition,
            current_leader_epoch=-1,
            fetch_offset=offset,
            last_fetched_epoch=-1,
            partition_max_bytes=1 if exact else _FETCH_BYTES,  # a broker answers with one batch at least
        )
        request = FetchRequest(
            max_wait_ms=1_000,
            min_bytes=1,
            max_bytes=_FETCH_BYTES,
            isolation_level=0,
            session_id=0,
            session_epoch=-1,
            topics=[FetchRequest.FetchTopic(topic=topic, partitions=[wanted])],
            forgotten_topics_data=[],
            rack_id="",
            max_version=12,  # later ones name a topic by its id
        )
        answer = self._manager.run(lambda: self._manager.send(request, node_id=leader)).responses[0].partitions[0]
        records, found = MemoryRecords(answer.records or b""), []
        while records.has_next():
            batch = records.next_batch()
            if batch.last_offset >= offset and not batch.is_control_batch:
                found.append(self._batch(batch, exact))
        return found

    def _batch(self, batch: Any, exact: bool) -> _Batch:
        stamps: dict[int, tuple[int, int]] = {}
        if not exact:
            content = [(record.offset, record.value) for record in batch]
            ours = decode([value for _, value in content])
            for place, (offset, _) in enumerate(content):
                if ours.state[place] == INTACT and int(ours.run[place]) == self._run:
                    stamps[offset] = int(ours.producer[place]), int(ours.sequence[place])
        header = (batch.producer_id, batch.producer_epoch, batch.base_sequence)
        return _Batch(batch.base_offset, batch.last_offset, *header, stamps)


def kafka_python(properties: Mapping[str, Any]) -> dict[str, Any]:
    """librdkafka's properties for reaching a cluster, as kafka-python has them; time-outs and the like are left out."""
    unknown = [name for name in properties if name.startswith(("sasl.", "ssl.")) and name not in _NAMES]
    if unknown:
        raise LogUnreadableError(f"the log's batches cannot be read with {', '.join(sorted(unknown))}")
    return {_NAMES[name]: value for name, value in properties.items() if name in _NAMES}


def main() -> None:
    """Read an order from standard input, write what was found to standard output."""
    order = json.load(sys.stdin)
    log = _Log(order["properties"], order["run"])
    answer = []
    for topic, partition, producer, sequence, places in order["records"]:
        stamp = (producer, sequence)
        found = [log.find(topic, partition, stamp, *place) for place in places]
        answer.append([identity for identity in found if identity is not None])
    log.close()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
