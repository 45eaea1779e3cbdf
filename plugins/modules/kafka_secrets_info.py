#!/usr/bin/python
"""Ansible module: which declared secrets a running Kafka process was not started with. No value leaves the host."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.node_login import unacceptable_logins
from ansible_collections.crucible.kafka.plugins.module_utils.properties import changed_keys, parse

DOCUMENTATION = r"""
module: kafka_secrets_info
short_description: Tell which secrets a Kafka process was not started with
description:
  - Compares the declared secrets with those that the unit copied when it started the process, on the host itself.
  - Changes nothing and returns keys only, neither values nor digests of them.
options:
  path: {type: path, required: true, description: Where the unit copies the secrets with which it starts.}
  secrets: {type: dict, required: true, description: The declared secrets by key.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Compare the secrets with those of the running process
  crucible.kafka.kafka_secrets_info:
    path: /run/kafka/secrets.properties
    secrets: {ssl.keystore.password: "{{ kafka_keystore_password }}"}
  register: secrets_info
  no_log: true
"""

RETURN = r"""
changed_secrets:
  type: list
  elements: str
  returned: always
  description: The keys whose value is another, that are new, or that are no longer declared.
unacceptable_logins:
  type: list
  elements: str
  returned: always
  description: The keys whose change would let nodes refuse each other until the last of them has been restarted.
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "secrets": {"type": "dict", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    started_with = parse(path.read_text(encoding="utf-8")) if path.exists() else {}
    declared = {key: str(value) for key, value in module.params["secrets"].items()}
    module.exit_json(
        changed=False,
        changed_secrets=changed_keys(started_with, declared),
        unacceptable_logins=list(unacceptable_logins(started_with, declared)),
    )


if __name__ == "__main__":
    main()
