"""A greenlet that sleeps and notes how late it wakes: of whoever calls `watch`, or alone, to tell of the machine."""

from __future__ import annotations

import os
import signal
import time
from array import array
from pathlib import Path

import gevent

SLEEPS_MS = (1, 10)

samples = array("q")  # when it woke (monotonic ns), how long it meant to sleep (ms), how much longer it did (ns)


def watch() -> None:
    """Sleep and take notes for ever."""
    while True:
        for ms in SLEEPS_MS:
            begun = time.monotonic_ns()
            gevent.sleep(ms / 1e3)
            now = time.monotonic_ns()
            samples.extend((now, ms, now - begun - ms * 1_000_000))


def keep() -> None:
    """Write the notes down."""
    Path(os.environ["BENCH_SAMPLES"]).write_bytes(samples.tobytes())


if __name__ == "__main__":
    alone = gevent.spawn(watch)
    gevent.signal_handler(signal.SIGTERM, alone.kill)
    alone.join()
    keep()
