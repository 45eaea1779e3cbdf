"""What tests of a live cluster share: where the lab's hosts are, runs of playbooks, the state of a host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import testinfra
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[2]
LAB = os.environ.get("CRUCIBLE_LAB", "0")
INVENTORY = ROOT / "inventory/lab"
BROKERS = {f"kafka{node}": f"10.97.{LAB}.{10 + node}" for node in (1, 2, 3)}
BOOTSTRAP = [f"{address}:9092" for address in BROKERS.values()]


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
    def changed(self) -> int:
        """How many changes the run reports, over all hosts."""
        return sum(map(int, re.findall(r"\bchanged=(\d+)", self.output)))


def command(*args: str, inventories: tuple[Path, ...] = (INVENTORY,), **extra: Any) -> list[str]:
    """Return the command line that runs a playbook with `extra` as its extra variables."""
    return [
        str(Path(sys.executable).with_name("ansible-playbook")),
        *(f"--inventory={path}" for path in inventories),
        *args,
        *(["--extra-vars", json.dumps(extra)] if extra else []),
    ]


def play(*args: str, inventories: tuple[Path, ...] = (INVENTORY,), **extra: Any) -> Run:
    """Run a playbook to its end; the first of `args` is its path from the project's root."""
    done = subprocess.run(
        command(*args, inventories=inventories, **extra), cwd=ROOT, text=True, capture_output=True, check=False
    )
    return Run(done.returncode == 0, done.stdout + done.stderr)


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
