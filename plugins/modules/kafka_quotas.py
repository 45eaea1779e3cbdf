#!/usr/bin/python
"""Ansible module: client quotas as code."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils import quota_plan
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    endpoint,
    fail_on_admin_error,
    line_diff,
    refuse,
)
from ansible_collections.crucible.kafka.plugins.module_utils.quota_admin import carry_out, read_quotas

DOCUMENTATION = r"""
module: kafka_quotas
short_description: Set and remove client quotas
description:
  - Compares the declared quotas with those of the cluster and sends what has changed in one request, or few.
  - A declared entity has exactly the limits that are declared. Entities that are not declared stay, and are reported.
  - In check mode Kafka validates the plan, and O(ignore:--diff) shows it.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  quotas:
    description:
      - The entities with their limits. An entity is V(user), V(client_id), both, or V(ip), each of them a name or
        V(<default>), which is Kafka's default for those that have no entity of their own.
      - A user or client id has V(producer_byte_rate) and V(consumer_byte_rate) in bytes/s of each broker,
        V(request_percentage), and V(controller_mutation_rate) in mutations/s.
      - An address has V(connection_creation_rate) in connections/s of each broker.
      - "V(state: absent) removes all limits of the entity."
    type: list
    elements: dict
    required: true
author: Crucible
"""

EXAMPLES = r"""
- name: Declare quotas
  crucible.kafka.kafka_quotas:
    bootstrap_servers: [192.0.2.11:9092]
    quotas:
      - {client_id: analytics, consumer_byte_rate: 10485760}
      - {user: <default>, request_percentage: 100}
      - {ip: 192.0.2.99, connection_creation_rate: 10}
      - {client_id: former, state: absent}
  delegate_to: localhost
"""

RETURN = r"""
altered: {description: 'Changed limits by entity, null for a removed one.', type: dict, returned: success}
undeclared: {description: Entities that are not declared and stay as they are., type: list, returned: success}
"""


def main() -> None:
    """Plan, and carry it out or let Kafka validate it."""
    module = admin_module(quotas={"type": "list", "elements": "dict", "required": True})
    quotas = module.params["quotas"]
    with fail_on_admin_error(module):
        refuse("kafka_quotas", quota_plan.problems(quotas))
        with endpoint(module).connect() as admin:
            current = read_quotas(admin)
            plan = quota_plan.plan(current, quota_plan.declared(quotas))
            if refusals := carry_out(admin, plan, validate_only=module.check_mode):
                others = "nothing was changed" if module.check_mode else "all others are done"
                raise AdminError("\n".join([f"kafka_quotas: Kafka refuses these, {others}:", *refusals]))
    before, after = (quota_plan.lines(each, plan.alter) for each in (current, plan.apply(current)))
    module.exit_json(
        changed=bool(plan.alter),
        altered={str(each): dict(changes) for each, changes in plan.alter.items()},
        undeclared=[str(each) for each in plan.undeclared],
        diff=line_diff(before, after),
    )


if __name__ == "__main__":
    main()
