"""What kafka_security stands for, and what of it can be changed."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from kafka_load.config import jaas

from ansible_collections.crucible.kafka.plugins.filter.security import kafka_first_user
from ansible_collections.crucible.kafka.plugins.module_utils import security, security_phase
from ansible_collections.crucible.kafka.plugins.module_utils.security import SECURITIES, Declared

NODES = ["kafka1", "kafka2"]
SECURED = [name for name, each in SECURITIES.items() if each.encrypts]
SUPER_USERS = "User:CN=kafka1;User:CN=kafka2"


def entry(name: str, protocol: str, reachable_by: str = "clients") -> dict[str, Any]:
    return {"name": name, "port": 9092, "security_protocol": protocol, "reachable_by": reachable_by}


def properties(name: str, *more: dict[str, Any], mode: str = "kraft") -> dict[str, Any]:
    """Of a cluster with the listeners that follow, and `more`."""
    chosen = SECURITIES[name]
    entries = [*security.listeners(chosen), *more]
    return security.properties(chosen, mode, entries, ["INTERNAL", "CONTROLLER"], NODES, "admin")


def declared(name: str, **changed: Any) -> Declared:
    """What an inventory says that has what it needs."""
    usual = Declared(
        mode="kraft",
        phase="",
        entries=security.listeners(SECURITIES[name]),
        inter_broker_listener="INTERNAL",
        config=[],
        admin_user="admin",
        admin_password="an-admins-secret",  # noqa: S106 # It is nobody's.
        tls_enabled=True,
        authority_host="localhost",
        admin_host="localhost",
        ca="ca.crt",
    )
    return replace(usual, **changed)


def problems(name: str, **changed: Any) -> list[str]:
    return list(security.problems(name, declared(name, **changed)))


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("plaintext", ["CLIENT 9092 PLAINTEXT clients", "CONTROLLER 9093 PLAINTEXT members"]),
        ("tls", ["CLIENT 9092 SSL clients", "INTERNAL 9094 SSL members", "CONTROLLER 9093 SSL members"]),
        ("mtls", ["CLIENT 9092 SSL clients", "INTERNAL 9094 SSL members", "CONTROLLER 9093 SSL members"]),
        ("scram", ["CLIENT 9092 SASL_SSL clients", "INTERNAL 9094 SSL members", "CONTROLLER 9093 SSL members"]),
    ],
)
def test_clients_and_members_have_listeners_of_their_own_unless_nothing_is_secured(
    name: str, entries: list[str]
) -> None:
    found = security.listeners(SECURITIES[name])
    assert [" ".join(map(str, each.values())) for each in found] == entries
    assert {tuple(each) for each in found} == {("name", "port", "security_protocol", "reachable_by")}


def test_a_plaintext_cluster_has_no_property_more() -> None:
    assert properties("plaintext") == {}


def test_a_name_that_is_refused_elsewhere_is_like_plaintext_until_then() -> None:
    assert security.named("ssl") is SECURITIES["plaintext"]


@pytest.mark.parametrize("name", SECURED)
def test_members_show_each_other_certificates(name: str) -> None:
    found = properties(name)
    assert found["ssl.keystore.location"] == "/etc/kafka/tls/keystore.pem"
    assert found["ssl.truststore.location"] == "/etc/kafka/tls/truststore.pem"
    assert (found["ssl.keystore.type"], found["ssl.truststore.type"]) == ("PEM", "PEM")
    assert found["listener.name.internal.ssl.client.auth"] == "required"
    assert found["listener.name.controller.ssl.client.auth"] == "required"


@pytest.mark.parametrize(("name", "auth"), [("tls", None), ("mtls", "required"), ("scram", None)])
def test_clients_show_certificates_with_mtls_alone(name: str, auth: str | None) -> None:
    assert properties(name).get("listener.name.client.ssl.client.auth") == auth


def test_every_listener_of_passwords_has_the_mechanism_under_its_own_name() -> None:
    found = properties("scram", entry("EXTERNAL", "SASL_SSL"))
    for name in ("client", "external"):
        assert found[f"listener.name.{name}.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
        login = found[f"listener.name.{name}.scram-sha-512.sasl.jaas.config"]
        assert login == "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    assert not any("sasl" in key for key in properties("mtls", entry("EXTERNAL", "SASL_SSL")))


@pytest.mark.parametrize("name", SECURED)
def test_a_listener_that_stays_open_while_clients_move_gets_nothing(name: str) -> None:
    assert not any("former" in key for key in properties(name, entry("FORMER", "PLAINTEXT")))


def test_a_further_listener_of_members_asks_for_certificates_too() -> None:
    found = properties("scram", entry("REPLICATION", "SSL", "members"), entry("PUBLIC", "SSL"))
    assert found["listener.name.replication.ssl.client.auth"] == "required"
    assert "listener.name.public.ssl.client.auth" not in found


@pytest.mark.parametrize(
    ("name", "super_users"),
    [("tls", None), ("mtls", f"User:CN=admin;{SUPER_USERS}"), ("scram", f"User:admin;{SUPER_USERS}")],
)
def test_where_each_client_has_a_name_all_others_than_nodes_and_administrator_need_acls(
    name: str, super_users: str | None
) -> None:
    found = properties(name)
    assert found.get("super.users") == super_users
    assert ("authorizer.class.name" in found) == (super_users is not None)
    assert "allow.everyone.if.no.acl.found" not in found


def test_the_authorizer_is_that_of_the_mode() -> None:
    assert properties("mtls")["authorizer.class.name"] == "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    assert properties("mtls", mode="zookeeper")["authorizer.class.name"] == "kafka.security.authorizer.AclAuthorizer"


LOGIN = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "shop", "sasl_plain_password": "a-secret"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plaintext", {}),
        ("tls", {"security_protocol": "SSL", "ssl_cafile": "/pki/ca.crt"}),
        (
            "mtls",
            {
                "security_protocol": "SSL",
                "ssl_cafile": "/pki/ca.crt",
                "ssl_certfile": "/pki/clients/shop.pem",
                "ssl_keyfile": "/pki/clients/shop.pem",
            },
        ),
        ("scram", {"security_protocol": "SASL_SSL", "ssl_cafile": "/pki/ca.crt", **LOGIN}),
    ],
)
def test_a_client_comes_with_what_its_listener_asks_for(name: str, options: dict[str, str]) -> None:
    assert security.client(SECURITIES[name], "/pki", "shop", "a-secret") == options


def test_a_clients_properties_say_the_same() -> None:
    servers = ["kafka1:9092", "kafka2:9092"]
    assert security.client_properties({}, servers) == {
        "bootstrap.servers": "kafka1:9092,kafka2:9092",
        "security.protocol": "PLAINTEXT",
    }
    found = security.client_properties(security.client(SECURITIES["mtls"], "/pki", "shop", ""), servers)
    assert found == {
        "bootstrap.servers": "kafka1:9092,kafka2:9092",
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/pki/ca.crt",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/pki/clients/shop.pem",
    }


@pytest.mark.parametrize("password", ["a-secret", 'with " in it', "with \\ in it", "\\", "; x=1"])
def test_a_password_of_any_characters_is_read_back_from_the_properties(password: str) -> None:
    options = security.client(SECURITIES["scram"], "/pki", "shop", password)
    found = security.client_properties(options, ["kafka1:9092"])
    assert found["sasl.mechanism"] == "SCRAM-SHA-512"
    assert jaas.parse(found["sasl.jaas.config"]).options == {"username": "shop", "password": password}


@pytest.mark.parametrize("name", SECURITIES)
def test_what_has_all_it_needs_is_not_refused(name: str) -> None:
    assert problems(name, **({"inter_broker_listener": "CLIENT"} if name == "plaintext" else {})) == []


@pytest.mark.parametrize(
    ("name", "changed", "sentence"),
    [
        (
            "scram",
            {"mode": "zookeeper"},
            "kafka_security: scram needs kafka_mode kraft, whose storage is formatted with the administrator's"
            " password. With ZooKeeper choose tls or mtls, or declare listeners and kafka_config (docs/access.md).",
        ),
        (
            "scram",
            {"admin_user": ""},
            "kafka_admin_user: '' would be in super.users and, with mtls, the name of a file;"
            " use letters, digits, '.', '_' and '-'.",
        ),
        (
            "mtls",
            {"admin_user": "../admin;User:shop"},
            "kafka_admin_user: '../admin;User:shop' would be in super.users and, with mtls, the name of a file;"
            " use letters, digits, '.', '_' and '-'.",
        ),
        (
            "scram",
            {"admin_password": ""},
            "kafka_admin_password: kafka_security scram needs it; keep it in a vault.",
        ),
        (
            "scram",
            {"admin_password": 1234},
            "kafka_admin_password: password is not a text; quote it, for YAML changes what looks like a number or a"
            " truth value",
        ),
        (
            "scram",
            {"inter_broker_listener": "CLIENT"},
            "kafka_inter_broker_listener: CLIENT is SASL_SSL, and kafka_security scram gives brokers certificates and"
            " no password; name a listener of SSL.",
        ),
        (
            "plaintext",
            {"phase": "closed"},
            "kafka_security_phase: closed is a phase of the way to tls, mtls or scram in kafka_mode kraft; take it"
            " away, or set kafka_security.",
        ),
        (
            "mtls",
            {"phase": "acls", "mode": "zookeeper"},
            "kafka_security_phase: acls is a phase of the way to tls, mtls or scram in kafka_mode kraft; take it"
            " away, or set kafka_security.",
        ),
        *(
            (
                name,
                {"config": ["num.io.threads", key]},
                f"kafka_config: {key} makes other principals of the nodes' certificates than User:CN= and the host's"
                " name, by which kafka_security names them in super.users, so that they would refuse each other. Say"
                " super.users, too, with the principals that it makes.",
            )
            for name in ("mtls", "scram")
            for key in (
                "ssl.principal.mapping.rules",
                "principal.builder.class",
                "listener.name.internal.ssl.principal.mapping.rules",
            )
        ),
        (
            "scram",
            {"phase": "authorizer", "config": ["principal.builder.class"]},
            "kafka_config: principal.builder.class makes other principals of the nodes' certificates than User:CN= and"
            " the host's name, by which kafka_security names them in super.users, so that they would refuse each"
            " other. Say super.users, too, with the principals that it makes.",
        ),
        *(
            (
                name,
                {"phase": phase, "entries": [entry("INTERNAL", "SSL", "members"), entry("PLAIN", "PLAINTEXT")]},
                "kafka_listeners: PLAIN is PLAINTEXT, so that whoever reaches its port needs no login, while"
                f" kafka_security is {name}. Give it another security_protocol, or name it in"
                " kafka_security_open_listeners.",
            )
            for name in ("tls", "mtls", "scram")
            for phase in ("", "closed")
        ),
        (
            "tls",
            {"admin_host": "bastion"},
            "kafka_admin_client: the authority's certificate is on localhost (tls_authority_host), and bastion"
            " (kafka_admin_host) asks the cluster; say kafka_admin_client with a copy of it.",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_a_sentence_that_names_the_variable(
    name: str, changed: dict[str, Any], sentence: str
) -> None:
    assert problems(name, **changed) == [sentence]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("tls", {"admin_password": ""}),
        ("mtls", {"mode": "zookeeper", "admin_password": ""}),
        ("mtls", {"phase": "closed", "entries": [], "inter_broker_listener": "INTERNAL"}),
        ("plaintext", {"mode": "zookeeper", "inter_broker_listener": "CLIENT", "admin_host": "bastion"}),
        ("tls", {"admin_host": "bastion", "ca": ""}),
        ("tls", {"config": ["ssl.principal.mapping.rules"]}),
        ("mtls", {"config": ["ssl.principal.mapping.rules", "super.users"]}),
        ("scram", {"phase": "members", "config": ["principal.builder.class"]}),
        ("scram", {"config": ["my.principal.builder.class.name", "listener.name.internal.ssl.client.auth"]}),
        ("tls", {"entries": [entry("INTERNAL", "SSL"), entry("PLAIN", "PLAINTEXT")], "open_listeners": ["PLAIN"]}),
        ("scram", {"entries": security.listeners(SECURITIES["scram"], security_phase.PHASES[3]), "phase": "acls"}),
        ("tls", {"admin_host": "bastion", "tls_enabled": False}),
        ("scram", {"inter_broker_listener": "CLIENT", "config": ["sasl.mechanism.inter.broker.protocol"]}),
    ],
)
def test_what_others_need_is_not_asked_for(name: str, changed: dict[str, Any]) -> None:
    assert problems(name, **changed) == []


def test_storage_is_formatted_with_the_administrator_by_a_salted_password() -> None:
    option, credential = kafka_first_user("scram", "admin", "an-admins-secret")
    assert option == "--add-scram"
    assert credential.startswith("SCRAM-SHA-512=[name=")
    fields = dict(pair.split("=", 1) for pair in credential.split("[")[1].removesuffix("]").split(","))
    assert fields["name"] == '"admin"'
    salt, salted = (b64decode(fields[key].strip('"')) for key in ("salt", "saltedpassword"))
    iterations = int(fields["iterations"])
    assert 4096 <= iterations <= 16384
    assert salted == hashlib.pbkdf2_hmac("sha512", b"an-admins-secret", salt, iterations)
    assert kafka_first_user("scram", "admin", "an-admins-secret")[1] != credential
    assert "an-admins-secret" not in credential


@pytest.mark.parametrize("name", ["plaintext", "tls", "mtls"])
def test_who_comes_without_a_password_needs_no_first_user(name: str) -> None:
    assert kafka_first_user(name, "admin", "") == []
