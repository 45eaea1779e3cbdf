"""What the inventory says of listeners becomes the addresses and properties that Kafka and its clients read."""

from __future__ import annotations

from typing import Any

from ansible_collections.crucible.kafka.plugins.filter.listeners import (
    kafka_addresses,
    kafka_advertised_property,
    kafka_listener_hosts,
    kafka_listeners_property,
    kafka_source_hosts,
)
from ansible_collections.crucible.kafka.plugins.module_utils.listeners import declared_node, running_node

DEFAULT = [
    {"name": "CLIENT", "port": 9092, "security_protocol": "PLAINTEXT"},
    {"name": "CONTROLLER", "port": 9093, "security_protocol": "SSL"},
]
BESIDES = [
    {
        "name": "CLIENT",
        "port": 9092,
        "security_protocol": "SSL",
        "advertised_host": "k1.example",
        "advertised_port": 443,
    },
    {"name": "CONTROLLER", "port": 9093, "security_protocol": "SSL", "bind": "2001:db8::1"},
]
HOSTVARS: dict[str, dict[str, Any]] = {
    "kafka1": {"kafka_advertised_host": "2001:db8::1", "kafka_listeners": BESIDES},
    "kafka2": {"kafka_process_roles": ["broker"]},
}


def test_each_host_is_reached_by_what_it_says_of_itself() -> None:
    hosts = kafka_listener_hosts(HOSTVARS, HOSTVARS, DEFAULT)
    assert kafka_addresses(hosts, "CLIENT") == ["k1.example:443", "kafka2:9092"]
    assert kafka_addresses(hosts, "CONTROLLER") == ["[2001:db8::1]:9093", "kafka2:9093"]
    assert kafka_addresses(hosts, "NONE") == []
    assert hosts[1]["roles"] == ["broker"]


def test_hosts_connect_to_each_other_from_where_they_are_reached_by_each_other() -> None:
    hosts = kafka_listener_hosts(HOSTVARS, HOSTVARS, DEFAULT)
    assert kafka_source_hosts(hosts, ["CONTROLLER"]) == ["2001:db8::1", "kafka2"]
    assert kafka_source_hosts(hosts, ["CLIENT"]) == ["2001:db8::1", "k1.example", "kafka2"]


def test_a_host_listens_where_it_binds_and_tells_what_it_advertises() -> None:
    assert kafka_listeners_property(DEFAULT, "kafka1") == "CLIENT://:9092,CONTROLLER://:9093"
    assert kafka_advertised_property(DEFAULT, "kafka1") == "CLIENT://kafka1:9092,CONTROLLER://kafka1:9093"
    assert kafka_listeners_property(BESIDES, "kafka1") == "CLIENT://:9092,CONTROLLER://[2001:db8::1]:9093"
    advertised = "CLIENT://k1.example:443,CONTROLLER://[2001:db8::1]:9093"
    assert kafka_advertised_property(BESIDES, "[2001:db8::1]") == advertised


def test_what_runs_with_these_properties_is_what_is_declared() -> None:
    properties = {
        "process.roles": "broker,controller",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "listener.security.protocol.map": "CLIENT:SSL,CONTROLLER:SSL",
        "listeners": kafka_listeners_property(BESIDES, "2001:db8::1"),
        "advertised.listeners": kafka_advertised_property(BESIDES, "2001:db8::1"),
    }
    declared = declared_node("kafka1", ["broker", "controller"], "2001:db8::1", BESIDES, "CLIENT", ["CONTROLLER"])
    assert running_node("kafka1", "kafka1", properties).listeners == declared.listeners
