#!/usr/bin/python
"""Ansible module: the order in which to change the nodes of a running cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, endpoint, fail_on_admin_error
from ansible_collections.crucible.kafka.plugins.module_utils.rolling_restart_order import (
    rolling_restart_order,
    without_a_spare,
)
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_rolling_restart_order
short_description: Order nodes for a rolling restart
description:
  - Nodes that are down come first, for their repair costs nothing; then those that become controllers.
  - Then come the controllers, the active one last of them, then brokers and combined nodes, that one last that is the
    active controller. So one election is enough. Those that are controllers no more lose their votes at the end.
  - With O(newcomers_last) the nodes that the cluster has never seen come after all others, as those that run have to
    know them first where an authorizer runs.
  - Fails where only two controllers vote and one of them is to be restarted, because each is needed for a majority.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  nodes:
    description: 'The nodes to be restarted: node_id and roles of each.'
    type: list
    elements: dict
    required: true
  newcomers_last:
    description: Whether nodes that the cluster has never seen come last.
    type: bool
    default: false
author: Crucible
"""

EXAMPLES = r"""
- name: Order the brokers
  crucible.kafka.kafka_rolling_restart_order:
    bootstrap_servers: [192.0.2.11:9092]
    nodes: [{node_id: 1, roles: [broker]}, {node_id: 101, roles: [controller]}]
  register: plan
  delegate_to: localhost
"""

RETURN = r"""
order: {description: The nodes' ids in the order to follow., type: list, elements: int, returned: success}
"""


def node_roles(node: Mapping[str, Any]) -> tuple[int, tuple[str, ...]]:
    """A node's id and roles.

    Raises:
        KeyError, TypeError, ValueError: One of them is missing, or of another type.
    """
    if not isinstance(node["roles"], list):
        raise TypeError(f"roles: {node['roles']}")
    return int(node["node_id"]), tuple(node["roles"])


def main() -> None:
    """Ask once and sort."""
    module = admin_module(
        nodes={"type": "list", "elements": "dict", "required": True},
        newcomers_last={"type": "bool", "default": False},
    )
    newcomers_last = module.params["newcomers_last"]
    try:
        roles = dict(map(node_roles, module.params["nodes"]))
    except (KeyError, TypeError, ValueError) as error:
        module.fail_json(msg=f"nodes: each needs a node_id (a number) and roles (a list): {error!r}.")
    with fail_on_admin_error(module):
        state = survey(endpoint(module))
    if refusal := without_a_spare(state, roles, newcomers_last):
        module.fail_json(msg=refusal)
    module.exit_json(order=rolling_restart_order(state, roles, newcomers_last))


if __name__ == "__main__":
    main()
