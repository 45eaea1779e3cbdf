"""Lets one host see what the inventory says of all of them, also of those outside --limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def preflight_nodes(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each host's identity as it is said, or not said, in the inventory, and the names of its variables."""
    return [
        {
            "name": name,
            "node_id": hostvars[name].get("kafka_node_id"),
            "roles": hostvars[name].get("kafka_process_roles", ["broker", "controller"]),
            "host": hostvars[name].get("kafka_advertised_host", name),
            "variables": [str(variable) for variable in hostvars[name]],
        }
        for name in names
    ]


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by the name that templates use."""
        return {"preflight_nodes": preflight_nodes}
