"""The demo's load: a minute of open loop on the inventory's cluster; after 20 s the leader of orders-0 is killed.

    python loadtests/demo_run.py [options of locust]

The exit status is the verdict's: not 0 if a single acknowledged record is missing.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path

from kafka_load import marks
from kafka_load.cli import RESULTS_DIR

PROJECT = Path(__file__).resolve().parents[1]
PARTITION, KILL_AT_S = "orders-0", 20
# What the demo proves is that nothing is lost; how long the failover takes is for docs/failover.md.
LOAD = ["--headless", "--profile", "steady", "--run-time", "60s"]
LOAD += ["--slo-longest-gap-s", "60", "--slo-p99-produce-ms", "60000"]


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


def kill(node_id: str) -> None:
    """Let Ansible kill the broker `node_id`; systemd starts it again."""
    playbook = PROJECT / "playbooks" / "demo_kill.yml"
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-e", f"demo_node_id={node_id}"]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Run load and kill."""
    before = (PROJECT / RESULTS_DIR / marks.LATEST).resolve()
    locust = subprocess.Popen([str(Path(sys.executable).parent / "locust"), *LOAD, *sys.argv[1:]], cwd=PROJECT)
    killed = healed = False
    while locust.poll() is None:
        time.sleep(0.2)
        run_dir = (PROJECT / RESULTS_DIR / marks.LATEST).resolve()
        if run_dir == before or (run_dir / "verdict.json").exists():
            continue
        if not killed and seconds(run_dir) >= KILL_AT_S - 1:
            leader = leaders(run_dir)[PARTITION]["leader"]
            kill(leader)
            marks.mark(run_dir, "kill_broker", f"{leader} (leader of {PARTITION})")
            print(f"--- broker {leader}, the leader of {PARTITION}, was killed by SIGKILL", flush=True)
            killed, since = True, time.monotonic()
        elif killed and not healed and time.monotonic() - since > 5 and in_sync(run_dir):
            marks.mark(run_dir, "kill_broker", f"{leader} (leader of {PARTITION})", healed=True)
            print("--- every replica is in sync again", flush=True)
            healed = True
    return locust.returncode


if __name__ == "__main__":
    sys.exit(main())
