"""Preflight finds each planted problem, all of them at once, and none in an inventory that is good."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.preflight import (
    CHECKS,
    RESERVED_KEYS,
    Declared,
    Limits,
    Listener,
    Node,
    Probe,
    View,
    judged_config,
    problems,
    problems_of_servers,
    problems_of_variables,
    warnings,
)

GOLDEN = Path(__file__).parent / "golden/preflight.txt"
NAMES = ("kafka1", "kafka2", "kafka3")
ADMINS, CLIENTS = "firewall_admin_cidrs", "firewall_client_cidrs"
PROBE = Probe(memory_mb=8000, free_mb={"/data": 50_000}, java_major=17, skew_s=(-0.2, 0.3), ssh_client="10.1.0.5")
GOOD = View(
    Declared(
        mode="kraft",
        version="4.3.1",
        checksum="sha512:" + "0a" * 64,
        cluster_id="Y3J1Y2libGVzY3JhdGNoMQ",
        listeners=[Listener("CLIENT", 9092), Listener("CONTROLLER", 9093)],
        named_listeners={"kafka_admin_listener": "CLIENT", "kafka_controller_listener": "CONTROLLER"},
        topics=[("orders", 3, 2)],
        heap_mb=1024,
        limits=Limits(min_disk_mb=2048, min_memory_mb=512, max_clock_skew_s=1.0),
        java_major=17,
        ensemble=NAMES,
        features={"metadata.version": 30},
        networks={ADMINS: ["10.1.0.0/24"], CLIENTS: ["10.2.0.0/16", "shop.internal"]},
    ),
    [
        Node(
            name,
            index,
            variables=["kafka_version", "kafka_exporter_version"],
            config={"default.replication.factor": "3", "min.insync.replicas": "2"},
        )
        for index, name in enumerate(NAMES)
    ],
    dict.fromkeys(NAMES, PROBE),
    known_variables=["kafka_version", "kafka_node_id", "firewall_client_cidrs"],
    cluster_exists=False,
)


def declared(view: View = GOOD, **changes: Any) -> View:
    return replace(view, declared=replace(view.declared, **changes))


def node(**changes: Any) -> View:
    return replace(GOOD, nodes=[*GOOD.nodes[:2], replace(GOOD.nodes[2], **changes)])


def config(**changes: Any) -> View:
    """All nodes with this kafka_config, whose keys have _ for a dot."""
    keys = {key.replace("_", "."): value for key, value in changes.items()}
    return replace(GOOD, nodes=[replace(node, config=keys) for node in GOOD.nodes])


def running(**changes: str) -> View:
    """A controller runs on kafka2, with these properties."""
    keys = {key.replace("_", "."): value for key, value in changes.items()}
    return replace(GOOD, running={"kafka2": {"process.roles": "broker,controller", **keys}})


def probe(**changes: Any) -> View:
    return replace(GOOD, probes={**GOOD.probes, "kafka2": replace(PROBE, **changes)})


def with_zookeeper(**changes: Any) -> View:
    return declared(mode="zookeeper", version="3.9.2", features={}, **changes)


SERVER = {
    "kafka_mode": "zookeeper",
    "kafka_version": "3.9.2",
    "kafka_archive_url": True,
    "kafka_archive_checksum": True,
}


def outside(**changes: Any) -> View:
    """Two ZooKeeper servers of three are hosts of their own; the second has other variables."""
    changed = {key: value for key, value in {**SERVER, "kafka_node_id": 12, **changes}.items() if value is not None}
    servers = {"zk1": {**SERVER, "kafka_node_id": 11}, "zk2": changed}
    return with_zookeeper(ensemble=["kafka3", "zk1", "zk2"], servers=servers)


PLANTED: list[tuple[View, str, str]] = [
    (declared(networks={"firewall_client_cidrs": ["203.0.113.0/24"]}), "firewall_client_cidrs", "for examples"),
    (node(node_id=None), "kafka_node_id", "kafka3 has none"),
    (node(node_id="three"), "kafka_node_id", "kafka3 has none"),
    (node(node_id=-3), "kafka_node_id", "kafka3 has none"),
    (node(node_id=1), "kafka_node_id", "1 is given to kafka2 and kafka3"),
    (node(node_id="1"), "kafka_node_id", "1 is given to kafka2 and kafka3"),
    (node(roles=["broker"]), "kafka_process_roles", "make their number odd"),
    (with_zookeeper(ensemble=NAMES[:2]), "groups['zookeeper']", "make their number odd"),
    (with_zookeeper(ensemble=[]), "groups['zookeeper']", "there are no ZooKeeper servers"),
    (outside(kafka_mode="kraft"), "kafka_mode", "the brokers have zookeeper, but the ZooKeeper servers zk2 have kraft"),
    (outside(kafka_mode=None), "kafka_mode", "zk2 do not have it; set it where brokers and ZooKeeper servers both get"),
    (outside(kafka_version="3.9.1"), "kafka_version", "brokers have 3.9.2, but the ZooKeeper servers zk2 have 3.9.1"),
    (outside(kafka_archive_url=None), "kafka_archive_url", "the ZooKeeper servers zk2 do not have it"),
    (outside(kafka_archive_checksum=None), "kafka_archive_checksum", "the ZooKeeper servers zk2 do not have it"),
    (outside(kafka_node_id=None), "kafka_node_id", "zk2 has none"),
    (outside(kafka_node_id="11"), "kafka_node_id", "11 is given to zk1 and zk2"),
    (outside(kafka_node_id=2), "kafka_node_id", "2 is given to kafka3 and zk2"),
    (declared(mode="zookeeper"), "kafka_mode", "3.9 was the last release with it; use KRaft"),
    (declared(version="3.8.1", features={}), "kafka_version", "use 3.9 or later"),
    (declared(version="latest"), "kafka_version", "is no release"),
    (declared(version="4.2.1"), "kafka_version", "older than the cluster's metadata.version 30"),
    (declared(cluster_id="shop"), "kafka_cluster_id", "22 characters"),
    (declared(java="/opt/jdk/java"), "kafka_java", "/opt/jdk/java does not end in /bin/java"),
    (declared(java_major=11), "java_major_version", "needs Java 17 or later, not 11"),
    (declared(probe(java_major=11), java_major=0), "kafka_java", "kafka2 has 11"),
    (with_zookeeper(java_major=25), "java_major_version", "needs Java 8 to 23, not 25"),
    (declared(checksum="128 hexadecimal digits"), "kafka_archive_checksum", "'128 hexadecimal digits' is no SHA-512"),
    (declared(checksum="sha256:" + "0" * 64), "kafka_archive_checksum", "is no SHA-512"),
    (config(default_replication_factor="4"), "kafka_config", "there are 3 brokers"),
    (config(default_replication_factor="many"), "kafka_config", "is many, which is no number"),
    (config(min_insync_replicas="4"), "kafka_config", "above default.replication.factor 3"),
    (config(transaction_state_log_min_isr="4"), "kafka_config", "above transaction.state.log"),
    (config(default_replication_factor=None, min_insync_replicas=2), "kafka_config", "2 is above default.repl"),
    (config(log_dirs="/srv/kafka"), "kafka_config", "log.dirs is not set here; change kafka_data_dirs"),
    (config(node_id=None), "kafka_config", "node.id is not set here; change kafka_node_id"),
    (declared(topics=[("orders", 5, 2)]), "kafka_topics", "replication factor 5"),
    (declared(topics=[("orders", 2, 3)]), "kafka_topics", "min.insync.replicas 3"),
    (declared(topics=[("orders", 3, "two")]), "kafka_topics", "two, which is no number"),
    (running(broker_session_timeout_ms="2000"), "kafka_config", "2000, but the controller that runs on kafka2 has"),
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
    (node(errors={"kafka_heap_mb": "it is no int"}), "kafka_heap_mb", "it is no int (kafka3)"),
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


def test_each_sentence_is_whole_and_says_what_to_change() -> None:
    """The file holds what users read, a line for each planted problem; after a change of words, write it anew."""
    found = [str(problem) for view, _, _ in PLANTED for problem in problems(view)]
    assert found == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_a_cluster_without_brokers_is_refused() -> None:
    controllers = [replace(each, roles=["controller"], config={}) for each in GOOD.nodes]
    found = problems(declared(replace(GOOD, nodes=controllers), topics=[]))
    assert [str(problem) for problem in found] == ["kafka_process_roles: there are no brokers"]


@pytest.mark.parametrize(
    "view",
    [
        declared(topics=[("logs", 1, None), ("orders", 3, 3), ("clicks", 3, "1")]),
        probe(free_mb={"/data": 2048}),
        probe(memory_mb=1536),
        probe(skew_s=(1.0, 1.2)),
        declared(java_major=99),
        declared(probe(java_major=0), java_major=0),
        declared(version="4.0.0", features={"metadata.version": 25}),
        declared(version="4.9.0", features={"metadata.version": 99}),
        declared(version="5.0.0", java_major=1),
        declared(version="3.9.0", features={"metadata.version": 21}),
        declared(listeners=[Listener("CLIENT", 1), Listener("CONTROLLER", 65535)]),
        with_zookeeper(java_major=8),
        with_zookeeper(java_major=23),
        declared(replace(with_zookeeper(), probes={"kafka2": replace(PROBE, java_major=23)}), java_major=0),
        replace(
            GOOD, running={"kafka2": {"broker.session.timeout.ms": "1"}}
        ),  # A broker that is still in ZooKeeper mode.
        declared(replace(GOOD, nodes=[replace(GOOD.nodes[0], config={"default.replication.factor": 1})]), topics=[]),
        with_zookeeper(cluster_id="shop"),  # Brokers make the id themselves.
        replace(running(broker_session_timeout_ms="1"), declared=with_zookeeper().declared),
    ],
)
def test_what_is_just_enough_is_taken(view: View) -> None:
    assert problems(view) == []


@pytest.mark.parametrize(
    ("view", "variable"),
    [
        (probe(free_mb={"/data": 2047}), "kafka_data_dirs"),
        (probe(memory_mb=1535), "kafka_heap_mb"),
        (declared(java_major=16), "java_major_version"),
        (declared(version="4.0.0", features={"metadata.version": 26}), "kafka_version"),
        (declared(version="4.3.1", features={"metadata.version": 30, "share.version": 2}), "kafka_version"),
        (declared(listeners=[Listener("CLIENT", 9092), Listener("CONTROLLER", 65536)]), "kafka_listeners"),
        (with_zookeeper(java_major=7), "java_major_version"),
        (with_zookeeper(java_major=24), "java_major_version"),
        (declared(version="4.3"), "kafka_version"),
        (declared(cluster_id="Y3J1Y2libGVzY3JhdGNoMQ=="), "kafka_cluster_id"),
    ],
)
def test_what_is_just_too_little_or_too_much_is_refused(view: View, variable: str) -> None:
    assert [problem.variable for problem in problems(view)] == [variable]


def test_replication_is_judged_by_what_the_roles_take_where_nothing_is_declared() -> None:
    five = [replace(GOOD.nodes[0], name=f"kafka{n}", node_id=n, config={}) for n in range(5)]
    changed = [replace(each, config={"transaction.state.log.min.isr": 4}) for each in five]
    assert [problem.sentence for problem in problems(replace(GOOD, nodes=changed))] == [
        "transaction.state.log.min.isr 4 is above transaction.state.log.replication.factor 3"
    ]
    lower = [replace(each, config={"transaction.state.log.replication.factor": 1}) for each in five]
    assert [problem.sentence for problem in problems(replace(GOOD, nodes=lower))] == [
        "transaction.state.log.min.isr 2 is above transaction.state.log.replication.factor 1"
    ]
    alone = declared(replace(GOOD, nodes=[replace(five[0], config={"my.replication.factor": None})]), topics=[])
    assert problems(alone) == []


def test_every_key_of_kafka_config_is_judged_also_behind_one_that_is_not_or_is_wrong() -> None:
    keys = {"num.io.threads": 8, "default.replication.factor": "many", "offsets.topic.replication.factor": " 4 "}
    found = problems(replace(GOOD, nodes=[replace(each, config=keys) for each in GOOD.nodes]))
    assert [problem.sentence for problem in found] == [
        "default.replication.factor is many, which is no number",
        "offsets.topic.replication.factor is 4, but there are 3 brokers",
    ]


def test_heartbeats_are_compared_with_the_least_patient_controller_and_only_where_the_run_changes_something() -> None:
    controller = {"process.roles": "controller"}
    sessions = {"kafka1": "9000", "kafka2": "3000", "kafka3": "6000"}
    state = {name: {**controller, "broker.session.timeout.ms": value} for name, value in sessions.items()}
    slow = replace(config(broker_heartbeat_interval_ms="5000"), running=state)
    (problem,) = problems(slow)
    assert "the controller that runs on kafka2 has broker.session.timeout.ms 3000" in problem.sentence
    assert problems(replace(slow, probes={})) == []


def test_a_clock_is_judged_by_the_declared_limit_and_by_what_is_certain() -> None:
    strict = Limits(min_disk_mb=2048, min_memory_mb=512, max_clock_skew_s=0.2)
    (problem,) = problems(declared(probe(skew_s=(0.5, 0.9)), limits=strict))
    assert "kafka2's clock is at least 0.5 s ahead of" in problem.sentence
    assert problems(declared(probe(skew_s=(-0.5, 0.8)), limits=strict)) == []


def test_who_would_be_locked_out_is_told_the_network_to_add() -> None:
    (problem,) = problems(declared(probe(ssh_client="10.3.0.9"), networks={ADMINS: ["10.1.0.0/24"]}))
    assert str(problem) == (
        "firewall_admin_cidrs: kafka2 see this machine come from 10.3.0.9, which none of these networks contains;"
        " add 10.3.0.9, or this run would be the last one"
    )


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


def test_without_an_answer_of_the_hosts_only_the_inventory_is_judged() -> None:
    alone = replace(GOOD, probes={}, cluster_exists=None)
    assert problems(alone) == []
    assert [problem.variable for problem in problems(replace(alone, nodes=config(log_dirs="/x").nodes))] == [
        "kafka_config"
    ]


@pytest.mark.parametrize("view", [node(roles=["broker"]), with_zookeeper(ensemble=NAMES[:2])])
def test_an_even_number_of_voters_is_refused_for_a_new_cluster_and_warned_of_in_one_that_exists(view: View) -> None:
    """Every migration and every replacement of a controller passes through an even number."""
    assert [problem.sentence for problem in problems(view)] == [
        problem.sentence for problem in warnings(replace(view, cluster_exists=True))
    ]
    assert problems(replace(view, cluster_exists=True)) == []
    assert warnings(view) == []
    assert problems(replace(view, cluster_exists=None, probes={})) == []


def test_no_voters_at_all_are_refused_whatever_exists() -> None:
    assert problems(with_zookeeper(ensemble=[]))
    assert problems(replace(with_zookeeper(ensemble=[]), cluster_exists=True))


def test_a_key_that_is_taken_away_is_judged_by_what_kafka_takes_then() -> None:
    assert problems(config(default_replication_factor=None, min_insync_replicas=None)) == []
    taken = declared(config(offsets_topic_replication_factor=None), topics=[])
    assert problems(taken) == []
    assert [problem.sentence for problem in problems(replace(taken, nodes=taken.nodes[:1]))] == [
        "offsets.topic.replication.factor is taken away, so that Kafka takes 3, but there are 1 brokers"
    ]


@pytest.mark.parametrize("key", RESERVED_KEYS)
def test_a_key_with_a_variable_of_its_own_is_refused_with_that_variable(key: str) -> None:
    (problem,) = problems(config(**{key.replace(".", "_"): "anything"}))
    assert problem.variable == "kafka_config"
    assert RESERVED_KEYS[key] in problem.sentence


def test_a_problem_that_all_hosts_share_is_told_once_and_another_one_with_its_hosts() -> None:
    wrong = [replace(each, errors={"kafka_heap_mb": "it is no int"}) for each in GOOD.nodes]
    (problem,) = problems_of_variables(wrong, [])
    assert problem.sentence == "it is no int"
    (problem,) = problems_of_variables([*wrong[:2], GOOD.nodes[2]], [])
    assert problem.sentence == "it is no int (kafka1 and kafka2)"


def test_values_that_no_check_looks_at_are_not_handed_on() -> None:
    kept = judged_config({"ssl.keystore.password": "s3cret", "min.insync.replicas": 2, "x.replication.factor": None})
    assert kept == {"ssl.keystore.password": "", "min.insync.replicas": 2, "x.replication.factor": None}


@pytest.mark.parametrize(
    ("heartbeat", "session", "refused"),
    [(None, "9000", False), (8999, "9000", False), (9000, None, True), ("250", "1500", False), (1500, "1500", True)],
)
def test_heartbeats_must_come_more_often_than_the_running_controllers_wait(
    heartbeat: Any, session: str | None, refused: bool
) -> None:
    view = running(**({"broker_session_timeout_ms": session} if session else {}))
    declared_nodes = [replace(each, config={"broker.heartbeat.interval.ms": heartbeat}) for each in view.nodes]
    assert bool(problems(replace(view, nodes=declared_nodes))) is refused


def test_the_session_of_a_broker_that_is_no_controller_does_not_matter() -> None:
    assert problems(running(process_roles="broker", broker_session_timeout_ms="1000")) == []


@pytest.mark.parametrize("exists", [True, False])
def test_zookeeper_servers_may_be_hosts_of_their_own(exists: bool) -> None:
    view = replace(outside(), cluster_exists=exists)
    assert problems(view) == []
    assert warnings(view) == []


def test_a_server_and_a_broker_on_different_hosts_may_have_the_same_number() -> None:
    assert problems(outside(kafka_node_id=0)) == []  # kafka1 has it, which is no ZooKeeper server.


def test_servers_that_lack_the_same_are_named_together() -> None:
    found = problems(with_zookeeper(ensemble=["kafka3", "zk1", "zk2"], servers={"zk1": {}, "zk2": {}}))
    assert "the brokers have zookeeper, but the ZooKeeper servers zk1 and zk2 do not have it" in found[0].sentence
    assert [problem.variable for problem in found] == [
        "kafka_mode",
        "kafka_version",
        "kafka_archive_url",
        "kafka_archive_checksum",
        "kafka_node_id",
        "kafka_node_id",
    ]


def test_in_kraft_mode_it_does_not_matter_what_a_former_ensemble_has() -> None:
    assert problems(declared(servers={"zk1": {}})) == []


SERVERS = replace(
    declared(outside(), heap_variable="zookeeper_heap_mb", data_variable="zookeeper_data_dir"),
    nodes=[Node("kafka3", 2), Node("zk1", 11), Node("zk2", 12)],
    probes={"zk1": PROBE, "zk2": PROBE},
)


def server(**changes: Any) -> View:
    return replace(SERVERS, probes={**SERVERS.probes, "zk2": replace(PROBE, **changes)})


@pytest.mark.parametrize(
    ("view", "variable", "sentence"),
    [
        (server(free_mb={"/zk": 5}), "zookeeper_data_dir", "zk2 has 5 MB for /zk"),
        (server(memory_mb=10), "zookeeper_heap_mb", "zk2 has 10 MB of memory"),
        (server(skew_s=(5, 6)), "preflight_max_clock_skew_s", "zk2's clock is at least 5.0 s ahead"),
        (server(unresolved=["zk1"]), "kafka_advertised_host", "zk2 cannot resolve zk1"),
        (server(ssh_client="10.9.0.1"), ADMINS, "zk2 see this machine come from 10.9.0.1"),
        (declared(server(java_major=25), java_major=0), "kafka_java", "zk2 has 25"),
        (declared(SERVERS, checksum="none"), "kafka_archive_checksum", "is no SHA-512"),
        (declared(SERVERS, version="latest"), "kafka_version", "is no release"),
        (replace(SERVERS, nodes=[*SERVERS.nodes, Node("zk3", None)]), "kafka_node_id", "zk3 has none"),
        (
            replace(SERVERS, nodes=[*SERVERS.nodes[:2], Node("zk2", 12, variables=["kafka_versoin"])]),
            "kafka_versoin",
            "did you mean",
        ),
    ],
)
def test_a_host_that_is_a_zookeeper_server_and_nothing_else_is_judged_by_what_it_runs(
    view: View, variable: str, sentence: str
) -> None:
    assert problems_of_servers(SERVERS) == []
    assert (variable, sentence) in [
        (found.variable, sentence) for found in problems_of_servers(view) if sentence in found.sentence
    ]


def test_what_only_brokers_have_is_not_judged_on_a_zookeeper_server() -> None:
    few = declared(SERVERS, topics=[("orders", 5, 2)], listeners=[])
    nodes = [replace(each, config={"default.replication.factor": "9"}) for each in few.nodes]
    assert problems_of_servers(replace(few, nodes=nodes)) == []


@pytest.mark.parametrize(
    ("networks", "sentences"),
    [
        ({ADMINS: ["10.1.0.0/24", "192.0.2.0/24"]}, [f"{ADMINS}: nobody comes from 192.0.2.0/24, reserved"]),
        (
            {CLIENTS: ["198.51.100.7", "2001:db8:1::/48", "::/0"]},
            [f"{CLIENTS}: nobody comes from 198.51.100.7 and 2001:db8:1::/48, reserved"],
        ),
        ({ADMINS: ["0.0.0.0/0"], CLIENTS: []}, []),
        ({ADMINS: ["10.1.0.5"]}, []),
        ({ADMINS: ["10.1.0.9/24"]}, []),  # The network of an address.
        ({CLIENTS: ["shop.internal", "203.0.113.9/24"]}, [f"{CLIENTS}: nobody comes from 203.0.113.9/24, reserved"]),
        ({ADMINS: ["10.1.0.6", "bastion.internal"]}, []),  # Who that is, only the host knows.
        ({}, []),
        (
            {ADMINS: ["10.3.0.0/24"]},
            [f"{ADMINS}: kafka1, kafka2 and kafka3 see this machine come from 10.1.0.5, which"],
        ),
    ],
)
def test_networks_that_nobody_comes_from_and_those_that_lock_this_machine_out_are_told(
    networks: dict[str, list[str]], sentences: list[str]
) -> None:
    found = [str(problem) for problem in problems(declared(networks=networks))]
    assert len(found) == len(sentences)
    assert all(problem.startswith(sentence) for problem, sentence in zip(found, sentences, strict=True))


def test_where_a_firewall_is_on_the_rules_of_others_may_let_this_machine_in() -> None:
    view = declared(networks={ADMINS: ["10.3.0.0/24"]})
    firewalled = replace(view, probes=dict.fromkeys(NAMES, replace(PROBE, ufw_enabled=True)))
    assert problems(firewalled) == []
    assert len(problems(replace(view, probes={**firewalled.probes, "kafka2": PROBE}))) == 1
