"""What a locustfile's `install()` changes in its process."""

from __future__ import annotations

import signal
import subprocess
import sys

HANGING = """
import os
from kafka_load.native_threads import native_sleep, start_thread, wait_until
from kafka_load.plugin import install

started = []

def held_up():
    started.append(True)
    native_sleep(60)

install()
start_thread(held_up)
assert wait_until(lambda: started, 30)
os.abort()
"""


def test_a_run_that_is_ended_by_sigabrt_says_where_each_of_its_threads_was() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], cwd="loadtests", capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGABRT
    assert "in held_up" in done.stderr
