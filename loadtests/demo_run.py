"""The demo's load: a minute of open loop on the inventory's cluster; after 20 s the leader of orders-0 is killed.

    python loadtests/demo_run.py [options of locust]

The exit status is the verdict's: not 0 if a single acknowledged record is missing.
"""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import AdminClient
from kafka_load.config import client_config
from kafka_load.config.results_dir import IN_PROJECT
from kafka_load.run import run_annotations

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PARTITION, CHOOSE_AT_S, KILL_AT_S, ANSWER_S = "orders-0", 5, 20, 5.0
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


def address(run_dir: Path, node_id: str) -> tuple[str, int]:
    """Where clients reach a broker, as the run's cluster tells them."""
    settings = json.loads((run_dir / "settings.json").read_text(encoding="utf-8"))
    secured = client_config.read(os.environ.get(client_config.ENV, "")).properties
    client = AdminClient({"bootstrap.servers": settings["bootstrap_servers"], "log_level": 0, **secured})
    broker = client.list_topics(timeout=ANSWER_S).brokers[int(node_id)]
    return str(broker.host), int(broker.port)


def is_down(where: tuple[str, int]) -> bool:
    """Whether nobody accepts a connection there."""
    try:
        socket.create_connection(where, timeout=ANSWER_S).close()
    except OSError:
        return True
    return False


def accompany(run_dir: Path, locust: subprocess.Popen[bytes]) -> None:
    """Kill the leader of the run that is on, and mark when it was seen to be dead and when all was well again.

    The host may carry out the order long after the moment that it was given for. What counts is when the broker accepts
    no connection any more.
    """
    until(lambda: run_annotations.began_ns(run_dir) is not None, locust)
    start_ns = run_annotations.began_ns(run_dir) or 0
    until(lambda: time.time_ns() >= start_ns + CHOOSE_AT_S * run_annotations.NS, locust)
    if not (leader := leaders(run_dir).get(PARTITION, {}).get("leader")):
        return
    target, kill_ns = f"{leader} (leader of {PARTITION})", start_ns + KILL_AT_S * run_annotations.NS
    where, killing, seen_ns = address(run_dir, leader), killer(leader, kill_ns), 0

    def seen() -> bool:
        nonlocal seen_ns
        if time.time_ns() >= kill_ns and is_down(where):
            seen_ns = time.time_ns()
        return seen_ns > 0 or killing.poll() is not None  # the playbook ends once systemd has started it again

    until(seen, locust, every_s=0.02)
    until(lambda: killing.poll() is not None, locust)
    if killing.poll() != 0 or not seen_ns:
        print(f"--- broker {target} could not be killed", flush=True)
        locust.terminate()
        return
    run_annotations.mark(run_dir, "kill_broker", target, at_ns=seen_ns, ordered_ns=kill_ns)
    seen_s = (seen_ns - start_ns) / run_annotations.NS
    print(f"--- broker {target} was killed by SIGKILL, ordered for {KILL_AT_S} s, seen at {seen_s:.1f} s", flush=True)
    until(lambda: not in_sync(run_dir), locust)
    until(lambda: in_sync(run_dir), locust)
    if locust.poll() is None:
        run_annotations.mark(run_dir, "kill_broker", target, healed=True)
        print("--- every replica is in sync again", flush=True)


def until(condition: Callable[[], bool], locust: subprocess.Popen[bytes], every_s: float = 0.1) -> None:
    """Wait for something, at most as long as the run lasts."""
    while locust.poll() is None and not condition():
        time.sleep(every_s)


def main() -> int:
    """Run load and kill."""
    latest = PROJECT / IN_PROJECT / run_annotations.LATEST
    before = latest.resolve()
    locust = subprocess.Popen([str(BIN / "locust"), *LOAD, *sys.argv[1:]], cwd=PROJECT)
    until(lambda: latest.resolve() != before, locust)
    accompany(latest.resolve(), locust)
    return locust.wait()


if __name__ == "__main__":
    sys.exit(main())
