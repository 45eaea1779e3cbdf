#!/usr/bin/env python3
"""Prints how long a gate's question takes on a running cluster of many partitions.

It creates what topics are missing, waits until all replicas are in sync, asks as the module kafka_gate does, and
removes them again. Run it from the project's root: python -m benchmarks.gate --bootstrap-servers HOST:PORT,…
"""

from __future__ import annotations

import argparse
import statistics
import time

from confluent_kafka.admin import AdminClient, NewTopic

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.gate import may_stop, unavoidable
from ansible_collections.crucible.kafka.plugins.module_utils.survey import survey

PARTITIONS, A_TOPIC, AT_ONCE = 10_000, 100, 5
REPLICAS = 3
ROUNDS = 9
LIMIT_S = 1.0
CREATE_S, SETTLE_S = 120, 900


def question(cluster: Endpoint, node: int) -> tuple[int, list[str]]:
    """One question as the gate asks it before a stop: how many partitions there are, and why the node must not stop."""
    state = survey(cluster)
    reasons = list(may_stop(state, node))
    list(unavoidable(state, node))
    return len(state.partitions), reasons


def create(admin: AdminClient, names: list[str]) -> None:
    """Create the topics, a few at a time: the controller takes so many records at once and no more."""
    for begin in range(0, len(names), AT_ONCE):
        topics = [
            NewTopic(name, num_partitions=A_TOPIC, replication_factor=REPLICAS) for name in names[begin:][:AT_ONCE]
        ]
        for created in admin.create_topics(topics, operation_timeout=CREATE_S, request_timeout=CREATE_S).values():
            created.result()


def settle(cluster: Endpoint, node: int, partitions: int) -> None:
    """Wait until the gate would open by what each broker tells. Raises TimeoutError if it does not."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        found, reasons = partitions, list[str]()
        for broker in cluster.each():
            try:
                known, why = question(broker, node)
            except AdminError as error:
                known, why = 0, [str(error)]
            found, reasons = min(found, known), reasons + why
        if found >= partitions and not reasons:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{found} of {partitions} partitions after {SETTLE_S} s: {'; '.join(reasons)}")


def main() -> None:
    """Ask several times and print the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", required=True, help="host:port,… of a cluster without security")
    parser.add_argument("--partitions", type=int, default=PARTITIONS)
    options = parser.parse_args()
    cluster = Endpoint(options.bootstrap_servers.split(","), {}, timeout_s=30.0)
    admin = AdminClient({"bootstrap.servers": options.bootstrap_servers})
    node = survey(cluster).brokers[0].node_id
    names = [f"benchmark-{number}" for number in range(options.partitions // A_TOPIC)]
    missing = [name for name in names if name not in admin.list_topics(timeout=CREATE_S).topics]
    try:
        create(admin, missing)
        settle(cluster, node, options.partitions)
        took, processor = [], []
        for _ in range(ROUNDS):
            began, used = time.monotonic(), time.process_time()
            found, _reasons = question(cluster, node)
            took.append(time.monotonic() - began)
            processor.append(time.process_time() - used)
        print(
            f"A gate's question about {found:,} partitions: {statistics.median(took):.2f} s"
            f" ({min(took):.2f} to {max(took):.2f}; aim: {LIMIT_S:g}), of it the client's processor time"
            f" {statistics.median(processor):.2f} s"
        )
    finally:
        for deleted in admin.delete_topics(names, operation_timeout=CREATE_S, request_timeout=CREATE_S).values():
            deleted.exception()


if __name__ == "__main__":
    main()
