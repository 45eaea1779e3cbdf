#!/usr/bin/python
"""Ansible module: let a broker lead again the partitions whose preferred leader it is, a few at first."""

from __future__ import annotations

import time

from ansible_collections.crucible.kafka.plugins.module_utils.admin import wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import listed
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    fail_on_admin_error,
)
from ansible_collections.crucible.kafka.plugins.module_utils.leadership import batches
from ansible_collections.crucible.kafka.plugins.module_utils.survey import elect_preferred, read_partitions

DOCUMENTATION = r"""
module: kafka_preferred_leader_election
short_description: Let a broker lead the partitions whose preferred leader it is
description:
  - Elects the preferred leader of one partition, then of two, of four and so on, and lets clients come to it before it
    goes on. A broker that was just started is slow at first, and so keeps few waiting.
  - Partitions for which the broker is not in sync are left as they are.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  broker_id:
    description: The broker's id.
    type: int
    required: true
  timeout_s:
    description: How long it may take until the broker leads them all.
    type: float
    default: 300.0
  pause_s:
    description:
      - How long clients get to find the new leaders before the next step. They learn of them when their next request
        is refused, and ask again after their C(retry.backoff.ms), by default 0.1 s.
    type: float
    default: 0.3
author: Crucible
"""

EXAMPLES = r"""
- name: Let broker 2 lead again
  crucible.kafka.kafka_preferred_leader_election:
    bootstrap_servers: [192.0.2.11:9092, 192.0.2.13:9092]
    broker_id: 2
  delegate_to: localhost
"""

RETURN = r"""
partitions: {description: What the broker leads now and did not before., type: list, elements: str, returned: success}
"""


def main() -> None:
    """Elect in steps, and see at the end that it leads."""
    module = admin_module(
        timeout_s=300.0, broker_id={"type": "int", "required": True}, pause_s={"type": "float", "default": 0.3}
    )
    cluster, node_id = answer_endpoint(module), module.params["broker_id"]
    with fail_on_admin_error(module), cluster.connect() as admin:
        steps = list(batches(read_partitions(admin), node_id))
        for step in steps if not module.check_mode else ():
            elect_preferred(admin, step)
            time.sleep(module.params["pause_s"])  # A pace: nobody can see that all clients have come.
    taken = [partition.name for step in steps for partition in step]

    def reasons() -> list[str]:
        with cluster.connect() as admin:
            left = [each for step in batches(read_partitions(admin), node_id) for each in step if each.name in taken]
            elect_preferred(admin, left)
        return [each.name for each in left]

    if taken and not module.check_mode and (left := wait_until(reasons, module.params["timeout_s"])):
        module.fail_json(msg=f"Broker {node_id} was elected and does not lead: {listed(left)}.")
    module.exit_json(changed=bool(taken), partitions=taken)


if __name__ == "__main__":
    main()
