#!/usr/bin/python
"""Ansible module: tell whether a broker may be taken out of its cluster for good."""

from __future__ import annotations

# Those that nothing here uses are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import gate as gate
from ansible_collections.crucible.kafka.plugins.module_utils import minimum_cost_flow as minimum_cost_flow
from ansible_collections.crucible.kafka.plugins.module_utils import reassignment_plan as reassignment_plan
from ansible_collections.crucible.kafka.plugins.module_utils import replica_placement as replica_placement
from ansible_collections.crucible.kafka.plugins.module_utils import replication_throttle as replication_throttle
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.broker_removal import (
    cordons,
    known,
    not_drained,
    notes,
    refusals,
    targets,
    votes,
)
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    fail_on_admin_error,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import (
    cordoned,
    read_placements,
    reassigned,
)
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_removal_check
short_description: Tell whether a broker may be taken out of its cluster
description:
  - Before anything is touched, it fails where the brokers that remain cannot hold what the broker holds (replication
    factors, racks), where the controllers need it, or where the cluster is not healthy for another reason than that the
    broker is down.
  - After the drain it waits until the broker holds no replica, none is on its way to it, all partitions are in sync,
    and the controllers can do without its vote; it fails with what is missing when the time is over.
  - Changes nothing.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  broker_id: {description: The broker's id., type: int, required: true}
  phase:
    description: Whether the removal is about to begin, or the broker has been drained.
    type: str
    choices: [before, drained]
    required: true
  releases:
    description: The exact release that the process of each node runs, by the node's id; empty where it is not known.
    type: dict
    default: {}
  declared:
    description: Whether a host of the inventory has the node's id, so that its process can be stopped.
    type: bool
    default: true
  fewer_racks: {description: Whether replicas may lie in fewer racks than now., type: bool, default: false}
  fewer_controllers:
    description: Whether so few controllers may be left that none of them may fail.
    type: bool
    default: false
  timeout_s:
    description: How long to wait for a drained broker.
    type: float
    default: 60.0
author: Crucible
"""

EXAMPLES = r"""
- name: Refuse to remove broker 5 if the others cannot take over
  crucible.kafka.kafka_removal_check:
    bootstrap_servers: [192.0.2.11:9092]
    broker_id: 5
    phase: before
  delegate_to: localhost
"""

RETURN = r"""
known: {description: Whether the cluster knows the node., type: bool, returned: success}
registered: {description: Whether it is a registered broker., type: bool, returned: success}
serves: {description: Whether the broker serves., type: bool, returned: success}
votes: {description: Whether it votes in the quorum., type: bool, returned: success}
cordons: {description: Whether it can be cordoned., type: bool, returned: success}
notes: {description: What the removal leaves behind., type: list, elements: str, returned: success}
"""


def main() -> None:
    """Ask, and judge."""
    module = admin_module(
        timeout_s=60.0,
        broker_id={"type": "int", "required": True},
        phase={"type": "str", "choices": ["before", "drained"], "required": True},
        releases={"type": "dict", "default": {}},
        declared={"type": "bool", "default": True},
        fewer_racks={"type": "bool", "default": False},
        fewer_controllers={"type": "bool", "default": False},
    )
    releases = {int(node): release for node, release in module.params["releases"].items()}
    cluster, node_id = answer_endpoint(module), module.params["broker_id"]

    def reasons() -> list[str]:
        with cluster.connect() as admin:
            underway = reassigned(admin)
        return not_drained(survey(cluster), node_id, underway)

    with fail_on_admin_error(module):
        state = survey(cluster)
        if module.params["phase"] == "drained" and not module.check_mode:
            if left := wait_until(reasons, module.params["timeout_s"]):
                raise AdminError(f"Broker {node_id} is not drained, and was not stopped: {'; '.join(left)}.")
        elif module.params["phase"] == "before" and known(state, node_id):
            serving = [broker.node_id for broker in state.brokers if not broker.fenced]
            with cluster.connect() as admin:
                where = targets(state, node_id, [node for node, whole in cordoned(admin, serving).items() if whole])
                placements, underway = read_placements(admin, state), reassigned(admin)
            accepted = {name: module.params[name] for name in ("fewer_racks", "fewer_controllers", "declared")}
            if sentences := refusals(state, node_id, placements, where, underway, releases, **accepted):
                raise AdminError(f"Nothing was touched. {' '.join(sentences)}")
    module.exit_json(
        changed=False,
        known=known(state, node_id),
        registered=state.broker(node_id) is not None,
        serves=state.serves(node_id),
        votes=votes(state, node_id),
        cordons=cordons(state, node_id),
        notes=notes(state, node_id, releases.get(node_id, "")),
    )


if __name__ == "__main__":
    main()
