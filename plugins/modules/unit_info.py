#!/usr/bin/python
"""Reads what a service was started with, so that a restart follows from state and not from a notification."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.unit import started_with

DOCUMENTATION = r"""
module: unit_info
short_description: Read the digest of what a systemd unit was started with
description: The unit carries it in its environment, as STARTED_WITH.
options:
  unit: {type: str, required: true, description: The systemd unit.}
author: [Crucible]
"""

RETURN = r"""
digest: {type: str, returned: always, description: The digest. None when there is no process.}
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"unit": {"type": "str", "required": True}}, supports_check_mode=True)
    module.exit_json(changed=False, digest=started_with(module, module.params["unit"]))


if __name__ == "__main__":
    main()
