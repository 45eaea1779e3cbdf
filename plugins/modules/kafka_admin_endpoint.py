#!/usr/bin/python
"""Ansible module: by which listener, and where, the admin modules reach a cluster."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import (
    address as address,
)  # Named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import listeners as listeners
from ansible_collections.crucible.kafka.plugins.module_utils.listener_entry import (
    OPTIONS,
    declared_nodes,
    preferred_listeners,
    running_nodes,
)
from ansible_collections.crucible.kafka.plugins.module_utils.listener_plan import admin_endpoint, changes

DOCUMENTATION = r"""
module: kafka_admin_endpoint
short_description: Tell by which listener a cluster is asked
description:
  - The cluster is asked over a listener that its brokers run, which need not be one that the inventory declares.
  - While listeners are changed, the addresses before and after the change are both given. Connects to nothing.
  - Fails where O(client_options) cannot talk to what runs.
extends_documentation_fragment: [crucible.kafka.kafka_listeners]
options:
  client_protocol: {description: The security protocol that O(client_options) are for., type: str, default: PLAINTEXT}
  client_options:
    description: Names of the options in the admin client, no values.
    type: list
    elements: str
    default: []
author: Crucible
"""

EXAMPLES = r"""
- name: Choose the listener that the admin modules use
  crucible.kafka.kafka_admin_endpoint:
    members:
      - name: kafka1
        roles: [broker, controller]
        host: kafka1.example.com
        listeners:
          - {name: CLIENT, port: 9192, security_protocol: PLAINTEXT}
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
  register: endpoint
  delegate_to: localhost
"""

RETURN = r"""
listener: {description: The listener's name., type: str, returned: success}
bootstrap_servers: {description: Where it is reached., type: list, elements: str, returned: success}
client: {description: What is laid over the admin client's options., type: dict, returned: success}
running_servers: {description: Where each broker listens that runs., type: dict, returned: success}
changes: {description: What running nodes will be restarted for., type: list, elements: str, returned: success}
"""


def main() -> None:
    """Decide once for all hosts."""
    module = AnsibleModule(
        argument_spec={
            **OPTIONS,
            "client_protocol": {"type": "str", "default": "PLAINTEXT"},
            "client_options": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        running, declared = running_nodes(params), declared_nodes(params)
    except ValueError as error:
        module.fail_json(msg=str(error))
    chosen = admin_endpoint(
        running, declared, preferred_listeners(params), params["client_protocol"], params["client_options"]
    )
    if chosen.problem:
        module.fail_json(msg=f"kafka_admin_client: {chosen.problem}.")
    module.exit_json(
        listener=chosen.listener,
        bootstrap_servers=list(chosen.bootstrap_servers),
        client=dict(chosen.client),
        changes=changes(running, declared),
        running_servers={
            node.node: node.listeners[chosen.listener].address for node in running if chosen.listener in node.listeners
        },
    )


if __name__ == "__main__":
    main()
