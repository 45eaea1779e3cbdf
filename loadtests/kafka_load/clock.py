"""One clock for due times, acknowledgements and deliveries.

Latency is a difference of two of its readings, so a stepped wall clock (NTP, a fault that moves it) must not show in
it: the wall clock is read once, when this module is imported, and the monotonic clock counts from there.
"""

from __future__ import annotations

import time

SECOND = 1_000_000_000
MILLISECOND = 1_000_000

_ANCHOR_NS = time.time_ns() - time.monotonic_ns()


def now_ns() -> int:
    """Nanoseconds since the epoch, free of steps; comparable between processes of one machine."""
    return _ANCHOR_NS + time.monotonic_ns()
