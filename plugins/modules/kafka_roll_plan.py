#!/usr/bin/python
"""Ansible module: the order in which to change the nodes of a running cluster."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, endpoint, one_sentence
from ansible_collections.crucible.kafka.plugins.module_utils.roll_order import roll_order
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_roll_plan
short_description: Order nodes for a rolling change
description:
  - Nodes that are down come first, for repairing them costs nothing.
  - The active controller comes last, so that one election is enough.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  node_ids:
    description: The nodes to be changed.
    type: list
    elements: int
    required: true
author: Crucible
"""

EXAMPLES = r"""
- name: Order the brokers
  kafka_roll_plan:
    bootstrap_servers: [192.0.2.11:9092]
    node_ids: [1, 2, 3]
  register: plan
  delegate_to: localhost
"""

RETURN = r"""
order: {description: The same ids in the order to follow., type: list, elements: int, returned: success}
"""


def main() -> None:
    """Ask once and sort."""
    module = admin_module(node_ids={"type": "list", "elements": "int", "required": True})
    with one_sentence(module):
        state = survey(endpoint(module))
    module.exit_json(order=roll_order(state, module.params["node_ids"]))


if __name__ == "__main__":
    main()
