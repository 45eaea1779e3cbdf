"""A node that the cluster knows and the inventory does not is told with the steps that take it out."""

from __future__ import annotations

import pytest
from kafka_hosts import VOTERS, bare, cluster, host

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState, Partition
from ansible_collections.crucible.kafka.plugins.module_utils.membership import (
    Undeclared,
    addresses,
    notes,
    problems,
    undeclared,
)

ORDERS = Partition("orders", 0, 1, (1, 4), (1, 4), 1)
CLICKS = Partition("clicks", 0, 1, (1, 4), (1, 4), 1)
BACK = "Put its host back into the inventory; to take it out of the cluster,"
REMOVE = "run playbooks/remove_broker.yml -e broker=4 first."


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (
            Undeclared(4, ("broker4", "controller4"), True, True, "dir", 2),
            "Node 4 at broker4, controller4 is registered as a broker, holds 2 replicas and votes as a controller, but "
            f"no host of the inventory has kafka_node_id 4. {BACK} {REMOVE}",
        ),
        (
            Undeclared(4, (), False, True, "dir", 0),
            f"Node 4 votes as a controller, but no host of the inventory has kafka_node_id 4. {BACK} {REMOVE}",
        ),
        (
            Undeclared(4, ("broker4",), True, False, "", 0),
            "Node 4 at broker4 is registered as a broker, but no host of the inventory has kafka_node_id 4. "
            f"{BACK} {REMOVE}",
        ),
        (
            Undeclared(4, ("broker4",), True, False, "", 1, kraft=False),
            "Node 4 at broker4 is registered as a broker and holds 1 replicas, but no host of the inventory has "
            f"kafka_node_id 4. {BACK} move its replicas away (kafka-reassign-partitions.sh), and stop it first.",
        ),
        (
            Undeclared(4, ("broker4",), True, False, "", 0, serves=True),
            "Node 4 at broker4 is registered as a broker, but no host of the inventory has kafka_node_id 4. Put its "
            "host back into the inventory, and run playbooks/remove_broker.yml with it if it is to leave the cluster.",
        ),
    ],
)
def test_what_the_node_is_is_told_with_the_way_to_take_it_out(node: Undeclared, sentence: str) -> None:
    assert str(node) == sentence


def test_whoever_votes_is_registered_or_holds_replicas_is_known_to_the_cluster() -> None:
    state = cluster({**VOTERS, 5: "dir5"}, (1, 2, 3, 4), partitions=[ORDERS, CLICKS])
    assert undeclared(state, [1, 2, 3]) == [
        Undeclared(4, ("kafka4",), True, False, "", 2, serves=True),
        Undeclared(5, ("kafka5",), False, True, "dir5", 0),
    ]
    gone = cluster(partitions=[ORDERS])  # It holds a replica, and is registered no more.
    assert undeclared(gone, [1, 2, 3]) == [Undeclared(4, (), False, False, "", 1)]
    assert undeclared(state, [1, 2, 3, 4, 5]) == []


def test_what_the_cluster_needs_is_a_problem_and_what_it_does_not_need_a_note() -> None:
    hosts = [host(1), host(2), host(3)]

    def told(state: ClusterState | None) -> tuple[int, int]:
        return len(list(problems(state, hosts))), len(list(notes(state, hosts)))

    assert told(cluster(brokers=(1, 2, 3, 4))) == (0, 1)
    assert told(cluster(brokers=(1, 2, 3, 4), partitions=[ORDERS])) == (1, 0)
    assert told(cluster({**VOTERS, 4: "dir4"})) == (1, 0)
    assert told(None) == (0, 0)


def test_whoever_is_registered_or_votes_stays_admitted() -> None:
    assert addresses(cluster({**VOTERS, 5: "dir5"}, (2, 4))) == ["kafka1", "kafka2", "kafka3", "kafka4", "kafka5"]


def test_new_hosts_are_not_added_behind_the_firewalls_of_those_that_the_run_leaves_out() -> None:
    left_out = [host(1, in_run=False), host(2, in_run=False), host(3)]
    assert list(problems(cluster(), [*left_out, bare(4)])) == [
        "--limit: kafka4 is new to the cluster, and the firewalls of kafka1 and kafka2, which the run leaves out, do "
        "not admit it. Run it without --limit."
    ]
    assert list(problems(cluster(), [*left_out, bare(4), bare(5)])) == [
        "--limit: kafka4 and kafka5 are new to the cluster, and the firewalls of kafka1 and kafka2, which the run "
        "leaves out, do not admit them. Run it without --limit."
    ]
    assert list(problems(cluster(), [host(1), host(2), host(3), bare(4)])) == []  # Nobody is left out.
    assert list(problems(cluster(), left_out)) == []  # Nobody is new.
    assert list(problems(cluster(), [*left_out, bare(4, in_run=False)])) == []  # The new one is left out as well.
