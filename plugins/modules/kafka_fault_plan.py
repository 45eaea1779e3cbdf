#!/usr/bin/python
"""Ansible module: whom a fault hits, and whether the cluster may be asked to bear it; also the gate after the fault."""

from __future__ import annotations

import time

from ansible_collections.crucible.kafka.plugins.module_utils.admin import wait_until
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    answer_endpoint,
    fail_on_admin_error,
)
from ansible_collections.crucible.kafka.plugins.module_utils.fault_plan import (
    BROKER,
    CONTROLLER,
    REPLICATION,
    ZOOKEEPER,
    choose,
    exceeds,
    unhealthy,
)
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey, unresponsive_brokers

DOCUMENTATION = r"""
module: kafka_fault_plan
short_description: Decide whom a fault hits
description:
  - Waits until the cluster is healthy, then chooses the hosts that the targets stand for.
  - Fails when the cluster is not healthy in time, a target stands for no host, or the fault is more than it bears.
  - Without targets it only waits for health.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  nodes: {type: dict, required: true, description: Each host's node id.}
  brokers: {type: list, elements: int, required: true, description: The node ids of those that are brokers.}
  targets: {type: list, elements: str, default: [], description: 'Hosts, or selectors: leader, follower, controller.'}
  partition: {type: str, default: '', description: The partition that leader and follower refer to; any if empty.}
  breaks:
    description: What stops working on the hosts.
    type: list
    elements: str
    choices: [broker, replication, controller, zookeeper]
    default: []
  zookeeper: {type: dict, default: {}, description: 'What each member of the ensemble is: leader or follower.'}
  on_top: {type: bool, default: false, description: 'Whether something is broken already: nobody waits for health.'}
  expect_unavailable: {type: bool, default: false, description: Whether more may be broken than the cluster bears.}
  timeout_s: {type: float, default: 10.0, description: How long to wait for health.}
author: Crucible
"""

EXAMPLES = r"""
- name: Choose the leader of orders-0
  crucible.kafka.kafka_fault_plan:
    bootstrap_servers: [192.0.2.11:9092]
    nodes: {kafka1: 1, kafka2: 2, kafka3: 3}
    brokers: [1, 2, 3]
    targets: [leader]
    partition: orders-0
    breaks: [broker]
  register: plan
  delegate_to: localhost
"""

RETURN = r"""
hosts: {description: The hosts that are hit., type: list, elements: str, returned: success}
healthy_at: {description: 'When that was seen, in seconds since the epoch.', type: float, returned: success}
"""


def node_id(host: str, told: object) -> int:
    """The node id of a host.

    Raises:
        ValueError: It is no number; the message says of which host.
    """
    if not str(told).isdecimal():
        raise ValueError(f"{host}: {told!r} is no node id")
    return int(str(told))


def main() -> None:
    """Wait for health, choose, refuse."""
    module = admin_module(
        timeout_s=10.0,
        nodes={"type": "dict", "required": True},
        brokers={"type": "list", "elements": "int", "required": True},
        targets={"type": "list", "elements": "str", "default": []},
        partition={"type": "str", "default": ""},
        breaks={
            "type": "list",
            "elements": "str",
            "choices": [BROKER, REPLICATION, CONTROLLER, ZOOKEEPER],
            "default": [],
        },
        zookeeper={"type": "dict", "default": {}},
        on_top={"type": "bool", "default": False},
        expect_unavailable={"type": "bool", "default": False},
    )
    cluster, given = answer_endpoint(module), module.params
    try:
        nodes = {host: node_id(host, told) for host, told in given["nodes"].items()}
    except ValueError as error:
        module.fail_json(msg=f"nodes: {error}.")

    def reasons() -> list[str]:
        state = survey(cluster)
        sick: list[str] = unhealthy(state, given["brokers"], unresponsive_brokers(cluster, state))
        return sick

    if not given["on_top"] and (remaining := wait_until(reasons, given["timeout_s"])):
        module.fail_json(msg=f"The cluster is not healthy: {'; '.join(remaining)}.")
    healthy_at = time.time()
    with fail_on_admin_error(module):
        state = survey(cluster)
    try:
        hosts = choose(state, given["targets"], nodes, given["partition"], given["zookeeper"])
    except ValueError as error:
        module.fail_json(msg=str(error))
    if others := [host for host in hosts if host not in nodes]:
        module.fail_json(msg=f"nodes: {', '.join(others)} is not among the hosts {', '.join(nodes)}.")
    excess = exceeds(state, [nodes[host] for host in hosts], given["breaks"], len(given["zookeeper"]))
    if excess and not given["expect_unavailable"]:
        module.fail_json(
            msg=f"Refused, since with {', '.join(hosts)} broken {'; '.join(excess)}."
            " Set fault_expect_unavailable if that is what you want to see."
        )
    module.exit_json(hosts=hosts, healthy_at=healthy_at)


if __name__ == "__main__":
    main()
