"""`locust` with a member that stands still for good: python locust_with_stuck_member.py GROUP [options of locust].

Once it has been given records, one member of the group never comes back from its client, as when librdkafka's threads
block each other (librdkafka#5476): it reads, commits and says nothing any more, and cannot be closed.
"""

import sys
import threading
from typing import Any

from kafka_load.engines.consumer import ConsumerEngine
from kafka_load.native_threads import native_sleep

GROUP = sys.argv.pop(1)
step = ConsumerEngine._step
stuck: list[int] = []


def step_or_stand_still(engine: ConsumerEngine) -> None:
    """What a member does again and again."""
    step(engine)
    if engine.settings.group == GROUP and engine.totals.delivered and not stuck:
        stuck.append(threading.get_native_id())
        print(f"a member of {GROUP} stands still", flush=True)
        while True:
            native_sleep(3600)


ConsumerEngine._step = step_or_stand_still  # type: ignore[assignment,method-assign]  # what this program is for

from locust import main as locust  # noqa: E402 - after what is changed

run: Any = locust.main  # Locust gives it no type
sys.exit(run())
