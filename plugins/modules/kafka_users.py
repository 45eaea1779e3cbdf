#!/usr/bin/python
"""Ansible module: SCRAM users as code."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

# saslprep and user_record are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import saslprep as saslprep
from ansible_collections.crucible.kafka.plugins.module_utils import scram as scram
from ansible_collections.crucible.kafka.plugins.module_utils import user_plan
from ansible_collections.crucible.kafka.plugins.module_utils import user_record as user_record
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    endpoint,
    line_diff,
    refuse,
)
from ansible_collections.crucible.kafka.plugins.module_utils.user_admin import Outcome, carry_out, read_credentials
from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import Credential

DOCUMENTATION = r"""
module: kafka_users
short_description: Create, change and remove SCRAM users
description:
  - Compares the declared users with those of the cluster and sends what has changed in one request, in two where a user
    has credentials for both mechanisms. The salted passwords are computed where the module runs.
  - A declared user has exactly the credentials that are declared. Users that are not declared stay, and are reported.
  - Kafka never tells whether a password is the declared one. O(recorded) says for which credentials it is known; all
    others are set anew. The role P(crucible.kafka.kafka_access#role) keeps such a record.
  - The credential by which the module itself is logged in is never removed, and its password is not changed.
  - Check mode and O(ignore:--diff) show names and mechanisms.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  users:
    description: The users, one entry for each mechanism of a user.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: The user's name., type: raw}
      password: {description: Not needed by one who is absent. It appears nowhere., type: raw}
      mechanism: {description: V(SCRAM-SHA-512) or V(SCRAM-SHA-256)., type: str, default: SCRAM-SHA-512}
      iterations: {description: 'At least so many iterations, from 4096 to 16384.', type: raw, default: 4096}
      state: {description: V(absent) removes the credential., type: str, default: present}
  recorded:
    description: Credentials that are known to have the declared password, with the iterations with which they were set.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: The user's name., type: str, required: true}
      mechanism: {description: The mechanism., type: str, required: true}
      iterations: {description: 'As the module has returned them, in RV(set).', type: int, required: true}
      exposed: {description: Whether it is set anew because it was sent unencrypted., type: bool, default: false}
author: Crucible
"""

EXAMPLES = r"""
- name: Declare the shop's users
  crucible.kafka.kafka_users:
    bootstrap_servers: [192.0.2.11:9092]
    users:
      - {name: shop, password: "{{ vault_shop_password }}"}
      - {name: former-shop, state: absent}
  delegate_to: localhost
"""

RETURN = r"""
set: {description: 'Credentials that were set, as O(recorded) takes them.', type: list, returned: always}
removed: {description: Credentials that were removed., type: list, returned: always}
undeclared: {description: Names of users that are not declared and stay as they are., type: list, returned: success}
"""

MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
SHORTEST_MASKED = 8
USER = {
    "name": {"type": "raw"},
    "password": {"type": "raw", "no_log": True},
    "mechanism": {"type": "str", "default": user_plan.DEFAULT_MECHANISM},
    "iterations": {"type": "raw", "default": user_plan.MIN_ITERATIONS},
    "state": {"type": "str", "default": "present"},
}
RECORDED = {
    "name": {"type": "str", "required": True},
    "mechanism": {"type": "str", "required": True},
    "iterations": {"type": "int", "required": True},
    "exposed": {"type": "bool", "default": False},
}


def take_users(module: AnsibleModule) -> list[dict[str, Any]]:
    """The declared users, whose passwords are no longer in the module's arguments afterwards.

    Ansible would mask each value of `users` wherever it occurs in the answer, even as a part of a word: the password
    "app" in the name of the user "app1". So only passwords are masked that are no part of a name and not short. This is
    a second line of defence: the answer is made of names, mechanisms, iterations and Kafka's own sentences.
    """
    users = module.params["users"]
    module.params["users"] = MASKED
    names = " ".join(str(user["name"]) for user in users)
    passwords = [user["password"] for user in users if isinstance(user["password"], str)]
    module.no_log_values.update(each for each in passwords if len(each) >= SHORTEST_MASKED and each not in names)
    return list(users)


def done(outcome: Outcome) -> dict[str, Any]:
    """What was done, as the module answers it."""
    return {
        "set": [{**each._asdict(), "iterations": count} for each, count in sorted(outcome.set.items())],
        "removed": [each._asdict() for each in sorted(outcome.removed)],
    }


def main() -> None:
    """Plan, carry it out, and answer what was done even where not all of it could be."""
    module = admin_module(
        users={"type": "list", "elements": "dict", "required": True, "no_log": True, "options": USER},
        recorded={"type": "list", "elements": "dict", "default": [], "options": RECORDED},
    )
    users = take_users(module)
    recorded = {Credential(each["name"], each["mechanism"]): each["iterations"] for each in module.params["recorded"]}
    exposed = [Credential(each["name"], each["mechanism"]) for each in module.params["recorded"] if each["exposed"]]
    outcome = Outcome()
    try:
        refuse("kafka_users", user_plan.problems(users))
        wanted = user_plan.declared(users)
        with endpoint(module).connect() as admin:
            current = read_credentials(admin)
            plan = user_plan.plan(current, wanted, recorded, user_plan.login(module.params["client"]), exposed)
            refuse("kafka_users", plan.refusals)
            if not module.check_mode:
                carry_out(admin, plan, wanted, outcome)
    except AdminError as error:
        module.fail_json(msg=str(error), **done(outcome))
    if outcome.refusals:
        refused = ["kafka_users: Kafka refused these, all others are done:", *outcome.refusals]
        module.fail_json(msg="\n".join(refused), **done(outcome))
    before, after = plan.before(current), plan.after()
    module.exit_json(
        changed=plan.changes,
        undeclared=list(plan.undeclared),
        diff=line_diff(before, after),
        **done(outcome),
    )


if __name__ == "__main__":
    main()
