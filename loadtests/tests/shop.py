"""A model of a partition and its readers, and the ledger's terms by their definitions, one record at a time.

The tests compare the ledger, which never looks at single records, with this, which does nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from kafka_load.engines.reading import Reading
from kafka_load.engines.settings import ReaderSettings
from kafka_load.ledger import LedgerSnapshot
from kafka_load.ledger.findings import Judgement
from kafka_load.ledger.ledger import Ledger
from kafka_load.ledger.producer_account import Account
from kafka_load.ledger.snapshot import ProducerSnapshot, ReaderSnapshot
from kafka_load.records import encoder

RUN, TOPIC, PARTITION = 77, "orders", 0


@dataclass(frozen=True)
class Entry:
    """A record in the log: whose, which, and whether this harness wrote it in this run and it is unaltered."""

    offset: int
    producer: int
    sequence: int
    kind: str = "ours"  # or: altered, foreign, other

    def payload(self) -> bytes:
        if self.kind == "foreign":
            return b"somebody else's"
        run = RUN + 1 if self.kind == "other" else RUN
        [value] = encoder("binary", "", 64, run, self.producer)(
            np.array([PARTITION], np.int16), np.array([self.sequence]), np.array([5]), np.array([b"k"], object)
        ).tolist()
        return value[:-1] + bytes([value[-1] ^ 1]) if self.kind == "altered" else value


@dataclass(frozen=True)
class FakeMessage:
    """What a reader gets of an entry."""

    entry: Entry

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return PARTITION

    def offset(self) -> int:
        return self.entry.offset

    def value(self) -> bytes:
        return self.entry.payload()

    def error(self) -> None:
        return None


@dataclass
class Producers:
    """What producers know, by producer: how many they sent, and which of them were acknowledged, failed, aborted."""

    sent: dict[int, int]
    acknowledged: dict[int, set[int]] = field(default_factory=dict)
    aborted: dict[int, set[int]] = field(default_factory=dict)

    def snapshots(self, closed: bool = True) -> list[ProducerSnapshot]:
        result = []
        for producer, sent in self.sent.items():
            account = Account()
            account.sent = sent
            for sequence in sorted(self.acknowledged.get(producer, ())):
                account.acknowledge(sequence, sequence + 1, sequence, sequence)
            for sequence in self.aborted.get(producer, ()):
                account.aborted.add(sequence, sequence + 1)
            result.append(ProducerSnapshot(f"p{producer}", 1, TOPIC, producer, closed, {PARTITION: account.freeze()}))
        return result


Session = list[Entry]  # what a member was delivered without a break


def read(sessions: list[Session], mode: str, engine: str) -> ReaderSnapshot:
    """A member that is delivered these entries; it is told of a new session unless that begins with a step back."""
    reading, last = Reading(ReaderSettings("group", (TOPIC,), RUN, mode=mode)), -1
    for session in filter(None, sessions):
        if session[0].offset > last:
            reading.begin((TOPIC, PARTITION))
        last = session[-1].offset
        middle = len(session) // 2
        for part in filter(None, (session[:middle], session[middle:])):
            reading.take([FakeMessage(entry) for entry in part], now=1)
    return reading.snapshot(engine, 1, closed=True)


def expected(members: list[list[Session]], producers: Producers, ordered: bool) -> Counter[str]:
    """The definitions, word for word."""
    deliveries = [entry for sessions in members for session in sessions for entry in session]
    times = Counter(entry for entry in deliveries if entry.kind == "ours")
    count: Counter[str] = Counter(
        consumed=times.total(),
        redelivered=times.total() - len(times),
        altered=len({entry for entry in deliveries if entry.kind == "altered"}),
        foreign=sum(entry.kind == "foreign" for entry in deliveries),
        other_runs=sum(entry.kind == "other" for entry in deliveries),
    )
    for producer in {*producers.sent, *(entry.producer for entry in times)}:
        places: dict[int, list[int]] = {}
        for entry in times:
            if entry.producer == producer:
                places.setdefault(entry.sequence, []).append(entry.offset)
        first = {sequence: min(offsets) for sequence, offsets in places.items()}
        count["lost"] += len(producers.acknowledged.get(producer, set()) - first.keys())
        count["duplicated_in_log"] += sum(len(offsets) - 1 for offsets in places.values())
        count["unsent"] += sum(sequence >= producers.sent.get(producer, 0) for sequence in first)
        count["aborted"] += len(producers.aborted.get(producer, set()) & first.keys())
        if ordered:
            count["reordered"] += sum(
                any(later > sequence and first[later] < offset for later in first) for sequence, offset in first.items()
            )
    return +count


def judged(producers: list[ProducerSnapshot], readers: list[ReaderSnapshot], workers: int = 1) -> Judgement:
    """The ledger's judgement, its parts reported by several workers, with messages lost, doubled and out of order."""
    ledger = Ledger()
    for worker in range(workers):
        whole = LedgerSnapshot(f"w{worker}", 2, producers[worker::workers], readers[worker::workers])
        early = LedgerSnapshot(f"w{worker}", 1, [], readers[worker::workers][:1])
        for message in (early, whole, early, whole):
            ledger.receive(LedgerSnapshot.from_wire(message.to_wire()))
    return ledger.judge(None, final=True)


def found(judgement: Judgement) -> Counter[str]:
    """The judgement in the same words as `expected`."""
    [group] = judgement.groups
    named = Counter(dict.fromkeys(("altered", "unsent", "aborted"), 0))
    for anomaly in judgement.anomalies:
        if anomaly.kind in named:
            named[anomaly.kind] += anomaly.count
    assert group.phantom == named.total()
    return +Counter(
        consumed=group.consumed,
        lost=group.lost,
        redelivered=group.redelivered,
        duplicated_in_log=group.duplicated_in_log,
        reordered=group.reordered,
        foreign=group.foreign,
        other_runs=group.other_runs,
        **named,
    )
