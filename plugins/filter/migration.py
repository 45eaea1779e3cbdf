"""Tells templates what the way from ZooKeeper to KRaft makes of a node, and what a run of it may not do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.crucible.kafka.plugins.filter.kafka import kafka_members
from ansible_collections.crucible.kafka.plugins.module_utils import migration_phase


def kafka_node_mode(roles: Iterable[str], mode: str, phase: str = "") -> str:
    """Return the mode of a node: the cluster's, but on the way from ZooKeeper to KRaft, where nodes differ."""
    return migration_phase.node_mode(mode, phase, list(roles))


def kafka_migration_nodes(
    names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], found: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the hosts of the cluster's group with what kafka_node_info has found, as `migration_phase.Node`."""
    there = {each["name"]: each for each in found if "name" in each}
    return [
        {
            "name": member["name"],
            "node_id": member["node_id"],
            "roles": list(member["roles"]),
            "process": (there.get(member["name"], {}).get("process") or {}).get("properties"),
            "written": there.get(member["name"], {}).get("written", {}),
            "formatted": _formatted(there.get(member["name"], {}).get("data_dirs", [])),
        }
        for member in kafka_members(names, hostvars)
    ]


def _formatted(data_dirs: Sequence[Mapping[str, Any]]) -> bool:
    return bool(data_dirs) and all(found["meta"] for found in data_dirs)


def kafka_migration_refusals(nodes: Iterable[Mapping[str, Any]], declared: Mapping[str, Any]) -> list[str]:
    """Return why the cluster cannot come to the phase, in sentences; `declared` is `migration_phase.Declared`."""
    known, wanted = [migration_phase.Node(**node) for node in nodes], migration_phase.Declared(**declared)
    return list(migration_phase.inventory_refusals(wanted, known)) or list(migration_phase.refusals(wanted, known))


def kafka_migration_undeclared(nodes: Iterable[Mapping[str, Any]], mode: str, phase: str, migrates: bool) -> list[str]:
    """Return why site.yml may not be run so, in sentences."""
    return list(migration_phase.undeclared(mode, phase, [migration_phase.Node(**node) for node in nodes], migrates))


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {
            "kafka_migration_next_step": migration_phase.next_step,
            "kafka_migration_nodes": kafka_migration_nodes,
            "kafka_migration_refusals": kafka_migration_refusals,
            "kafka_migration_undeclared": kafka_migration_undeclared,
            "kafka_node_mode": kafka_node_mode,
        }
