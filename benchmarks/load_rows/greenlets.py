"""How late greenlets wake in a Locust process while a broker is down: what its web page feels like meanwhile.

An ordinary day of the shop (profile `steady`) runs in it, all its producers and readers, on a mock cluster that loses
one of three brokers. The greenlet that is watched does nothing but sleep and look at the clock, as one that serves the
web page waits for its turn. A process with nothing but such a greenlet runs beside it: what is late there too is the
machine's doing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mock_cluster import MockCluster

from benchmarks.contenders.greenlet_clock import SLEEPS_MS
from benchmarks.load_rows.contender import PROGRAMS, START_S, Process, running
from benchmarks.load_rows.figure import Figure, Way, at_most

BROKER = 2
SETTLED_S = 2  # seconds of the run before anything is measured
WITNESS_S = 10.0

Span = tuple[int, int]


def row(way: Way) -> Iterator[Figure]:
    """Lateness of short sleeps while a broker is down, and before; in the run, and in a process without one."""
    with tempfile.TemporaryDirectory() as folder:
        run, alone = Path(folder) / "run", Path(folder) / "alone"
        with running([sys.executable, str(PROGRAMS / "greenlet_clock.py")], {"BENCH_SAMPLES": str(alone)}):
            up, down = _disturb(way, Path(folder), run)
        for ms in SLEEPS_MS:
            sleep = f"greenlet late after {ms} ms, p99"
            yield at_most(f"{sleep}, a broker down", _p99(run, ms, down), 5, "ms")
            yield Figure(f"{sleep}, all brokers up", _p99(run, ms, up), "ms")
            yield Figure(f"{sleep}, in a bare process", _p99(alone, ms, down), "ms")


def _disturb(way: Way, folder: Path, samples: Path) -> tuple[Span, Span]:
    """Run Locust, take a broker down; returns when (monotonic ns) all were up and when one was down."""
    with MockCluster() as cluster:
        cluster.topic("orders", 3)
        cluster.topic("clicks", 12)
        locust = [str(Path(sys.executable).with_name("locust")), "--headless", "--profile", "steady"]
        where = ["--bootstrap-servers", cluster.bootstrap, "--results-dir", str(folder), "--run-time", "1h"]
        command = [*locust, "--locustfile", str(PROGRAMS / "watched.py"), *where]
        with running(command, {"BENCH_SAMPLES": str(samples)}) as process:
            process.until(lambda: _elapsed_s(folder) > SETTLED_S, START_S)
            begun = time.monotonic_ns()
            time.sleep(way.seconds)
            down = time.monotonic_ns()
            cluster.down(BROKER)
            time.sleep(way.seconds)
            end = time.monotonic_ns()
            _witness(process)
            cluster.up(BROKER)
    return (begun, down), (down, end)


def _elapsed_s(results: Path) -> int:
    """Seconds in the run's timeline."""
    timeline = results / "latest" / "timeline.csv"
    return len(timeline.read_text().splitlines()) - 1 if timeline.exists() else -1


def _witness(process: Process) -> None:
    """See that the run noticed: a broker that never went down would prove nothing."""
    process.until(lambda: "is down" in process.said, WITNESS_S)


def _p99(samples: Path, sleep_ms: int, during: Span) -> float:
    """Milliseconds that 99 % of the sleeps of one length did not exceed."""
    at_ns, asked_ms, late_ns = np.fromfile(samples, np.int64).reshape(-1, 3).T
    chosen = (asked_ms == sleep_ms) & (at_ns >= during[0]) & (at_ns < during[1])
    return float(np.percentile(late_ns[chosen], 99)) / 1e6
