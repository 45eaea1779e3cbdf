#!/usr/bin/python
"""Ansible module: a cluster's health as a page to read and a list of what is not well."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Those that nothing here uses are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import ensemble as ensemble
from ansible_collections.crucible.kafka.plugins.module_utils import listeners as listeners
from ansible_collections.crucible.kafka.plugins.module_utils import minimum_cost_flow as minimum_cost_flow
from ansible_collections.crucible.kafka.plugins.module_utils import reassignment_plan as reassignment_plan
from ansible_collections.crucible.kafka.plugins.module_utils import replica_placement as replica_placement
from ansible_collections.crucible.kafka.plugins.module_utils import saslprep as saslprep
from ansible_collections.crucible.kafka.plugins.module_utils import scram as scram
from ansible_collections.crucible.kafka.plugins.module_utils import security, security_phase
from ansible_collections.crucible.kafka.plugins.module_utils import user_plan as user_plan
from ansible_collections.crucible.kafka.plugins.module_utils import user_record as user_record
from ansible_collections.crucible.kafka.plugins.module_utils.access_health import (
    Access,
    access_lines,
    access_problems,
    declared_problems,
    node_access,
    open_access,
)
from ansible_collections.crucible.kafka.plugins.module_utils.acl_admin import read_acls
from ansible_collections.crucible.kafka.plugins.module_utils.acl_plan import Acl
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker, ClusterState
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, answer_endpoint, endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.health import (
    MAX_USED_PERCENT,
    BrokerReport,
    Expected,
    Health,
    ShownCertificate,
    TrustedAuthority,
    assess,
    authority_problems,
    certificate_problems,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import (
    cordoned,
    read_throttle,
    reassigned,
)
from ansible_collections.crucible.kafka.plugins.module_utils.replication_throttle import left_behind, lines
from ansible_collections.crucible.kafka.plugins.module_utils.survey import ask_broker, survey
from ansible_collections.crucible.kafka.plugins.module_utils.user_admin import read_credentials

DOCUMENTATION = r"""
module: kafka_health
short_description: Tell whether a Kafka cluster is well
description:
  - Asks the cluster and each serving broker. Never fails, so that what was found can always be shown.
  - With O(access) it judges who may do what. Not well is an authorizer that some nodes lack.
  - An authorizer that permits everybody (C(allow.everyone.if.no.acl.found), or the super user C(User:ANONYMOUS)), and a
    listener through which clients come without a login, where another listener asks for one or there is an authorizer,
    are told in RV(text), as a cluster that becomes a secured one needs them for a while. O(open_access_fails) makes
    problems of them.
  - A replication throttle is a problem while no partition is being reassigned: it was left behind.
  - SCRAM users without an ACL, ACLs for principals as which nobody can log in, and ACLs for everybody or for everything
    on all names are told in RV(text), and are no problems.
  - Nodes that run more open than O(security) and O(security_phase) have it are a problem.
  - Where there is no authorizer and nobody logs in, nothing else is said about access.
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
  authorities:
    description: The authorities that kafka_certificates_info has found on each host, by the host's name.
    type: dict
    default: {}
  access:
    description: What kafka_access_info has found on each host, by the host's name.
    type: dict
    default: {}
  access_unread:
    description: Hosts of the cluster of which O(access) says nothing. Then no principal is said to be nobody's.
    type: list
    elements: str
    default: []
  open_access_fails:
    description: Whether it is a problem that everybody may do something on a cluster where others log in.
    type: bool
    default: false
  member_listeners:
    description: Names of the listeners that clients do not reach, besides those of the controllers.
    type: list
    elements: str
    default: []
  open_listeners:
    description: Names of the listeners that are meant to ask for no login.
    type: list
    elements: str
    default: []
  security:
    description: What C(kafka_security) is.
    type: str
    default: plaintext
  security_phase:
    description: What C(kafka_security_phase) is.
    type: str
    default: ''
  unreachable_hosts:
    description: Hosts on which no certificate could be looked for, which is not well.
    type: list
    elements: str
    default: []
  min_certificate_days:
    description: How many days a certificate has to be valid yet.
    type: float
    default: 14.0
  min_authority_days:
    description: How many days the authority that a node trusts has to be valid yet, or one of them.
    type: float
    default: 90.0
  releases:
    description: The exact release of each node's process, by the node's id, empty where none runs.
    type: dict
    default: {}
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


EXPECTED = ("brokers", "voters", "max_used_percent", "ensemble", "min_certificate_days", "min_authority_days")
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


def trusted(found: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[TrustedAuthority]:
    """The authorities that each host trusts, with the days that they have left now."""
    now = time.time()
    return [
        TrustedAuthority(node, each["authority"][:8], (float(each["expires_s"]) - now) / DAY_S)
        for node, authorities in found.items()
        for each in authorities
    ]


def started_with(params: Mapping[str, Any]) -> Access:
    """Who may do what, as the nodes were started; hosts on which nothing runs say nothing."""
    nodes = [node_access(node, properties) for node, properties in params["access"].items() if properties]
    return Access(nodes, params["access_unread"], params["member_listeners"], params["open_listeners"])


def more_open(params: Mapping[str, Any], access: Access) -> Iterator[str]:
    """Where the nodes run more open than is declared, in sentences."""
    declared, phase = security.named(params["security"]), security_phase.named(params["security_phase"])
    authorizes = declared.authorizes and (phase is None or phase.authorizer)
    encrypts = declared.encrypts and (phase is None or not phase.former_clients)
    yield from declared_problems(access, params["security"], authorizes, encrypts)


def granted(asked: Endpoint, access: Access) -> tuple[set[Acl] | None, set[str]]:
    """All ACLs, None where they cannot be asked for, and the names of the SCRAM users where their ACLs matter."""
    if not access.tells_acls:
        return None, set()
    with asked.connect() as admin:
        return read_acls(admin), {each.name for each in read_credentials(admin)} if access.has_scram else set()


def moves(asked: Endpoint, state: ClusterState) -> Health:
    """What is being reassigned, which brokers take no replicas, and a throttle that was left behind."""
    serving = [broker.node_id for broker in state.brokers if not broker.fenced]
    try:
        with asked.connect() as admin:
            # Before and after, as moves may begin or end meanwhile, and their throttle with them.
            before, idle = reassigned(admin), cordoned(admin, serving)
            throttle = read_throttle(admin, serving)
            underway = [f"{topic}-{index}" for topic, index in sorted({*before, *reassigned(admin)})]
    except AdminError as error:
        return Health(problems=[str(error)])
    return Health(lines(underway, idle), left_behind(throttle, underway))


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
        max_used_percent={"type": "float", "default": MAX_USED_PERCENT},
        ensemble={"type": "dict", "default": {}},
        releases={"type": "dict", "default": {}},
        certificates={"type": "dict", "default": {}},
        authorities={"type": "dict", "default": {}},
        access={"type": "dict", "default": {}},
        access_unread={"type": "list", "elements": "str", "default": []},
        open_access_fails={"type": "bool", "default": False},
        member_listeners={"type": "list", "elements": "str", "default": []},
        open_listeners={"type": "list", "elements": "str", "default": []},
        security={"type": "str", "default": "plaintext"},
        security_phase={"type": "str", "default": ""},
        unreachable_hosts={"type": "list", "elements": "str", "default": []},
        min_certificate_days={"type": "float", "default": 14.0},
        min_authority_days={"type": "float", "default": 90.0},
    )
    each, certificates = answer_endpoint(module), shown(module.params["certificates"])
    authorities = trusted(module.params["authorities"])
    expected = Expected(*(module.params[key] for key in EXPECTED))
    access, acls, users = started_with(module.params), None, set[str]()
    try:
        state = survey(endpoint(module))
    except AdminError as error:
        ending = authority_problems(authorities, expected.min_authority_days)
        without_cluster = certificate_problems(certificates, expected.min_certificate_days)
        health = Health(problems=[str(error), *without_cluster, *ending])
    else:
        releases = {int(node_id): release for node_id, release in module.params["releases"].items() if release}
        reports = {broker.node_id: report(each, broker) for broker in state.brokers if not broker.fenced}
        health = assess(state, reports, expected, certificates, authorities, releases)
        moving = moves(each, state)
        health = Health([*health.lines, *moving.lines], [*health.problems, *moving.problems])
        try:
            acls, users = granted(endpoint(module), access)
        except AdminError as error:
            health.problems.append(str(error))
    unseen = [
        f"Ansible cannot reach {host}, so the certificates that it shows are not known."
        for host in module.params["unreachable_hosts"]
    ]
    opened, fails = list(open_access(access)), module.params["open_access_fails"]
    told = [] if fails else [f"  {sentence}" for sentence in opened]
    judged = opened if fails else []
    health = Health(
        [*health.lines, *access_lines(access, acls, users), *told],
        [*health.problems, *access_problems(access), *more_open(module.params, access), *judged, *unseen],
    )
    module.exit_json(text=health.text, problems=health.problems)


if __name__ == "__main__":
    main()
