"""The load of one row: the harness as its users run it, ended from outside once the cluster is whole again."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from kafka_load.run import run_annotations
from live import BOOTSTRAP, ROOT

from .rows import Row

# The client's own patience, so that a silent broker is left in seconds, not in the minute of librdkafka's defaults; yet
# longer than a failover takes: a broker answers one request of a connection after the other, each only once a dead
# follower has left the ISR, and a connection that is given up meanwhile costs more than the wait.
CLIENT = (
    *("socket.timeout.ms=3000", "request.timeout.ms=2500", "check.crcs=true"),
    # A leader that is cut off from its controller but not from clients keeps them as long as they believe in it.
    "topic.metadata.refresh.interval.ms=2000",
)
# A batch every 100 ms and partition, not a request for each record: two cores have brokers, harness and Ansible to run.
LINGER = "--linger-ms=100"
# The lab is the matrix's own; a row may leave damaged logs, and offsets of a member that is not the harness's.
OWN = ("--reset-offsets", "--write-topics=orders,clicks")
START_S, END_S, POLL_S = 180.0, 240.0, 0.2
LAST_LINES = 8


class LoadError(RuntimeError):
    """The load did not do its part; the message says what was missing."""


class Load:
    """A run of the harness; as a context it is flowing inside, and ended in order at the end."""

    def __init__(self, row: Row, results: Path) -> None:
        client = [f"--client={setting}" for setting in CLIENT]
        self.results = results
        self.verdict: dict[str, Any] = {}
        self._command = [
            *(
                str(Path(sys.executable).with_name("locust")),
                "--headless",
                f"--profile={row.profile}",
            ),
            *(f"--bootstrap-servers={','.join(BOOTSTRAP)}", f"--results-dir={results}"),
            *(LINGER, *OWN, *client, *row.options),
        ]

    def __enter__(self) -> Self:
        self.results.mkdir(parents=True, exist_ok=True)
        self._log = (self.results / "locust.log").open("w")
        self.process = subprocess.Popen(self._command, cwd=ROOT, stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self.wait(lambda: self.acknowledged() > 0, START_S, "no record was acknowledged")
        except LoadError:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait(self._everybody_reads, START_S, "not every group was delivered something")
        finally:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGABRT)  # at which it says where each of its threads is
                self.process.wait()
            self._log.close()
        path = self.folder / "verdict.json"
        if not path.exists():
            raise LoadError(f"no verdict (exit status {self.process.returncode}): {self._last_words()}")
        self.verdict = json.loads(path.read_text(encoding="utf-8"))

    @property
    def folder(self) -> Path:
        """Where this run leaves its files."""
        return (self.results / run_annotations.LATEST).resolve()

    def mark(
        self, fault: str, target: str, at_s: float, *, healed: bool = False, ordered_s: float | None = None
    ) -> None:
        """Write a fault, or its healing, at seconds since the epoch, on the run's timeline."""
        ordered_ns = None if ordered_s is None else int(ordered_s * 1e9)
        run_annotations.mark(self.folder, fault, target, healed=healed, at_ns=int(at_s * 1e9), ordered_ns=ordered_ns)

    def timeline(self) -> list[dict[str, str]]:
        """The run's seconds so far."""
        path = self.folder / "timeline.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [row for row in csv.DictReader(file) if row["acknowledged"]]

    def acknowledged(self) -> int:
        """How many records were acknowledged in the last second that is complete."""
        rows = self.timeline()
        return int(rows[-1]["acknowledged"]) if rows else 0

    def recovered_s(self) -> float | None:
        """Seconds from the last healing until each ISR was full, as clients were told; None if nothing was healed."""
        healed: list[float] = [
            fault["healed_at_s"] for fault in self.verdict["faults"] if fault["healed_at_s"] is not None
        ]
        if not healed:
            return None
        full_at_s = max(healed)
        short: set[str] = set()
        with (self.folder / "leaders.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if len(row["isr"].split()) < int(row["replicas"]):
                    short.add(row["partition"])
                elif row["partition"] in short:
                    short.remove(row["partition"])
                    full_at_s = max(full_at_s, float(row["t_s"]))
        return round(full_at_s - max(healed), 1)

    def wait(self, condition: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        """Wait until the condition holds.

        Raises:
            LoadError: It did not in time, or the load ended meanwhile.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.process.poll() is not None:
                raise LoadError(f"the load ended by itself: {self._last_words()}")
            if time.monotonic() > deadline:
                raise LoadError(f"{otherwise} within {timeout_s:.0f} s")
            time.sleep(POLL_S)

    def _everybody_reads(self) -> bool:
        rows = self.timeline()
        groups = [name for name in rows[-1] if name.startswith("delivered.")] if rows else []
        return bool(groups) and all(any(float(row[group] or 0) > 0 for row in rows) for group in groups)

    def _last_words(self) -> str:
        return " ".join((self.results / "locust.log").read_text(encoding="utf-8").splitlines()[-LAST_LINES:])
