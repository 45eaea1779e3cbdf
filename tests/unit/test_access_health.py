"""Who may do what is judged by what runs: what lets everybody in is found, and nothing is told that may be untrue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.access_health import (
    Access,
    access_lines,
    access_problems,
    access_properties,
    declared_problems,
    node_access,
    open_access,
)
from ansible_collections.crucible.kafka.plugins.module_utils.acl_plan import Acl

STANDARD = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
AUTHORIZER = {"authorizer.class.name": STANDARD, "super.users": "User:admin; User:CN=kafka1,O=x;"}
BROKER = {
    "process.roles": "broker",
    "listeners": "CLIENT://:9092,INTERNAL://10.0.0.1:9094",
    "listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
    "controller.listener.names": "CONTROLLER",
    "listener.name.internal.ssl.client.auth": "required",
    "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    **AUTHORIZER,
}
CONTROLLER = {
    **BROKER,
    "process.roles": "controller",
    "listeners": "CONTROLLER://:9093",
    "listener.name.controller.ssl.client.auth": "required",
}
LAB = {
    "process.roles": "broker,controller",
    "listeners": "CLIENT://:9092,CONTROLLER://:9093",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
}
ZOOKEEPER = {
    "listeners": "CLIENT://:9092",
    "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
}
WITHOUT = {"authorizer.class.name": None}
Changes = Mapping[str, str | None]


def changed(properties: Mapping[str, str], changes: Changes) -> dict[str, str]:
    return {key: value for key, value in {**properties, **changes}.items() if value is not None}


def cluster(brokers: Changes | None = None, controllers: Changes | None = None, unread: tuple[str, ...] = ()) -> Access:
    """Two brokers and a controller of a cluster on which all is well, with the changes."""
    with_broker, with_controller = changed(BROKER, brokers or {}), changed(CONTROLLER, controllers or {})
    nodes = [node_access("kafka1", with_broker), node_access("kafka2", with_broker)]
    return Access([*nodes, node_access("controller1", with_controller)], unread, ["INTERNAL", "CONTROLLER"])


def acl(principal: str, name: str = "orders", operation: str = "read", **changes: str) -> Acl:
    return Acl(principal, "topic", name, "literal", operation, "allow", "*")._replace(**changes)


def found(access: Access) -> list[str]:
    """All that is wrong with the access, whether or not it may be meant."""
    return [*access_problems(access), *open_access(access)]


def lines(access: Access, *acls: Acl, users: tuple[str, ...] = ()) -> str:
    return "\n".join(access_lines(access, acls, users))


def test_a_secured_cluster_is_well_and_the_page_says_who_decides() -> None:
    assert found(cluster()) == []
    assert lines(cluster(), acl("User:shop"), acl("User:shop", "clicks"), users=("shop",)).splitlines() == [
        "Access: 3 of 3 nodes have an authorizer (StandardAuthorizer)",
        "  Super users: User:CN=kafka1,O=x and User:admin",
        "  ACLs: 2 of 1 principals",
    ]


def test_a_cluster_that_declares_no_security_is_told_nothing() -> None:
    access = Access([node_access(name, LAB) for name in ("kafka1", "kafka2")], ["kafka3"], ["CONTROLLER"])
    assert (found(access), list(access_lines(access, None, ()))) == ([], [])
    nothing_read = Access(unread=["kafka1"])
    assert (found(nothing_read), list(access_lines(nothing_read, None, ()))) == ([], [])


@pytest.mark.parametrize(
    ("access", "sentence"),
    [
        (
            lambda: cluster(controllers=WITHOUT),
            "No authorizer runs on controller1, while one runs on kafka1 and kafka2: what is decided without one is "
            "permitted to everybody. Set authorizer.class.name for all nodes.",
        ),
        (
            lambda: cluster(brokers={"authorizer.class.name": " "}),
            "No authorizer runs on kafka1 and kafka2, while one runs on controller1: what is decided without one is "
            "permitted to everybody. Set authorizer.class.name for all nodes.",
        ),
        (
            lambda: cluster(brokers={"allow.everyone.if.no.acl.found": "True "}),
            "The authorizer of kafka1 and kafka2 permits everything to everybody on whatever has no ACL: "
            "allow.everyone.if.no.acl.found is true.",
        ),
        (
            lambda: cluster(controllers={"super.users": "User:admin;User:ANONYMOUS"}),
            "super.users of controller1 has User:ANONYMOUS, so whoever comes without a login may do everything.",
        ),
        (
            lambda: cluster(brokers={"listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:SSL"}),
            "Clients need no login at the listener CLIENT of kafka1 and kafka2 (PLAINTEXT), while one is asked for at "
            "CONTROLLER and INTERNAL.",
        ),
        (
            lambda: cluster(
                brokers={
                    "listener.security.protocol.map": "CLIENT:SSL,INTERNAL:SSL",
                    "listener.name.client.ssl.client.auth": "requested",
                    "ssl.client.auth": "required",
                    **WITHOUT,
                },
                controllers=WITHOUT,
            ),
            "Clients need no login at the listener CLIENT of kafka1 and kafka2 (SSL without ssl.client.auth=required), "
            "while one is asked for at CONTROLLER and INTERNAL.",
        ),
        (
            lambda: cluster(brokers={"listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT"}),
            "Nodes need no login at the listener INTERNAL of kafka1 and kafka2 (PLAINTEXT), while one is asked for at"
            " CLIENT and CONTROLLER: nothing but a firewall keeps others out.",
        ),
        (
            lambda: cluster(controllers={"listener.name.controller.ssl.client.auth": None}),
            "Nodes need no login at the listener CONTROLLER of controller1 (SSL without ssl.client.auth=required),"
            " while one is asked for at CLIENT and INTERNAL: nothing but a firewall keeps others out.",
        ),
    ],
)
def test_what_lets_in_everybody_is_told_with_the_nodes(access: Callable[[], Access], sentence: str) -> None:
    assert found(access()) == [sentence]


@pytest.mark.parametrize(
    "access",
    [
        pytest.param(lambda: cluster(brokers={"allow.everyone.if.no.acl.found": "false"}), id="nobody without an ACL"),
        pytest.param(lambda: cluster(brokers={"super.users": "User:ANONYMOUS2;User:NOT-ANONYMOUS"}), id="another name"),
        pytest.param(
            lambda: replace(
                cluster(brokers={"listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT"}),
                open_listeners=["INTERNAL"],
            ),
            id="a listener that is meant to be open",
        ),
        pytest.param(
            lambda: cluster(
                brokers={"listener.security.protocol.map": "CLIENT:SSL,INTERNAL:SSL", "ssl.client.auth": "REQUIRED"}
            ),
            id="certificates for all listeners",
        ),
        pytest.param(
            lambda: Access(
                [
                    node_access(
                        "kafka1", {**LAB, "allow.everyone.if.no.acl.found": "true", "super.users": "User:ANONYMOUS"}
                    )
                ]
            ),
            id="settings of an authorizer that there is not",
        ),
        pytest.param(
            lambda: Access(
                [node_access("kafka1", changed(LAB, {"listener.security.protocol.map": "CLIENT:SSL,CONTROLLER:SSL"}))]
            ),
            id="encrypted and open, as all of it is",
        ),
        pytest.param(
            lambda: Access([node_access("kafka1", ZOOKEEPER), node_access("kafka2", ZOOKEEPER)]), id="ZooKeeper mode"
        ),
        pytest.param(lambda: cluster(brokers=WITHOUT, controllers=WITHOUT), id="no authorizer anywhere"),
    ],
)
def test_what_lets_in_nobody_is_no_problem(access: Callable[[], Access]) -> None:
    assert found(access()) == []


def test_logins_without_an_authorizer_are_told() -> None:
    access = cluster(brokers=WITHOUT, controllers=WITHOUT)
    assert not access.tells_acls
    assert list(access_lines(access, None, ())) == [
        "Access: no node has an authorizer, so whoever is let in may do everything"
    ]


def test_hosts_that_could_not_be_read_are_named() -> None:
    assert "  Not known of kafka3" in lines(cluster(unread=("kafka3",))).splitlines()


@pytest.mark.parametrize(
    ("access", "tells"),
    [
        (cluster, True),
        (lambda: cluster(controllers=WITHOUT), True),
        (lambda: cluster(brokers=WITHOUT), False),
        (lambda: cluster(brokers={"authorizer.class.name": "org.example.Authorizer"}), False),
        (lambda: Access([node_access("kafka1", ZOOKEEPER)]), True),
        (lambda: Access([node_access("controller1", CONTROLLER)]), False),
        (lambda: Access([node_access("kafka1", LAB)]), False),
    ],
)
def test_acls_are_asked_for_where_each_broker_keeps_them_as_kafka_does(
    access: Callable[[], Access], tells: bool
) -> None:
    assert access().tells_acls is tells


@pytest.mark.parametrize(
    ("wide", "told"),
    [
        (acl("User:*"), "User:*: allow read topic orders"),
        (acl("User:shop", "*", "all"), "User:shop: allow all topic *"),
        (acl("User:shop", "*"), None),
        (acl("User:shop", operation="all"), None),
        (acl("User:*", permission="deny"), None),
        (acl("User:shop", "*", "all", permission="deny"), None),
        (acl("User:shop", "*", "all", pattern_type="prefixed"), None),
    ],
)
def test_an_acl_for_everybody_or_for_everything_is_told(wide: Acl, told: str | None) -> None:
    page = lines(cluster(), acl("User:shop"), wide, users=("shop",))
    assert ("For everybody, or everything on all names of a kind: " in page) is bool(told)
    assert told is None or page.endswith(f": {told}")


def users_without_acls(access: Access, *acls: Acl) -> list[str]:
    page = lines(access, *acls, users=("admin", "shop", "stock", "web"))
    return [
        line.partition(": ")[2]
        for line in page.splitlines()
        if line.startswith("  SCRAM users without an ACL of their own: ")
    ]


def test_a_user_whom_no_acl_names_and_who_is_no_super_user_is_told() -> None:
    acls = [acl("User:shop", permission="deny"), acl("User:*"), acl("Group:stock"), acl("User:webb")]
    assert users_without_acls(cluster(), *acls) == ["stock and web"]
    assert users_without_acls(cluster(), acl("User:shop"), acl("User:stock"), acl("User:web")) == []


@pytest.mark.parametrize(
    ("mechanisms", "told"), [("PLAIN,SCRAM-SHA-256", True), ("PLAIN", False), ("", False), ("OAUTHBEARER", False)]
)
def test_users_without_acls_are_told_where_they_can_log_in(mechanisms: str, told: bool) -> None:
    access = cluster(brokers={"listener.name.client.sasl.enabled.mechanisms": mechanisms})
    assert bool(users_without_acls(access)) is told


def test_users_whose_principals_a_class_of_ones_own_makes_are_not_judged() -> None:
    assert users_without_acls(cluster(brokers={"listener.name.client.principal.builder.class": "org.example.P"})) == []
    only_members = {"listener.name.internal.principal.builder.class": "org.example.P"}
    assert users_without_acls(cluster(brokers=only_members)) == ["shop, stock and web"]


def test_users_of_members_are_none_of_clients() -> None:
    members = {
        "listener.security.protocol.map": "CLIENT:SSL,INTERNAL:SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-256",
    }
    assert users_without_acls(cluster(brokers=members)) == []


NOBODYS = "ACLs for principals as which nobody can log in: "


def nobodys(access: Access, *principals: str) -> list[str]:
    page = lines(access, *(acl(principal) for principal in principals), users=("shop",))
    return [line.partition(NOBODYS)[2] for line in page.splitlines() if NOBODYS in line]


def test_a_principal_that_is_no_user_is_told() -> None:
    every = ("User:shop", "User:admin", "User:*", "User:former", "Group:shop", "User:ANONYMOUS")
    assert nobodys(cluster(), *every) == ["Group:shop, User:ANONYMOUS and User:former"]
    assert nobodys(cluster(), "User:shop", "User:admin", "User:*") == []


def test_the_name_in_a_certificate_is_somebody_where_one_is_taken() -> None:
    assert nobodys(cluster(), "User:CN=web,O=x", "User:former") == ["User:former"]
    zookeeper = Access([node_access("kafka1", ZOOKEEPER)])
    assert nobodys(zookeeper, "User:CN=web", "User:former") == ["User:CN=web and User:former"]
    asks = {"listener.name.internal.ssl.client.auth": "requested"}
    assert nobodys(cluster(brokers=asks, controllers={"listeners": ""}), "User:CN=web") == []
    no_certificates = {"listener.name.internal.ssl.client.auth": None}
    assert nobodys(cluster(brokers=no_certificates, controllers={"listeners": ""}), "User:CN=web") == ["User:CN=web"]


@pytest.mark.parametrize(
    "access",
    [
        lambda: cluster(brokers={"listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512, PLAIN"}),
        lambda: cluster(brokers={"ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/"}),
        lambda: cluster(
            controllers={"listener.name.controller.ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/"}
        ),
        lambda: cluster(controllers={"principal.builder.class": "org.example.Principals"}),
        lambda: cluster(controllers={"listener.security.protocol.map": "CONTROLLER:SASL_SSL"}),
        lambda: cluster(unread=("kafka3",)),
    ],
    ids=["PLAIN", "mapped names", "mapped for controllers", "a class of one's own", "GSSAPI", "an unread host"],
)
def test_nobody_is_said_to_be_nobody_where_there_may_be_others_than_scram_users(access: Callable[[], Access]) -> None:
    assert nobodys(access(), "User:former") == []


def test_anonymous_is_somebody_where_no_login_is_needed() -> None:
    opened = {"listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT"}
    assert nobodys(cluster(brokers=opened), "User:ANONYMOUS", "User:former") == ["User:former"]
    default_rules = {"ssl.principal.mapping.rules": "DEFAULT"}
    assert nobodys(cluster(brokers=default_rules), "User:ANONYMOUS") == ["User:ANONYMOUS"]


def test_no_super_user_is_told_too_and_many_are_cut() -> None:
    nobody = Access([node_access("kafka1", ZOOKEEPER)])
    assert "  Super users: none" in lines(nobody).splitlines()
    many = {"super.users": ";".join(f"User:{number:02}" for number in range(13))}
    assert "User:08, User:09 and 3 more\n" in lines(cluster(brokers=many, controllers=WITHOUT))


def test_open_listeners_beside_an_authorizer_alone_are_told_for_clients_and_nodes() -> None:
    clients, nodes = found(Access([node_access("kafka1", {**LAB, **AUTHORIZER})], (), ["CONTROLLER"]))
    assert (
        clients == "Clients need no login at the listener CLIENT of kafka1 (PLAINTEXT), while there is an authorizer."
    )
    assert nodes.startswith("Nodes need no login at the listener CONTROLLER of kafka1 (PLAINTEXT), while there is an a")


def test_a_listener_that_is_meant_to_be_open_is_told_as_such() -> None:
    opened = cluster(brokers={"listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:SSL"})
    meant = "  Without a login, as kafka_security_open_listeners says: CLIENT"
    assert meant not in lines(opened).splitlines()
    assert meant in lines(replace(opened, open_listeners=["CLIENT", "ANOTHER"])).splitlines()


PLAINTEXT = Access([node_access(name, LAB) for name in ("kafka1", "kafka2")], (), ["CONTROLLER"])


def test_a_cluster_that_is_open_although_another_one_is_declared_is_not_well() -> None:
    assert list(declared_problems(PLAINTEXT, "scram", authorizes=True, encrypts=True)) == [
        "kafka_security is scram, and no node that runs has an authorizer, so that whoever is let in may do everything."
        " Run site.yml (docs/security.md).",
        "kafka_security is scram, and CLIENT and CONTROLLER of kafka1 and kafka2 are PLAINTEXT. Run site.yml"
        " (docs/security.md), or name in kafka_security_open_listeners what is meant to be.",
    ]
    assert len([*declared_problems(PLAINTEXT, "tls", authorizes=False, encrypts=True)]) == 1
    assert len([*declared_problems(PLAINTEXT, "scram", authorizes=True, encrypts=False)]) == 1
    assert list(declared_problems(PLAINTEXT, "plaintext", authorizes=False, encrypts=False)) == []
    meant = replace(PLAINTEXT, open_listeners=["CLIENT", "CONTROLLER"])
    assert list(declared_problems(meant, "tls", authorizes=False, encrypts=True)) == []


def test_what_is_as_declared_is_well_and_what_was_not_read_is_not_judged() -> None:
    assert list(declared_problems(cluster(), "scram", authorizes=True, encrypts=True)) == []
    assert list(declared_problems(Access(unread=["kafka1"]), "scram", authorizes=True, encrypts=True)) == []


def test_only_an_authorizer_that_is_forgotten_is_never_meant() -> None:
    assert list(access_problems(cluster(controllers=WITHOUT)))
    opened = cluster(brokers={"allow.everyone.if.no.acl.found": "true", "super.users": "User:ANONYMOUS"})
    assert list(access_problems(opened)) == []
    assert len(list(open_access(opened))) == 2


def test_tls_alone_is_open() -> None:
    opened = changed(BROKER, {"listener.name.internal.ssl.client.auth": None})
    (sentence,) = found(Access([node_access("kafka1", opened)]))
    assert "the listener INTERNAL of kafka1 (SSL without" in sentence


def test_a_long_list_is_cut_where_nobody_would_read_on() -> None:
    page = lines(cluster(), *(acl(f"User:{number:02}") for number in range(13)), users=("shop",))
    assert page.endswith("User:08, User:09 and 3 more")


def test_no_property_is_read_that_is_about_other_things_or_may_be_a_secret() -> None:
    secrets = {
        "listener.name.client.scram-sha-512.sasl.jaas.config": "secret",
        "ssl.keystore.key": "secret",
        "ssl.key.password": "secret",
        "log.dirs": "/var/lib/kafka",
        "my.super.users": "x",
    }
    about_access = {**BROKER, "principal.builder.class": "org.example.P", "ssl.principal.mapping.rules": "DEFAULT"}
    assert access_properties({**about_access, **secrets}) == about_access
