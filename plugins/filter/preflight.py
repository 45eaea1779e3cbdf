"""Lets one host see what the inventory says of all of them, also of those outside --limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.preflight import NEEDED_BY_SERVERS as NEEDED
from ansible_collections.crucible.kafka.plugins.module_utils.preflight import SHARED_WITH_SERVERS as SHARED

# What preflight_variables said of a host in the run: at first, and once there were facts.
JUDGED = ("__preflight_variables", "__preflight_postponed")


def preflight_nodes(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each host's identity as it is said, or not said, in the inventory, and what its variables are."""
    return [
        {
            "name": name,
            "node_id": hostvars[name].get("kafka_node_id"),
            "roles": hostvars[name].get("kafka_process_roles", ["broker", "controller"]),
            "variables": [str(variable) for variable in hostvars[name]],
            "errors": _judged(hostvars[name], "errors"),
            "config": _judged(hostvars[name], "config"),
        }
        for name in names
    ]


def preflight_servers(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return, for each of these ZooKeeper servers, what the inventory says of the variables that brokers have too.

    Of those that it only needs to have, the value is not read: it may be a template that is rendered on its own host.
    """
    return {
        name: {
            variable: hostvars[name][variable] for variable in ("kafka_node_id", *SHARED) if variable in hostvars[name]
        }
        | {variable: True for variable in NEEDED if variable in hostvars[name]}
        for name in names
    }


def _judged(variables: Mapping[str, Any], part: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in JUDGED:
        found |= variables.get(name, {}).get(part, {})
    return found


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {"preflight_nodes": preflight_nodes, "preflight_servers": preflight_servers}
