#!/usr/bin/python
"""Refuses to let ZooKeeper servers be taken down in which other systems than a migrated cluster keep something."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster  # For mitogen.
from ansible_collections.crucible.kafka.plugins.module_utils.migration_znodes import (
    chroot_levels,
    ensemble_refusal,
    of_others,
    parse_children,
)
from ansible_collections.crucible.kafka.plugins.module_utils.zookeeper_shell import ask

DOCUMENTATION = r"""
module: kafka_migration_ensemble
short_description: Refuse to take ZooKeeper servers down that other systems use
description:
  - Lists what ZooKeeper holds at its root and at each level of the way to the cluster's chroot. Changes nothing.
  - Fails where anything of it is neither ZooKeeper's own nor the cluster's, and where ZooKeeper does not tell.
options:
  command:
    description: A ZooKeeper shell connected to one of the servers without a chroot, which reads commands.
    type: list
    elements: str
    required: true
  connect: {type: str, required: true, description: 'The connect string of the cluster, with its chroot.'}
  servers: {type: list, elements: str, required: true, description: The hosts of the servers.}
  resumed:
    description: Whether a run before has begun to take the servers down. Then ZooKeeper need not tell.
    type: bool
    default: false
author: [Crucible]
"""

EXAMPLES = r"""
- name: Refuse to take the ensemble down if others use it
  crucible.kafka.kafka_migration_ensemble:
    command: [/opt/kafka/bin/zookeeper-shell.sh, -server, "192.0.2.11:2181"]
    connect: 192.0.2.11:2181,192.0.2.12:2181,192.0.2.13:2181/kafka
    servers: [zk1, zk2, zk3]
"""

RETURN = r"""
others: {type: list, returned: always, description: The znodes of other systems.}
unanswered: {type: str, returned: always, description: 'Why ZooKeeper does not tell, empty if it does.'}
"""


def main() -> None:
    """Ask once, and judge."""
    module = AnsibleModule(
        argument_spec={
            "command": {"type": "list", "elements": "str", "required": True},
            "connect": {"type": "str", "required": True},
            "servers": {"type": "list", "elements": "str", "required": True},
            "resumed": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    levels = chroot_levels(params["connect"])
    text, unanswered = ask(module, [f"ls {path}" for path in levels])
    children = parse_children(text, len(levels))
    if children is None and not unanswered:
        unanswered = f"it was asked to list {cluster.listed(levels)}, and said: {' '.join(text.split())[-200:]}"
    others = of_others(params["connect"], children or [])
    told = {"others": others, "unanswered": unanswered}
    if refusal := ensemble_refusal(params["servers"], others, "" if params["resumed"] else unanswered):
        module.fail_json(msg=refusal, **told)
    module.exit_json(changed=False, **told)


if __name__ == "__main__":
    main()
