#!/usr/bin/python
"""Ansible module: what a running Kafka process was started with that says who may do what."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# Those after access_health are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import acl_plan as acl_plan
from ansible_collections.crucible.kafka.plugins.module_utils import address as address
from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster
from ansible_collections.crucible.kafka.plugins.module_utils import listeners as listeners
from ansible_collections.crucible.kafka.plugins.module_utils.access_health import access_properties
from ansible_collections.crucible.kafka.plugins.module_utils.properties import parse

DOCUMENTATION = r"""
module: kafka_access_info
short_description: Read by what a running Kafka process decides who may do what
description:
  - Returns the properties about the authorizer, super users, listeners, and how those who connect are known. None of
    them is a secret, and no file with secrets is read.
  - Changes nothing.
options:
  path: {type: path, required: true, description: The properties with which the process was started.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Read who may do what on the node
  crucible.kafka.kafka_access_info:
    path: /run/kafka/server.properties
  register: found
"""

RETURN = r"""
properties:
  type: dict
  returned: always
  description: The properties by their names; none if no process runs.
"""


def main() -> None:
    """Read, and leave out what is about other things."""
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    path = Path(module.params["path"])
    properties = parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    module.exit_json(changed=False, properties=access_properties(properties))


if __name__ == "__main__":
    main()
