#!/usr/bin/python
"""Ansible module: ACLs as code."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils import acl_plan
from ansible_collections.crucible.kafka.plugins.module_utils.acl_admin import carry_out, read_acls
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    endpoint,
    fail_on_admin_error,
    line_diff,
    refuse,
)

DOCUMENTATION = r"""
module: kafka_acls
short_description: Create and delete ACLs
description:
  - Compares the declared ACLs with those of the cluster, and creates what is missing before it deletes the rest.
  - A declared principal has exactly the ACLs that are declared. Principals that are not declared keep theirs, and are
    reported.
  - Check mode and O(ignore:--diff) show the plan.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  acls:
    description: The ACLs, several operations in each entry, in Kafka's words, spelt in any of its ways.
    type: list
    elements: dict
    required: true
    suboptions:
      principal: {description: 'Whom it is for, as V(User:shop).', type: raw}
      resource_type:
        description: V(topic), V(group), V(cluster), V(transactional_id), V(delegation_token) or V(user).
        type: str
      name: {description: The resource's name; V(*) is all. A cluster needs none., type: raw}
      pattern_type: {description: V(literal) or V(prefixed). V(literal) unless said., type: str}
      operations: {description: 'What it is about, as V(read).', type: raw}
      permission: {description: V(allow) or V(deny). V(allow) unless said., type: str}
      host: {description: The client's address. V(*) unless said., type: str}
      state: {description: 'V(absent) removes all ACLs of the principal, which is all that the entry says.', type: str}
author: Crucible
"""

EXAMPLES = r"""
- name: Declare ACLs
  crucible.kafka.kafka_acls:
    bootstrap_servers: [192.0.2.11:9092]
    acls:
      - {principal: "User:shop", resource_type: topic, name: orders, operations: [write, describe]}
      - {principal: "User:shop", resource_type: group, name: shop-, pattern_type: prefixed, operations: [read]}
      - {principal: "User:former", state: absent}
  delegate_to: localhost
"""

RETURN = r"""
created: {description: ACLs that were created., type: list, returned: success}
deleted: {description: ACLs that were deleted., type: list, returned: success}
undeclared: {description: Principals that are not declared and keep their ACLs., type: list, returned: success}
"""

ACL = {
    "principal": {"type": "raw"},
    "resource_type": {"type": "str"},
    "name": {"type": "raw"},
    "pattern_type": {"type": "str"},
    "operations": {"type": "raw"},
    "permission": {"type": "str"},
    "host": {"type": "str"},
    "state": {"type": "str"},
}


def main() -> None:
    """Plan, and carry it out."""
    module = admin_module(acls={"type": "list", "elements": "dict", "required": True, "options": ACL})
    acls = module.params["acls"]
    with fail_on_admin_error(module):
        refuse("kafka_acls", acl_plan.problems(acls))
        with endpoint(module).connect() as admin:
            plan = acl_plan.plan(read_acls(admin), acl_plan.declared(acls))
            if not module.check_mode and (refusals := carry_out(admin, plan)):
                told = "kafka_acls: Kafka refuses these; their principals keep what they had, all others are done:"
                raise AdminError("\n".join([told, *refusals]))
    module.exit_json(
        changed=plan.changes,
        created=[str(acl) for acl in plan.create],
        deleted=[str(acl) for acl in plan.delete],
        undeclared=list(plan.undeclared),
        diff=line_diff(plan.delete, plan.create),
    )


if __name__ == "__main__":
    main()
