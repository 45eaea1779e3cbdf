"""Where the cluster is, when nobody says: asked of the Ansible inventory that deploys it.

Ansible itself evaluates the addresses, since an inventory may compute them; a file written by a deployment would go
stale as soon as somebody works with another inventory.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ENV = "KAFKA_BOOTSTRAP_SERVERS"
TIMEOUT_S = 6.0
_ADDRESS = (
    "msg={{ ansible_host | default(inventory_hostname) }}:"
    "{{ (kafka_listeners | default([{'port': 9092}], true) | first).port }}"
)


class InventoryError(RuntimeError):
    """The inventory does not tell where the cluster is; the message says so in one sentence."""


def bootstrap_servers(project: Path | None = None) -> str:
    """`host:port,…` of the brokers in the inventory that Ansible uses in the folder `project` (here by default).

    Raises:
        InventoryError: if Ansible is not installed or its inventory has no hosts in the group `kafka`.
    """
    ansible = shutil.which("ansible", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if ansible is None:
        raise InventoryError(f"give --bootstrap-servers or {ENV}: Ansible, which knows the inventory, is not installed")
    command = [ansible, "kafka", "-o", "-m", "ansible.builtin.debug", "-a", _ADDRESS]
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_STRATEGY": "linear"}
    try:
        done = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise InventoryError(
            f"give --bootstrap-servers or {ENV}: Ansible did not answer in {TIMEOUT_S:.0f} s"
        ) from None
    return parse(done.stdout)


def parse(output: str) -> str:
    """The addresses in what `ansible -o -m debug` prints, sorted.

    Raises:
        InventoryError: if there is none.
    """
    addresses = sorted(re.findall(r'"msg": "(\S+:\d+)"', output))
    if not addresses:
        raise InventoryError(f"give --bootstrap-servers or {ENV}: the inventory has no hosts in the group kafka")
    return ",".join(addresses)
