"""What librdkafka's clients say of themselves, summed up: in a process each second, and over the whole run.

Queues add up; of throttling and of each client's 99th percentile the worst counts; averages are of all round trips.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka_load.engines import ClientStatistics
from kafka_load.output.timeline import (
    QUEUE_BYTES,
    QUEUE_RECORDS,
    RTT_COUNT,
    RTT_P99_US,
    RTT_SUM_US,
    THROTTLE_MS,
    Bin,
    merged,
)

FILE = "round_trips.csv"
COLUMNS = ("t_s", "broker", "rtt_avg_us", "rtt_p99_us")


class ClientFigures:
    """What the clients of one process said last, by the engine that they belong to."""

    def __init__(self) -> None:
        self._last: dict[str, Mapping[str, ClientStatistics]] = {}

    def take(self, engine: str, said: Mapping[str, ClientStatistics]) -> Bin:
        """What is new of an engine's clients; nothing if it was taken before."""
        before, self._last[engine] = self._last.get(engine, {}), said
        return merged(0, (_figures(now) for client, now in said.items() if now is not before.get(client)))

    def forget(self, engine: str) -> None:
        """The engine is gone, and so are the queues of its clients."""
        self._last.pop(engine, None)

    def queues(self) -> dict[str, int]:
        """What waits in all clients of the process, as levels of a `Bin`."""
        clients = [said for each in self._last.values() for said in each.values()]
        return {
            QUEUE_RECORDS: sum(said.queue_records for said in clients),
            QUEUE_BYTES: sum(said.queue_bytes for said in clients),
        }


def _figures(said: ClientStatistics) -> Bin:
    trips = said.round_trips.items()
    return Bin(
        0,
        {f"{RTT_COUNT}{broker}": times.count for broker, times in trips}
        | {f"{RTT_SUM_US}{broker}": times.sum_us for broker, times in trips},
        peaks={THROTTLE_MS: said.throttle_ms} | {f"{RTT_P99_US}{broker}": times.p99_us for broker, times in trips},
    )


class ClientSummary:
    """The whole run's figures of clients, second by second; round_trips.csv has those of each broker."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / FILE
        self._peaks = {QUEUE_RECORDS: 0, QUEUE_BYTES: 0, THROTTLE_MS: 0}
        self._trips = Bin(0)
        self._written = False

    def add(self, second: Bin) -> None:
        """Take a complete second."""
        for name in self._peaks:
            value = second.peaks.get(name, second.levels.get(name, 0))
            self._peaks[name] = max(self._peaks[name], value)
        self._trips.add(Bin(0, second.counts, peaks=second.peaks))
        self._write(second)

    def round_trips(self) -> dict[str, dict[str, int]]:
        """Those of the whole run so far by broker, in µs; `p99_max` is that of the worst second and client."""
        return {broker: {"avg": avg, "p99_max": p99} for broker, avg, p99 in _round_trips(self._trips)}

    def so_far(self) -> dict[str, Any]:
        """verdict.json's `client`."""
        return {
            "queue_records_max": self._peaks[QUEUE_RECORDS],
            "queue_bytes_max": self._peaks[QUEUE_BYTES],
            "throttle_ms_max": self._peaks[THROTTLE_MS],
            "round_trip_us": self.round_trips(),
        }

    def _write(self, second: Bin) -> None:
        rows = [(second.second, *trips) for trips in _round_trips(second)]
        with self._path.open("a" if self._written else "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows(rows if self._written else [COLUMNS, *rows])
        self._written = True


def _round_trips(second: Bin) -> list[tuple[str, int, int]]:
    """Broker, average and worst 99th percentile in µs."""
    brokers = sorted(_by_broker(second.counts, RTT_COUNT), key=int)
    return [
        (
            broker,
            round(second.counts[f"{RTT_SUM_US}{broker}"] / second.counts[f"{RTT_COUNT}{broker}"]),
            second.peaks[f"{RTT_P99_US}{broker}"],
        )
        for broker in brokers
    ]


def _by_broker(counts: Mapping[str, int], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name, count in counts.items() if name.startswith(prefix) and count]
