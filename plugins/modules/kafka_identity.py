#!/usr/bin/python
"""Decides, for all hosts at once, which cluster they belong to and which data directory may be formatted."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.address import host_port
from ansible_collections.crucible.kafka.plugins.module_utils.identity import DataDir, Node, Refusal, plan

DOCUMENTATION = r"""
module: kafka_identity
short_description: Decide which cluster the hosts belong to and what has to be formatted
description: Runs on the controller, changes nothing, fails with every problem at once before any host is touched.
options:
  mode:
    description: Whether KRaft or ZooKeeper holds the metadata.
    type: str
    choices: [kraft, zookeeper]
    required: true
  members:
    description: 'Every host of the inventory: name, node_id, host, roles.'
    type: list
    elements: dict
    required: true
  controller_port: {description: Where controllers listen., type: int, required: true}
  found:
    description: What kafka_node_info found on each host that answered.
    type: list
    elements: dict
    required: true
  hosts_in_run: {description: The hosts that this run may change., type: list, elements: str, required: true}
  declared_id: {description: The inventory's cluster id., type: str, default: ''}
  quorum: {description: The quorum that kafka_cluster_info saw. None when no cluster answers., type: dict}
author: [Crucible]
"""

RETURN = r"""
cluster_id: {type: str, returned: success, description: The id all hosts have or are to get.}
initial_controllers: {type: str, returned: success, description: The first controllers, as kafka-storage takes them.}
steps: {type: dict, returned: success, description: 'For each host: format, evict, vote.'}
"""


def nodes(params: dict[str, Any]) -> list[Node]:
    """Return every host: what the inventory says of it, and what was found there if it answered."""
    silent = {"data_dirs": [], "recorded_id": "", "formed": False}
    found = {host["name"]: host for host in params["found"]}
    return [
        Node(
            name=member["name"],
            node_id=member["node_id"],
            roles=member["roles"],
            endpoint=host_port(member["host"], params["controller_port"]),
            data_dirs=[DataDir(**data_dir) for data_dir in found.get(member["name"], silent)["data_dirs"]],
            recorded_id=found.get(member["name"], silent)["recorded_id"],
            formed=found.get(member["name"], silent)["formed"],
            in_run=member["name"] in params["hosts_in_run"],
        )
        for member in params["members"]
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "mode": {"type": "str", "required": True, "choices": ["kraft", "zookeeper"]},
            "members": {"type": "list", "elements": "dict", "required": True},
            "controller_port": {"type": "int", "required": True},
            "found": {"type": "list", "elements": "dict", "required": True},
            "hosts_in_run": {"type": "list", "elements": "str", "required": True},
            "declared_id": {"type": "str", "default": ""},
            "quorum": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    quorum = module.params["quorum"]
    voters = None if quorum is None else {voter["node_id"]: voter["directory_id"] for voter in quorum["voters"]}
    try:
        decided = plan(
            module.params["mode"], nodes(module.params), module.params["declared_id"], voters, preview=module.check_mode
        )
    except Refusal as refusal:
        module.fail_json(msg=" ".join(map(str, refusal.args)), problems=list(refusal.args))
    module.exit_json(changed=False, **asdict(decided))


if __name__ == "__main__":
    main()
