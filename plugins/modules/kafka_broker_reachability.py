#!/usr/bin/python
"""Ansible module: refuse to go on where the machine that asks the cluster cannot reach it."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

# Named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import firewall_networks as firewall_networks
from ansible_collections.crucible.kafka.plugins.module_utils.address import split_host_port
from ansible_collections.crucible.kafka.plugins.module_utils.broker_reachability import dial_all, problems

DOCUMENTATION = r"""
module: kafka_broker_reachability
short_description: Verify that this machine can reach the brokers
description:
  - Connects to each address and closes the connection. A port that refuses the connection is reached, one that does not
    answer is not.
options:
  servers: {description: 'The address, C(host:port), of each broker by its host.', type: dict, required: true}
  listener: {description: The listener's name., type: str, required: true}
  seen_as: {description: The address from which each host sees SSH come., type: dict, default: {}}
  admitted:
    description: Networks that the firewall is going to admit. Who comes from one of them is not refused yet.
    type: list
    elements: str
  timeout_s: {description: How long an answer may take., type: float, default: 10.0}
author: Crucible
"""

EXAMPLES = r"""
- name: Verify that this machine reaches the brokers
  crucible.kafka.kafka_broker_reachability:
    servers: {kafka1: 'kafka1.example.com:9092', kafka2: 'kafka2.example.com:9092'}
    listener: CLIENT
    seen_as: {kafka1: 192.0.2.1}
    admitted: [192.0.2.0/24]
  delegate_to: localhost
"""


def main() -> None:
    """Try all at once, and fail with every address that does not answer."""
    module = AnsibleModule(
        argument_spec={
            "servers": {"type": "dict", "required": True},
            "listener": {"type": "str", "required": True},
            "seen_as": {"type": "dict", "default": {}},
            "admitted": {"type": "list", "elements": "str"},
            "timeout_s": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    params = module.params
    for host, server in params["servers"].items():
        try:
            split_host_port(str(server))
        except ValueError as error:
            module.fail_json(msg=f"servers: {host}: {error}.")
    tried = dial_all(params["servers"], params["seen_as"], params["timeout_s"])
    if found := problems(tried, params["listener"], params["admitted"]):
        module.fail_json(msg="\n".join(found))
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
