#!/usr/bin/python
"""Makes brokers able to lead a cluster again whose migration to KRaft is taken back."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster  # For mitogen.
from ansible_collections.crucible.kafka.plugins.module_utils.migration_znodes import (
    CONTROLLER,
    EPOCH,
    MIGRATION,
    Znodes,
    parse,
)
from ansible_collections.crucible.kafka.plugins.module_utils.zookeeper_shell import ask

DOCUMENTATION = r"""
module: kafka_migration_znodes
short_description: Take back in ZooKeeper that KRaft controllers lead the cluster
description:
  - Raises C(/controller_epoch) to the epoch that the KRaft controllers have written into the state of each partition,
    so that a broker which becomes the controller is not taken for a former one, and can elect leaders.
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
- name: Take back in ZooKeeper that the controllers lead
  crucible.kafka.kafka_migration_znodes:
    command: [/opt/kafka/bin/zookeeper-shell.sh, -server, "192.0.2.11:2181/kafka"]
    controllers: [101, 102, 103]
"""

RETURN = r"""
deleted: {type: dict, returned: always, description: What stood in each znode that was deleted.}
epoch: {type: int, returned: when raised, description: The controllers' epoch that C(/controller_epoch) was raised to.}
"""


def run_zookeeper_shell(module: AnsibleModule, commands: list[str]) -> str:
    """Return what the shell prints; end the module where it cannot connect."""
    text, unanswered = ask(module, commands)
    if unanswered:
        module.fail_json(msg=f"ZooKeeper does not answer: {unanswered}")
    return text


def read_znodes(module: AnsibleModule) -> Znodes:
    """Return what the controllers have left."""
    return parse(
        run_zookeeper_shell(module, [f"get {path}" for path in (CONTROLLER, MIGRATION, EPOCH)]),
        module.params["controllers"],
    )


def main() -> None:
    """Look, raise the epoch, delete, and look again."""
    module = AnsibleModule(
        argument_spec={
            "command": {"type": "list", "elements": "str", "required": True},
            "controllers": {"type": "list", "elements": "int", "required": True},
        },
        supports_check_mode=True,
    )
    there = read_znodes(module)
    if there.left and there.epoch is None:
        module.fail_json(msg=f"Nothing was deleted: ZooKeeper does not tell {EPOCH}.")
    epoch = there.epoch_to_set
    if there.left and not module.check_mode:
        gone = [*there.left]
        if epoch is not None:
            run_zookeeper_shell(module, [f"set {EPOCH} {epoch}"])
            if (found := read_znodes(module).epoch) != epoch:
                module.fail_json(msg=f"ZooKeeper has {EPOCH} {found}, although it was set to {epoch}.")
            # A broker that leads already has a lower number of its own: without the znode it is elected anew.
            gone = [CONTROLLER, *(path for path in gone if path != CONTROLLER)]
        run_zookeeper_shell(module, [f"delete {path}" for path in gone])
        if remaining := read_znodes(module).left:
            module.fail_json(msg=f"ZooKeeper still has {' and '.join(remaining)}, although they were deleted.")
    module.exit_json(changed=bool(there.left), deleted=there.left, **({} if epoch is None else {"epoch": epoch}))


if __name__ == "__main__":
    main()
