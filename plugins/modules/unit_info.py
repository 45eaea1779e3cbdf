#!/usr/bin/python
"""Reads what a service was started with, so that a restart follows from state and not from a notification."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils.unit import running

DOCUMENTATION = r"""
module: unit_info
short_description: Read the digests of what a systemd unit was started with
description: The unit carries them in its environment, as CONFIG_SHA256.
options:
  unit: {type: str, required: true, description: The systemd unit.}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Read what the broker was started with
  crucible.kafka.unit_info:
    unit: kafka
  register: kafka_unit
"""

RETURN = r"""
digests: {type: dict, returned: always, description: The digests by file. None when there is no process.}
release: {type: str, returned: always, description: 'The release that the process runs, empty for none.'}
"""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"unit": {"type": "str", "required": True}}, supports_check_mode=True)
    found = running(module, module.params["unit"])
    module.exit_json(changed=False, digests=found.digests if found else None, release=found.release if found else "")


if __name__ == "__main__":
    main()
