"""The options that all of Crucible's admin modules share, written once for ansible-doc."""


class ModuleDocFragment:
    """How a module reaches the cluster."""

    DOCUMENTATION = r"""
options:
  bootstrap_servers:
    description: Addresses of brokers, C(host:port); those that accept no connection are passed over.
    type: list
    elements: str
    required: true
  client:
    description: Options of kafka-python's client, such as V(security_protocol) and V(sasl_plain_password).
    type: dict
    default: {}
  timeout_s:
    description: How long a broker that accepts the connection may take to answer.
    type: float
    default: 10.0
  answer_timeout_s:
    description: How long one answer may take where a question is asked again, or of several brokers.
    type: float
    default: 5.0
requirements: [kafka-python]
notes:
  - Runs where kafka-python is installed, most often delegated to C(localhost). No JVM is started.
"""
