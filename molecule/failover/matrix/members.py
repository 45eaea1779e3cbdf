"""Members of the warehouse's group as processes: how many there are, and those that are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from confluent_kafka.admin import AdminClient
from kafka_load.ledger import read_journals
from live import BOOTSTRAP

GROUP, TOPIC = "warehouse-group", "orders"
SMALL_GROUP = "notification-group"  # With fewer members than the topic has partitions, so that one more gets some.


def victim(journals: Path) -> int | None:
    """The process id of a member that the load has started, by what it wrote down before a commit; None before that.

    `journals` has a folder for each worker.
    """
    each = (journal for folder in journals.glob("*/") for journal in read_journals(folder))
    engines = sorted(journal.engine for journal in each if journal.group == GROUP)
    return process_of(engines[0]) if engines else None


def process_of(engine: str) -> int:
    """The process id in an engine's id, `HOST/PROCESS-RANDOM/NUMBER`."""
    return int(engine.split("/")[1].partition("-")[0])


def count() -> int:
    """How many members the group has, as its coordinator sees it."""
    admin = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0})
    return len(admin.describe_consumer_groups([GROUP])[GROUP].result(10).members)


def commit_before_process(records: int, timeout_s: float = 60) -> int:
    """Let a member join that commits before it processes and is killed in between; how many records it took along."""
    program = str(Path(__file__).with_name("commit_before_process.py"))
    command = [sys.executable, program, ",".join(BOOTSTRAP), SMALL_GROUP, TOPIC, str(records)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the member that commits before it processes was not killed: {done.stderr[-500:]}")
    return int(done.stdout)
