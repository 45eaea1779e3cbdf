"""The way of a running cluster from plaintext to a secured one: each phase in one safe roll, and none is skipped."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.crucible.kafka.plugins.filter.security import (
    kafka_security_choices,
    kafka_security_skipped,
    kafka_security_users,
)
from ansible_collections.crucible.kafka.plugins.module_utils import listener_plan, listeners, security_phase
from ansible_collections.crucible.kafka.plugins.module_utils.listener_plan import Quorum
from ansible_collections.crucible.kafka.plugins.module_utils.server_properties import (
    Cluster,
    Node,
    server_properties,
)

NODES = [Node(f"kafka{n}", n, f"192.0.2.1{n}", ["broker", "controller"]) for n in (1, 2, 3)]
DEDICATED = [
    *(Node(f"kafka{n}", n, f"192.0.2.1{n}", ["broker"]) for n in (1, 2, 3)),
    *(Node(f"controller{n}", 100 + n, f"192.0.2.3{n}", ["controller"]) for n in (1, 2, 3)),
]
PLAINTEXT = security_phase.PLAINTEXT_CLUSTER
WAYS = {
    "tls": [PLAINTEXT, "listeners", "members", "closed"],
    "mtls": [PLAINTEXT, "listeners", "members", "authorizer", "acls", "closed"],
    "scram": [PLAINTEXT, "listeners", "members", "authorizer", "acls", "closed"],
}
STEPS = [(name, *step) for name, way in WAYS.items() for step in itertools.pairwise(way)]
BACK = [(name, then, now) for name, now, then in STEPS]


def cluster(name: str, phase: str, nodes: list[Node]) -> Cluster:
    """What is declared in a phase, or before the first."""
    name, phase = ("plaintext", "") if phase == PLAINTEXT else (name, phase)
    chosen = kafka_security_choices(name, phase)
    port = {entry["name"]: entry["port"] for entry in chosen["listeners"]}[chosen["controllers"][0]]
    return Cluster(
        mode="kraft",
        major=4,
        nodes=nodes,
        listeners=chosen["listeners"],
        inter_broker_listener=chosen["inter_broker"],
        controller_listeners=chosen["controllers"],
        controller_servers=[f"{node.host}:{port}" for node in nodes if "controller" in node.roles],
        security=name,
        security_phase=phase,
        administrator="admin",
    )


def properties(name: str, phase: str, nodes: list[Node] = NODES) -> dict[str, dict[str, str]]:
    """With what each node's process is started in a phase."""
    declared = cluster(name, phase, nodes)
    return {
        node.name: dict(server_properties(declared, node, ["/data"], {}, {}, "/etc/secrets").properties)
        for node in nodes
    }


def skipped(name: str, phase: str, running: dict[str, dict[str, str]]) -> list[str]:
    found = [{"name": node, "process": {"properties": each}} for node, each in running.items()]
    return kafka_security_skipped(name, phase, found)


def running(name: str, phase: str, nodes: list[Node]) -> list[Any]:
    return [listeners.running_node(node, "", each) for node, each in properties(name, phase, nodes).items()]


@pytest.mark.parametrize("nodes", [NODES, DEDICATED], ids=["combined", "dedicated"])
@pytest.mark.parametrize(("name", "now", "then"), [*STEPS, *BACK])
def test_each_phase_and_the_way_back_is_one_safe_rolling_restart(
    name: str, now: str, then: str, nodes: list[Node]
) -> None:
    """The plan of listeners knows nothing of phases."""
    runs, comes = running(name, now, nodes), {node.node: node for node in running(name, then, nodes)}
    chosen = kafka_security_choices(name if then != PLAINTEXT else "plaintext", "" if then == PLAINTEXT else then)
    protocol = {"tls": "SSL", "mtls": "SSL", "scram": "SASL_SSL"}[name]
    options = ["security_protocol", "ssl_cafile", "sasl_mechanism"]
    admin = listener_plan.admin_endpoint(runs, comes, [chosen["admin"]], protocol, options)
    assert admin.problem == ""
    voters = {node.node_id: [*runs[0].controllers] for node in nodes if "controller" in node.roles}
    assert bool(listener_plan.changes(runs, comes)) == ({now, then} != {"authorizer", "acls"})
    assert listener_plan.refusals(runs, comes, admin, Quorum(True, voters)) == []
    assert skipped(name, "" if then == PLAINTEXT else then, properties(name, now, nodes)) == [] or then == PLAINTEXT


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("nodes", [NODES, DEDICATED], ids=["combined", "dedicated"])
def test_what_runs_tells_its_phase(name: str, nodes: list[Node]) -> None:
    for phase in WAYS[name]:
        found = properties(name, phase, nodes)
        assert {security_phase.running_phase(each, name != "tls") for each in found.values()} == {phase}


@pytest.mark.parametrize("name", WAYS)
def test_a_phase_that_would_be_skipped_is_refused_and_the_next_one_named(name: str) -> None:
    way = WAYS[name]
    for (at, now), (to, then) in itertools.product(enumerate(way), enumerate(way)):
        if then == PLAINTEXT or abs(at - to) <= 1:
            continue
        (sentence,) = skipped(name, then, properties(name, now))
        assert sentence.startswith(f"kafka_security_phase: {then} is more than one phase from what runs")
        assert f"(kafka1, kafka2, kafka3: {now})" in sentence
        assert sentence.endswith(f"Declare {way[at + 1] if to > at else way[at - 1]} next.")


def test_an_interrupted_roll_is_finished_or_taken_back_first() -> None:
    mixed = properties("scram", "members") | {"kafka3": properties("scram", "listeners")["kafka3"]}
    assert skipped("scram", "members", mixed) == []
    assert skipped("scram", "listeners", mixed) == []
    (sentence,) = skipped("scram", "authorizer", mixed)
    assert sentence.endswith("Declare members next.")
    assert "kafka1, kafka2: members; kafka3: listeners" in sentence


@pytest.mark.parametrize("name", WAYS)
def test_a_cluster_in_plaintext_is_not_secured_at_once(name: str) -> None:
    (sentence,) = skipped(name, "", properties(name, PLAINTEXT))
    assert sentence.startswith("kafka_security: kafka1, kafka2, kafka3 runs in plaintext. Declare kafka_security_phase")
    assert ", ".join(WAYS[name][1:]) in sentence


def test_what_runs_secured_or_not_at_all_is_not_asked_for_a_phase() -> None:
    assert skipped("scram", "", properties("scram", "")) == []
    assert skipped("scram", "", {}) == []
    assert skipped("scram", "closed", {}) == []
    assert kafka_security_skipped("scram", "closed", [{"name": "kafka1", "process": None}]) == []
    assert kafka_security_skipped("plaintext", "", [{"name": "kafka1", "process": {"properties": {}}}]) == []


def test_the_way_to_tls_has_no_phase_of_an_authorizer() -> None:
    (sentence,) = skipped("tls", "acls", properties("tls", "members"))
    assert sentence == "kafka_security_phase: there is no phase acls on this way; it is listeners, members, closed."


@pytest.mark.parametrize(
    ("phase", "authorizer", "permissive", "anonymous", "open_to_all"),
    [
        ("listeners", False, False, False, True),
        ("members", False, False, False, True),
        ("authorizer", True, True, True, True),
        ("acls", True, False, True, True),
        ("closed", True, False, False, False),
    ],
)
def test_who_may_do_what_narrows_phase_by_phase(
    phase: str, authorizer: bool, permissive: bool, anonymous: bool, open_to_all: bool
) -> None:
    found = properties("scram", phase)["kafka1"]
    assert ("authorizer.class.name" in found) == authorizer
    assert (found.get("allow.everyone.if.no.acl.found") == "true") == permissive
    assert ("User:ANONYMOUS" in found.get("super.users", "").split(";")) == anonymous
    assert ("CLIENT://" in found["listeners"]) == open_to_all
    assert "SECURE:SASL_SSL" in found["listener.security.protocol.map"]
    assert found["listener.name.secure.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert found["listener.name.control.ssl.client.auth"] == "required"


@pytest.mark.parametrize(
    ("phase", "entries", "inter_broker", "controllers", "admin"),
    [
        ("listeners", "CLIENT CONTROLLER SECURE INTERNAL CONTROL", "CLIENT", ["CONTROLLER", "CONTROL"], "CLIENT"),
        ("members", "CLIENT CONTROLLER SECURE INTERNAL CONTROL", "INTERNAL", ["CONTROL", "CONTROLLER"], "SECURE"),
        ("authorizer", "CLIENT SECURE INTERNAL CONTROL", "INTERNAL", ["CONTROL"], "SECURE"),
        ("acls", "CLIENT SECURE INTERNAL CONTROL", "INTERNAL", ["CONTROL"], "SECURE"),
        ("closed", "SECURE INTERNAL CONTROL", "INTERNAL", ["CONTROL"], "SECURE"),
    ],
)
def test_each_phase_has_its_listeners_and_says_which_serves_what(
    phase: str, entries: str, inter_broker: str, controllers: list[str], admin: str
) -> None:
    whole = {
        "CLIENT": "CLIENT 9092 PLAINTEXT clients",
        "CONTROLLER": "CONTROLLER 9093 PLAINTEXT members",
        "SECURE": "SECURE 9192 SASL_SSL clients",
        "INTERNAL": "INTERNAL 9094 SSL members",
        "CONTROL": "CONTROL 9193 SSL members",
    }
    chosen = kafka_security_choices("scram", phase)
    assert [" ".join(map(str, each.values())) for each in chosen.pop("listeners")] == [
        whole[name] for name in entries.split()
    ]
    served = {"inter_broker": inter_broker, "controllers": controllers, "admin": admin, "clients": "SECURE"}
    assert chosen == served


def test_a_process_that_says_nothing_is_one_of_a_plaintext_cluster() -> None:
    assert security_phase.running_phase({}, True) == PLAINTEXT
    assert skipped("scram", "", {"kafka1": {}}) == []
    alone = {"controller.listener.names": "CONTROL"}
    assert security_phase.running_phase(alone, True) == "closed"
    assert security_phase.running_phase(alone, False) == "closed"


@pytest.mark.parametrize("own", [{"allow.everyone.if.no.acl.found": "true"}, {"super.users": "User:ANONYMOUS"}])
def test_an_authorizer_of_ones_own_is_no_phase_of_the_way_to_tls(own: dict[str, str]) -> None:
    closed = {name: {**each, **own} for name, each in properties("tls", "closed").items()}
    assert skipped("tls", "closed", closed) == []


@pytest.mark.parametrize("nodes", [NODES, DEDICATED], ids=["combined", "dedicated"])
def test_a_closed_cluster_that_clients_trust_alone_is_not_opened_on_its_way_to_certificates(nodes: list[Node]) -> None:
    """In authorizer and acls the plaintext listener is there, and whoever comes by it may do everything."""
    closed = properties("tls", "closed", nodes)
    assert skipped("mtls", "closed", closed) == []
    for phase in ("listeners", "members", "authorizer", "acls"):
        (sentence,) = skipped("mtls", phase, closed)
        assert sentence.startswith(f"kafka_security_phase: {phase} would open the listener CLIENT again")
        assert "kafka1, " in sentence
        assert sentence.endswith("Declare closed.")
    interrupted = closed | {"kafka3": properties("mtls", "closed", nodes)["kafka3"]}
    assert skipped("mtls", "closed", interrupted) == []
    # The way back from there is what it says.
    assert skipped("mtls", "acls", properties("mtls", "closed", nodes)) == []
    assert skipped("tls", "members", closed) == []


@pytest.mark.parametrize("nodes", [NODES, DEDICATED], ids=["combined", "dedicated"])
def test_super_users_of_ones_own_hide_no_phase(nodes: list[Node]) -> None:
    for phase in ("authorizer", "acls", "closed"):
        own = {"super.users": "User:admin;User:another;User:CN=kafka1"}
        found = [{**each, **own} for each in properties("scram", phase, nodes).values()]
        assert {security_phase.running_phase(each, True) for each in found} == {phase}


def test_a_listener_that_is_secured_makes_a_cluster_one_that_is_not_in_plaintext() -> None:
    mapped = {"listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:SSL,CONTROLLER:PLAINTEXT"}
    assert skipped("scram", "", {"kafka1": mapped}) == []


def test_where_a_way_is_left_in_two_directions_the_earlier_one_is_named() -> None:
    far = properties("scram", "listeners") | {"kafka3": properties("scram", "acls")["kafka3"]}
    (sentence,) = skipped("scram", "authorizer", far)
    assert sentence.endswith("Declare members next.")
    (sentence,) = skipped("scram", "listeners", far)
    assert sentence.endswith("Declare authorizer next.")


def test_no_phase_is_as_before() -> None:
    assert kafka_security_choices("plaintext") == {
        "listeners": kafka_security_choices("plaintext", "closed")["listeners"],
        "inter_broker": "CLIENT",
        "controllers": ["CONTROLLER"],
        "admin": "CLIENT",
        "clients": "CLIENT",
    }
    assert kafka_security_choices("scram", "unknown") == kafka_security_choices("scram")
    assert kafka_security_choices("scram")["inter_broker"] == "INTERNAL"


ADMIN = {"name": "admin", "password": "an-admins-secret"}


def test_the_administrator_is_one_of_the_users_while_nobody_logs_in_yet() -> None:
    shop = {"name": "shop", "password": "a-shops-secret"}
    own = {**ADMIN, "mechanism": "SCRAM-SHA-256"}
    assert kafka_security_users("scram", "listeners", [shop], *ADMIN.values()) == [shop, ADMIN]
    assert kafka_security_users("scram", "listeners", [own], *ADMIN.values()) == [own]
    assert kafka_security_users("scram", "members", [shop], *ADMIN.values()) == [shop, ADMIN]
    assert kafka_security_users("scram", "authorizer", [shop], *ADMIN.values()) == [shop]
    assert kafka_security_users("scram", "", [shop], *ADMIN.values()) == [shop]
    assert kafka_security_users("mtls", "listeners", [shop], *ADMIN.values()) == [shop]


def test_a_phase_of_its_own_name_alone_is_known() -> None:
    assert [security_phase.named(phase.name) for phase in security_phase.PHASES] == list(security_phase.PHASES)
    assert security_phase.named("") is None
    assert replace(security_phase.PHASES[0]) == security_phase.PHASES[0]
