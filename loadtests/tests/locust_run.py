"""A whole run of `locust`, as a user starts it, with a results folder of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
LOCUSTFILE = str(PROJECT / "loadtests" / "locustfile.py")
LOCUST = str(Path(sys.executable).parent / "locust")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Run:
    """A `locust` process with a results folder of its own; `program` is what runs it."""

    def __init__(
        self,
        results: Path,
        bootstrap: str,
        *arguments: str,
        cwd: Path = PROJECT,
        program: tuple[str, ...] = (LOCUST,),
    ) -> None:
        self.results = cwd / results
        command = [*program, "-f", LOCUSTFILE, "--headless", "--bootstrap-servers", bootstrap]
        command += ["--results-dir", str(results)]
        # The mock's groups tell their members of a change by the next heartbeat, which is a sixth of it.
        # How late the harness is depends on the machine; tests of that say otherwise.
        command += ["--session-timeout-ms=3000", "--max-late-ms=120000", *arguments]
        self.process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait(self, timeout_s: float = 300) -> int:
        self.output, _ = self.process.communicate(timeout=timeout_s)
        print(self.output)
        return self.process.returncode

    def until(self, seconds: int) -> None:
        """Wait until so many seconds of the run are in its timeline."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            path = self.results / "latest" / "timeline.csv"
            if path.exists() and len(path.read_text().splitlines()) > seconds:
                return
            time.sleep(0.1)
        raise AssertionError(f"the run did not reach {seconds} s")

    @property
    def verdict(self) -> Any:
        return json.loads((self.results / "latest" / "verdict.json").read_text())


class Worker:
    """A `locust` worker process, as on another host: with a folder and a clock of its own."""

    def __init__(self, port: int, cwd: Path = PROJECT, clock_ahead_s: float = 0) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(Path(__file__).with_name("locust_with_clock.py")), str(clock_ahead_s)),
                *("-f", LOCUSTFILE, "--worker", f"--master-port={port}"),
            ],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self, text: str) -> str:
        """Wait for a line of its log."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            print(line, end="")
            if text in line:
                return line
        raise AssertionError(f"the worker ended and never said {text!r}")

    def wait(self, timeout_s: float = 60) -> int:
        output, _ = self.process.communicate(timeout=timeout_s)
        print(output)
        return self.process.returncode
