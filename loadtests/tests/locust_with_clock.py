"""`locust` on a host whose clock is wrong: python locust_with_clock.py SECONDS [options of locust].

The wall clock of Python is ahead by so many seconds, before anything else is imported; the monotonic clock is as it is.
libfaketime 0.9.10 cannot do this to librdkafka, which waits by C11's `cnd_timedwait` until a moment of the wall clock
that libfaketime does not translate, nor to Python 3.11, whose `time.sleep` ends in EINVAL.
"""

import sys
import time
from typing import Any

AHEAD_NS = int(float(sys.argv.pop(1)) * 1e9)
right_ns = time.time_ns
time.time_ns = lambda: right_ns() + AHEAD_NS
time.time = lambda: time.time_ns() / 1e9

from locust import main as locust  # noqa: E402 - what is imported must find the clock wrong

run: Any = locust.main  # Locust gives it no type
sys.exit(run())
