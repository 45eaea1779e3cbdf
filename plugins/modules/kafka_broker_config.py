#!/usr/bin/python
"""Ansible module: bring changed settings into force on a running broker, and tell which ones need a restart."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils.admin import alter_configs
from ansible_collections.crucible.kafka.plugins.module_utils.broker_config import ON_CLUSTER, SECRET, plan, shown
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, endpoint, fail_on_admin_error
from ansible_collections.crucible.kafka.plugins.module_utils.survey import describe_broker

DOCUMENTATION = r"""
module: kafka_broker_config
short_description: Change settings of a running broker without a restart where Kafka can
description:
  - Settings that the broker takes while it runs are set as its dynamic configuration; the override is removed again
    once the process itself was started with the same value. One that is not declared is removed too, unless it is of
    the kind that a reassignment sets and removes itself.
  - A setting that already stands for the whole cluster, as C(min.insync.replicas) does in Kafka 4, is set there.
  - Settings that are read-only, unknown to the broker, refused by it, or secret are returned as RV(restart_required).
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  broker_id:
    description: The broker's id.
    type: int
    required: true
  running:
    description: The properties that the process was started with. Digests will do for secrets.
    type: dict
    required: true
  declared:
    description: The properties that it should have.
    type: dict
    required: true
author: Crucible
"""

EXAMPLES = r"""
- name: Set what broker 1 takes while it runs
  crucible.kafka.kafka_broker_config:
    bootstrap_servers: [192.0.2.11:9092]
    broker_id: 1
    running: {num.io.threads: '8', node.id: '1'}
    declared: {num.io.threads: '12', node.id: '1'}
  register: broker_config
  delegate_to: localhost
"""

RETURN = r"""
restart_required: {description: Keys that only a restart brings into force., type: list, returned: success}
applied: {description: 'Value before and after by key, of what was set or reset.', type: dict, returned: success}
"""


def main() -> None:
    """Plan, then set each key for itself, for the broker refuses a whole request because of one key."""
    properties = {"type": "dict", "required": True}
    module = admin_module(broker_id={"type": "int", "required": True}, running=properties, declared=properties)
    running, declared = ({key: str(value) for key, value in module.params[p].items()} for p in ("running", "declared"))
    module.no_log_values.update(
        value for key, value in (*running.items(), *declared.items()) if value and SECRET.search(key)
    )
    broker_id, applied = module.params["broker_id"], []
    with fail_on_admin_error(module), endpoint(module).connect() as admin:
        todo = plan(running, declared, describe_broker(admin, broker_id))
        restart = list(todo.restart)
        for change in todo.changes:
            resource = "" if change.level == ON_CLUSTER else str(broker_id)
            if alter_configs(admin, "broker", {resource: {change.key: change.value}}, module.check_mode, broker_id):
                restart.append(change.key)
            else:
                applied.append(change)
    module.exit_json(
        changed=bool(applied),
        restart_required=sorted(restart),
        applied={change.key: {"before": change.before, "after": change.after} for change in applied},
        diff={
            "before_header": f"broker {broker_id}, running",
            "after_header": f"broker {broker_id}, without a restart",
            "before": shown((change.key, change.before) for change in applied),
            "after": shown((change.key, change.after) for change in applied),
        },
    )


if __name__ == "__main__":
    main()
