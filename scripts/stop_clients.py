#!/usr/bin/env python3
"""Stop load clients of this checkout that are still running, before the lab that they send to is taken away."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 5.0


def is_client(argv: Sequence[str], cwd: Path, root: Path) -> bool:
    """Say whether a process is a load client of the checkout in `root`: one of its programs, or a script in loadtests/.

    Only the interpreter, its script and options before it count: an editor with such a file open is no client.
    """
    programs = (root / ".venv/bin/locust", root / ".venv/bin/kafka-load", root / "loadtests")
    scripts = [cwd / word for word in argv[:2] if word and not word.startswith("-")]
    interpreters = {"python", "python3", "locust", "kafka-load"}
    if not argv or Path(argv[0]).name.partition(".")[0] not in interpreters:
        return False
    return any(script == program or program in script.parents for script in scripts for program in programs)


def clients(root: Path) -> list[int]:
    """Return the process ids of the running clients."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            argv = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            cwd = (process / "cwd").readlink()
        except OSError:  # It ended meanwhile, or is another user's.
            continue
        if is_client(argv, cwd, root):
            found.append(int(process.name))
    return found


def main() -> int:
    """Ask the clients to end, then make them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + PATIENCE_S
        running = clients(ROOT)
        for pid in running:
            print(f"Stopping process {pid} ({number.name})")
            os.kill(pid, number)
        while running and time.monotonic() < deadline:
            time.sleep(0.1)
            running = clients(ROOT)
        if not running:
            return 0
    print("These load clients cannot be stopped: " + ", ".join(map(str, running)), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
