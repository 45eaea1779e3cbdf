#!/usr/bin/python
"""Ansible module: refuse a deployment with every problem at once, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.yaml import yaml_load

# Each is named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import address as address
from ansible_collections.crucible.kafka.plugins.module_utils import checksum as checksum
from ansible_collections.crucible.kafka.plugins.module_utils import cluster as cluster
from ansible_collections.crucible.kafka.plugins.module_utils import firewall_networks as firewall_networks
from ansible_collections.crucible.kafka.plugins.module_utils import near_miss as near_miss
from ansible_collections.crucible.kafka.plugins.module_utils.preflight import (
    Declared,
    Limits,
    Listener,
    Node,
    Probe,
    Problem,
    View,
    problems,
    problems_of_servers,
    problems_of_variables,
    warnings,
)

DOCUMENTATION = r"""
module: kafka_preflight
short_description: Judge an inventory and its hosts
description:
  - Changes nothing. Fails with every problem, each with the variable to change.
  - Without O(declared) only the variables as such are judged, without O(found) the inventory alone.
options:
  nodes:
    description: Every host as the inventory has it, with what M(crucible.kafka.preflight_variables) said of it.
    type: list
    elements: dict
    required: true
  roles_path: {description: 'The roles, which say what variables there are.', type: path, required: true}
  judged:
    description: The cluster, or the ZooKeeper servers outside its group, for which O(nodes) are the whole ensemble.
    type: str
    choices: [cluster, servers]
    default: cluster
  known_variables: {description: Further names that are no typos., type: list, elements: str, default: []}
  declared:
    description: What the inventory says about the cluster as a whole.
    type: dict
    suboptions:
      mode: {description: KRaft or ZooKeeper., type: str, required: true}
      version: {description: The release., type: str, required: true}
      checksum: {description: The archive's SHA-512 as it is declared., type: str, required: true}
      cluster_id: {description: The declared cluster id., type: str, default: ''}
      java: {description: The Java that is to be used., type: str, default: /usr/bin/java}
      ensemble: {description: Names of the ZooKeeper servers., type: list, elements: str, default: []}
      servers: {description: 'ZooKeeper servers outside the group, each with what it shares.', type: dict, default: {}}
      listeners: {description: The listeners., type: list, elements: dict, required: true}
      named_listeners: {description: 'Variables that name a listener, and the name.', type: dict, required: true}
      topics: {description: Declared topics., type: list, elements: dict, default: []}
      topic_replication_factor: {description: Of topics that do not say., type: int, default: 3}
      topic_config: {description: Of topics that do not say., type: dict, default: {}}
      min_disk_mb: {description: Least room for data., type: int, required: true}
      min_memory_mb: {description: Least memory besides the heap., type: int, required: true}
      max_clock_skew_s: {description: Greatest difference of clocks., type: float, required: true}
      networks:
        description: Networks that the firewall will admit, by the variable that names them.
        type: dict
        default: {}
  found:
    description: What hosts and cluster said.
    type: dict
    suboptions:
      probes: {description: 'What M(crucible.kafka.host_probe) found, by host.', type: dict, required: true}
      heap_mb: {description: The heap., type: int, required: true}
      java_major: {description: 'The Java that is to be installed, 0 if none is.', type: int, default: 0}
      features:
        description: Feature levels of the running cluster, as M(crucible.kafka.kafka_cluster_info) tells them.
        type: dict
        default: {}
      running:
        description: What M(crucible.kafka.kafka_node_info) said of each host, also outside the run.
        type: list
        elements: dict
        default: []
      cluster_answers: {description: Whether the cluster answers., type: bool, required: true}
author: [Crucible]
"""

EXAMPLES = r"""
- name: Judge the variables of each host
  crucible.kafka.kafka_preflight:
    nodes:
      - {name: kafka1, node_id: 1, roles: [broker, controller], variables: [kafka_node_id], errors: {}, config: {}}
    roles_path: roles
  delegate_to: localhost
"""

RETURN = r"""
warned: {description: 'What works, and should be changed nevertheless.', type: list, returned: success}
"""

NOTHING_FOUND: dict[str, Any] = {
    "probes": {},
    "heap_mb": 0,
    "java_major": 0,
    "features": {},
    "running": [],
    "cluster_answers": False,
}
MIN_ISR = "min.insync.replicas"
TAKEN_AS_DECLARED = ("mode", "version", "checksum", "cluster_id", "ensemble", "servers", "java")
# For what is judged: the variables that size its process.
SIZED_BY: dict[str, dict[str, Any]] = {
    "cluster": {"heap_variable": "kafka_heap_mb", "data_variable": "kafka_data_dirs"},
    "servers": {"heap_variable": "zookeeper_heap_mb", "data_variable": "zookeeper_data_dir"},
}


def argument_spec(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The documented options as Ansible validates them."""
    return {
        name: {key: value for key, value in option.items() if key not in ("description", "suboptions")}
        | ({"options": argument_spec(option["suboptions"])} if "suboptions" in option else {})
        for name, option in options.items()
    }


def interface(roles_path: Path) -> Iterator[str]:
    """The names of all variables that the roles' argument_specs declare."""
    for file in roles_path.glob("*/meta/argument_specs.yml"):
        for entry in yaml_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            yield from entry.get("options") or {}


def probe(answer: dict[str, Any]) -> Probe:
    """What a host said, without what Ansible adds to each result."""
    names = ("memory_mb", "free_mb", "java_major", "unresolved", "has_data", "ssh_client", "ufw_enabled")
    kept = {key: answer[key] for key in names}
    return Probe(**kept, skew_s=tuple(answer["skew_s"]))


def topics(declared: dict[str, Any]) -> list[tuple[str, int, Any]]:
    """Each topic's name, replication factor, and min.insync.replicas where they are declared."""
    return [
        (
            topic["name"],
            int(topic.get("replication_factor") or declared["topic_replication_factor"]),
            {**declared["topic_config"], **(topic.get("config") or {})}.get(MIN_ISR),
        )
        for topic in declared["topics"]
    ]


def view(
    declared: dict[str, Any],
    found: dict[str, Any] | None,
    nodes: list[Node],
    known_variables: list[str],
    judged: str,
) -> View:
    """The module's arguments as the core wants them."""
    told = found or NOTHING_FOUND
    probes = {name: probe(answer) for name, answer in told["probes"].items() if "skew_s" in answer}
    return View(
        Declared(
            **{key: declared[key] for key in TAKEN_AS_DECLARED},
            listeners=[Listener(listener["name"], int(listener["port"])) for listener in declared["listeners"]],
            named_listeners=declared["named_listeners"],
            topics=topics(declared),
            networks=declared["networks"],
            limits=Limits(declared["min_disk_mb"], declared["min_memory_mb"], declared["max_clock_skew_s"]),
            heap_mb=told["heap_mb"],
            java_major=told["java_major"],
            features={name: int(levels["finalized"]) for name, levels in told["features"].items()},
            **SIZED_BY[judged],
        ),
        nodes,
        probes,
        known_variables,
        {answer["name"]: answer["process"]["properties"] for answer in told["running"] if answer.get("process")},
        None if found is None else told["cluster_answers"] or any(answer.has_data for answer in probes.values()),
    )


def message(found: list[Problem]) -> str:
    """All problems, a line each."""
    heading = f"Nothing was changed. {len(found)} problem{'s' if len(found) > 1 else ''}:"
    return "\n".join([heading, *(f"  {problem}" for problem in found)])


def main() -> None:
    """Judge, and fail with everything that was found."""
    spec = argument_spec(yaml_load(DOCUMENTATION)["options"])
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    nodes = [Node(**node) for node in params["nodes"]]
    known_variables = [*interface(Path(params["roles_path"])), *params["known_variables"]]
    if params["declared"] is None:
        found, warned = problems_of_variables(nodes, known_variables), []
    else:
        judged = view(params["declared"], params["found"], nodes, known_variables, params["judged"])
        found = problems_of_servers(judged) if params["judged"] == "servers" else problems(judged)
        warned = [] if params["judged"] == "servers" else warnings(judged)
    if found:
        module.fail_json(msg=message(found))
    for warning in warned:
        module.warn(str(warning))
    module.exit_json(changed=False, warned=[str(warning) for warning in warned])


if __name__ == "__main__":
    main()
