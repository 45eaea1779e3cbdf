#!/usr/bin/python
"""Ansible module: move some partitions to other brokers under a throttle, or finish what an earlier run has begun."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils import minimum_cost_flow as minimum_cost_flow
from ansible_collections.crucible.kafka.plugins.module_utils import replica_placement as replica_placement
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import listed
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    fail_on_admin_error,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import (
    cancel,
    move,
    never_done,
    read_throttle,
    reassigned,
    remove_throttle,
    wait_for_reassigned,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_plan import MB, Move
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_reassignment
short_description: Move partitions to other brokers, or finish what an earlier run has begun
description:
  - Makes the moves of one batch at the same time, and waits until all new replicas are in sync. The throttle is set
    for what this batch copies, and removed at the end of it, however it ends. What is not done in time is cancelled.
  - Without O(moves) it waits for all that is being reassigned and then removes a throttle that was left behind. What
    would lie on a broker that is down, or on O(drain), is cancelled.
  - In check mode it changes nothing.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  moves:
    description: The moves, as kafka_reassignment_plan returns them.
    type: list
    elements: dict
    default: []
  drain: {description: A broker that is to be emptied., type: int}
  throttle_bytes_per_second:
    description: How fast each broker copies. 0 means as fast as it can.
    type: int
    default: 0
  timeout_s:
    description: How long the moves may take.
    type: float
    default: 3600.0
author: Crucible
"""

EXAMPLES = r"""
- name: Finish what an earlier run has begun
  crucible.kafka.kafka_reassignment:
    bootstrap_servers: [192.0.2.11:9092]
  delegate_to: localhost
"""

RETURN = r"""
finished: {description: 'What was still being reassigned, without O(moves).', type: list, returned: success}
throttle_removed: {description: Where a throttle was left behind., type: str, returned: success}
msg: {description: What was done., type: str, returned: success}
"""


def main() -> None:
    """Move, or finish."""
    module = admin_module(
        timeout_s=3600.0,
        drain={"type": "int"},
        moves={"type": "list", "elements": "dict", "default": []},
        throttle_bytes_per_second={"type": "int", "default": 0},
    )
    cluster, timeout_s = answer_endpoint(module), module.params["timeout_s"]
    moves = [
        Move(each["topic"], each["partition"], tuple(each["before"]), tuple(each["after"]), each["size_bytes"])
        for each in module.params["moves"]
    ]
    if moves:
        with fail_on_admin_error(module):
            if not module.check_mode:
                move(cluster, moves, module.params["throttle_bytes_per_second"], timeout_s)
        copied = sum(each.moved_bytes for each in moves)
        module.exit_json(changed=True, msg=f"{len(moves)} partitions moved, {copied / MB:.1f} MB.")
    with fail_on_admin_error(module):
        serving = [broker.node_id for broker in survey(cluster).brokers if not broker.fenced]
        with cluster.connect() as admin:
            found = reassigned(admin)
        underway = [f"{topic}-{index}" for topic, index in found]
        if not module.check_mode:
            cancel(cluster, never_done(found, serving, module.params["drain"]))
        if underway and not module.check_mode and (left := wait_for_reassigned(cluster, timeout_s)):
            raise AdminError(f"After {timeout_s:.0f} s these partitions are still being reassigned: {listed(left)}.")
        with cluster.connect() as admin:
            throttle = read_throttle(admin, serving)
            if not module.check_mode:
                remove_throttle(admin, throttle)
    module.exit_json(
        changed=bool(underway or throttle),
        finished=underway,
        throttle_removed=str(throttle) if throttle else "",
        msg=f"Finished {listed(underway)}." if underway else "Nothing was being reassigned.",
    )


if __name__ == "__main__":
    main()
