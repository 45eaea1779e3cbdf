"""Turns declared listeners into addresses, and into the properties that Kafka reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.address import bare, host_port
from ansible_collections.crucible.kafka.plugins.module_utils.listeners import (
    advertised_property,
    entry_listener,
    listeners_property,
)

Entries = Sequence[Mapping[str, Any]]
ROLES = ("broker", "controller")


def kafka_listener_hosts(
    names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], entries: Entries
) -> list[dict[str, Any]]:
    """Return each host's roles, advertised host and listeners; `entries` where the inventory declares none for it."""
    return [
        {
            "name": name,
            "host": bare(str(hostvars[name].get("kafka_advertised_host", name))),
            "roles": hostvars[name].get("kafka_process_roles", ROLES),
            "listeners": hostvars[name].get("kafka_listeners", entries),
        }
        for name in names
    ]


def kafka_addresses(hosts: Iterable[Mapping[str, Any]], listener: str) -> list[str]:
    """Return where a listener of these hosts (from `kafka_listener_hosts`) is advertised, as `host:port`."""
    return [
        entry_listener(entry, host["host"]).address
        for host in hosts
        for entry in host["listeners"]
        if entry["name"] == listener
    ]


def kafka_source_hosts(hosts: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    """Return from where these hosts connect to each other: as they are reached in general, and over `names`."""
    among = set(names)
    found = [
        [
            host["host"],
            *(entry_listener(each, host["host"]).host for each in host["listeners"] if each["name"] in among),
        ]
        for host in hosts
    ]
    return list(dict.fromkeys(address for each in found for address in each))


def kafka_listeners_property(entries: Entries, host: str) -> str:
    """Return Kafka's `listeners` for the entries of one host."""
    return listeners_property(entry_listener(entry, host) for entry in entries)


def kafka_advertised_property(entries: Entries, host: str) -> str:
    """Return Kafka's `advertised.listeners` for the entries of one host, whose `kafka_advertised_host` is `host`."""
    return advertised_property(entry_listener(entry, host) for entry in entries)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {
            "host_port": host_port,
            "kafka_addresses": kafka_addresses,
            "kafka_advertised_property": kafka_advertised_property,
            "kafka_listener_hosts": kafka_listener_hosts,
            "kafka_listeners_property": kafka_listeners_property,
            "kafka_source_hosts": kafka_source_hosts,
        }
