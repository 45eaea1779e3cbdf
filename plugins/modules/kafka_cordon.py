#!/usr/bin/python
"""Ansible module: let a broker take no new replicas, or take them again."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils import minimum_cost_flow as minimum_cost_flow
from ansible_collections.crucible.kafka.plugins.module_utils import reassignment_plan as reassignment_plan
from ansible_collections.crucible.kafka.plugins.module_utils import replica_placement as replica_placement
from ansible_collections.crucible.kafka.plugins.module_utils import replication_throttle as replication_throttle
from ansible_collections.crucible.kafka.plugins.module_utils import survey as survey
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, endpoint, fail_on_admin_error
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import (
    ALL_DIRECTORIES,
    cordoned,
    set_cordon,
)

DOCUMENTATION = r"""
module: kafka_cordon
short_description: Cordon a broker, or end that
description:
  - Sets C(cordoned.log.dirs) of a broker to all its directories (KIP-1066), so that new partitions go to others, or
    removes that setting. What the broker holds stays there.
  - Needs C(metadata.version) 4.3-IV0 (30), and that the broker serves.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  broker_id: {description: The broker's id., type: int, required: true}
  state: {description: Whether it is cordoned., type: str, choices: [present, absent], default: present}
author: Crucible
"""

EXAMPLES = r"""
- name: Let broker 5 take no new partitions
  crucible.kafka.kafka_cordon:
    bootstrap_servers: [192.0.2.11:9092]
    broker_id: 5
  delegate_to: localhost
"""

RETURN = r"""
cordoned: {description: Whether the broker is cordoned now., type: bool, returned: success}
"""


def main() -> None:
    """Compare, and set."""
    module = admin_module(
        broker_id={"type": "int", "required": True},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    )
    node_id, wanted = module.params["broker_id"], module.params["state"] == "present"
    with fail_on_admin_error(module), endpoint(module).connect() as admin:
        now = cordoned(admin, [node_id])
        differs = now.get(node_id, False) is not True if wanted else node_id in now
        if differs and not module.check_mode:
            set_cordon(admin, node_id, ALL_DIRECTORIES if wanted else None)
    module.exit_json(changed=differs, cordoned=wanted)


if __name__ == "__main__":
    main()
