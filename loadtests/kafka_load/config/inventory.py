"""Where the cluster is, when nobody says: asked of the Ansible inventory that deploys it.

Ansible itself evaluates listeners and advertised names, which an inventory may compute; a file written by a deployment
would go stale as soon as somebody works with another inventory.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ENV = "KAFKA_BOOTSTRAP_SERVERS"
TIMEOUT_S = 20.0
PLAYBOOK = Path(__file__).resolve().parents[3] / "playbooks" / "bootstrap_servers.yml"
_HINT = f"give --bootstrap-servers or {ENV}"


class InventoryError(RuntimeError):
    """The inventory does not tell where the cluster is; the message says so in one sentence."""


def bootstrap_servers(playbook: Path = PLAYBOOK, folder: Path | None = None, timeout_s: float = TIMEOUT_S) -> str:
    """`host:port,…` of the brokers in the inventory that Ansible uses in `folder` (here by default).

    Raises:
        InventoryError: if Ansible is not there, or its inventory has no hosts in the group `kafka`.
    """
    program = "ansible-playbook"
    ansible = shutil.which(program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if not playbook.exists():  # the package alone is installed
        raise InventoryError(
            f"{_HINT}: only inside the project's folder an Ansible inventory says where the cluster is"
        )
    if ansible is None:
        raise InventoryError(f"{_HINT}: there is no {program} here that could tell it")
    plain = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_STRATEGY": "linear"}
    try:
        done = subprocess.run(
            [ansible, str(playbook)],
            cwd=folder,
            env=os.environ | plain,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InventoryError(f"{_HINT}: Ansible did not answer in {timeout_s:.0f} s") from None
    found = re.search(r"bootstrap_servers=([^\s\"']+)", done.stdout)
    if found is None:
        raise InventoryError(f"{_HINT}: the inventory has no cluster (group kafka)")
    return found[1]
