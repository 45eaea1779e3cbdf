#!/usr/bin/python
"""Ansible module: a cluster's health as a page to read and a list of what is not well."""

from __future__ import annotations

from ansible_collections.crucible.kafka.plugins.module_utils import (
    ensemble as ensemble,  # Named for mitogen, which does not see relative imports.
)
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, answer_endpoint, endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.health import BrokerReport, Expected, Health, assess
from ansible_collections.crucible.kafka.plugins.module_utils.survey import ask_broker, survey

DOCUMENTATION = r"""
module: kafka_health
short_description: Tell whether a Kafka cluster is well
description: Asks the cluster and each serving broker. Never fails, so that what was found can always be shown.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  brokers:
    description: Ids of the brokers that should be there.
    type: list
    elements: int
    default: []
  voters:
    description: Ids of the nodes that should vote in the quorum.
    type: list
    elements: int
    default: []
  max_used_percent:
    description: How full the disk of a log directory may be.
    type: float
    default: 90.0
  ensemble:
    description: What each ZooKeeper server says that it is, by its address; none in KRaft mode.
    type: dict
    default: {}
author: Crucible
"""

EXAMPLES = r"""
- name: Ask the cluster how it is
  crucible.kafka.kafka_health:
    bootstrap_servers: [192.0.2.11:9092]
    brokers: [1, 2, 3]
  register: health
  delegate_to: localhost
"""

RETURN = r"""
text: {description: The page., type: str, returned: always}
problems: {description: 'What is not well, in sentences.', type: list, returned: always}
"""


def report(each: Endpoint, broker: Broker) -> BrokerReport:
    """What a broker says of itself, asked over a connection to it alone; nothing if it does not answer."""
    try:
        with each.at(broker).connect() as admin:
            return ask_broker(admin, broker.node_id)
    except AdminError:
        return BrokerReport()


def main() -> None:
    """Ask, and tell."""
    ids = {"type": "list", "elements": "int", "default": []}
    module = admin_module(
        brokers=ids,
        voters=ids,
        max_used_percent={"type": "float", "default": 90.0},
        ensemble={"type": "dict", "default": {}},
    )
    each = answer_endpoint(module)
    try:
        state = survey(endpoint(module))
    except AdminError as error:
        health = Health(problems=[str(error)])
    else:
        reports = {broker.node_id: report(each, broker) for broker in state.brokers if not broker.fenced}
        expected = Expected(*(module.params[key] for key in ("brokers", "voters", "max_used_percent", "ensemble")))
        health = assess(state, reports, expected)
    module.exit_json(text=health.text, problems=health.problems)


if __name__ == "__main__":
    main()
