#!/usr/bin/python
"""Ansible module: which clients asked the broker of this host by requests that a later release no longer serves."""

from __future__ import annotations

import math

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster  # For mitogen.
from ansible_collections.crucible.kafka.plugins.module_utils.command import output
from ansible_collections.crucible.kafka.plugins.module_utils.old_clients import as_dicts, requests

DOCUMENTATION = r"""
module: kafka_old_clients_info
short_description: Read which clients sent requests that a later release of Kafka no longer serves
description:
  - Reads in the journal what the broker of this host has logged of requests that Kafka 4.0 has dropped (KIP-896). It
    logs them where the level of its C(kafka.request.logger) is INFO; see M(crucible.kafka.kafka_logger_level).
  - Changes nothing.
options:
  unit: {description: The systemd unit., type: str, default: kafka.service}
  seconds: {description: How far back the journal is read., type: float, required: true}
author: Crucible
"""

EXAMPLES = r"""
- name: Read which clients are too old for Kafka 4
  crucible.kafka.kafka_old_clients_info:
    seconds: 10
"""

RETURN = r"""
requests:
  description: 'Each kind of such a request once: client_id, software, address, principal, request.'
  type: list
  elements: dict
  returned: success
"""


def main() -> None:
    """Read, and tell."""
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "default": "kafka.service"},
            "seconds": {"type": "float", "required": True},
        },
        supports_check_mode=True,
    )
    since = f"--since=-{math.ceil(module.params['seconds'])}s"
    told = output(
        module, ["journalctl", "--unit", module.params["unit"], "--no-pager", "--quiet", "--output=cat", since]
    )
    module.exit_json(changed=False, requests=as_dicts(requests(told.splitlines())))


if __name__ == "__main__":
    main()
