"""The options of the modules that compare the listeners that run with those that are declared, once for ansible-doc."""


class ModuleDocFragment:
    """What the inventory declares, and what runs."""

    DOCUMENTATION = r"""
options:
  members: {description: 'Every node: name, roles, host, listeners.', type: list, elements: dict, required: true}
  running:
    description: Of each node that runs, C(name) and C(process.properties).
    type: list
    elements: dict
    required: true
  inter_broker_listener: {description: Declared listener among brokers., type: str, required: true}
  controller_listeners:
    description: Declared listeners of the controllers, the first one to connect to.
    type: list
    elements: str
    required: true
  admin_listener: {description: Declared listener for the admin modules., type: str, required: true}
"""
