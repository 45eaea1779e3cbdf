"""Turns what the inventory declares into the nodes of a cluster and into text that Java reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.crucible.kafka.plugins.module_utils.address import bare
from ansible_collections.crucible.kafka.plugins.module_utils.command_line_tools import command_line_tools
from ansible_collections.crucible.kafka.plugins.module_utils.properties import render
from ansible_collections.crucible.kafka.plugins.module_utils.server_properties import (
    Cluster,
    Node,
    server_properties,
    strings,
)

# What systemd takes from a unit that is loaded again (tasks/start.yml), without a new start; and our own digests.
_NOT_STARTED_WITH = re.compile(r"(TimeoutStopSec|SuccessExitStatus|Restart|RestartSec)=|Environment=\"?CONFIG_SHA256=")


def text_digest(text: str) -> str:
    """Return the SHA-256 of a configuration file without its comments and blank lines, which change nothing."""
    return hashlib.sha256("\n".join(_statements(text)).encode()).hexdigest()


def unit_digest(unit: str) -> str:
    """Return the SHA-256 of what a process is started with by a unit: its [Service] section as far as that needs it."""
    service, within = [], False
    for line in _statements(unit):
        within = line == "[Service]" if line.startswith("[") else within
        if within and not _NOT_STARTED_WITH.match(line):
            service.append(line)
    return text_digest("\n".join(service))


def _statements(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and line[0] not in "#;"]


def kafka_members(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the cluster's nodes as the inventory declares them, by node id.

    Roles' defaults of one host are not visible to another, so the two that matter here are said again:
    `kafka_advertised_host` is the inventory's name of the host, `kafka_process_roles` are broker and controller.

    Raises:
        AnsibleFilterError: A host has no node id. The preflight says so too, but other playbooks ask before it.
    """
    members = [
        {
            "name": name,
            "node_id": _node_id(name, hostvars[name].get("kafka_node_id")),
            "host": bare(str(hostvars[name].get("kafka_advertised_host", name))),
            "roles": hostvars[name].get("kafka_process_roles", ["broker", "controller"]),
        }
        for name in names
    ]
    return sorted(members, key=lambda member: int(member["node_id"]))


def _node_id(name: str, declared: Any) -> int:
    if not str(declared).isdigit():
        raise AnsibleFilterError(f"kafka_node_id: {name} has none; give it a number of its own, 0 or above.")
    return int(declared)


def kafka_server_properties(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a host, the secrets they refer to, and the listeners that the host has.

    Args:
        name: The host's name in the inventory.
        declared: What the kafka role's vars/main/properties.yml gathers under the same names.
    """
    cluster = Cluster(
        mode=declared["mode"],
        major=int(str(declared["version"]).split(".")[0]),
        nodes=[Node(*(member[key] for key in ("name", "node_id", "host", "roles"))) for member in declared["members"]],
        listeners=declared["listeners"],
        inter_broker_listener=declared["inter_broker_listener"],
        controller_listeners=declared["controller_listeners"],
        controller_servers=declared["controller_servers"],
        zookeeper_connect=declared["zookeeper_connect"],
        security=declared["security"],
        security_phase=declared["security_phase"],
        administrator=declared["administrator"],
        migration_phase=declared["migration_phase"],
    )
    node = next(node for node in cluster.nodes if node.name == name)
    found = server_properties(
        cluster, node, declared["data_dirs"], declared["timing"], declared["config"], declared["secrets_file"]
    )
    return {
        "properties": dict(found.properties),
        "secrets": dict(found.secrets),
        "listeners": cluster.listeners_of(node),
    }


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {
            "kafka_command_line_tools": command_line_tools,
            "kafka_members": kafka_members,
            "kafka_server_properties": kafka_server_properties,
            "kafka_strings": strings,
            "text_digest": text_digest,
            "to_properties": render,
            "unit_digest": unit_digest,
        }
