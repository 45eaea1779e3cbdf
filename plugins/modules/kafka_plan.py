#!/usr/bin/python
"""Ansible module: what each host needs (nothing, a start, a restart, a rejoin, a format), and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import (
    health as health,  # Named for mitogen, which does not see relative imports.
)
from ansible_collections.crucible.kafka.plugins.module_utils import membership as membership
from ansible_collections.crucible.kafka.plugins.module_utils import restart_needed as restart_needed
from ansible_collections.crucible.kafka.plugins.module_utils.admin import (
    AdminError,
    Endpoint,
    alter_configs,
    describe_configs,
    refusal,
)
from ansible_collections.crucible.kafka.plugins.module_utils.broker_config import ON_CLUSTER
from ansible_collections.crucible.kafka.plugins.module_utils.broker_config import plan as plan_configs
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState
from ansible_collections.crucible.kafka.plugins.module_utils.cluster_summary import NOTHING, summary
from ansible_collections.crucible.kafka.plugins.module_utils.entry import admin_module, answer_endpoint, endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.gate import behind
from ansible_collections.crucible.kafka.plugins.module_utils.host_plan import Declared, Found, plan
from ansible_collections.crucible.kafka.plugins.module_utils.host_state import BROKER, DataDir, Host, Process
from ansible_collections.crucible.kafka.plugins.module_utils.identity import Refusal
from ansible_collections.crucible.kafka.plugins.module_utils.survey import (
    describe_broker,
    survey,
    unresponsive_brokers,
)
from ansible_collections.crucible.kafka.plugins.module_utils.upgrade_plan import TOPIC_SETTINGS

DOCUMENTATION = r"""
module: kafka_plan
short_description: Plan what each host of a Kafka cluster needs, with the reason
description:
  - Asks the cluster, compares what was found on all hosts with what is declared for them, and plans for each host
    whether it is left alone, started, restarted, made to rejoin, and which of its directories are formatted.
  - Changes nothing. Fails with every problem at once, before any host is touched. The plan is the same in check mode.
  - A cluster that does not answer is an answer too. One whose brokers run and do not let the client in is refused.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  mode:
    description: Whether KRaft or ZooKeeper holds the metadata.
    type: str
    choices: [kraft, zookeeper]
    required: true
  release:
    description: The declared release, such as 4.3.1. Without it nothing is said of a change of the release.
    type: str
    default: ''
  modes:
    description: 'The mode of each host where they differ, on the way from ZooKeeper to KRaft.'
    type: dict
    default: {}
  members:
    description: 'Every host of the inventory: name, node_id, host, roles.'
    type: list
    elements: dict
    required: true
  controller_servers:
    description: Where each controller is reached, C(host:port) by the name of its host.
    type: dict
    required: true
  found:
    description: What M(kafka_node_info) found on each host that answered.
    type: list
    elements: dict
    required: true
  declared:
    description: 'For each host that this run may change: properties, digests, and what M(kafka_secrets_info) told.'
    type: dict
    required: true
  declared_id:
    description: The inventory's cluster id.
    type: str
    default: ''
  before_mounts:
    description: Whether disks are mounted later in the run, so that what is not mounted is not judged yet.
    type: bool
    default: false
author: Crucible
"""

EXAMPLES = r"""
- name: Plan what each host needs
  crucible.kafka.kafka_plan:
    bootstrap_servers: [192.0.2.11:9092]
    mode: kraft
    release: 4.3.1
    members: [{name: kafka1, node_id: 1, host: 192.0.2.11, roles: [broker, controller]}]
    controller_servers: {kafka1: "192.0.2.11:9093"}
    found: ["{{ found }}"]
    declared: {kafka1: {properties: "{{ properties }}", digests: {}}}
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
cluster_id: {type: str, returned: success, description: The id all hosts have or are to get.}
initial_controllers: {type: str, returned: success, description: The first controllers, as kafka-storage takes them.}
steps:
  type: dict
  returned: success
  description:
    - 'For each host: action, reasons, in_turn, format, format_dirs, starts_process, remove_voter, add_voter,
      dynamic_keys, wait.'
final: {type: bool, returned: success, description: Whether every disk is mounted that the plan depends on.}
unanswered: {type: bool, returned: success, description: Whether there is a cluster and it could not be asked.}
drops_requests:
  description: Whether the declared release no longer serves requests that one of those that run does.
  type: bool
  returned: success
format_release:
  description: The release by which blank directories of a cluster that is already bootstrapped are formatted.
  type: str
  returned: success
format_source: {type: str, returned: success, description: 'A host that runs it, empty where it is the declared one.'}
lines: {type: list, elements: str, returned: success, description: The plan to be printed.}
cluster: {type: dict, returned: success, description: What M(kafka_cluster_info) returns.}
"""


@dataclass
class Answers:
    """What the cluster said, as far as it answers; the fields are those of `host_plan.Found`."""

    cluster: ClusterState | None = None
    serving: list[int] = field(default_factory=list)
    restart_keys: dict[int, list[str]] = field(default_factory=dict)
    dynamic_keys: dict[int, list[str]] = field(default_factory=dict)
    topic_settings: dict[str, dict[str, str]] = field(default_factory=dict)
    reason: str = ""
    refusal: str = ""


def hosts(params: Mapping[str, Any]) -> Iterator[Host]:
    """Yield every host: what the inventory says of it, and what was found there if it answered."""
    found = {host["name"]: host for host in params["found"]}
    for member in params["members"]:
        name = member["name"]
        there, declared = found.get(name, {}), params["declared"].get(name, {})
        process = there.get("process")
        yield Host(
            name=name,
            node_id=int(member["node_id"]),
            roles=member["roles"],
            endpoint=params["controller_servers"].get(name, ""),
            mode=params["modes"].get(name, ""),
            in_run=name in params["declared"],
            properties=declared.get("properties", {}),
            digests=declared.get("digests", {}),
            changed_secrets=declared.get("changed_secrets", []),
            unacceptable_logins=declared.get("unacceptable_logins", []),
            other_service=there.get("other_service", False),
            data_dirs=[DataDir(**each) for each in there.get("data_dirs", [])],
            former_dirs=[DataDir(**each) for each in there.get("former_dirs", [])],
            recorded_id=there.get("recorded_id", ""),
            bootstrapped=there.get("bootstrapped", False),
            written=there.get("written", {}),
            process=Process(process["properties"], process["digests"], process.get("release", "")) if process else None,
        )


def ask(cluster: Endpoint, each: Endpoint, inventory: Sequence[Host], release: str) -> Answers:
    """Ask the cluster for its state, and its brokers what they take without a restart."""
    answers = Answers()
    try:
        state = survey(cluster)
    except AdminError as error:
        answers.reason, answers.refusal = str(error), refusal(error)
        return answers
    answers.cluster = state
    away = unresponsive_brokers(each, state)
    answers.serving = [broker.node_id for broker in state.brokers if not broker.fenced and broker.node_id not in away]
    for host in inventory:
        if host.in_run and host.process and BROKER in host.roles and host.node_id in answers.serving:
            _ask_broker(each, host, state, answers)
    if release and any(host.process and host.process.release != release for host in inventory):
        answers.topic_settings = _topic_settings(cluster, state)
    return answers


def _topic_settings(cluster: Endpoint, state: ClusterState) -> dict[str, dict[str, str]]:
    """Those of the topics' own settings that another release may refuse; none if the cluster does not answer."""
    topics = sorted({partition.topic for partition in state.partitions})
    try:
        with cluster.connect() as admin:
            told = describe_configs(admin, "topic", topics, TOPIC_SETTINGS, modified_only=True)
    except AdminError:
        return {}  # It did a moment ago; a gate of the rolling restart waits until it does again.
    return {name: {key: each["value"] for key, each in configs.items()} for name, configs in told.items()}


def _ask_broker(each: Endpoint, host: Host, state: ClusterState, answers: Answers) -> None:
    broker = state.broker(host.node_id)
    if broker is None or host.process is None:
        return
    # An override is dropped with the key that asked for it, also when the process never saw that key.
    undeclared = {key: value for key, value in host.written.items() if key not in host.properties}
    node_id, running = host.node_id, {**undeclared, **host.process.properties}
    try:
        with each.at(broker).connect() as admin:
            todo = plan_configs(running, host.properties, describe_broker(admin, node_id))
            refused = [
                change.key
                for change in todo.changes
                if alter_configs(
                    admin,
                    "broker",
                    {"" if change.level == ON_CLUSTER else str(node_id): {change.key: change.value}},
                    validate_only=True,
                    node_id=node_id,
                )
            ]
            answers.restart_keys[node_id] = sorted([*todo.restart, *refused])
            answers.dynamic_keys[node_id] = [change.key for change in todo.changes if change.key not in refused]
    except AdminError:
        # It served a moment ago. Every changed key is then one for a restart, which waits for the gate anyway.
        return


def main() -> None:
    """Ask, plan, and tell."""
    module = admin_module(
        mode={"type": "str", "required": True, "choices": ["kraft", "zookeeper"]},
        release={"type": "str", "default": ""},
        modes={"type": "dict", "default": {}},
        members={"type": "list", "elements": "dict", "required": True},
        controller_servers={"type": "dict", "required": True},
        found={"type": "list", "elements": "dict", "required": True},
        declared={"type": "dict", "required": True},
        declared_id={"type": "str", "default": ""},
        before_mounts={"type": "bool", "default": False},
    )
    params = module.params
    inventory = list(hosts(params))
    answers = ask(endpoint(module), answer_endpoint(module), inventory, params["release"])
    state = answers.cluster
    found = Found(
        inventory,
        state,
        answers.serving,
        behind(state) if state else [],
        answers.restart_keys,
        answers.dynamic_keys,
        answers.topic_settings,
        answers.reason,
        answers.refusal,
    )
    declared = Declared(
        params["mode"], params["declared_id"], module.check_mode, params["before_mounts"], params["release"]
    )
    try:
        decided = plan(found, declared)
    except Refusal as refusal:
        problems = [str(problem) for problem in refusal.args]
        module.fail_json(msg=" ".join(problems), problems=problems)
    away = [broker.node_id for broker in state.brokers if broker.node_id not in answers.serving] if state else []
    told = summary(state, away) if state else NOTHING
    module.exit_json(
        changed=False,
        cluster_id=decided.cluster_id,
        initial_controllers=decided.initial_controllers,
        steps={name: asdict(steps) for name, steps in decided.steps.items()},
        lines=decided.lines,
        final=decided.final,
        unanswered=decided.unanswered,
        drops_requests=decided.drops_requests,
        format_release=decided.format_release,
        format_source=decided.format_source,
        cluster={"reachable": state is not None, "reason": answers.reason, "refusal": answers.refusal, **told},
    )


if __name__ == "__main__":
    main()
