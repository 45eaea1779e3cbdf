"""Who wrote a record twice: the broker, or the client under another identity?

A broker promises to write a sequence number of one producer id and epoch once (KIP-98). A client that raises its epoch
while a batch may be in the log already sends the batch again as something new, and no broker can tell
(https://github.com/confluentinc/librdkafka/issues/4953). The log tells the two apart: each of its batches carries
producer id, epoch and first sequence number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kafka_load.ledger.runs import Runs, rows

LOOKED_UP = 10_000
"""Records of a group whose copies are looked up in the log; more are counted as unknown."""


class Identity(NamedTuple):
    """Under which a record was written; all -1 for a producer that is not idempotent."""

    producer_id: int
    epoch: int
    sequence: int


@dataclass(frozen=True)
class Doubled:
    """A record that a group found in the log more than once; `sequence` is the harness's own number.

    `places` are the lowest and the highest offset that it can have, for each time that it is there. Where a reader had
    records of several producers in between it knows no more than that.
    """

    topic: str
    partition: int
    producer: int
    sequence: int
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Writers:
    """Copies (beyond the first of each record) by who wrote them; `unknown`: the log could not be read there."""

    broker: int = 0
    client: int = 0
    unknown: int = 0


def doubled(topic: str, partition: int, producer: int, start: int, length: int, runs: Runs) -> Iterator[Doubled]:
    """The records of a stretch of sequences that merged `runs` show more than once, with their places."""
    showing = [run for run in rows(runs) if run.seq < start + length and run.end > start]
    for sequence in range(start, start + length):
        places = tuple(
            (run.first + sequence - run.seq, run.last - (run.end - 1 - sequence))
            for run in showing
            if run.seq <= sequence < run.end
        )
        yield Doubled(topic, partition, producer, sequence, places)


def attribute(found: Iterable[tuple[Doubled, Sequence[Identity]]]) -> Writers:
    """Count copies by who wrote them, from the identities under which each record lies in the log.

    A copy under an identity that is there already is the broker's. One of a producer without an identity, which was
    promised nothing, is the client's.
    """
    broker = client = unknown = 0
    for record, identities in found:
        named = [identity for identity in identities if identity.producer_id >= 0]
        again = len(named) - len(set(named))
        missing = max(0, len(record.places) - len(identities))
        broker += again
        client += max(0, len(identities) - 1 - again)
        unknown += missing if identities else max(0, missing - 1)
    return Writers(broker, client, unknown)
