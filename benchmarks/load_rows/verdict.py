"""Time and memory of a judgement over 10⁸ records, in a process of its own: what others have used does not count."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from kafka_load.ledger import Ledger, LedgerSnapshot, ProducerSnapshot, ReaderSnapshot
from kafka_load.ledger.producer_account import Account
from kafka_load.ledger.runs import Run, RunLog
from kafka_load.ledger.snapshot import StreamLog

from benchmarks.load_rows.figure import Figure, Way, at_least, at_most
from benchmarks.load_rows.memory import memory_mb

TOPIC, PARTITIONS, TOTAL, BATCH = "orders", 12, 100_000_000, 5_000


def row(_: Way) -> Iterator[Figure]:
    """10⁸ records of 12 streams with planted losses and duplicates, from accounts to the verdict."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        seconds, megabytes, exact = pool.submit(_judge).result()
    yield at_most("verdict over 10⁸ records", seconds, 5, "s")
    yield at_most("its memory", megabytes, 64, "MB")
    yield at_least("planted losses and duplicates found exactly", float(exact), 1)


def _judge() -> tuple[float, float, bool]:
    """Seconds, megabytes, and whether exactly the planted losses and duplicates were found."""
    random = np.random.default_rng(1)
    each = TOTAL // PARTITIONS // BATCH * BATCH
    lost = {int(number) for number in random.integers(0, each, 37)}
    doubled = {int(number) for number in random.integers(0, each // BATCH, 21)} - {s // BATCH for s in lost}
    before, begun = memory_mb("VmHWM"), time.perf_counter()
    producers, readers = [], []
    for partition in range(PARTITIONS):
        account, log = _stream(each, *((lost, doubled) if partition == 0 else (set(), set())))
        stream = (TOPIC, partition, 1)
        producers.append(ProducerSnapshot(f"p{partition}", 1, TOPIC, 1, True, {partition: account.freeze()}))
        streams = {stream: StreamLog(log.runs(), log.delivered)}
        readers.append(ReaderSnapshot(f"r{partition}", 1, "g", "queue", (TOPIC,), True, True, True, streams, {}))
    ledger = Ledger()
    ledger.receive(LedgerSnapshot.from_wire(LedgerSnapshot("w", 1, producers, readers).to_wire()))
    [group] = ledger.judge(None, final=True).groups
    seconds = time.perf_counter() - begun
    found = (group.lost, group.duplicated_in_log, group.reordered)
    return seconds, memory_mb("VmHWM") - before, found == (len(lost), len(doubled), 0)


def _stream(each: int, lost: set[int], doubled: set[int]) -> tuple[Account, RunLog]:
    """One partition's account and what a reader saw of it: without `lost`, and the first of `doubled` batches twice."""
    account, log, offset = Account(), RunLog(), 0
    for start in range(0, each, BATCH):
        account.sent = start + BATCH
        account.acknowledge(start, start + BATCH, offset, start * 1_000)
        holes = sorted(sequence for sequence in lost if start <= sequence < start + BATCH)
        for begin, end in zip([start, *(hole + 1 for hole in holes)], [*holes, start + BATCH], strict=True):
            if end > begin:
                log.add(0, Run(offset, offset + end - begin - 1, begin, end - begin, start))
            offset += end - begin
        if start // BATCH in doubled:
            log.add(0, Run(offset, offset, start, 1, start))
            offset += 1
    return account, log
