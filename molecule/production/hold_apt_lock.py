"""Runs on a host: holds the lock on apt's lists, as the first update of a cloud host does, until apt-get has met it."""

from __future__ import annotations

import contextlib
import fcntl
import time
from pathlib import Path


def updating() -> bool:
    """Return whether an apt-get update runs."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"update" in words and words[0].endswith(b"apt-get"):
                return True
    return False


if __name__ == "__main__":
    with Path("/var/lib/apt/lists/lock").open("a") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        Path("/run/apt-lock-held").touch()
        for met in (True, False):
            while updating() is not met:
                time.sleep(0.05)
    Path("/run/apt-lock-met").touch()
