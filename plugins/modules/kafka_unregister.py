#!/usr/bin/python
"""Ansible module: take a drained node out of its cluster: its vote while it runs, its registration once it is down."""

from __future__ import annotations

from collections.abc import Callable

# Those that nothing here uses are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import gate as gate
from ansible_collections.crucible.kafka.plugins.module_utils import minimum_cost_flow as minimum_cost_flow
from ansible_collections.crucible.kafka.plugins.module_utils import reassignment_plan as reassignment_plan
from ansible_collections.crucible.kafka.plugins.module_utils import replica_placement as replica_placement
from ansible_collections.crucible.kafka.plugins.module_utils import replication_throttle as replication_throttle
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint, wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.broker_removal import (
    directory_id,
    forgets_controllers,
    not_drained,
    still_member,
    votes,
)
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    fail_on_admin_error,
)
from ansible_collections.crucible.kafka.plugins.module_utils.membership_admin import (
    remove_voter,
    unregister_broker,
    unregister_controller,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import reassigned
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_unregister
short_description: Take a node's vote, or unregister a broker
description:
  - Kafka checks nothing when it is told to forget a broker. This waits until the broker holds no replica and all
    partitions are in sync, and fails with what is missing when the time is over. For a registration the node must also
    have no vote, and be down.
  - With the broker's registration goes that of the controller with the same id, where the cluster can forget one
    (metadata.version 33, Kafka 4.4).
  - A node without a vote, or a broker that the cluster does not know, is left as it is.
  - In check mode it changes nothing.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  broker_id: {description: The node's id., type: int, required: true}
  what:
    description: What is taken from it.
    type: str
    choices: [vote, registration]
    required: true
  timeout_s:
    description: How long to wait until that may be done, and is done.
    type: float
    default: 60.0
author: Crucible
"""

EXAMPLES = r"""
- name: Let the cluster forget broker 5
  crucible.kafka.kafka_unregister:
    bootstrap_servers: [192.0.2.11:9092]
    broker_id: 5
    what: registration
  delegate_to: localhost
"""

RETURN = r"""
waited_for: {description: What was waited for at last., type: list, elements: str, returned: failure}
"""


def take(cluster: Endpoint, state: ClusterState, node_id: int, what: str) -> None:
    """Send the request to a cluster whose gate is open."""
    with cluster.connect() as admin:
        if what == "vote":
            remove_voter(admin, state.cluster_id, node_id, directory_id(state, node_id))
        else:
            unregister_broker(admin, node_id)


def forget_controller(cluster: Endpoint, state: ClusterState, node_id: int) -> bool:
    """Let the cluster forget what a controller without a vote supported, if it can; whether there was one."""
    if votes(state, node_id) or not forgets_controllers(state):
        return False
    with cluster.connect() as admin:
        return unregister_controller(admin, node_id)


def main() -> None:
    """Wait, send, and see that it is so."""
    module = admin_module(
        timeout_s=60.0,
        broker_id={"type": "int", "required": True},
        what={"type": "str", "choices": ["vote", "registration"], "required": True},
    )
    cluster, node_id, what = answer_endpoint(module), module.params["broker_id"], module.params["what"]
    gate_of: Callable[..., list[str]] = not_drained if what == "vote" else still_member
    timeout_s = module.params["timeout_s"]

    def has_it(state: ClusterState) -> bool:
        return votes(state, node_id) if what == "vote" else state.broker(node_id) is not None

    forgotten: list[bool] = []

    def remaining() -> list[str]:
        with cluster.connect() as admin:
            underway = reassigned(admin)
        state = survey(cluster)
        if has_it(state):
            if closed := gate_of(state, node_id, underway):
                return closed
            take(cluster, state, node_id, what)
            # A leader of the quorum that loses its vote goes on until the others have one.
            if has_it(survey(cluster)):
                return [f"node {node_id} still has its {what}"]
        if what == "registration":
            forgotten.append(forget_controller(cluster, state, node_id))
        return []

    with fail_on_admin_error(module):
        todo = has_it(survey(cluster))
        # What a controller supported is left where a run was cut short after it had unregistered the broker.
        asks = (todo or what == "registration") and not module.check_mode
        if asks and (reasons := wait_until(remaining, timeout_s)):
            raise AdminError(f"The {what} of node {node_id} was not removed: {'; '.join(reasons)}.")
    module.exit_json(changed=todo or any(forgotten))


if __name__ == "__main__":
    main()
