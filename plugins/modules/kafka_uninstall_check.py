#!/usr/bin/python
"""Ansible module: refuse to remove nodes that their cluster still needs (module_utils/uninstall.py decides)."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey
from ansible_collections.crucible.kafka.plugins.module_utils.uninstall import still_needed

DOCUMENTATION = r"""
module: kafka_uninstall_check
short_description: Refuse to remove nodes that their cluster still needs
description:
  - Fails while a node holds a replica or has a vote, if it is all that is left of the cluster, or if no broker answers.
  - Changes nothing.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  node_ids: {description: The nodes that are to be removed., type: list, elements: int, required: true}
author: Crucible
"""

EXAMPLES = r"""
- name: Refuse to remove broker 3 while the cluster needs it
  crucible.kafka.kafka_uninstall_check:
    bootstrap_servers: [192.0.2.11:9092, 192.0.2.12:9092]
    node_ids: [3]
  delegate_to: localhost
"""

RETURN = r"""
reasons: {description: Why the cluster needs the nodes., type: list, elements: str, returned: always}
"""


def main() -> None:
    """Ask the cluster once."""
    module = admin_module(node_ids={"type": "list", "elements": "int", "required": True})
    try:
        reasons = still_needed(survey(endpoint(module)), module.params["node_ids"])
    except AdminError as error:
        reasons = [f"the cluster does not tell whether it needs the nodes: {str(error).removesuffix('.')}"]
        way_on = "Let a broker answer first, or remove the nodes regardless"
    else:
        way_on = "Move replicas and votes away first, or say that they may be lost"
    if reasons:
        module.fail_json(
            msg=f"Nothing was removed: {'; '.join(reasons)}. {way_on} with uninstall_needed=yes.", reasons=reasons
        )
    module.exit_json(reasons=reasons)


if __name__ == "__main__":
    main()
