#!/usr/bin/python
"""Ansible module: plan which replicas to move, for equal shares or to empty a broker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Those that nothing here uses are named for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils import gate as gate
from ansible_collections.crucible.kafka.plugins.module_utils import minimum_cost_flow as minimum_cost_flow
from ansible_collections.crucible.kafka.plugins.module_utils import replication_throttle as replication_throttle
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.broker_removal import targets, unhealthy
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import listed
from ansible_collections.crucible.kafka.plugins.module_utils.disk_space import received_bytes, refusals, unjudged
from ansible_collections.crucible.kafka.plugins.module_utils.entry import (
    admin_module,
    endpoint,
    fail_on_admin_error,
    line_diff,
)
from ansible_collections.crucible.kafka.plugins.module_utils.health import MAX_USED_PERCENT
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_admin import (
    cordoned,
    read_placements,
    reassigned,
)
from ansible_collections.crucible.kafka.plugins.module_utils.reassignment_plan import (
    MB,
    Batch,
    estimated_s,
    plan,
    problems,
    too_slow,
)
from ansible_collections.crucible.kafka.plugins.module_utils.replica_placement import Placement, Targets
from ansible_collections.crucible.kafka.plugins.module_utils.survey import read_log_dirs, survey

DOCUMENTATION = r"""
module: kafka_reassignment_plan
short_description: Plan which replicas to move
description:
  - Plans the moves by which all brokers that serve hold equal numbers of replicas, in all and of each topic, and lead
    equal numbers of partitions. Replicas of a partition lie in as many racks as can be. Of all such placements it takes
    the one for which the fewest bytes are moved.
  - With O(drain) it plans the moves by which that broker holds nothing, and moves nothing else.
  - A broker whose log directories are all cordoned keeps what it has and takes no more.
  - Partitions that are being reassigned count as if that were done.
  - Fails if a replication factor does not fit, or if partitions lack a replica in sync. Changes nothing.
  - Fails if a broker would get more bytes than its disks may take. What it loses by the plan is not taken off, and all
    its directories are judged together, as Kafka chooses the one with the fewest partitions. Brokers that do not report
    bytes (before Kafka 3.3) are not judged, which RV(lines) tells.
  - Fails if a batch needs more than O(batch_timeout_s) by the throttle.
extends_documentation_fragment: [crucible.kafka.kafka_endpoint]
options:
  drain: {description: The broker that is to hold nothing., type: int}
  throttle_bytes_per_second:
    description: How fast each broker copies, for the time that the moves are told to take. 0 means as fast as it can.
    type: int
    default: 0
  batch_partitions: {description: How many partitions are moved at the same time., type: int, default: 10}
  batch_timeout_s: {description: How long such a batch may take., type: float, default: 3600.0}
  max_used_percent:
    description: How full the disks of a broker may become, as O(crucible.kafka.kafka_health#module:max_used_percent).
    type: float
    default: 90.0
  auto_leader_rebalance:
    description: The C(auto.leader.rebalance.enable) of the brokers. Where it is false no leaders are to be elected.
    type: bool
    default: true
author: Crucible
"""

EXAMPLES = r"""
- name: Plan how the brokers do equal shares
  crucible.kafka.kafka_reassignment_plan:
    bootstrap_servers: [192.0.2.11:9092]
    throttle_bytes_per_second: 50000000
  register: plan
  delegate_to: localhost
"""

RETURN = r"""
batches:
  description: The moves in the order in which they are to be made, for kafka_reassignment, and how far each one comes.
  type: list
  elements: dict
  returned: success
lines: {description: The plan as sentences., type: list, elements: str, returned: success}
moved_bytes: {description: What is copied in all., type: int, returned: success}
estimated_s: {description: How long that takes by the throttle., type: float, returned: success}
brokers: {description: The brokers that are to hold replicas., type: list, elements: int, returned: success}
elect_leaders_on:
  description: The brokers that are to lead again the partitions whose preferred leader they are, once all is moved.
  type: list
  elements: int
  returned: success
"""


def told(batch: Batch) -> dict[str, Any]:
    """A batch as kafka_reassignment takes it."""
    return {
        "progress": batch.progress,
        "moves": [
            {
                "topic": move.topic,
                "partition": move.index,
                "before": list(move.before),
                "after": list(move.after),
                "size_bytes": move.size_bytes,
            }
            for move in batch.moves
        ],
    }


def summary(batches: list[Batch], seconds: float | None, where: Targets) -> list[str]:
    """The plan as sentences."""
    idle = [
        f"Broker {node} is cordoned: it takes no replicas (docs/operations.md says how that ends)."
        for node in sorted(where.cordoned)
    ]
    if not batches:
        return ["Nothing is to be moved.", *idle]
    last = batches[-1]
    copies = sum(len(move.added) for batch in batches for move in batch.moves)
    pace = f"at least {seconds:.0f} s by the throttle" if seconds is not None else "without a throttle"
    return [
        f"{last.of_partitions} partitions change in {len(batches)} batches: {copies} replicas,"
        f" {last.of_bytes / MB:.1f} MB, {pace}, to brokers {listed(sorted(where.racks), 20)}.",
        *idle,
    ]


def leaders_stay(server: str) -> str:
    """Why no leaders are elected, and the command that elects them."""
    return (
        "Preferred leaders are not elected, because auto.leader.rebalance.enable is false in kafka_config."
        f" /opt/kafka/bin/kafka-leader-election.sh --bootstrap-server {server} --election-type preferred"
        " --all-topic-partitions elects them."
    )


def ask(cluster: Endpoint, drain: int | None) -> tuple[list[Placement], Targets]:
    """What lies where, and which brokers are to hold it.

    Raises:
        AdminError: No plan can be made.
    """
    state = survey(cluster)
    serving = [broker.node_id for broker in state.brokers if not broker.fenced]
    with cluster.connect() as admin:
        where = targets(state, drain, [node for node, whole in cordoned(admin, serving).items() if whole])
        placements, underway = read_placements(admin, state), reassigned(admin)
    if bad := list(unhealthy(state.partitions, underway, drain)):
        raise AdminError(
            f"Nothing was moved: {' and '.join(bad)}. Let the cluster be healthy first (check_health.yml)."
        )
    refuse(problems([each for each in placements if drain is None or drain in each.replicas], where))
    return placements, where


def refuse(sentences: Iterable[str]) -> None:
    """Raise an AdminError with the sentences, if there are any."""
    if told := " ".join(sentences):
        raise AdminError(f"Nothing was moved. {told}")


def main() -> None:
    """Ask, plan, and judge the plan."""
    module = admin_module(
        drain={"type": "int"},
        throttle_bytes_per_second={"type": "int", "default": 0},
        batch_partitions={"type": "int", "default": 10},
        batch_timeout_s={"type": "float", "default": 3600.0},
        max_used_percent={"type": "float", "default": MAX_USED_PERCENT},
        auto_leader_rebalance={"type": "bool", "default": True},
    )
    params, cluster = module.params, endpoint(module)
    rate, elects = params["throttle_bytes_per_second"], params["auto_leader_rebalance"]
    with fail_on_admin_error(module):
        placements, where = ask(cluster, params["drain"])
        planned = plan(placements, where)
        batches = list(planned.batches(max(1, params["batch_partitions"])))
        with cluster.connect() as admin:
            log_dirs = read_log_dirs(admin, received_bytes(planned.moves))
        full = refusals(planned.moves, log_dirs, params["max_used_percent"])
        refuse([*full, *too_slow(batches, rate, params["batch_timeout_s"])])
    seconds = estimated_s(batches, rate) if rate else None
    before = {(each.topic, each.index): each for each in placements}
    after = {(each.topic, each.index): each for each in planned.apply(placements)}
    changed = [key for key in before if before[key] != after[key]]
    sizes = {(move.topic, move.index): move for move in planned.moves}
    module.exit_json(
        changed=module.check_mode and bool(batches),  # Ansible shows the diff of a change alone.
        batches=[told(batch) for batch in batches],
        lines=[
            *summary(batches, seconds, where),
            *unjudged(planned.moves, log_dirs),
            *([] if elects else [leaders_stay(params["bootstrap_servers"][0])]),
        ],
        moved_bytes=planned.moved_bytes,
        estimated_s=seconds or 0.0,
        brokers=sorted(where.racks),
        elect_leaders_on=sorted(where.racks) if elects else [],
        diff=line_diff(
            (f"{before[key].name} on {list(before[key].replicas)}" for key in changed),
            (
                f"{after[key].name} on {list(after[key].replicas)}, {sizes[key].moved_bytes / MB:.1f} MB to copy"
                for key in changed
            ),
        ),
    )


if __name__ == "__main__":
    main()
