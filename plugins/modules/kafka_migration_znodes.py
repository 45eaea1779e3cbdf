#!/usr/bin/python
"""Deletes what a migration to KRaft that is taken back has left in ZooKeeper."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster  # For mitogen.
from ansible_collections.crucible.kafka.plugins.module_utils import host_state as host_state
from ansible_collections.crucible.kafka.plugins.module_utils.migration_phase import leftovers

DOCUMENTATION = r"""
module: kafka_migration_znodes
short_description: Delete the znodes of a migration to KRaft that is taken back
description:
  - Deletes C(/controller), by which a KRaft controller leads the brokers, so that one of them becomes the controller;
    and C(/migration), by which the next attempt would take itself for the continuation of this one, and would copy an
    empty cluster over ZooKeeper (strimzi#11262).
  - What belongs to a broker stays. The controllers have to be stopped before.
options:
  command:
    description: A ZooKeeper shell connected to the ensemble, which reads commands.
    type: list
    elements: str
    required: true
  controllers: {type: list, elements: int, required: true, description: The ids of the KRaft controllers.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Delete what the controllers have left in ZooKeeper
  crucible.kafka.kafka_migration_znodes:
    command: [/opt/kafka/bin/zookeeper-shell.sh, -server, "192.0.2.11:2181/kafka"]
    controllers: [101, 102, 103]
"""

RETURN = r"""
deleted: {type: dict, returned: always, description: What stood in each znode that was deleted.}
"""


def ask(module: AnsibleModule, commands: list[str]) -> str:
    """Return what the shell prints; end the module where it cannot connect."""
    script = "\n".join([*commands, "quit", ""])
    _, out, err = module.run_command(module.params["command"], data=script)
    if "SyncConnected" not in out + err:
        module.fail_json(msg=f"ZooKeeper does not answer: {' '.join((err or out).split())[-300:]}")
    return f"{out}\n{err}"


def main() -> None:
    """Look, delete, and look again."""
    module = AnsibleModule(
        argument_spec={
            "command": {"type": "list", "elements": "str", "required": True},
            "controllers": {"type": "list", "elements": "int", "required": True},
        },
        supports_check_mode=True,
    )
    questions = ["get /controller", "get /migration"]
    there = leftovers(ask(module, questions), module.params["controllers"])
    if there and not module.check_mode:
        ask(module, [f"delete {path}" for path in there])
        if remaining := leftovers(ask(module, questions), module.params["controllers"]):
            module.fail_json(msg=f"ZooKeeper still has {' and '.join(remaining)}, although they were deleted.")
    module.exit_json(changed=bool(there), deleted=there)


if __name__ == "__main__":
    main()
