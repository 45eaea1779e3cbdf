"""What tests share that change a cluster step by step under load: the load itself, and runs killed half-way."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import locust_run
from live import ROOT, command


def load(results: Path, servers: Iterable[str], *options: str) -> locust_run.Run:
    """Begin a run of the load harness that lasts until it is told to end."""
    # It is quiet, for nobody reads what it prints before it ends, and a full pipe would stop it. The rate is low, for
    # brokers, playbooks and other scenarios share the machine.
    common = ("--quiet", "--profile=steady", "--rate=20", "--session-timeout-ms=10000", "--write-topics=orders,clicks")
    run = locust_run.Run(results, ",".join(servers), *common, "--run-time=9h", *options)
    try:
        run.until(3)
    except BaseException:
        run.process.kill()
        raise
    return run


def end(run: locust_run.Run) -> None:
    """End it in order; it must have run until now, or steps were not judged."""
    assert run.process.poll() is None, "the load ended before it was told to"
    run.process.send_signal(signal.SIGINT)
    run.wait(600)


def killed(where: str, times: int, *args: str, **extra: Any) -> str:
    """Run a playbook until it has printed `where` so many times, and kill it; see `live.command`. What it printed."""
    arguments = command(*args, **extra)
    with subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as run:
        assert run.stdout is not None
        printed, seen = [], 0
        while seen < times:
            printed.append(told := run.stdout.readline())
            assert told, f"the run ended before it had printed '{where}' {times} times:\n{''.join(printed)}"
            seen += where in told
        os.killpg(run.pid, signal.SIGKILL)
    return "".join(printed)
