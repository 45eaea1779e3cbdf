#!/usr/bin/python
"""Ansible module: what a Kafka cluster says of itself, as facts for other tasks to decide on."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, refusal
from ansible_collections.crucible.kafka.plugins.module_utils.cluster_summary import NOTHING, summary
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, answer_endpoint, endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey, unresponsive_brokers

DOCUMENTATION = r"""
module: kafka_cluster_info
short_description: Tell the state of a Kafka cluster
description:
  - Asks a running cluster for its brokers, controllers, feature levels and partitions, without starting a JVM.
    A broker that cannot tell, or is behind in the metadata log, is passed over for the next.
  - A cluster that does not answer is an answer too, O(reachable=false) with the reason.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  ask_each:
    description: Whether to ask each broker itself too; the cluster believes in a dead one for a while.
    type: bool
    default: false
author: Crucible
"""

EXAMPLES = r"""
- name: Ask the cluster for its state
  crucible.kafka.kafka_cluster_info:
    bootstrap_servers: [192.0.2.11:9092, 192.0.2.12:9092]
  register: cluster
  delegate_to: localhost
"""

RETURN = r"""
reachable: {description: Whether any broker could tell., type: bool, returned: always}
reason: {description: Why none did., type: str, returned: always}
refusal:
  description: 'What to change where brokers run and do not let the client in: its login, its TLS or its user.'
  type: str
  returned: always
cluster_id: {description: The cluster's id., type: str, returned: always}
release: {description: 'The release that brokers speak, such as 4.3.', type: str, returned: always}
brokers: {description: 'node_id, host, port, fenced and rack of each.', type: list, returned: always}
controller_id: {description: The active controller., type: int, returned: always}
quorum:
  description: V(leader_id), V(high_watermark), V(listeners) by voter, V(voters) and V(observers), or null.
  type: dict
  returned: always
features: {description: 'By name: finalized, min, max, raisable.', type: dict, returned: always}
topics: {description: 'Partitions, replication_factor and min_isr by name.', type: dict, returned: always}
under_replicated: {description: Partitions with a replica that is not in sync., type: list, returned: always}
under_min_isr: {description: Partitions that refuse acks=all., type: list, returned: always}
offline: {description: Partitions without a leader., type: list, returned: always}
serving:
  description: Brokers that are unfenced and, with O(ask_each=true), answer on their own port.
  type: list
  returned: always
behind: {description: Nodes that lag behind somebody., type: list, returned: always}
member_hosts:
  description: The hosts by which the cluster knows its brokers and voters, declared or not.
  type: list
  returned: always
"""


def main() -> None:
    """Ask; never fails for a cluster that is not there."""
    module = admin_module(ask_each={"type": "bool", "default": False})
    try:
        state = survey(endpoint(module))
    except AdminError as error:
        module.exit_json(reachable=False, reason=str(error), refusal=refusal(error), **NOTHING)
    away = unresponsive_brokers(answer_endpoint(module), state) if module.params["ask_each"] else []
    module.exit_json(reachable=True, reason="", refusal="", **summary(state, away))


if __name__ == "__main__":
    main()
