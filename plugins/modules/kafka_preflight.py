#!/usr/bin/python
"""Ansible module: refuse a deployment with every problem at once, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.crucible.kafka.plugins.module_utils import address as address
from ansible_collections.crucible.kafka.plugins.module_utils import (
    cluster as cluster,  # Named for mitogen, which does not see relative imports.
)
from ansible_collections.crucible.kafka.plugins.module_utils.preflight import (
    Declared,
    Limits,
    Listener,
    Node,
    Probe,
    View,
    problems,
)

DOCUMENTATION = r"""
module: kafka_preflight
short_description: Judge an inventory and its hosts
description: Changes nothing. Fails with every problem, each with the variable to change.
options:
  mode: {description: KRaft or ZooKeeper., type: str, required: true}
  version: {description: The release., type: str, required: true}
  cluster_id: {description: The declared cluster id., type: str, default: ''}
  nodes: {description: Every host as the inventory has it., type: list, elements: dict, required: true}
  ensemble: {description: Names of the ZooKeeper servers., type: list, elements: str, default: []}
  probes: {description: 'What M(crucible.kafka.host_probe) found, by host.', type: dict, required: true}
  listeners: {description: The listeners., type: list, elements: dict, required: true}
  named_listeners: {description: 'Variables that name a listener, and the name.', type: dict, required: true}
  config: {description: Declared replication settings of brokers., type: dict, default: {}}
  topics: {description: Declared topics., type: list, elements: dict, default: []}
  topic_replication_factor: {description: Of topics that do not say., type: int, default: 3}
  topic_config: {description: Of topics that do not say., type: dict, default: {}}
  heap_mb: {description: The heap., type: int, required: true}
  java_major: {description: 'The Java that is to be installed, 0 if none is.', type: int, default: 0}
  metadata_version: {description: 'Finalised level of the running cluster, 0 if none runs.', type: int, default: 0}
  min_disk_mb: {description: Least room for data., type: int, required: true}
  min_memory_mb: {description: Least memory besides the heap., type: int, required: true}
  max_clock_skew_s: {description: Greatest difference of clocks., type: float, required: true}
  roles_path: {description: 'The roles, which say what variables there are.', type: path, required: true}
  known_variables: {description: Further names that are no typos., type: list, elements: str, default: []}
author: Crucible
"""

ARGUMENTS: dict[str, dict[str, Any]] = yaml.safe_load(DOCUMENTATION)["options"]
MIN_ISR = "min.insync.replicas"


def interface(roles_path: Path) -> Iterator[str]:
    """The names of all variables that the roles' argument_specs declare."""
    for file in roles_path.glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            yield from entry.get("options") or {}


def probe(found: dict[str, Any]) -> Probe:
    """What a host said, without what Ansible adds to each result."""
    kept = {key: found[key] for key in ("memory_mb", "free_mb", "java_major", "unresolved")}
    return Probe(**kept, skew_s=tuple(found["skew_s"]))


def view(params: dict[str, Any]) -> View:
    """The module's arguments as the core wants them."""
    roles_path = Path(params["roles_path"])
    declared = Declared(
        mode=params["mode"],
        version=params["version"],
        cluster_id=params["cluster_id"],
        listeners=[Listener(listener["name"], int(listener["port"])) for listener in params["listeners"]],
        named_listeners=params["named_listeners"],
        config=params["config"],
        topics=[
            (
                topic["name"],
                int(topic.get("replication_factor", params["topic_replication_factor"])),
                int({**params["topic_config"], **topic.get("config", {})}.get(MIN_ISR, 1)),
            )
            for topic in params["topics"]
        ],
        heap_mb=params["heap_mb"],
        limits=Limits(params["min_disk_mb"], params["min_memory_mb"], params["max_clock_skew_s"]),
        java_major=params["java_major"],
        ensemble=params["ensemble"],
        metadata_version=params["metadata_version"],
        known_variables=[*interface(roles_path), *params["known_variables"]],
        prefixes=tuple(f"{role.name}_" for role in roles_path.iterdir() if role.is_dir()),
    )
    return View(
        declared,
        nodes=[Node(**node) for node in params["nodes"]],
        probes={name: probe(found) for name, found in params["probes"].items() if "skew_s" in found},
    )


def main() -> None:
    """Judge, and fail with everything that was found."""
    spec = {name: {k: v for k, v in told.items() if k != "description"} for name, told in ARGUMENTS.items()}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if found := problems(view(module.params)):
        heading = f"Nothing was changed. {len(found)} problem{'s' if len(found) > 1 else ''}:"
        module.fail_json(msg="\n".join([heading, *(f"  {problem}" for problem in found)]))
    module.exit_json()


if __name__ == "__main__":
    main()
