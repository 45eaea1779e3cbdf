#!/usr/bin/python
"""Waits until a service that was just started listens, and says why as soon as it is clear that it will not."""

from __future__ import annotations

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.command import output

DOCUMENTATION = r"""
module: wait_for_unit
short_description: Wait until a systemd unit listens on its ports
description:
  - Fails with the last lines of the unit's journal, and as soon as its process has died.
  - In check mode it asks nothing and waits for nothing.
options:
  unit: {type: str, required: true, description: The systemd unit.}
  ports: {type: list, elements: int, required: true, description: TCP ports on which anything must listen.}
  timeout_s: {type: float, required: true, description: How long a start may take.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Wait until the broker listens
  crucible.kafka.wait_for_unit:
    unit: kafka
    ports: [9092, 9093]
    timeout_s: 120
"""

RETURN = r"""
waited_s: {type: float, returned: success and not in check mode, description: How long it took until all listened.}
"""

POLL_INTERVAL_S = 0.2
LISTEN = "0A"


def listening() -> set[int]:
    """Return the TCP ports of this host on which something listens, whatever address it is bound to."""
    tables = [
        path.read_text().splitlines()[1:] for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()
    ]
    sockets = [line.split() for table in tables for line in table]
    return {int(fields[1].rpartition(":")[2], 16) for fields in sockets if fields[3] == LISTEN}


def show(module: AnsibleModule, unit: str) -> dict[str, str]:
    """Return what systemd says of the unit."""
    out = output(module, ["systemctl", "show", "--property=ActiveState,InvocationID", unit])
    return dict(line.partition("=")[::2] for line in out.splitlines())


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "ports": {"type": "list", "elements": "int", "required": True},
            "timeout_s": {"type": "float", "required": True},
        },
        supports_check_mode=True,
    )
    unit, ports = module.params["unit"], set(module.params["ports"])
    for port in sorted(ports - set(range(1, 65536))):
        module.fail_json(msg=f"ports: {port} is no TCP port; give numbers from 1 to 65535.")
    if module.check_mode:
        module.exit_json(changed=False)
    started = time.monotonic()
    state = show(module, unit)
    invocation = state["InvocationID"]
    while True:
        # Its ports alone say nothing: a unit that died because another process holds its port has them all.
        died = state["ActiveState"] != "active" or state["InvocationID"] != invocation
        missing = sorted(ports - listening())
        if not missing and not died:
            break
        if died or time.monotonic() - started > module.params["timeout_s"]:
            _, journal, _ = module.run_command(
                ["journalctl", "--unit", unit, "--no-pager", "--output=cat", "--lines=30"]
            )
            late = f"does not listen on port {', '.join(map(str, missing))} after {module.params['timeout_s']:.0f} s"
            what = "ended soon after its start" if died else late
            module.fail_json(msg=f"{unit} {what}. The end of its journal:\n{journal.strip()}")
        time.sleep(POLL_INTERVAL_S)
        state = show(module, unit)
    module.exit_json(changed=False, waited_s=round(time.monotonic() - started, 1))


if __name__ == "__main__":
    main()
