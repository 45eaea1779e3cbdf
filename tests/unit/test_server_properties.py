"""A node's properties follow from what is declared, byte for byte as golden/ has them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils import security
from ansible_collections.crucible.kafka.plugins.module_utils.properties import parse, render
from ansible_collections.crucible.kafka.plugins.module_utils.server_properties import (
    Cluster,
    Node,
    ServerProperties,
    secret_values,
    server_properties,
    strings,
)

GOLDEN = Path(__file__).parent / "golden/server_properties"
SECRETS = "/etc/kafka/secrets.properties"
BOTH = ["broker", "controller"]
DIRS = ["/var/lib/kafka/data"]


def listener(name: str, port: int, protocol: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "port": port, "security_protocol": protocol, **more}


def on(hosts: Sequence[str], port: int = 9093) -> list[str]:
    return [f"{host}:{port}" for host in hosts]


CLIENT, CONTROLLER = listener("CLIENT", 9092, "PLAINTEXT"), listener("CONTROLLER", 9093, "PLAINTEXT")
COMBINED = Cluster(
    mode="kraft",
    major=4,
    nodes=[Node(f"kafka{n}", n, f"kafka{n}.example.com", BOTH) for n in (1, 2, 3)],
    listeners=[CLIENT, CONTROLLER],
    inter_broker_listener="CLIENT",
    controller_listeners=["CONTROLLER"],
    controller_servers=on([f"kafka{n}.example.com" for n in (1, 2, 3)]),
)
DEDICATED = replace(
    COMBINED,
    nodes=[
        *(Node(f"kafka{n}", n, f"192.0.2.{10 + n}", ["broker"]) for n in (1, 2)),
        *(Node(f"controller{n}", 100 + n, f"192.0.2.{30 + n}", ["controller"]) for n in (1, 2, 3)),
    ],
    controller_servers=on(["192.0.2.31", "192.0.2.32", "192.0.2.33"]),
)
SECURED = replace(
    COMBINED,
    nodes=[replace(node, host=node.name) for node in COMBINED.nodes],
    listeners=[
        listener("CLIENT", 9092, "SASL_SSL"),
        listener("INTERNAL", 9094, "SSL"),
        listener("CONTROLLER", 9093, "SSL"),
    ],
    controller_servers=on(["kafka1", "kafka2", "kafka3"]),
    inter_broker_listener="INTERNAL",
)
SCRAM = replace(SECURED, security="scram", administrator="admin", listeners=security.listeners(security.named("scram")))
ZOOKEEPER = replace(
    COMBINED,
    mode="zookeeper",
    major=3,
    nodes=[replace(node, host=f"192.0.2.{10 + node.node_id}") for node in COMBINED.nodes],
    zookeeper_connect="192.0.2.11:2181,192.0.2.12:2181,192.0.2.13:2181/kafka",
)
CHANGED = {
    "log.retention.hours": 168,
    "auto.create.topics.enable": None,
    "compression.type": "zstd",
    "log.cleanup.policy": ["compact", "delete"],
    "delete.topic.enable": False,
}
KEYS = {
    "ssl.keystore.type": "PEM",
    "ssl.keystore.certificate.chain": "-----BEGIN CERTIFICATE-----\nMIIB=\n-----END CERTIFICATE-----\n",
    "ssl.keystore.key": "-----BEGIN PRIVATE KEY-----\nMIIC=\n-----END PRIVATE KEY-----\n",
    "listener.name.client.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.client.plain.sasl.jaas.config": (
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_admin="größer";'
    ),
}
CASES: dict[str, tuple[Cluster, Sequence[str], Mapping[str, Any]]] = {
    "combined": (COMBINED, [*DIRS, "/srv/kafka"], CHANGED),
    "combined_3.9": (replace(COMBINED, major=3), [*DIRS, "/srv/kafka"], CHANGED),
    "dedicated": (DEDICATED, DIRS, {}),
    "scram": (SCRAM, DIRS, {"ssl.keystore.location": "/etc/ssl/kafka.pem", "ssl.keystore.type": None}),
    "secured": (SECURED, DIRS, KEYS),
    "single": (
        replace(COMBINED, nodes=[Node("kafka1", 7, "kafka1", BOTH)], controller_servers=on(["kafka1"])),
        DIRS,
        {"node.rack": "a b"},
    ),
    "zookeeper": (ZOOKEEPER, DIRS, {}),
}
FILES = sorted(GOLDEN.glob("*.properties"))


def of(
    cluster: Cluster, declared: Mapping[str, Any], name: str = "kafka1", timing: Mapping[str, Any] | None = None
) -> ServerProperties:
    node = next(node for node in cluster.nodes if node.name == name)
    return server_properties(cluster, node, DIRS, timing or {}, declared, SECRETS)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_the_file_of_each_node_is_the_one_that_was_written_for_it_before(file: Path) -> None:
    case, _, name = file.stem.rpartition(".")
    cluster, data_dirs, declared = CASES[case]
    node = next(node for node in cluster.nodes if node.name == name)
    found = server_properties(cluster, node, data_dirs, {}, declared, SECRETS)
    assert render(found.properties) + "\n" == file.read_text(encoding="utf-8")


def test_every_node_of_every_case_has_its_golden_file() -> None:
    nodes = {f"{case}.{node.name}" for case, (cluster, *_) in CASES.items() for node in cluster.nodes}
    assert {file.stem for file in FILES} == nodes


def test_a_timing_profile_lies_below_what_the_user_declares() -> None:
    timing = {"broker.session.timeout.ms": 1500, "replica.lag.time.max.ms": 5000}
    found = of(COMBINED, {"replica.lag.time.max.ms": 7000}, timing=timing).properties
    assert (found["broker.session.timeout.ms"], found["replica.lag.time.max.ms"]) == ("1500", "7000")
    assert "replica.lag.time.max.ms" not in of(COMBINED, {"replica.lag.time.max.ms": None}, timing=timing).properties


def test_a_listener_has_its_own_bind_address_and_the_address_that_others_are_told() -> None:
    outside = listener("CLIENT", 9092, "SSL", bind="10.0.0.1", advertised_host="2001:db8::1", advertised_port=443)
    found = of(replace(COMBINED, listeners=[outside, CONTROLLER]), {}).properties
    assert found["listeners"] == "CLIENT://10.0.0.1:9092,CONTROLLER://:9093"
    assert found["advertised.listeners"] == "CLIENT://[2001:db8::1]:443,CONTROLLER://kafka1.example.com:9093"


def test_while_the_controllers_move_they_listen_on_both_listeners_and_are_found_by_the_first() -> None:
    second = listener("CONTROLLER2", 9094, "SSL")
    moving = replace(
        DEDICATED, listeners=[CLIENT, CONTROLLER, second], controller_listeners=["CONTROLLER2", "CONTROLLER"]
    )
    found = of(moving, {}, "controller1").properties
    assert found["listeners"] == "CONTROLLER://:9093,CONTROLLER2://:9094"
    assert found["controller.listener.names"] == "CONTROLLER2,CONTROLLER"
    assert found["security.protocol"] == "SSL"


VAULT = {"config.providers": "vault", "config.providers.vault.class": "com.example.Vault"}


def test_a_users_provider_is_kept_beside_the_one_for_secrets_and_its_references_are_left_alone() -> None:
    reference = "${vault:secret/kafka:password}"
    declared = {**VAULT, "ssl.key.password": reference, "ssl.keystore.password": "own"}
    found = of(COMBINED, declared)
    assert found.secrets == {"ssl.keystore.password": "own"}
    assert found.properties["ssl.key.password"] == reference
    assert found.properties["ssl.keystore.password"] == f"${{file:{SECRETS}:ssl.keystore.password}}"
    assert found.properties["config.providers"] == "vault,file"
    assert found.properties["config.providers.vault.class"] == "com.example.Vault"
    assert found.properties["config.providers.file.class"].endswith("FileConfigProvider")


def test_a_reference_within_a_value_is_one_too() -> None:
    jaas = 'Module required username="admin" password="${vault:secret/kafka:admin}";'
    assert of(COMBINED, {**VAULT, "sasl.jaas.config": jaas}).secrets == {}


def test_what_looks_like_a_reference_to_a_provider_that_nobody_has_is_a_secret() -> None:
    assert of(COMBINED, {"ssl.key.password": "${vault:x}"}).secrets == {"ssl.key.password": "${vault:x}"}
    assert of(COMBINED, {**VAULT, "ssl.key.password": "${env:x}"}).secrets == {"ssl.key.password": "${env:x}"}


def test_a_provider_of_the_users_that_is_called_like_ours_is_another_one() -> None:
    theirs = {"config.providers": ["file", "secrets"], "config.providers.file.class": "com.example.Files"}
    found = of(COMBINED, {**theirs, "ssl.key.password": "own", "ssl.keystore.password": "${file:/a:b}"}).properties
    assert found["config.providers"] == "file,secrets,kafka_secrets"
    assert found["config.providers.file.class"] == "com.example.Files"
    assert found["ssl.key.password"] == f"${{kafka_secrets:{SECRETS}:ssl.key.password}}"
    assert found["ssl.keystore.password"] == "${file:/a:b}"


def test_without_secrets_there_is_no_provider_but_the_users() -> None:
    assert "config.providers" not in of(COMBINED, {}).properties
    assert of(COMBINED, VAULT).properties["config.providers"] == "vault"


def test_what_configures_a_provider_is_not_looked_up_by_one() -> None:
    param = {"config.providers.vault.param.password": "x"}
    assert of(COMBINED, {**VAULT, **param}).properties["config.providers.vault.param.password"] == "x"


def test_values_become_what_kafka_reads() -> None:
    declared = {"a": True, "b": ["x", 1], "c": 3, "d": None, "e": "text"}
    assert strings(declared) == {"a": "true", "b": "x,1", "c": "3", "e": "text"}


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("ssl.keystore.password", True),
        ("listener.name.client.scram-sha-512.sasl.jaas.config", True),
        ("ssl.keystore.key", True),
        ("delegation.token.secret.key", True),
        ("ssl.keystore.location", False),
        ("num.io.threads", False),
    ],
)
def test_sensitive_keys_are_known_by_name(key: str, secret: bool) -> None:
    assert bool(secret_values({key: "x"})) is secret


@given(st.dictionaries(st.sampled_from(["a.password", "sasl.jaas.config", "num.io.threads"]), st.text(min_size=1)))
def test_no_secret_is_in_the_file_that_everybody_may_read(declared: dict[str, str]) -> None:
    found = of(COMBINED, declared)
    assert found.secrets.keys() == declared.keys() - {"num.io.threads"}
    assert all(found.properties[key] == f"${{file:{SECRETS}:{key}}}" for key in found.secrets)
    assert parse(render(found.properties)) == found.properties
