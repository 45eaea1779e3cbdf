#!/usr/bin/python
"""Waits until a controller, asked by itself, has reached a phase of the way from ZooKeeper to KRaft."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster  # For mitogen.
from ansible_collections.crucible.kafka.plugins.module_utils import host_state as host_state
from ansible_collections.crucible.kafka.plugins.module_utils.admin import wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.command import output
from ansible_collections.crucible.kafka.plugins.module_utils.migration_phase import (
    AWAITED,
    ControllerLog,
    parse_replication,
    read_log,
    unreached,
)

DOCUMENTATION = r"""
module: kafka_migration_gate
short_description: Wait until a controller has reached a phase of the migration to KRaft
description:
  - Runs on the controller's host. Asks the controller for the quorum as it sees it, and reads in the journal what its
    process has logged of the migration since it was started. Changes nothing.
  - A state that was logged so long ago that the journal no longer has it is not known; the controller has to be
    restarted then.
  - Fails with what is still missing when the time is over. In check mode it asks once, and does not fail.
options:
  unit: {type: str, default: kafka.service, description: The systemd unit.}
  quorum_command:
    description: The command that prints the replication of the quorum as this controller knows it.
    type: list
    elements: str
    required: true
  node_id: {type: int, required: true, description: The controller's id.}
  voters: {type: list, elements: int, required: true, description: The ids of all controllers.}
  phase:
    description: The phase waited for.
    type: str
    required: true
    choices: [controllers, dual_write, kraft_brokers, finished]
  timeout_s: {type: float, default: 300.0, description: How long to wait.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Wait until the controller waits for the brokers
  crucible.kafka.kafka_migration_gate:
    quorum_command:
      - /opt/kafka/bin/kafka-metadata-quorum.sh
      - --bootstrap-controller=192.0.2.31:9093
      - describe
      - --replication
    node_id: 101
    voters: [101, 102, 103]
    phase: controllers
"""

RETURN = r"""
reasons: {type: list, returned: always, description: Why the phase is not reached.}
driver: {type: str, returned: always, description: The state of its migration driver.}
state: {type: str, returned: always, description: The state of the migration that it has replayed.}
copied: {type: str, returned: always, description: 'What it has copied out of ZooKeeper, as it says itself.'}
"""


INVOCATION = "InvocationID"
STARTED_US = "ExecMainStartTimestampMonotonic"


def logged(module: AnsibleModule, unit: str) -> ControllerLog:
    """Return what the unit's present process has logged of the migration, as far as the journal has it."""
    shown = output(module, ["systemctl", "show", f"--property={INVOCATION},{STARTED_US}", unit])
    told = dict(line.partition("=")[::2] for line in shown.splitlines())
    if not told.get(INVOCATION):
        return ControllerLog()
    which = f"_SYSTEMD_INVOCATION_ID={told[INVOCATION]}"
    lines = output(module, ["journalctl", "--no-pager", "--quiet", "--output=short-monotonic", which]).splitlines()
    return read_log(lines, int(told.get(STARTED_US) or 0) / 1e6)


def main() -> None:
    """Poll until nothing is missing."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "default": "kafka.service"},
            "quorum_command": {"type": "list", "elements": "str", "required": True},
            "node_id": {"type": "int", "required": True},
            "voters": {"type": "list", "elements": "int", "required": True},
            "phase": {"type": "str", "required": True, "choices": list(AWAITED)},
            "timeout_s": {"type": "float", "default": 300.0},
        },
        supports_check_mode=True,
    )
    params = module.params
    told: dict[str, Any] = {}

    def reasons() -> list[str]:
        log = logged(module, params["unit"])
        told.update(driver=log.driver, state=log.state, copied=log.copied)
        code, out, err = module.run_command(params["quorum_command"])
        if code:
            return [f"controller {params['node_id']} does not answer: {' '.join((err or out).split())[:200]}"]
        return unreached(params["phase"], params["node_id"], params["voters"], parse_replication(out), log)

    remaining = wait_until(reasons, 0 if module.check_mode else params["timeout_s"])
    if remaining and not module.check_mode:
        sentence = f"The controllers are not known to have reached the phase {params['phase']}: {'; '.join(remaining)}."
        module.fail_json(msg=sentence, reasons=remaining, **told)
    module.exit_json(changed=False, reasons=remaining, **told)


if __name__ == "__main__":
    main()
