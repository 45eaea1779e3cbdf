#!/usr/bin/python
"""Ansible module: a cluster's health as a page to read and a list of what is not well."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import (
    ensemble as ensemble,  # Named for mitogen, which does not see relative imports.
)
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, answer_endpoint, endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.health import (
    BrokerReport,
    Expected,
    Health,
    ShownCertificate,
    assess,
    certificate_problems,
)
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
  certificates:
    description: What kafka_certificates_info has found on each host, by the host's name.
    type: dict
    default: {}
  unreachable_hosts:
    description: Hosts on which no certificate could be looked for, which is not well.
    type: list
    elements: str
    default: []
  min_certificate_days:
    description: How many days a certificate has to be valid yet.
    type: float
    default: 14.0
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


EXPECTED = ("brokers", "voters", "max_used_percent", "ensemble", "min_certificate_days")
DAY_S = 86400


def shown(found: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[ShownCertificate]:
    """The certificates that each host has found, with the days that they have left now."""
    now = time.time()
    return [
        ShownCertificate(
            node, each["listener"], int(each["port"]), (float(each["expires_s"]) - now) / DAY_S, each["failure"]
        )
        for node, certificates in found.items()
        for each in certificates
    ]


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
        certificates={"type": "dict", "default": {}},
        unreachable_hosts={"type": "list", "elements": "str", "default": []},
        min_certificate_days={"type": "float", "default": 14.0},
    )
    each, certificates = answer_endpoint(module), shown(module.params["certificates"])
    expected = Expected(*(module.params[key] for key in EXPECTED))
    try:
        state = survey(endpoint(module))
    except AdminError as error:
        without_cluster = certificate_problems(certificates, expected.min_certificate_days)
        health = Health(problems=[str(error), *without_cluster])
    else:
        reports = {broker.node_id: report(each, broker) for broker in state.brokers if not broker.fenced}
        health = assess(state, reports, expected, certificates)
    unseen = [
        f"Ansible cannot reach {host}, so the certificates that it shows are not known."
        for host in module.params["unreachable_hosts"]
    ]
    health = replace(health, problems=[*health.problems, *unseen])
    module.exit_json(text=health.text, problems=health.problems)


if __name__ == "__main__":
    main()
