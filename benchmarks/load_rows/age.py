"""What a second of a run costs when the run is four hours old, beside one that is five minutes old, in simulated time.

Whatever a run does again and again is done as often as in a real one, but for the client: when records are due, what is
noted of each sent, acknowledged and delivered one, the worker's report, the judgement of it and the timeline.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from kafka_load.clock import SECOND
from kafka_load.config.schedule import constant
from kafka_load.engines.acknowledging import Acknowledgements, Reports
from kafka_load.engines.arrivals import Arrivals
from kafka_load.ledger import Ledger, LedgerSnapshot, ProducerSnapshot, ReaderSnapshot
from kafka_load.ledger.digest import READER_BLOCKS, GrowingDigest
from kafka_load.ledger.runs import Run, RunLog
from kafka_load.ledger.snapshot import StreamLog
from kafka_load.output.timeline import Bin, Timeline

from benchmarks.load_rows.figure import Figure, Way, at_most, ratio
from benchmarks.load_rows.memory import memory_mb

TOPIC, PARTITIONS, PRODUCER, RATE = "orders", 12, 1, 1_000
YOUNG_S, OLD_S, WINDOW_S = 300, 4 * 3_600, 60
REPORT_EVERY_S = 10
"""Until the minutes that are measured, in which a worker reports every second as in a real run."""
TICKS, AT_ONCE = 5, 10_000


def row(_: Way) -> Iterator[Figure]:
    """Random arrivals, the kind of load of which each record used to be counted anew all the time."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        spent_ms, times, young_mb, more = pool.submit(_compare).result()
    yield Figure("a second of a run after 5 min", spent_ms, "ms")
    yield Figure("its memory", young_mb, "MB")
    yield at_most("processor time, hour 4 / minute 5", times, 1.1, "")
    yield at_most("memory, hour 4 / minute 5", more, 1.1, "")


def _compare() -> tuple[float, float, float, float]:
    """Processor time (ms) of a second after five minutes, the ratio of hour 4's to it; memory (MB), its ratio."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        old = SimulatedRun(Path(one))
        old.go_on(until_s=YOUNG_S)
        young_mb = memory_mb("VmRSS")
        old.go_on(until_s=OLD_S)
        more = memory_mb("VmRSS") / young_mb
        young = SimulatedRun(Path(other))
        young.go_on(until_s=YOUNG_S)
        # In turns, as the machine may have other work for one of the minutes.
        pairs = [(young.second(), old.second()) for _ in range(WINDOW_S)]
    spent_s = statistics.median(spent for spent, _ in pairs)
    return spent_s * 1e3, ratio([later for _, later in pairs], [spent for spent, _ in pairs]), young_mb, more


class SimulatedRun:
    """One producer, one reader of all it wrote, and the coordinator."""

    def __init__(self, folder: Path) -> None:
        self._now_s = 0
        self._arrivals = Arrivals(constant(RATE).poisson(seed=1))
        self._arrivals.begin(0)
        self._acknowledged = Acknowledgements(TOPIC, transactional=False, producer=PRODUCER)
        self._logs = [RunLog() for _ in range(PARTITIONS)]
        self._digests = [GrowingDigest(READER_BLOCKS) for _ in range(PARTITIONS)]
        self._ends = np.zeros(PARTITIONS, np.int64)
        self._random = np.random.default_rng(1)
        self._ledger = Ledger()
        self._timeline = Timeline(folder / "timeline.csv", ("group",), lambda _bin, _row: None)

    def go_on(self, until_s: int) -> None:
        """Let the run reach an age, with a report now and then: what is kept does not depend on how many there are."""
        while self._now_s < until_s:
            self.second(reported=self._now_s % REPORT_EVERY_S == 0)

    def second(self, reported: bool = True) -> float:
        """All that is done in one second of the run, with or without the worker's report; the processor time (s)."""
        began, number = time.process_time(), self._now_s
        due = 0
        for tick in range(1, TICKS + 1):
            now = number * SECOND + tick * SECOND // TICKS
            times = self._arrivals.take(now, AT_ONCE)
            due += len(times)
            self._send_and_read(times, now)
        if reported:
            self._report(number + 1)
        self._timeline.add("worker", [Bin(number, counts={"due": due, "acknowledged": due})])
        self._timeline.write(number + 1, ("worker",), {})
        self._now_s += 1
        return time.process_time() - began

    def _send_and_read(self, times: np.ndarray[tuple[int], np.dtype[np.int64]], now: int) -> None:
        partition_of = self._random.integers(0, PARTITIONS, len(times))
        for partition in np.unique(partition_of).tolist():
            due = times[partition_of == partition]
            first, count = int(self._ends[partition]), len(due)
            self._ends[partition] += count
            self._acknowledged.sent(partition, count, int(due[0]))
            places = np.arange(first, first + count)
            number = np.full(count, partition, np.int32)
            self._acknowledged.take(Reports(number, places, places, due, np.full(count, 100)), now)
            self._logs[partition].add(0, Run(first, first + count - 1, first, count, now))
            self._digests[partition].cover(first, first + count)
            self._digests[partition].observe(first, count, PRODUCER, first)

    def _report(self, version: int) -> None:
        """The worker's report as it goes to the coordinator, and the judgement of it."""
        now, acks = version * SECOND, self._acknowledged
        streams = {partition: account.freeze() for partition, account in acks.accounts.items()}
        gaps, delays = acks.gaps(now), acks.delays(now)
        sent = ProducerSnapshot(
            "p", version, TOPIC, PRODUCER, False, streams, acks.latency.all.copy(), gaps=gaps, delays=delays
        )
        logs = {(TOPIC, n, PRODUCER): StreamLog(log.runs(), log.delivered) for n, log in enumerate(self._logs)}
        positions = {(TOPIC, number): int(end) for number, end in enumerate(self._ends)}
        digests = {(TOPIC, number): digest.freeze() for number, digest in enumerate(self._digests)}
        read = ReaderSnapshot(
            "r", version, "group", "queue", (TOPIC,), True, True, False, logs, positions, digests=digests
        )
        self._ledger.receive(LedgerSnapshot.from_wire(LedgerSnapshot("worker", version, [sent], [read]).to_wire()))
        [group] = self._ledger.judge(None, final=False).groups
        if (group.consumed, group.lost) != (total := int(self._ends.sum()), 0):
            raise RuntimeError(f"of {total:,} records {group.consumed:,} were read, {group.lost:,} lost")
