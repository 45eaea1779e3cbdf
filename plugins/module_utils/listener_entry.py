"""What Ansible modules are told about listeners: the declared ones of each host, and what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .listeners import NodeListeners, declared_node, running_node

if TYPE_CHECKING:
    # Mitogen ships what is imported by an absolute name; the relative imports in this package are invisible to it.
    from ansible_collections.crucible.kafka.plugins.module_utils import address as address
    from ansible_collections.crucible.kafka.plugins.module_utils import listeners as listeners

OPTIONS: dict[str, dict[str, Any]] = {
    "members": {"type": "list", "elements": "dict", "required": True},
    "running": {"type": "list", "elements": "dict", "required": True},
    "inter_broker_listener": {"type": "str", "required": True},
    "controller_listeners": {"type": "list", "elements": "str", "required": True},
    "admin_listener": {"type": "str", "required": True},
}
"""The options of a module, as `AnsibleModule` takes them."""


def declared_nodes(params: Mapping[str, Any]) -> dict[str, NodeListeners]:
    """Every node as the inventory declares it, by its name.

    Raises:
        ValueError: A listener is not complete; the message is a sentence for the operator.
    """
    declared = {}
    for member in params["members"]:
        try:
            declared[member["name"]] = declared_node(
                member["name"],
                member["roles"],
                member["host"],
                member["listeners"],
                params["inter_broker_listener"],
                params["controller_listeners"],
            )
        except (KeyError, TypeError, ValueError) as error:
            told = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"kafka_listeners: each needs a name, a port and a security_protocol ({member.get('name')}: {told})."
            ) from error
    return declared


def running_nodes(params: Mapping[str, Any]) -> list[NodeListeners]:
    """The members that run, as their processes were started, in the order of `members`."""
    processes = {found["name"]: found.get("process") for found in params["running"] if "name" in found}
    return [
        running_node(member["name"], member["host"], process["properties"])
        for member in params["members"]
        if (process := processes.get(member["name"]))
    ]


def preferred_listeners(params: Mapping[str, Any]) -> list[str]:
    """The listeners by which this machine may ask: the declared one, then those for clients, then the others."""
    entries = [entry for member in params["members"] for entry in member["listeners"]]
    by_reach = sorted(entries, key=lambda entry: entry.get("reachable_by") != "clients")
    return list(dict.fromkeys([params["admin_listener"], *(str(entry["name"]) for entry in by_reach)]))
