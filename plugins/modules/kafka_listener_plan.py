#!/usr/bin/python
"""Ansible module: refuse a change of listeners that one roll of a running cluster cannot make safely."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import (
    address as address,
)  # Named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import listeners as listeners
from ansible_collections.crucible.kafka.plugins.module_utils.listener_entry import (
    OPTIONS,
    declared_nodes,
    running_nodes,
)
from ansible_collections.crucible.kafka.plugins.module_utils.listener_plan import (
    AdminEndpoint,
    Quorum,
    State,
    changes,
    refusals,
    sequence,
)

DOCUMENTATION = r"""
module: kafka_listener_plan
short_description: Judge a change of listeners on a running cluster
description:
  - While nodes restart one at a time, some run as before and some as declared; any two of them must be able to talk.
  - Fails with every reason why they could not, and with the declarations that lead there, one run of site.yml each.
extends_documentation_fragment: [crucible.kafka.kafka_listeners]
options:
  asked_listener: {description: The listener by which the cluster is asked now., type: str, required: true}
  quorum: {description: What M(crucible.kafka.kafka_cluster_info) says of the controllers., type: dict}
  kraft_version: {description: The quorum's finalised kraft.version., type: int, default: 0}
author: Crucible
"""

EXAMPLES = r"""
- name: Refuse a change of listeners that is not safe
  crucible.kafka.kafka_listener_plan:
    members:
      - name: kafka1
        roles: [broker, controller]
        host: kafka1.example.com
        listeners:
          - {name: CLIENT, port: 9092, security_protocol: SSL}
          - {name: CONTROLLER, port: 9093, security_protocol: PLAINTEXT}
    running:
      - name: kafka1
        process:
          properties:
            listeners: CLIENT://:9092,CONTROLLER://:9093
            listener.security.protocol.map: CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
            inter.broker.listener.name: CLIENT
            controller.listener.names: CONTROLLER
            process.roles: broker,controller
    inter_broker_listener: CLIENT
    controller_listeners: [CONTROLLER]
    admin_listener: CLIENT
    asked_listener: CLIENT
  delegate_to: localhost
"""

RETURN = r"""
changes: {description: What running nodes will be restarted for., type: list, elements: str, returned: success}
sequence: {description: 'Declarations, each of which is one safe roll.', type: list, elements: dict, returned: failure}
"""


def quorum(told: dict[str, Any] | None, kraft_version: int) -> Quorum | None:
    """What M(crucible.kafka.kafka_cluster_info) found; None where there are no controllers, or nobody answered."""
    if told is None:
        return None
    known = told.get("listeners") or {}
    return Quorum(kraft_version > 0, {int(node_id): names for node_id, names in known.items()})


def numbered(states: list[State]) -> str:
    """The declarations as an operator reads them."""
    lines = []
    for number, state in enumerate(states, start=1):
        said = "; ".join(f"{variable}: {value}" for variable, value in state.variables().items())
        lines.append(f"  {number}. {said}")
    return "\n".join(lines)


def main() -> None:
    """Judge, and fail with every reason."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "asked_listener": {"type": "str", "required": True},
            "quorum": {"type": "dict"},
            "kraft_version": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        running, declared = running_nodes(params), declared_nodes(params)
    except ValueError as error:
        module.fail_json(msg=str(error))
    asked = AdminEndpoint(params["asked_listener"], (), {})
    controllers = quorum(params["quorum"], params["kraft_version"])
    if found := refusals(running, declared, asked, controllers):
        steps = sequence(running, declared, params["admin_listener"], params["asked_listener"])
        lines = ["Nothing was changed. The listeners cannot be changed by one rolling restart:"]
        lines += [f"  {refusal}" for refusal in found]
        if len(steps) > 1 or (steps and any(name not in declared_names(params) for name in steps[-1].listeners)):
            lines += ["Declare this instead, one run of site.yml for each:", numbered(steps)]
        module.fail_json(msg="\n".join(lines), sequence=[state.variables() for state in steps])
    module.exit_json(changes=changes(running, declared))


def declared_names(params: dict[str, Any]) -> set[str]:
    """The names of all declared listeners."""
    return {str(entry["name"]) for member in params["members"] for entry in member["listeners"]}


if __name__ == "__main__":
    main()
