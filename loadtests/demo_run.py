"""The demo's load: a minute of open loop on the inventory's cluster; after 20 s the leader of orders-0 is killed.

    python loadtests/demo_run.py [options of locust]

The exit status is the verdict's: not 0 if a single acknowledged record is missing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kafka_load.cli import RESULTS_DIR
from kafka_load.run import run_annotations

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PARTITION, CHOOSE_AT_S, KILL_AT_S = "orders-0", 5, 20
# What the demo proves is that nothing is lost; how long the failover takes is for docs/failover.md.
LOAD = ["--headless", "--profile", "steady", "--rate", "800", "--run-time", "60s", "--loglevel", "ERROR"]
LOAD += ["--slo-longest-gap-s", "60", "--slo-p99-produce-ms", "60000"]


def leaders(run_dir: Path) -> dict[str, dict[str, str]]:
    """The last line of leaders.csv for each partition."""
    path = run_dir / "leaders.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["partition"]: row for row in csv.DictReader(file)}


def in_sync(run_dir: Path) -> bool:
    """Every partition has a leader and all its replicas."""
    return all(len(row["isr"].split()) == int(row["replicas"]) for row in leaders(run_dir).values())


def killer(node_id: str, at_ns: int) -> subprocess.Popen[bytes]:
    """Let the host of broker `node_id` kill it at a moment (nanoseconds since the epoch); systemd starts it again."""
    variables = ["-e", f"demo_node_id={node_id}", "-e", f"demo_at_s={at_ns / run_annotations.NS}"]
    command = [str(BIN / "ansible-playbook"), str(PROJECT / "playbooks" / "demo_kill.yml"), *variables]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)


def accompany(run_dir: Path, locust: subprocess.Popen[bytes]) -> None:
    """Kill the leader of the run that is on, and mark when it was killed and when all was well again."""
    until(lambda: run_annotations.began_ns(run_dir) is not None, locust)
    start_ns = run_annotations.began_ns(run_dir) or 0
    until(lambda: time.time_ns() >= start_ns + CHOOSE_AT_S * run_annotations.NS, locust)
    if not (leader := leaders(run_dir).get(PARTITION, {}).get("leader")):
        return
    target, kill_ns = f"{leader} (leader of {PARTITION})", start_ns + KILL_AT_S * run_annotations.NS
    killing = killer(leader, kill_ns)
    until(lambda: killing.poll() is not None, locust)
    if killing.poll() != 0:
        print(f"--- broker {target} could not be killed", flush=True)
        locust.terminate()
        return
    run_annotations.mark(run_dir, "kill_broker", target, at_ns=kill_ns)
    print(f"--- broker {target} was killed by SIGKILL at {KILL_AT_S} s", flush=True)
    until(lambda: not in_sync(run_dir), locust)
    until(lambda: in_sync(run_dir), locust)
    if locust.poll() is None:
        run_annotations.mark(run_dir, "kill_broker", target, healed=True)
        print("--- every replica is in sync again", flush=True)


def until(condition: Callable[[], bool], locust: subprocess.Popen[bytes]) -> None:
    """Wait for something, at most as long as the run lasts."""
    while locust.poll() is None and not condition():
        time.sleep(0.1)


def main() -> int:
    """Run load and kill."""
    latest = PROJECT / RESULTS_DIR / run_annotations.LATEST
    before = latest.resolve()
    locust = subprocess.Popen([str(BIN / "locust"), *LOAD, *sys.argv[1:]], cwd=PROJECT)
    until(lambda: latest.resolve() != before, locust)
    accompany(latest.resolve(), locust)
    return locust.wait()


if __name__ == "__main__":
    sys.exit(main())
