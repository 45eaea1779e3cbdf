#!/usr/bin/env python3
"""Prints what a deployment and a second run cost now, beside what they cost at an earlier commit, in the same run.

Each of the two has a lab, a checkout and a Python environment of its own, and they take turns. Run it from the
project's root: python -m benchmarks.against_commit 1033fdc
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / ".cache/baseline"
ROUNDS = 3


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds by the clock, and seconds of the processor for it and all that it started here."""

    wall_s: float
    processor_s: float


@dataclass(frozen=True)
class Checkout:
    """A commit's files with their own environment, and the lab that its playbooks are run on."""

    name: str
    folder: Path
    lab: str

    def run(self, *command: str) -> Cost:
        """Run a command of its environment in its folder; the benchmark ends if it fails."""
        path = f"{self.folder / '.venv/bin'}:{os.environ['PATH']}"
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PATH": path, "CRUCIBLE_LAB": self.lab},
            text=True,
            capture_output=True,
            check=False,
        )
        wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{self.name}: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return Cost(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def playbook(self, name: str) -> Cost:
        """Run one of its playbooks."""
        return self.run("ansible-playbook", f"playbooks/{name}")


@contextmanager
def checkouts(commit: str, labs: tuple[str, str]) -> Iterator[tuple[Checkout, Checkout]]:
    """What is here and what was there, each on a lab that is removed at the end."""
    git = ["git", "-C", str(ROOT), "worktree"]
    # An interrupted run leaves one behind.
    subprocess.run([*git, "remove", "--force", str(BASELINE)], capture_output=True, check=False)
    subprocess.run([*git, "add", "--detach", str(BASELINE), commit], capture_output=True, check=True)
    now, then = Checkout("now", ROOT, labs[0]), Checkout(commit, BASELINE, labs[1])
    started: list[Checkout] = []
    try:
        for checkout in (now, then):
            checkout.run("make", "bootstrap")
            started.append(checkout)
            checkout.playbook("lab/up.yml")
        yield now, then
    finally:
        for checkout in started:
            checkout.playbook("lab/down.yml")
        subprocess.run([*git, "remove", "--force", str(BASELINE)], capture_output=True, check=True)


def line(figure: str, now: float, then: float, aim: str) -> str:
    """One line of the table."""
    return f"{figure:50} {now:8.1f} {then:10.1f} {now / then:7.2f}  {aim}"


def main() -> None:
    """Deploy both, repeat both in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="what is compared with")
    parser.add_argument("--labs", nargs=2, default=["6", "7"], metavar="LAB", help="the labs of this and that commit")
    options = parser.parse_args()
    with checkouts(options.commit, tuple(options.labs)) as both:
        print(f"{'':50} {'now':>8} {options.commit:>10} {'ratio':>7}  aim", flush=True)
        deployed = [checkout.playbook("site.yml") for checkout in both]
        print(line("bare hosts to serving cluster, s", deployed[0].wall_s, deployed[1].wall_s, "1.0"), flush=True)
        rounds = [[checkout.playbook("site.yml") for checkout in both] for _ in range(ROUNDS)]
    processor = [statistics.median(of[i].processor_s for of in rounds) for i in (0, 1)]
    wall = [statistics.median(of[i].wall_s for of in rounds) for i in (0, 1)]
    print(line("second run, controller's processor time, s", processor[0], processor[1], "0.5"))
    print(line("second run, s", wall[0], wall[1], ""))


if __name__ == "__main__":
    main()
