"""Answers of the admin client under gevent: set by one native thread while others look for them."""

from __future__ import annotations

import subprocess
import sys

ANSWERS = """
from gevent import monkey
monkey.patch_all()
from confluent_kafka.admin import AdminClient
from kafka_load.cluster import admin
from kafka_load.native_threads import start_thread, wait_until

futures = [AdminClient._create_future() for _ in range(20_000)]  # as each of its calls does
ended = []

def give():
    for number, future in enumerate(futures):
        future.set_result(number)
    ended.append("give")

def look():
    for future in futures:
        while not future.done():
            pass
    assert [admin.answer(future) for future in futures] == list(range(len(futures)))
    ended.append("look")

for work in (look, look, give):
    start_thread(work)
assert wait_until(lambda: len(ended) == 3, 20), f"ended: {ended}"
"""


def test_answers_that_are_looked_for_while_they_are_set_hold_up_nobody() -> None:
    # With the locks that gevent puts in place the threads wait for ever, and at times the whole process does.
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS], cwd="loadtests", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
