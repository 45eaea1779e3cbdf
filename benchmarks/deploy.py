#!/usr/bin/env python3
"""Prints how long a deployment takes, step by step, so that what the docs quote can be repeated anywhere.

Steps run on a lab instance of their own, from nothing to nothing. The same second run under Ansible's own linear
strategy is the baseline: a machine twice as slow has other seconds, but much the same ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
TOPICS = [{"name": f"bench-{number}", "partitions": 1, "replication_factor": 3} for number in range(500)]
LINEAR = {"ANSIBLE_STRATEGY": "linear"}
IMAGE = "localhost/crucible-host:bench"


@dataclass(frozen=True)
class Step:
    """One thing to time: a playbook with its extra variables, `times` times over; `goal_s` is what is aimed at."""

    name: str
    playbook: str
    extra: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    goal_s: float | None = None
    times: int = 1


def changed(value: int) -> dict[str, Any]:
    """Return extra variables with a broker setting that needs a restart."""
    return {"kafka_config": {"queued.max.requests": value}}


DOWN = Step("lab down", "lab/down.yml")
STEPS = (
    Step("lab up, host image built", "lab/up.yml", {"lab_image": IMAGE}, goal_s=60),
    DOWN,
    Step("lab up, host image there", "lab/up.yml", {"lab_image": IMAGE}, goal_s=5),
    Step("bare hosts to serving cluster", "site.yml", goal_s=45),
    Step("second run", "site.yml", goal_s=8, times=3),
    Step("second run, linear strategy", "site.yml", env=LINEAR),
    Step("one setting, rolled over three brokers", "site.yml", changed(501), goal_s=60),
    Step("check_health", "check_health.yml", goal_s=5, times=3),
    Step("500 topics of one partition", "topics.yml", {"kafka_topics": TOPICS}, goal_s=10),
    Step("500 topics, nothing to change", "topics.yml", {"kafka_topics": TOPICS}, times=3),
    DOWN,
)


def seconds(step: Step, profile: bool) -> float:
    """Run a step and return the median of its wall-clock times in seconds; end the benchmark if it fails."""
    env = {"CRUCIBLE_LAB": "5"} | os.environ | step.env
    if profile:
        env |= {"ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_tasks"}
    command = [str(PLAYBOOK), f"playbooks/{step.playbook}", "--extra-vars", json.dumps(step.extra)]
    times = []
    for _ in range(step.times):
        start = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=env, text=True, capture_output=True, check=False)
        times.append(time.monotonic() - start)
        if done.returncode:
            sys.exit(f"{step.name} failed:\n{done.stdout}{done.stderr}")
    if profile:
        print("\n".join(done.stdout.partition("TASKS RECAP")[2].splitlines()[1:12]))
    return statistics.median(times)


def main() -> None:
    """Time all steps and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="print the slowest tasks of each step too")
    options = parser.parse_args()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True, capture_output=True, check=True
    ).stdout.strip()
    print(f"Commit {commit}, {os.cpu_count()} cores; seconds, the median where a step ran more than once\n")
    took = {}
    for step in STEPS:
        took[step.name] = seconds(step, options.profile)
        goal = f"goal {step.goal_s:3.0f}" if step.goal_s else ""
        print(f"{step.name:40} {took[step.name]:6.1f}  {goal}", flush=True)
    ratio = took["second run, linear strategy"] / took["second run"]
    print(f"\nThe linear strategy takes {ratio:.1f} times as long for the second run.")
    subprocess.run(["podman", "rmi", "--ignore", IMAGE], check=True, capture_output=True)


if __name__ == "__main__":
    main()
