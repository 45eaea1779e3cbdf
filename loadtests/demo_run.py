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

from kafka_load import marks
from kafka_load.cli import RESULTS_DIR

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PARTITION, CONNECT_AT_S, KILL_AT_S = "orders-0", 5, 20
# What the demo proves is that nothing is lost; how long the failover takes is for docs/failover.md.
LOAD = ["--headless", "--profile", "steady", "--run-time", "60s"]
LOAD += ["--slo-longest-gap-s", "60", "--slo-p99-produce-ms", "60000", "--max-late-ms", "10000"]


def leaders(run_dir: Path) -> dict[str, dict[str, str]]:
    """The last line of leaders.csv for each partition."""
    path = run_dir / "leaders.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["partition"]: row for row in csv.DictReader(file)}


def seconds(run_dir: Path) -> int:
    """How many seconds of the run are in its timeline."""
    path = run_dir / "timeline.csv"
    return len(path.read_text(encoding="utf-8").splitlines()) - 1 if path.exists() else 0


def in_sync(run_dir: Path) -> bool:
    """Every partition has a leader and all its replicas."""
    return all(len(row["isr"].split()) == int(row["replicas"]) for row in leaders(run_dir).values())


def killer(run_dir: Path, node_id: str) -> subprocess.Popen[bytes]:
    """Let Ansible connect now and kill the broker `node_id` when it is time; systemd starts it again."""
    told = {"demo_node_id": node_id, "demo_timeline": run_dir / "timeline.csv", "demo_second": KILL_AT_S - 1}
    variables = [word for name, value in told.items() for word in ("-e", f"{name}={value}")]
    command = [str(BIN / "ansible-playbook"), str(PROJECT / "playbooks" / "demo_kill.yml"), *variables]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)


def accompany(run_dir: Path, locust: subprocess.Popen[bytes]) -> None:
    """Kill the leader of the run that is on, and mark when it was killed and when all was well again."""
    until(lambda: seconds(run_dir) >= CONNECT_AT_S, locust)
    if not (leader := leaders(run_dir).get(PARTITION, {}).get("leader")):
        return
    target = f"{leader} (leader of {PARTITION})"
    killing = killer(run_dir, leader)
    until(lambda: killing.poll() is not None, locust)
    if killing.poll() != 0:
        print(f"--- broker {target} could not be killed", flush=True)
        locust.terminate()
        return
    marks.mark(run_dir, "kill_broker", target)
    print(f"--- broker {target} was killed by SIGKILL", flush=True)
    until(lambda: not in_sync(run_dir), locust)
    until(lambda: in_sync(run_dir), locust)
    if locust.poll() is None:
        marks.mark(run_dir, "kill_broker", target, healed=True)
        print("--- every replica is in sync again", flush=True)


def until(condition: Callable[[], bool], locust: subprocess.Popen[bytes]) -> None:
    """Wait for something, at most as long as the run lasts."""
    while locust.poll() is None and not condition():
        time.sleep(0.1)


def main() -> int:
    """Run load and kill."""
    latest = PROJECT / RESULTS_DIR / marks.LATEST
    before = latest.resolve()
    locust = subprocess.Popen([str(BIN / "locust"), *LOAD, *sys.argv[1:]], cwd=PROJECT)
    until(lambda: latest.resolve() != before, locust)
    accompany(latest.resolve(), locust)
    return locust.wait()


if __name__ == "__main__":
    sys.exit(main())
