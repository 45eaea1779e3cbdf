#!/usr/bin/python
"""Waits until a service that was just started listens, and says why as soon as it is clear that it will not."""

from __future__ import annotations

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: wait_for_unit
short_description: Wait until a systemd unit listens on its ports
description: Fails with the last lines of the unit's journal, and as soon as its process has died.
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
    _, out, _ = module.run_command(
        ["systemctl", "show", "--property=ActiveState,InvocationID,NRestarts", unit], check_rc=True
    )
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
    if module.check_mode:
        module.exit_json(changed=False)
    unit, ports = module.params["unit"], set(module.params["ports"])
    started = time.monotonic()
    invocation = show(module, unit)["InvocationID"]
    while missing := ports - listening():
        state = show(module, unit)
        died = state["ActiveState"] != "active" or state["InvocationID"] != invocation
        if died or time.monotonic() - started > module.params["timeout_s"]:
            _, journal, _ = module.run_command(
                ["journalctl", "--unit", unit, "--no-pager", "--output=cat", "--lines=30"]
            )
            late = f"does not listen on {sorted(missing)} after {module.params['timeout_s']:.0f} s"
            what = "ended soon after its start" if died else late
            module.fail_json(msg=f"{unit} {what}. Its last words:\n{journal.strip()}")
        time.sleep(POLL_INTERVAL_S)
    module.exit_json(changed=False, waited_s=round(time.monotonic() - started, 1))


if __name__ == "__main__":
    main()
