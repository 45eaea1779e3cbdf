#!/usr/bin/env python3
"""Run everything that must pass and close with one line that sums it up: `N passed, N failed`.

A step that ran no test has failed, whatever its exit status: a green run that tested nothing is worth nothing.
Each step gets a lab that no other checkout holds, and it is removed at the end, even when the run is interrupted.
Lab 0, the user's own, is never touched.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache/log"
TAIL_LINES = 60

# The closing line of a pytest run: "=== 3 failed, 41 passed, 1 warning in 2.34s ===".
CLOSING_LINE = re.compile(r"^=+ (?P<counts>.*\b(?:passed|failed|errors?|skipped)\b.*) in [\d.:]+s", re.MULTILINE)
COUNT = re.compile(r"(?P<number>\d+) (?P<outcome>passed|failed|error)")
# A line of pytest's own summary: "FAILED tests/test_a.py::test_b - AssertionError: ...".
FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (?=\S+::).{1,400}", re.MULTILINE)
# Ansible's line on a task that failed, which ends a step before or between its tests.
FAILED_TASK = re.compile(r"^\[ERROR\]: .{1,300}", re.MULTILINE)
SHOWN = 30


@dataclass(frozen=True)
class Step:
    """One command of the run.

    Attributes:
        name: What the user reads.
        command: The command and its arguments.
        limit_s: After this many seconds the command is ended and has failed.
        in_lab: Whether it starts a lab.
        environment: What it is told beside its arguments.
        counted: Whether it runs tests that are counted; else the command is one test of its own.
    """

    name: str
    command: tuple[str, ...]
    limit_s: int
    in_lab: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    counted: bool = True


@dataclass(frozen=True)
class Outcome:
    """How many tests passed and failed, and what was said of those that failed, or else of a task that did."""

    passed: int
    failed: int
    said: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        """Sum two outcomes."""
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.said + other.said)


def scenario(name: str, limit_s: int, **environment: str) -> Step:
    """Return the step that runs a molecule scenario."""
    command = ("molecule", "test", f"--scenario-name={name}")
    return Step(f"molecule {name}", command, limit_s, in_lab=True, environment=environment)


SLOWEST = "--durations=12"  # The log tells where the time goes, as those of the scenarios do.

# The lanes of a stage run side by side, the steps of a lane one after the other. Scenarios wait more than they work, so
# two lanes of them share two processors; with a third, brokers lose their controllers. The tests of the load harness,
# whole runs of it among them (`controls`), wait nearly all the time. What needs the machine for itself is alone in its
# stage.
STAGES = (
    (
        (
            Step("lint", ("make", "--no-print-directory", "--keep-going", "lint"), 1800, counted=False),
            scenario("default", 4200),
            scenario("production", 3600),
            scenario("zookeeper", 2400),
        ),
        (
            Step("unit tests", ("pytest", SLOWEST, "tests/unit", "tests/playbooks"), 3600),
            scenario("secured", 2400),
            scenario("securing", 3600),
            scenario("lifecycle_short", 3600),
        ),
        (Step("load harness", ("pytest", SLOWEST, "loadtests/tests"), 4200),),
    ),
    ((scenario("failover", 2400, CRUCIBLE_MATRIX="ci"),),),
)
STEPS = tuple(step for stage in STAGES for lane in stage for step in lane)

running: set[subprocess.Popen[bytes]] = set()
"""The commands that are on, to be ended with the run."""
interrupted = threading.Event()
"""Set when the run is to end: no further step begins."""

labs: list[int] = []
"""The labs that steps of this run got, to be removed with the run."""
choosing = threading.Lock()


def judge(output: str, status: int, *, counted: bool) -> Outcome:
    """Count what a command's output says passed and failed, and hold its exit status against it."""
    if not counted:
        return Outcome(int(status == 0), int(status != 0))
    counts = [match for line in CLOSING_LINE.finditer(output) for match in COUNT.finditer(line["counts"])]
    passed = sum(int(match["number"]) for match in counts if match["outcome"] == "passed")
    failed = sum(int(match["number"]) for match in counts if match["outcome"] != "passed")
    said = FAILED_TEST
    # Failed without a failed test, or green without any test: one failure that no test runner counted.
    if failed == 0 and (status != 0 or passed == 0):
        failed, said = 1, FAILED_TASK
    return Outcome(passed, failed, tuple(match[0] for match in said.finditer(output)))


def free_lab(hosts: Sequence[Mapping[str, Any]], used: Collection[int]) -> int:
    """Choose the lab for a step: the first that no step of this run has and no other checkout holds.

    Args:
        hosts: The labs' hosts on this machine, as podman lists containers: their labels tell lab and checkout.
        used: The labs that this run has given out.
    """
    labels = [host["Labels"] for host in hosts]
    held = {int(of["crucible.lab"]) for of in labels if of["crucible.checkout"] != str(ROOT)}
    return next(lab for lab in itertools.count(1) if lab not in held and lab not in used)


def take_lab() -> int:
    """Take a free lab for a step. Raises CalledProcessError if podman, which is root's here, does not answer."""
    command = ["podman", "container", "ls", "--all", "--filter=label=crucible.lab", "--format=json"]
    with choosing:
        listed = subprocess.run(
            command if os.geteuid() == 0 else ["sudo", *command], check=True, stdout=subprocess.PIPE
        ).stdout
        labs.append(free_lab(json.loads(listed), labs))
        return labs[-1]


def run(step: Step) -> Outcome:
    """Run one step, say how it went, and show the end of its log if it failed."""
    log = LOGS / f"test-{step.name.replace(' ', '-')}.log"
    environment = {**os.environ, "NO_COLOR": "1", "PY_COLORS": "0", "ANSIBLE_NOCOLOR": "1"}
    environment |= {"CI": "1", **step.environment}  # pytest cuts no line of its summary then.
    environment.pop("CRUCIBLE_LAB", None)  # Lab 0, or whichever the user works on.
    if step.in_lab:
        environment["CRUCIBLE_LAB"] = str(take_lab())
    started = time.monotonic()
    print(f"{step.name} ...", flush=True)
    command = ["timeout", "--kill-after=60", str(step.limit_s), *step.command]
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        ) as process,
    ):
        running.add(process)
        if interrupted.is_set():  # Between the last look and its start.
            process.terminate()
        status = process.wait()
        running.discard(process)
    output = log.read_text(errors="replace")
    outcome = judge(output, status, counted=step.counted)
    lines = [f"{step.name}: {outcome.passed} passed, {outcome.failed} failed ({time.monotonic() - started:.0f} s)"]
    if outcome.failed:
        lines += [f"The end of {log.relative_to(ROOT)} (exit status {status}):", ""]
        lines += output.splitlines()[-TAIL_LINES:]
    print("\n".join(lines), flush=True)
    return outcome


def run_lane(lane: Sequence[Step]) -> Outcome:
    """Run the steps of a lane one after the other, whatever came of the one before."""
    return sum((run(step) for step in lane if not interrupted.is_set()), Outcome(0, 0))


def run_all(stage: Sequence[Sequence[Step]]) -> Outcome:
    """Run the lanes of a stage side by side; when interrupted, their commands end, and only then their labs go."""
    with ThreadPoolExecutor(max_workers=len(stage)) as pool:
        asked = [pool.submit(run_lane, lane) for lane in stage]
        try:
            return sum((one.result() for one in asked), Outcome(0, 0))
        except BaseException:
            interrupted.set()
            for process in set(running):
                process.terminate()
            raise


def remove_lab(instance: int) -> None:
    """Remove what a lab instance left, if anything."""
    if (ROOT / ".lab" / str(instance)).exists():
        subprocess.run(
            ["scripts/step", f"Removing lab {instance}", "ansible-playbook", "playbooks/lab/down.yml"],
            cwd=ROOT,
            env=os.environ | {"CRUCIBLE_LAB": str(instance)},
            check=False,
        )


def main(names: list[str]) -> int:
    """Run the steps whose names contain one of `names`, or all of them."""
    stages = [
        [[step for step in lane if not names or any(name in step.name for name in names)] for lane in stage]
        for stage in STAGES
    ]
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    total = Outcome(0, 0)
    try:
        for stage in stages:
            total += run_all(stage)
    finally:
        for lab in labs:
            remove_lab(lab)
    print("", *total.said[:SHOWN], f"{total.passed} passed, {total.failed} failed", sep="\n")
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
