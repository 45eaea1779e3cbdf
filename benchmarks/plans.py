"""Prints what the decisions cost on a large cluster: processor time and memory of the pure cores, on synthetic states.

Each is measured for a quarter, a half and the whole of 300 hosts and 100,000 partitions. What grows linearly takes four
times as long for the whole as for a quarter; the last column has how many times it took. The plan of a reassignment
grows faster than that, and is measured on a smaller cluster. Run it from the project's root: python -m benchmarks.plans
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence

from ansible_collections.crucible.kafka.plugins.module_utils import (
    gate,
    host_plan,
    listener_plan,
    reassignment_plan,
    replica_placement,
    rolling_restart_order,
    topic_plan,
)
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Partition,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.health import Expected, assess
from ansible_collections.crucible.kafka.plugins.module_utils.host_state import (
    DataDir,
    Host,
    Process,
)
from ansible_collections.crucible.kafka.plugins.module_utils.identity import directory_id
from ansible_collections.crucible.kafka.plugins.module_utils.listeners import declared_node

HOSTS, PARTITIONS, CONTROLLERS = 300, 100_000, 5
# A plan of reassignments has an edge for each partition and broker: for the sizes above it would have 30 million.
REASSIGNED_BROKERS, REASSIGNED_PARTITIONS, RACKS = 60, 4_000, 3
PARTS = (0.25, 0.5, 1.0)
CLUSTER = "EXMJaUKljxZCEQTPA9t-Tg"
LIMIT_S, LIMIT_MB = 2.0, 500
ROUNDS = 3

Case = tuple[str, Callable[[], object]]


def hosts(count: int) -> list[Host]:
    """Hosts that run as they are declared but for one setting; the first ones are controllers too."""
    return [
        Host(
            name=f"kafka{node}",
            node_id=node,
            roles=("broker", "controller") if node <= CONTROLLERS else ("broker",),
            endpoint=f"kafka{node}:9093",
            properties={"log.dirs": "/data", "num.io.threads": "8"},
            digests={"kafka.service": "a"},
            data_dirs=(DataDir("/data", "", False, blank=False, meta=metadata(node)),),
            recorded_id=CLUSTER,
            bootstrapped=True,
            written={"log.dirs": "/data", "num.io.threads": "4"},
            process=Process({"log.dirs": "/data", "num.io.threads": "4"}, {"kafka.service": "a"}),
        )
        for node in range(1, count + 1)
    ]


def metadata(node: int) -> dict[str, str]:
    """What a formatted directory of that node says."""
    return {
        "version": "1",
        "cluster.id": CLUSTER,
        "node.id": str(node),
        "directory.id": directory_id(CLUSTER, node),
    }


def cluster(brokers: int, partitions: int) -> ClusterState:
    """A healthy cluster with three replicas of each partition."""
    voters = tuple(QuorumReplica(node, directory_id(CLUSTER, node), 0, 300) for node in range(1, CONTROLLERS + 1))
    observers = tuple(
        QuorumReplica(node, directory_id(CLUSTER, node), 0, 300) for node in range(CONTROLLERS + 1, brokers + 1)
    )
    found = []
    for number in range(partitions):
        replicas = tuple((number + step) % brokers + 1 for step in range(3))
        found.append(Partition(f"topic-{number // 10}", number % 10, replicas[0], replicas, replicas, 2))
    return ClusterState(
        CLUSTER,
        "4.3",
        tuple(Broker(node, f"kafka{node}", 9092, False) for node in range(1, brokers + 1)),
        1,
        Quorum(1, 100, voters, observers),
        tuple(found),
        controller_hosts={node: f"kafka{node}" for node in range(1, CONTROLLERS + 1)},
    )


def placements(brokers: int, partitions: int) -> list[replica_placement.Placement]:
    """Three replicas of each partition, one in each rack, evenly on all brokers but the last, which is new."""
    by_rack = [[node for node in range(1, brokers) if node % RACKS == rack] for rack in range(RACKS)]
    found = []
    for number in range(partitions):
        nodes = [by_rack[(number + step) % RACKS] for step in range(RACKS)]
        replicas = tuple(of_rack[number % len(of_rack)] for of_rack in nodes)
        size_bytes = 1_000_000 + number % 7
        found.append(replica_placement.Placement(f"topic-{number // 10}", number % 10, replicas, size_bytes))
    return found


def reassignment_cases(part: float) -> list[Case]:
    """The plan by which a new broker gets its share, on this part of a smaller cluster."""
    brokers = int(REASSIGNED_BROKERS * part)
    found = placements(brokers, int(REASSIGNED_PARTITIONS * part))
    targets = replica_placement.Targets({node: f"rack-{node % RACKS}" for node in range(1, brokers + 1)})
    return [("plan a reassignment", lambda: reassignment_plan.plan(found, targets))]


def cases(part: float) -> list[Case]:
    """What is measured, on this part of the whole."""
    count, partitions = int(HOSTS * part), int(PARTITIONS * part)
    found, state = hosts(count), cluster(count, partitions)
    nodes = range(1, count + 1)
    entries, moved = (
        [
            {"name": name, "port": port, "security_protocol": "PLAINTEXT"}
            for name, port in {"CLIENT": client, "CONTROLLER": 9093}.items()
        ]
        for client in (9092, 9192)
    )
    running = [declared_node(h.name, h.roles, h.name, entries, "CLIENT", ["CONTROLLER"]) for h in found]
    declared = {h.name: declared_node(h.name, h.roles, h.name, moved, "CLIENT", ["CONTROLLER"]) for h in found}
    endpoint = listener_plan.AdminEndpoint("CLIENT", (), {})
    topics = {
        f"topic-{n}": topic_plan.Topic(f"topic-{n}", 10, frozenset([3]), {"retention.ms": "1"})
        for n in range(partitions // 10)
    }
    wanted = [topic_plan.Topic(name, 11, frozenset([3]), {"retention.ms": "2"}) for name in topics]
    restarts = {node: ["num.io.threads"] for node in nodes}
    return [
        (
            "plan what each host needs",
            lambda: host_plan.plan(
                host_plan.Found(found, state, list(nodes), restart_keys=restarts), host_plan.Declared("kraft")
            ),
        ),
        (
            "order the rolling restart",
            lambda: rolling_restart_order.rolling_restart_order(state, {h.node_id: tuple(h.roles) for h in found}),
        ),
        ("may one broker be stopped", lambda: gate.may_stop(state, count)),
        ("has one broker come back", lambda: gate.recovered(state, count, ["broker"], answers=True)),
        ("who lags behind", lambda: gate.behind(state)),
        ("judge a change of listeners", lambda: listener_plan.refusals(running, declared, endpoint)),
        ("plan topics", lambda: topic_plan.plan(topics, wanted, [], brokers=count)),
        ("tell how the cluster is", lambda: assess(state, {}, Expected(list(nodes), list(range(1, CONTROLLERS + 1))))),
    ]


def processor_s(work: Callable[[], object]) -> float:
    """The least processor time in seconds that a few calls took."""
    took = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return min(took)


def rows(made: Callable[[float], list[Case]], parts: Sequence[float] = PARTS) -> list[tuple[str, list[float]]]:
    """Each case and its processor time in seconds for each part."""
    measured: dict[str, list[float]] = {}
    for part in parts:
        for name, work in made(part):
            measured.setdefault(name, []).append(processor_s(work))
    return list(measured.items())


def print_rows(found: Sequence[tuple[str, list[float]]]) -> None:
    """Print a line for each case."""
    for name, took in found:
        figures = "".join(f"{1000 * each:9.1f}" for each in took)
        print(f"{name:30}{figures}   x{took[-1] / max(took[0], 1e-6):.1f}")


def main() -> None:
    """Measure and print a table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"{HOSTS} hosts, {PARTITIONS:,} partitions; processor time in ms for 25 %, 50 %, 100 %\n")
    found = rows(cases)
    print_rows(found)
    total_s = sum(took[-1] for _, took in found)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nAll of them: {total_s:.2f} s (goal {LIMIT_S:.0f} s), {memory_mb} MB at most (goal {LIMIT_MB} MB)")
    print(f"\nNot among them: one broker added to {REASSIGNED_BROKERS - 1}, {REASSIGNED_PARTITIONS:,} partitions\n")
    print_rows(rows(reassignment_cases))


if __name__ == "__main__":
    main()
