#!/usr/bin/python
"""Ansible module: which clients asked the broker of this host by requests that a later release no longer serves."""

from __future__ import annotations

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
  after:
    description:
      - Where to begin in the journal of the host, the RV(cursor) of an earlier question. Without it nothing is read,
        and the answer says where the journal ends.
    type: str
    default: ''
author: Crucible
"""

EXAMPLES = r"""
- name: Read which clients have been too old for Kafka 4 since an earlier question
  crucible.kafka.kafka_old_clients_info:
    after: "{{ earlier.cursor }}"
"""

RETURN = r"""
cursor: {description: Where the journal of the host ends., type: str, returned: success}
requests:
  description: 'Each kind of such a request once: client_id, software, address, principal, request.'
  type: list
  elements: dict
  returned: success
"""


def main() -> None:
    """Read, and tell."""
    module = AnsibleModule(
        argument_spec={"unit": {"type": "str", "default": "kafka.service"}, "after": {"type": "str", "default": ""}},
        supports_check_mode=True,
    )
    journal = ["journalctl", "--no-pager", "--quiet", "--output=cat"]
    # Of the whole journal, for the unit may have nothing in it yet.
    shown = output(module, [*journal, "--lines=1", "--show-cursor"])
    cursor = shown.rpartition("-- cursor: ")[2].strip()
    after = module.params["after"]
    told = output(module, [*journal, f"--unit={module.params['unit']}", f"--after-cursor={after}"]) if after else ""
    module.exit_json(changed=False, cursor=cursor, requests=as_dicts(requests(told.splitlines())))


if __name__ == "__main__":
    main()
