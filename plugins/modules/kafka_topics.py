#!/usr/bin/python
"""Ansible module: topics as code, planned as a whole before anything is done."""

from __future__ import annotations

from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import topic_plan
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    endpoint,
    fail_on_admin_error,
    line_diff,
)
from ansible_collections.crucible.kafka.plugins.module_utils.server_properties import strings
from ansible_collections.crucible.kafka.plugins.module_utils.topic_admin import carry_out, read_topics, wait_for

DOCUMENTATION = r"""
module: kafka_topics
short_description: Create, grow, configure and delete topics
description:
  - Compares all declared topics with the cluster, refuses everything that cannot be done before anything is done, then
    carries out the rest in a few requests and waits until every new partition has a leader.
  - Partitions are only added. A replication factor is not changed, which a reassignment would do.
  - In check mode Kafka validates the plan, and O(ignore:--diff) shows it.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  topics:
    description: The topics.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: The topic's name., type: str, required: true}
      partitions: {description: How many partitions it has at least; more are added., type: int}
      replication_factor: {description: How many brokers hold each partition., type: int}
      config:
        description: Settings of the topic, on top of O(config); null takes one of those away.
        type: dict
        default: {}
      state: {description: Only V(absent) deletes., type: str, choices: [present, absent], default: present}
  partitions:
    description: Of a topic that does not say.
    type: int
    default: 1
  replication_factor:
    description: Of a topic that does not say.
    type: int
    default: 3
  config:
    description: Settings of every topic that does not say otherwise.
    type: dict
    default: {}
  exact_config:
    description: Whether a setting of a topic that is not declared is reset to the brokers' default.
    type: bool
    default: true
  timeout_s:
    description: How long one request may take, and new partitions to get a leader.
    type: float
    default: 60.0
author: Crucible
"""

EXAMPLES = r"""
- name: Declare the shop's topics
  crucible.kafka.kafka_topics:
    bootstrap_servers: [192.0.2.11:9092]
    config: {min.insync.replicas: 2}
    topics:
      - {name: orders, partitions: 3}
      - {name: old-orders, state: absent}
  delegate_to: localhost
"""

RETURN = r"""
created: {description: Names of new topics., type: list, returned: success}
grown: {description: New number of partitions by name., type: dict, returned: success}
reconfigured: {description: 'Changed settings by name, null for a reset one.', type: dict, returned: success}
deleted: {description: Names of deleted topics., type: list, returned: success}
"""

TOPIC = {
    "name": {"type": "str", "required": True},
    "partitions": {"type": "int"},
    "replication_factor": {"type": "int"},
    "config": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def declared(topic: dict[str, Any], params: dict[str, Any]) -> topic_plan.Topic:
    """A declared topic, completed by the module's defaults."""
    number = {key: params[key] if topic[key] is None else topic[key] for key in ("partitions", "replication_factor")}
    config = strings({**params["config"], **(topic["config"] or {})})
    return topic_plan.Topic(topic["name"], number["partitions"], frozenset([number["replication_factor"]]), config)


def main() -> None:
    """Plan, let Kafka validate the plan, carry it out, wait."""
    module = admin_module(
        timeout_s=60.0,
        topics={"type": "list", "elements": "dict", "required": True, "options": TOPIC},
        partitions={"type": "int", "default": 1},
        replication_factor={"type": "int", "default": 3},
        config={"type": "dict", "default": {}},
        exact_config={"type": "bool", "default": True},
    )
    params = module.params
    wanted = [declared(topic, params) for topic in params["topics"] if topic["state"] == "present"]
    absent = [topic["name"] for topic in params["topics"] if topic["state"] == "absent"]
    with fail_on_admin_error(module), endpoint(module).connect() as admin:
        current = read_topics(admin, {*absent, *(topic.name for topic in wanted)})
        serving = sum(not broker.get("is_fenced") for broker in admin.describe_cluster()["brokers"])
        plan = topic_plan.plan(current, wanted, absent, serving, params["exact_config"])
        refusals = plan.refusals or carry_out(admin, plan, validate_only=True)
        if refusals:
            raise AdminError("\n".join(["Nothing was changed, because not all of it can be done:", *refusals]))
        if plan.changes and not module.check_mode:
            if failures := carry_out(admin, plan, validate_only=False):
                raise AdminError("\n".join(["Kafka did not carry out all of the plan:", *failures]))
            wait_for(admin, plan, params["timeout_s"])
    before, after = (
        [line for name in sorted(plan.touched() & topics.keys()) for line in topics[name].lines()]
        for topics in (current, plan.apply(current))
    )
    module.exit_json(
        changed=plan.changes,
        created=[topic.name for topic in plan.create],
        grown=dict(plan.grow),
        reconfigured={name: dict(changes) for name, changes in plan.alter.items()},
        deleted=list(plan.delete),
        diff=line_diff(before, after),
    )


if __name__ == "__main__":
    main()
