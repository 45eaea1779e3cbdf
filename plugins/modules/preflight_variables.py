"""Documentation of the action plugin of the same name, which runs on the controller and connects to no host."""

DOCUMENTATION = r"""
module: preflight_variables
short_description: Judge a host's variables by the roles that will read them
description:
  - Compares each variable with the argument_specs of the roles, before the first of them changes a host.
  - Connects to no host and changes nothing. It fails for no variable; what is wrong stands in its result.
options:
  roles_path: {description: The folder of the roles., type: path, required: true}
  roles: {description: 'The roles that will run, in their order.', type: list, elements: str, required: true}
  judged_elsewhere:
    description: Variables that M(crucible.kafka.kafka_preflight) judges.
    type: list
    elements: str
    default: []
  timing: {description: Settings that the role gives Kafka where the inventory does not., type: dict, default: {}}
author: Crucible
"""

EXAMPLES = r"""
- name: Validate the variables of all roles
  crucible.kafka.preflight_variables:
    roles_path: "{{ playbook_dir }}/../roles"
    roles: [os_tuning, java, kafka]
  register: judged
"""

RETURN = r"""
errors: {description: 'What is wrong, by variable.', type: dict, returned: always}
corrected: {description: Values in their own type that were written in another one., type: dict, returned: always}
postponed: {description: Variables that need facts of the host first., type: list, elements: str, returned: always}
config: {description: The judged part of kafka_config., type: dict, returned: always}
"""
