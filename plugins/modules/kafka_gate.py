#!/usr/bin/python
"""Ansible module: hold a rolling change until the next broker may be stopped, or until the last one is back."""

from __future__ import annotations

import time

from ansible_collections.crucible.kafka.plugins.module_utils.admin import wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, answer_endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.gate import (
    BROKER,
    CONTROLLER,
    may_stop,
    recovered,
    unavoidable,
)
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

DOCUMENTATION = r"""
module: kafka_gate
short_description: Wait until a broker may be stopped, or has come back
description:
  - Before a stop, no partition with a replica on the broker may fall under its C(min.insync.replicas), and a majority
    of caught-up voters must remain without it. Partitions with no replica to spare can never pass and do not count.
  - After a start, the broker must answer, be unfenced, follow the metadata log and be in sync for all its replicas.
  - Fails with what is still missing when the time is over. In check mode it asks once, does not wait and does not fail.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  broker_id:
    description: The node's id.
    type: int
    required: true
  phase:
    description: Whether the node is about to be stopped, or has been started.
    type: str
    choices: [before, after]
    required: true
  process_roles:
    description: What the node is.
    type: list
    elements: str
    choices: [broker, controller]
    default: [broker]
  loses_vote:
    description: Whether the node is to be a controller no more, so that its vote is removed before it is stopped.
    type: bool
    default: false
  timeout_s:
    description: How long to wait.
    type: float
    default: 300.0
author: Crucible
"""

EXAMPLES = r"""
- name: Wait until broker 2 may be stopped
  crucible.kafka.kafka_gate:
    bootstrap_servers: [192.0.2.11:9092, 192.0.2.13:9092]
    broker_id: 2
    phase: before
  delegate_to: localhost
"""

RETURN = r"""
open: {description: Whether the gate is open., type: bool, returned: always}
reasons: {description: Why it is not., type: list, elements: str, returned: always}
unavoidable:
  description: Partitions that refuse acks=all while the broker is away, because they have no replica to spare.
  type: list
  elements: str
  returned: always
waited_s: {description: How long it took., type: float, returned: always}
"""


def main() -> None:
    """Poll until the gate opens."""
    module = admin_module(
        timeout_s=300.0,
        broker_id={"type": "int", "required": True},
        phase={"type": "str", "choices": ["before", "after"], "required": True},
        process_roles={"type": "list", "elements": "str", "choices": [BROKER, CONTROLLER], "default": [BROKER]},
        loses_vote={"type": "bool", "default": False},
    )
    cluster, node_id, phase = answer_endpoint(module), module.params["broker_id"], module.params["phase"]
    roles = module.params["process_roles"]
    no_spare: list[str] = []

    def reasons() -> list[str]:
        state = survey(cluster)
        no_spare[:] = [str(partition) for partition in unavoidable(state, node_id)]
        if phase == "before":
            return list(may_stop(state, node_id, module.params["loses_vote"]))
        broker = state.broker(node_id)
        answers = broker is not None and cluster.answers(broker)
        return list(recovered(state, node_id, roles, answers))

    began = time.monotonic()
    closed = wait_until(reasons, 0 if module.check_mode else module.params["timeout_s"])
    waited_s = round(time.monotonic() - began, 1)
    result = {"open": not closed, "reasons": closed, "unavoidable": no_spare, "waited_s": waited_s}
    if closed and not module.check_mode:
        what = "may not be stopped" if phase == "before" else "has not come back"
        who = "Broker" if BROKER in roles else "Controller"
        sentence = f"{who} {node_id} {what} after {waited_s:.0f} s of waiting: {'; '.join(closed)}."
        module.fail_json(msg=sentence, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
