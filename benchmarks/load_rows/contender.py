"""Whoever writes for a while, as a process of its own: all are started alike, watched alike and ended alike."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kafka_load.native_threads import wait_until

from benchmarks.load_rows.topic import Topic

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benchmarks" / "contenders"
START_S, END_S = 60.0, 60.0
WARM_UP_S = 2.0
"""What is written in this time is not counted: connections open, caches fill, Java compiles."""


@dataclass
class Contender:
    """A program that writes to a topic until it is told to end. It finds the topic in its environment."""

    name: str
    command: Callable[[Topic], Sequence[str]]
    rates: list[float] = field(default_factory=list)

    def measure(self, topic: Topic, seconds: float) -> None:
        """Let it write, and note how many records/s the topic gained."""
        where = {"BENCH_BOOTSTRAP": topic.bootstrap, "BENCH_TOPIC": topic.name}
        with running(self.command(topic), where) as process:
            process.until(lambda: topic.written()[1] > 0, START_S)
            time.sleep(WARM_UP_S)
            begun, before = topic.written()
            time.sleep(seconds)
            ended, after = topic.written()
            process.check()
        self.rates.append((after - before) / (ended - begun))


class Process:
    """A running program and what it says."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self._command, self._output = command, output
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        with output.open("w") as file:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """All that it wrote to its outputs so far."""
        return self._output.read_text(errors="replace")

    def check(self) -> None:
        """See that it is running. Raises RuntimeError, with its last words, if not."""
        if (status := self._process.poll()) is not None:
            raise RuntimeError(f"{' '.join(self._command)} ended with status {status}:\n{self.said[-2_000:]}")

    def until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait. Raises RuntimeError, with its last words, if it ends, or the condition does not come true in time."""
        held = wait_until(lambda: self._process.poll() is not None or condition(), timeout_s, 0.1)
        self.check()
        if not held:
            raise RuntimeError(f"{' '.join(self._command)}: waited {timeout_s:.0f} s in vain:\n{self.said[-2_000:]}")

    def end(self) -> None:
        """Ask it to end in order, and see to it that it does."""
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Process]:
    """A program that runs meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        process = Process(command, environment, Path(folder) / "output")
        try:
            yield process
        finally:
            process.end()
