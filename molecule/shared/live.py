"""What tests of a live cluster share: where the lab's hosts are, runs of playbooks, the state of a host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import testinfra
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient
from rolling_restart_check import away
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[2]
LAB = os.environ.get("CRUCIBLE_LAB", "0")
BROKERS = {f"kafka{node}": f"10.97.{LAB}.{10 + node}" for node in (1, 2, 3)}
BOOTSTRAP = [f"{address}:9092" for address in BROKERS.values()]
SITE = "playbooks/site.yml"
MOUNT, DISK = "/var/lib/kafka", "/dev/vdb"
OPEN_S, TIMES = 120.0, 5
"""How long an open port may take to answer, and how many times as long as one just did a closed one is tried."""


def _spec(name: str) -> str:
    return f"ssh://{name}?ssh_config={ROOT}/.lab/{LAB}/ssh_config"


HOSTS = [_spec(name) for name in BROKERS]
"""The brokers' hosts, for a module's `testinfra_hosts`."""


def host(name: str) -> Host:
    """Return one host of the lab, reached over SSH."""
    return testinfra.get_host(_spec(name))


@dataclass(frozen=True)
class Run:
    """What a run of a playbook came to."""

    ok: bool
    output: str

    @property
    def sentences(self) -> str:
        """The output on one line and without colours, in which a sentence is found however it was folded."""
        return " ".join(re.sub(r"\x1b\[[\d;]*m", "", self.output).split())

    @property
    def why(self) -> str:
        """Why it failed: the lines that say so, and then all of them."""
        return "\n".join((*re.findall(r"^(?:fatal: |failed: |\[ERROR\]: ).*", self.output, re.MULTILINE), self.output))

    @property
    def changed(self) -> int:
        """How many changes the run reports, over all hosts."""
        return sum(map(int, re.findall(r"\bchanged=(\d+)", self.output)))


def command(*args: str, inventory: Path | tuple[Path, ...] | None = None, **extra: Any) -> list[str]:
    """Return the command line that runs a playbook with `extra` as its extra variables.

    The first of `args` is its path from the project's root; what an `inventory` says goes over the lab's own.
    """
    inventories = [inventory] if isinstance(inventory, Path) else inventory or ()
    return [
        str(Path(sys.executable).with_name("ansible-playbook")),
        f"--inventory={ROOT}/inventory/lab",
        *(f"--inventory={each}" for each in inventories),
        *args,
        f"--extra-vars={json.dumps(extra)}",
    ]


def play(*args: str, inventory: Path | tuple[Path, ...] | None = None, **extra: Any) -> Run:
    """Run a playbook to its end; see `command`."""
    arguments = command(*args, inventory=inventory, **extra)
    done = subprocess.run(arguments, cwd=ROOT, text=True, capture_output=True, check=False)
    return Run(done.returncode == 0, done.stdout + done.stderr)


def listening(on: Host) -> set[int]:
    """Return the TCP ports that a host offers to others."""
    found = (spec.rpartition(":") for spec in on.socket.get_listening_sockets() if spec.startswith("tcp://"))
    return {int(port) for address, _, port in found if "127.0.0.1" not in address and "::1" not in address}


def reaches(source: Host, address: str, port: int, limit_s: float = OPEN_S) -> bool:
    """Return whether another host gets a connection."""
    return bool(source.run(f"timeout {limit_s} bash -c '</dev/tcp/{address}/{port}'").rc == 0)


def limit_s(probe: Callable[[], bool]) -> float:
    """Return for how long to try a port that should be closed: some times as long as an open one takes just now."""
    began = time.monotonic()
    assert probe(), "the probe cannot see an open port"
    return max(1.0, TIMES * (time.monotonic() - began))


def state(on: Host) -> list[str]:
    """Return all that a run could change on a host, as lines; see state.sh."""
    script = (ROOT / "molecule/shared/state.sh").read_text(encoding="utf-8")
    return str(on.check_output("sh -c %s", script)).splitlines()


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Fail if anything on any of the brokers' hosts is another afterwards."""
    hosts = {name: host(name) for name in BROKERS}
    before = {name: set(state(on)) for name, on in hosts.items()}
    yield
    changed = [f"{name} {line}" for name, on in hosts.items() for line in sorted(before[name] ^ set(state(on)))]
    assert not changed, "\n".join(changed)


KILL_FOR_GOOD = "systemctl kill --signal=KILL kafka; systemctl disable --now kafka"
# systemd would keep a unit that has failed when its file is gone, and might refuse the next file of that name (EBUSY).
BARE = f"""
{KILL_FOR_GOOD}
umount {MOUNT} && blkdiscard --force {DISK} && sed -i '\\#{MOUNT}#d' /etc/fstab
rm --recursive --force /etc/kafka /opt/kafka* /opt/.kafka* /var/log/kafka /etc/systemd/system/kafka.service
systemctl reset-failed kafka || true
systemctl daemon-reload
userdel kafka
ufw --force reset
"""


def make_bare(name: str) -> None:
    """Kill a host's process and make it as a new host: nothing of Kafka's is on it, and its disk is blank."""
    host(name).check_output(BARE)


def starts() -> dict[str, str]:
    """Return systemd's id of the present start of each broker."""
    return {name: host(name).check_output("systemctl show --value --property=InvocationID kafka") for name in BROKERS}


@contextmanager
def nothing_restarts() -> Iterator[None]:
    """Fail if any broker has been started or stopped meanwhile."""
    before = starts()
    yield
    assert starts() == before


def replicas_in_sync(timeout_s: float = 300) -> None:
    """Wait until no partition misses a replica in its ISR."""
    watcher = AdminClient({"bootstrap.servers": ",".join(BOOTSTRAP), "log_level": 0})
    deadline = time.monotonic() + timeout_s
    while (missing := away(watcher)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert missing == frozenset()


def active_voters() -> dict[int, str]:
    """Return the directory id of each voter of the quorum by node id."""
    admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
    admin.close()
    return {voter["replica_id"]: str(voter["replica_directory_id"]) for voter in quorum["current_voters"]}
