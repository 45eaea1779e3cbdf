"""Who wrote a record twice: the broker, or a client that gave it a new identity?

A broker promises to write a sequence number of one producer epoch once (KIP-98). A client that bumps its epoch while a
batch may be in the log already sends the batch again as a new one, and no broker can tell (librdkafka issue 4953). The
log says which it was: each batch carries producer id, epoch and first sequence number. Kafka's own tool reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from live import BROKERS, host

DUMP = "/opt/kafka/bin/kafka-dump-log.sh"
BATCH = re.compile(
    r"baseOffset: (?P<first>\d+) lastOffset: (?P<last>\d+) .*?baseSequence: (?P<sequence>-?\d+) "
    r".*?producerId: (?P<producer>-?\d+) producerEpoch: (?P<epoch>-?\d+)"
)


@dataclass(frozen=True)
class Batch:
    """Offsets from `first` to `last`, and the identity under which their records were written."""

    first: int
    last: int
    producer: int
    epoch: int
    sequence: int

    def identity(self, offset: int) -> tuple[int, int, int]:
        """Producer id, epoch and sequence number of one of its records."""
        return self.producer, self.epoch, self.sequence + offset - self.first


def batches(dumped: str) -> list[Batch]:
    """The batches in the output of kafka-dump-log."""
    found = (re.search(BATCH, line) for line in dumped.splitlines())
    return [
        Batch(int(one["first"]), int(one["last"]), int(one["producer"]), int(one["epoch"]), int(one["sequence"]))
        for one in found
        if one
    ]


def by_broker(copies: Iterable[Sequence[int]], log: Sequence[Batch]) -> int:
    """How many copies were written under an identity that was in the log already; others are the client's own.

    Args:
        copies: The offsets of each record that is there more than once.
        log: The batches of its partition; a copy that is in none of them counts as the broker's.
    """
    count = 0
    for offsets in copies:
        identities = {
            batch.identity(offset) for offset in offsets for batch in log if batch.first <= offset <= batch.last
        }
        count += len(offsets) - len(identities)
    return count


def written_twice_by_brokers(places: Mapping[tuple[str, int], Sequence[Sequence[int]]]) -> int:
    """The copies that a broker should not have written, by the logs of a broker that has all partitions."""
    on, count = host(next(iter(BROKERS))), 0
    for (topic, number), copies in places.items():
        folder = f"/var/lib/kafka/data/{topic}-{number}"
        dumped = on.check_output(f"for file in {folder}/*.log; do {DUMP} --files $file; done")
        count += by_broker(copies, batches(dumped))
    return count
