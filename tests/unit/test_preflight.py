"""Preflight finds each planted problem, all of them at once, and none in an inventory that is good."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.preflight import (
    CHECKS,
    Declared,
    Limits,
    Listener,
    Node,
    Probe,
    View,
    problems,
)

NAMES = ("kafka1", "kafka2", "kafka3")
PROBE = Probe(memory_mb=8000, free_mb={"/data": 50_000}, java_major=17, skew_s=(-0.2, 0.3))
GOOD = View(
    Declared(
        mode="kraft",
        version="4.3.1",
        cluster_id="Y3J1Y2libGVzY3JhdGNoMQ",
        listeners=[Listener("CLIENT", 9092), Listener("CONTROLLER", 9093)],
        named_listeners={"kafka_admin_listener": "CLIENT", "kafka_controller_listener": "CONTROLLER"},
        config={"default.replication.factor": "3", "min.insync.replicas": "2"},
        topics=[("orders", 3, 2)],
        heap_mb=1024,
        limits=Limits(min_disk_mb=2048, min_memory_mb=512, max_clock_skew_s=1.0),
        java_major=17,
        ensemble=NAMES,
        metadata_version=30,
        known_variables=["kafka_version", "kafka_node_id", "firewall_client_cidrs"],
        prefixes=("kafka_", "firewall_"),
    ),
    [Node(name, index, host=name, variables=["kafka_version"]) for index, name in enumerate(NAMES)],
    dict.fromkeys(NAMES, PROBE),
)


def declared(view: View = GOOD, **changes: Any) -> View:
    return replace(view, declared=replace(view.declared, **changes))


def node(**changes: Any) -> View:
    return replace(GOOD, nodes=[*GOOD.nodes[:2], replace(GOOD.nodes[2], **changes)])


def probe(**changes: Any) -> View:
    return replace(GOOD, probes={**GOOD.probes, "kafka2": replace(PROBE, **changes)})


def with_zookeeper(**changes: Any) -> View:
    return declared(mode="zookeeper", version="3.9.2", metadata_version=0, **changes)


PLANTED: list[tuple[View, str, str]] = [
    (node(node_id=None), "kafka_node_id", "kafka3 has none"),
    (node(node_id="three"), "kafka_node_id", "kafka3 has none"),
    (node(node_id=-3), "kafka_node_id", "kafka3 has none"),
    (node(node_id=1), "kafka_node_id", "1 is given to kafka2 and kafka3"),
    (node(node_id="1"), "kafka_node_id", "1 is given to kafka2 and kafka3"),
    (node(roles=["broker"]), "kafka_process_roles", "make their number odd"),
    (with_zookeeper(ensemble=NAMES[:2]), "groups['zookeeper']", "make their number odd"),
    (with_zookeeper(ensemble=[]), "groups['zookeeper']", "there are no ZooKeeper servers"),
    (declared(mode="zookeeper"), "kafka_mode", "3.9 was the last release with it; use KRaft"),
    (declared(version="3.8.1", metadata_version=0), "kafka_version", "use 3.9 or later"),
    (declared(version="latest"), "kafka_version", "is no release"),
    (declared(version="4.2.1"), "kafka_version", "older than the cluster's metadata.version 30"),
    (declared(cluster_id="shop"), "kafka_cluster_id", "22 characters"),
    (declared(java_major=11), "java_major_version", "needs Java 17 or later, not 11"),
    (declared(probe(java_major=11), java_major=0), "kafka_java", "kafka2 has 11"),
    (with_zookeeper(java_major=25), "java_major_version", "needs Java 8 to 23, not 25"),
    (declared(config={"default.replication.factor": "4"}), "kafka_config", "there are 3 brokers"),
    (declared(config={"min.insync.replicas": "4"}), "kafka_config", "above default.replication.factor 3"),
    (declared(config={"transaction.state.log.min.isr": "4"}), "kafka_config", "above transaction.state.log"),
    (declared(topics=[("orders", 5, 2)]), "kafka_topics", "replication factor 5"),
    (declared(topics=[("orders", 2, 3)]), "kafka_topics", "min.insync.replicas 3"),
    (declared(listeners=[*GOOD.declared.listeners, Listener("CLIENT", 9094)]), "kafka_listeners", "the name CLIENT"),
    (declared(listeners=[*GOOD.declared.listeners, Listener("TLS", 9092)]), "kafka_listeners", "the port 9092"),
    (declared(listeners=[*GOOD.declared.listeners, Listener("TLS", 0)]), "kafka_listeners", "the port 0"),
    (declared(listeners=[*GOOD.declared.listeners, Listener("tls", 9094)]), "kafka_listeners", "tls is no name"),
    (declared(named_listeners={"kafka_admin_listener": "TLS"}), "kafka_admin_listener", "TLS is not one of"),
    (probe(free_mb={"/data": 100}), "kafka_data_dirs", "kafka2 has 100 MB for /data"),
    (probe(memory_mb=1500), "kafka_heap_mb", "kafka2 has 1500 MB of memory for a heap of 1024 MB"),
    (probe(skew_s=(1.2, 1.9)), "preflight_max_clock_skew_s", "kafka2's clock is at least 1.2 s ahead"),
    (probe(skew_s=(-9.0, -8.5)), "preflight_max_clock_skew_s", "kafka2's clock is at least 8.5 s behind"),
    (probe(unresolved=["kafka3"]), "kafka_advertised_host", "kafka2 cannot resolve kafka3"),
    (node(variables=["kafka_versoin"]), "kafka_versoin", "did you mean kafka_version?"),
    (node(variables=["firewall_client_cidr"]), "firewall_client_cidr", "did you mean firewall_client_cidrs?"),
    (node(variables=["kafka_zzz"]), "kafka_zzz", "preflight_known_variables"),
]


def test_a_good_inventory_has_no_problem() -> None:
    assert problems(GOOD) == []
    assert problems(with_zookeeper()) == []


@pytest.mark.parametrize(("view", "variable", "sentence"), PLANTED, ids=[f"{p[1]}: {p[2]}" for p in PLANTED])
def test_each_planted_problem_is_found_and_names_the_variable_to_change(
    view: View, variable: str, sentence: str
) -> None:
    (problem,) = problems(view)
    assert problem.variable == variable
    assert sentence in problem.sentence


def test_each_check_has_a_problem_planted_for_it() -> None:
    def finds(check: Callable[[View], Any]) -> bool:
        return any(list(check(view)) for view, _, _ in PLANTED)

    assert all(finds(check) for check in CHECKS)


BAD_PROBES = [replace(PROBE, memory_mb=1), replace(PROBE, unresolved=["x"]), replace(PROBE, free_mb={"/data": 0})]


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(BAD_PROBES)))
def test_every_host_that_has_a_problem_is_told_at_once(bad: dict[str, Probe]) -> None:
    found = problems(replace(GOOD, probes={**GOOD.probes, **bad}))
    assert sorted(problem.sentence.split()[0] for problem in found) == sorted(bad)


@given(st.floats(-5, 5), st.floats(0, 3))
def test_a_clock_is_only_called_wrong_when_the_time_of_the_answer_leaves_no_doubt(skew: float, doubt: float) -> None:
    found = problems(probe(skew_s=(skew - doubt, skew)))
    assert bool(found) == (skew - doubt > 1.0 or skew < -1.0)


def test_a_full_disk_does_not_stop_a_change_to_a_broker_that_has_its_data() -> None:
    assert problems(probe(free_mb={})) == []


def test_hosts_outside_the_limit_are_judged_by_the_inventory_alone() -> None:
    assert problems(replace(GOOD, probes={"kafka1": PROBE})) == []
    (problem,) = problems(replace(node(node_id=1), probes={"kafka1": PROBE}))
    assert problem.variable == "kafka_node_id"
