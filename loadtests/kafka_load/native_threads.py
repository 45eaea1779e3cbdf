"""Threads of the operating system, also where gevent has replaced Python's.

A blocking librdkafka call made in a greenlet stops every other greenlet of the process (a 100 ms poll kept Locust's
web UI away for five seconds), so clients live in native threads. Nothing here takes a lock: under gevent
`threading.Lock` is a greenlet's lock. State is handed over by assigning one reference, which the interpreter does
atomically.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def original(module: str, name: str) -> Any:
    """`module.name` as it was before gevent's monkey patch, if there was one."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        return monkey.get_original(module, name)
    return getattr(__import__(module), name)


def native_sleep(seconds: float) -> None:
    """Sleep in a native thread, without waking gevent's hub."""
    original("time", "sleep")(seconds)


def relax_garbage_collector() -> None:
    """Let Python look for garbage cycles a hundred times less often.

    Each record is a few short-lived containers without cycles; looking for some among them took a third of a producer's
    time. What exists by now (Locust, numpy) is taken out of the search altogether. For the whole process, so for its
    owner to call.
    """
    gc.freeze()
    gc.set_threshold(70_000, 20, 20)


def start_thread(function: Callable[[], None]) -> None:
    """Run `function` in a native thread of its own; it must not raise."""
    original("_thread", "start_new_thread")(function, ())


def wait_until(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.01) -> bool:
    """Wait cooperatively: `time.sleep` is gevent's in a greenlet and the real one elsewhere."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(every_s)
    return True


def native_call(function: Callable[..., T], *args: Any, timeout_s: float) -> T:
    """Run a blocking call in a native thread and wait for it without stopping other greenlets.

    Raises what `function` raises, and TimeoutError after `timeout_s` (the thread then ends by itself, unheard).
    """
    outcome: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))

    start_thread(run)
    if not wait_until(lambda: bool(outcome), timeout_s):
        raise TimeoutError(f"{getattr(function, '__name__', function)} did not return within {timeout_s:g} s")
    value, error = outcome.pop()
    if error is not None:
        try:
            raise error
        finally:
            del error  # It has the frames of `function`, and would keep what they have: clients.
    return value  # type: ignore[return-value]  # T may itself include None
