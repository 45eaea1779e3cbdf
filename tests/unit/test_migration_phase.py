"""The way from ZooKeeper to KRaft: no phase is skipped, and the way back is open until the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.crucible.kafka.plugins.filter.migration import (
    kafka_migration_nodes,
    kafka_migration_refusals,
    kafka_migration_undeclared,
)
from ansible_collections.crucible.kafka.plugins.module_utils import server_properties
from ansible_collections.crucible.kafka.plugins.module_utils.migration_phase import (
    CONTROLLERS,
    DUAL_WRITE,
    FINISHED,
    KRAFT_BROKERS,
    NOT_TRIED,
    PHASES,
    ZOOKEEPER,
    ControllerLog,
    Declared,
    Node,
    Replica,
    inventory_refusals,
    next_step,
    node_mode,
    parse_replication,
    read_log,
    refusals,
    undeclared,
    unreached,
)

LISTENERS = [
    {"name": "CLIENT", "port": 9092, "security_protocol": "PLAINTEXT", "reachable_by": "clients"},
    {"name": "CONTROLLER", "port": 9093, "security_protocol": "PLAINTEXT", "reachable_by": "members"},
]
MEMBERS = [
    *(server_properties.Node(f"kafka{n}", n, f"192.0.2.1{n}", ["broker"]) for n in (1, 2, 3)),
    *(server_properties.Node(f"controller{n}", 100 + n, f"192.0.2.3{n}", ["controller"]) for n in (1, 2, 3)),
]
DECLARED = Declared("zookeeper", ZOOKEEPER, "3.9.2", "plaintext", "INFO")


def properties(phase: str, mode: str = "zookeeper") -> dict[str, dict[str, str]]:
    """With what each node is started in a phase."""
    cluster = server_properties.Cluster(
        mode=mode,
        major=3,
        nodes=MEMBERS,
        listeners=LISTENERS,
        inter_broker_listener="CLIENT",
        controller_listeners=["CONTROLLER"],
        controller_servers=["192.0.2.31:9093", "192.0.2.32:9093", "192.0.2.33:9093"],
        zookeeper_connect="192.0.2.11:2181/kafka",
        migration_phase=phase,
    )
    return {
        node.name: dict(server_properties.server_properties(cluster, node, ["/data"], {}, {}, "/s").properties)
        for node in MEMBERS
    }


def nodes(brokers: str | Mapping[str, str], controllers: str = "", blank: str = "", down: str = "") -> list[Node]:
    """The cluster's nodes as they run: the phase of each broker, and that of the controllers, "" for none."""
    found = []
    for member in MEMBERS:
        is_broker = "broker" in member.roles
        phase = (brokers if isinstance(brokers, str) else brokers[member.name]) if is_broker else controllers
        started = properties(phase)[member.name] if phase else {}
        runs = bool(started) and member.name != down
        formatted = bool(started) and member.name != blank
        found.append(
            Node(member.name, member.node_id, member.roles, started if runs else None, started, formatted),
        )
    return found


REACHED = {
    ZOOKEEPER: nodes(ZOOKEEPER),
    CONTROLLERS: nodes(CONTROLLERS, CONTROLLERS),
    DUAL_WRITE: nodes(DUAL_WRITE, DUAL_WRITE),
    KRAFT_BROKERS: nodes(KRAFT_BROKERS, KRAFT_BROKERS),
    FINISHED: nodes(FINISHED, FINISHED),
}
ONE_RUN = {
    (ZOOKEEPER, CONTROLLERS),
    (CONTROLLERS, DUAL_WRITE),
    (DUAL_WRITE, KRAFT_BROKERS),
    (KRAFT_BROKERS, FINISHED),
    (CONTROLLERS, ZOOKEEPER),
    (DUAL_WRITE, ZOOKEEPER),
    (KRAFT_BROKERS, DUAL_WRITE),
    *((phase, phase) for phase in PHASES),
}


@pytest.mark.parametrize("now", PHASES)
@pytest.mark.parametrize("then", PHASES)
def test_only_the_next_phase_and_the_way_back_are_reached_by_one_run(now: str, then: str) -> None:
    wanted = replace(DECLARED, phase=then, confirmed=True)
    assert bool(list(refusals(wanted, REACHED[now]))) == ((now, then) not in ONE_RUN)


@pytest.mark.parametrize(
    ("now", "then", "following"),
    [
        (ZOOKEEPER, DUAL_WRITE, "controllers"),
        (ZOOKEEPER, FINISHED, "controllers"),
        (CONTROLLERS, FINISHED, "dual_write"),
        (DUAL_WRITE, CONTROLLERS, "zookeeper"),
        (KRAFT_BROKERS, CONTROLLERS, "dual_write"),
        (KRAFT_BROKERS, ZOOKEEPER, "dual_write"),
    ],
)
def test_a_skipped_phase_is_named(now: str, then: str, following: str) -> None:
    assert list(refusals(replace(DECLARED, phase=then, confirmed=True), REACHED[now])) == [
        f"kafka_migration_phase: {then} cannot be reached by one run (the cluster is in {now})."
        f" Declare {following} next."
    ]


def test_a_skipped_phase_says_where_each_broker_is() -> None:
    found = nodes({"kafka1": DUAL_WRITE, "kafka2": ZOOKEEPER, "kafka3": ZOOKEEPER}, CONTROLLERS)
    assert list(refusals(replace(DECLARED, phase=KRAFT_BROKERS), found)) == [
        "kafka_migration_phase: kraft_brokers cannot be reached by one run (kafka2 and kafka3: zookeeper;"
        " kafka1: dual_write). Declare dual_write next."
    ]


@pytest.mark.parametrize("then", [phase for phase in PHASES if phase != FINISHED])
def test_nothing_leads_back_once_a_controller_has_left_zookeeper(then: str) -> None:
    found = [
        replace(node, process=properties(FINISHED)[node.name]) if node.name == "controller1" else node
        for node in REACHED[KRAFT_BROKERS]
    ]
    (sentence,) = refusals(replace(DECLARED, phase=then), found)
    assert sentence == (
        "kafka_migration_phase: controller1 has left ZooKeeper, from where no way leads back. Declare finished."
    )


def test_the_point_of_no_return_is_confirmed_once() -> None:
    asked = replace(DECLARED, phase=FINISHED)
    assert list(refusals(asked, REACHED[KRAFT_BROKERS])) == [
        "kafka_migration_finish: finished is the point of no return: from then on ZooKeeper knows nothing of what"
        " happens, and the ensemble is taken down. Confirm with -e kafka_migration_finish=yes."
    ]
    assert list(refusals(replace(asked, confirmed=True), REACHED[KRAFT_BROKERS])) == []
    assert list(refusals(asked, REACHED[FINISHED])) == []
    assert list(refusals(replace(asked, keeps_ensemble=True), REACHED[KRAFT_BROKERS])) == [
        "kafka_migration_finish: finished is the point of no return: from then on ZooKeeper knows nothing of what"
        " happens. Confirm with -e kafka_migration_finish=yes."
    ]


INTERRUPTED = [
    ({"kafka1": DUAL_WRITE, "kafka2": ZOOKEEPER, "kafka3": ZOOKEEPER}, {ZOOKEEPER, DUAL_WRITE}),
    ({"kafka1": KRAFT_BROKERS, "kafka2": DUAL_WRITE, "kafka3": DUAL_WRITE}, {DUAL_WRITE, KRAFT_BROKERS}),
]


@pytest.mark.parametrize(("brokers", "possible"), INTERRUPTED)
@pytest.mark.parametrize("then", PHASES)
def test_an_interrupted_phase_is_finished_or_taken_back(brokers: dict[str, str], possible: set[str], then: str) -> None:
    found = nodes(brokers, CONTROLLERS)
    assert (then in possible) == (not list(refusals(replace(DECLARED, phase=then, confirmed=True), found)))


def blank(names: str) -> str:
    return (
        f"kafka_migration_phase: {names} no metadata log, so that the controllers are not those that the migration"
        " began with. Declare zookeeper, which goes back, and begin again."
    )


def test_going_back_that_was_interrupted_is_finished_first() -> None:
    found = nodes(DUAL_WRITE)
    wanted = replace(DECLARED, phase=DUAL_WRITE)
    assert list(refusals(wanted, found)) == [blank("controller1, controller2 and controller3 have")]
    assert list(refusals(replace(DECLARED, phase=ZOOKEEPER), found)) == []


def test_a_controller_that_is_down_or_lost_its_disk_stops_a_phase() -> None:
    wanted = replace(DECLARED, phase=DUAL_WRITE)
    assert list(refusals(wanted, nodes(ZOOKEEPER, CONTROLLERS, down="controller2"))) == [
        "kafka_migration_phase: controller2 does not run, and dual_write needs each controller. Start it (systemctl"
        " start kafka), or go back with zookeeper."
    ]
    assert list(refusals(wanted, nodes(ZOOKEEPER, CONTROLLERS, blank="controller3"))) == [blank("controller3 has")]
    assert list(refusals(wanted, nodes(ZOOKEEPER, CONTROLLERS))) == []


def test_a_broker_that_is_down_stops_a_phase_but_not_the_way_back() -> None:
    found = nodes(DUAL_WRITE, DUAL_WRITE, down="kafka2")
    assert list(refusals(replace(DECLARED, phase=KRAFT_BROKERS), found)) == [
        "kafka_migration_phase: kafka2 does not run. Start it, or go back with zookeeper."
    ]
    assert list(refusals(replace(DECLARED, phase=ZOOKEEPER), found)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"phase": "midway"},
            "kafka_migration_phase: declare the phase that is wanted, one of zookeeper, controllers, dual_write,"
            " kraft_brokers, finished.",
        ),
        (
            {"phase": ""},
            "kafka_migration_phase: declare the phase that is wanted, one of zookeeper, controllers, dual_write,"
            " kraft_brokers, finished.",
        ),
        (
            {"mode": "kraft"},
            "kafka_mode: it is kraft; until kafka_migration_phase finished has been reached the cluster is declared as"
            " kafka_mode zookeeper.",
        ),
        (
            {"version": "4.3.1"},
            "kafka_version: 4.3.1 cannot be migrated. Only 3.9 has both sides: upgrade to 3.9 before the migration, and"
            " to a later release after it.",
        ),
        (
            {"version": "3.8.1"},
            "kafka_version: 3.8.1 cannot be migrated. Only 3.9 has both sides: upgrade to 3.9 before the migration, and"
            " to a later release after it.",
        ),
        (
            {"security": "tls"},
            "kafka_security: a migration with tls was not tried. Migrate in plaintext, and secure the cluster then.",
        ),
        (
            {"log_level": "WARN"},
            "kafka_log_levels: root is WARN; how far controllers are is read in their log, which needs INFO.",
        ),
        (
            {"config": ["inter.broker.protocol.version", "num.io.threads"]},
            "kafka_config: take inter.broker.protocol.version away for the migration; "
            f"{NOT_TRIED['inter.broker.protocol.version']}.",
        ),
        (
            {"config": ["authorizer.class.name"]},
            f"kafka_config: take authorizer.class.name away for the migration; {NOT_TRIED['authorizer.class.name']}.",
        ),
        (
            {"absent": ["kafka2", "kafka3"]},
            "--limit: a migration is for the whole cluster; this run leaves out kafka2 and kafka3.",
        ),
    ],
)
def test_what_was_not_tried_is_refused_by_name(change: dict[str, object], sentence: str) -> None:
    wanted = replace(DECLARED, **change)  # type: ignore[arg-type]
    assert list(inventory_refusals(wanted, REACHED[ZOOKEEPER])) == [sentence]


@pytest.mark.parametrize("level", ["INFO", "DEBUG", "TRACE", "ALL"])
def test_a_log_that_tells_the_phase_is_accepted(level: str) -> None:
    assert list(inventory_refusals(replace(DECLARED, log_level=level), REACHED[ZOOKEEPER])) == []


def test_the_declared_cluster_is_accepted() -> None:
    assert list(inventory_refusals(replace(DECLARED, config=["num.io.threads"]), REACHED[ZOOKEEPER])) == []
    # Afterwards it is a KRaft cluster of any release.
    after = Declared("kraft", FINISHED, "4.3.1", "plaintext", "INFO")
    assert list(inventory_refusals(after, REACHED[FINISHED])) == []


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_controllers_are_three_or_a_greater_odd_number(count: int) -> None:
    brokers = [node for node in REACHED[ZOOKEEPER] if not node.is_controller]
    controllers = [Node(f"controller{n}", 100 + n, ["controller"]) for n in range(count)]
    (sentence,) = inventory_refusals(DECLARED, [*brokers, *controllers])
    assert sentence == (
        f"kafka_process_roles: there are {count} hosts with [controller]; a migration needs an odd number of them,"
        " three or more."
    )


def test_combined_nodes_are_no_end_of_a_migration() -> None:
    both = [replace(node, roles=["broker", "controller"]) for node in REACHED[ZOOKEEPER] if not node.is_controller]
    told = (
        "broker and controller. After a migration the controllers are hosts of their own: declare [broker] for the"
        " brokers and [controller] for the new hosts."
    )
    for some, who in ((both, "kafka1, kafka2 and kafka3 are"), (both[:1], "kafka1 is")):
        assert list(inventory_refusals(DECLARED, some)) == [f"kafka_process_roles: {who} {told}"]


def test_each_node_has_the_mode_of_its_phase() -> None:
    modes = {
        phase: (node_mode("zookeeper", phase, ["broker"]), node_mode("zookeeper", phase, ["controller"]))
        for phase in PHASES
    }
    assert modes == {
        ZOOKEEPER: ("zookeeper", "zookeeper"),
        CONTROLLERS: ("zookeeper", "kraft"),
        DUAL_WRITE: ("zookeeper", "kraft"),
        KRAFT_BROKERS: ("kraft", "kraft"),
        FINISHED: ("kraft", "kraft"),
    }
    assert node_mode("kraft", "", ["broker"]) == "kraft"
    assert node_mode("zookeeper", "", ["broker"]) == "zookeeper"


def test_properties_change_as_kafka_documents_it() -> None:
    migration = {"zookeeper.metadata.migration.enable": "true", "zookeeper.connect": "192.0.2.11:2181/kafka"}
    both = {
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": "192.0.2.31:9093,192.0.2.32:9093,192.0.2.33:9093",
    }
    plain = properties("")["kafka1"]
    assert properties(ZOOKEEPER)["kafka1"] == properties(CONTROLLERS)["kafka1"] == plain
    assert properties(DUAL_WRITE)["kafka1"] == {**plain, **migration, **both}
    kraft = properties("", "kraft")
    assert properties(KRAFT_BROKERS)["kafka1"] == kraft["kafka1"]
    assert properties(CONTROLLERS)["controller1"] == {**kraft["controller1"], **migration}
    # So site.yml with kafka_mode kraft finds nothing to change.
    assert properties(FINISHED) == kraft


def test_a_broker_of_a_migrating_cluster_is_a_zookeeper_broker_with_its_own_listener_alone() -> None:
    assert properties(DUAL_WRITE)["kafka1"]["listeners"].count(":90") == 1
    assert properties(DUAL_WRITE)["kafka1"]["broker.id"] == "1"
    assert properties(DUAL_WRITE)["controller1"]["node.id"] == "101"
    assert "zookeeper.connect" not in properties(KRAFT_BROKERS)["kafka1"]


REPLICATION = """\
NodeId  DirectoryId             LogEndOffset  Lag  LastFetchTimestamp  LastCaughtUpTimestamp  Status
103     G8kxAnmUQD2JPMYZ6h2gQA  2430          0    1795913385841       1795913385841          Leader
101     w8kxAnmUQD2JPMYZ6h2gQA  2430          0    1795913385800       1795913385800          Follower
102     a8kxAnmUQD2JPMYZ6h2gQA  2428          2    1795913385800       1795913378841          Follower
1       b8kxAnmUQD2JPMYZ6h2gQA  2430          0    1795913385800       1795913385800          Observer
"""
QUORUM = [
    Replica(103, 0, "Leader"),
    Replica(101, 0, "Follower"),
    Replica(102, 0, "Follower"),
    Replica(1, 0, "Observer"),
]


def test_the_quorum_is_read_as_the_tool_prints_it() -> None:
    assert parse_replication(REPLICATION) == [
        Replica(103, 0, "Leader"),
        Replica(101, 41, "Follower"),
        Replica(102, 7000, "Follower"),
        Replica(1, 41, "Observer"),
    ]
    assert parse_replication("Exception in thread main\n") == []


LOG = [
    "[    9.235159] controller3 java[710]: INFO [QuorumController id=103] Replayed a ZkMigrationStateRecord changing"
    " the migration state from NONE to PRE_MIGRATION. (org.apache.kafka.controller.FeatureControlManager)",
    "INFO [KRaftMigrationDriver id=103] 103 transitioning from INACTIVE to WAIT_FOR_CONTROLLER_QUORUM state",
    "INFO [KRaftMigrationDriver id=103] 103 transitioning from WAIT_FOR_CONTROLLER_QUORUM to WAIT_FOR_BROKERS state",
    "INFO Completed migration of metadata from Zookeeper to KRaft. 74 records were generated in 734 ms",
]


def test_the_log_tells_the_last_state_of_the_process() -> None:
    assert read_log(LOG[:3], 8.0) == ControllerLog("WAIT_FOR_BROKERS", "PRE_MIGRATION")
    assert read_log(LOG, 8.0).copied == "74 records were generated in 734 ms"
    assert read_log([], 8.0) == ControllerLog(cut=True)


@pytest.mark.parametrize(
    ("first_s", "cut"), [("   68.000000", False), ("   68.000001", True), ("1209600.000000", True)]
)
def test_a_journal_that_begins_long_after_the_process_has_lost_the_beginning_of_its_log(
    first_s: str, cut: bool
) -> None:
    lines = [f"[{first_s}] controller3 java[710]: INFO [a] in [1.5] s", "[1209700.500000] controller3 java[710]: INFO"]
    assert read_log(lines, 8.0).cut is cut
    # A line without a time, as of a message that has several, tells nothing of when the log begins.
    assert read_log(["at java.base", *lines], 8.0).cut is cut
    assert read_log(["INFO took [ 5.0] s"], 8.0).cut


RESTART = (
    "controller {} logged its state so long ago that its journal no longer has it. Restart the controller (systemctl"
    " restart kafka), which then logs its state again. If others say the same, restart them one at a time, each once"
    " the one before follows again (docs/operations.md). Then repeat this run"
)


@pytest.mark.parametrize(
    ("phase", "node_id", "log"),
    [
        (DUAL_WRITE, 101, ControllerLog(cut=True)),
        (DUAL_WRITE, 103, ControllerLog(cut=True)),
        (FINISHED, 101, ControllerLog(cut=True)),
        (DUAL_WRITE, 103, ControllerLog("", "MIGRATION", cut=True)),
        (DUAL_WRITE, 101, ControllerLog("INACTIVE", "", cut=True)),
    ],
)
def test_a_controller_whose_journal_lost_its_state_says_so(phase: str, node_id: int, log: ControllerLog) -> None:
    assert unreached(phase, node_id, VOTERS, QUORUM, log) == [RESTART.format(node_id)]


def test_what_a_cut_journal_still_tells_counts() -> None:
    assert unreached(DUAL_WRITE, 101, VOTERS, QUORUM, ControllerLog("", "MIGRATION", cut=True)) == []
    assert unreached(KRAFT_BROKERS, 103, VOTERS, QUORUM, ControllerLog("", "POST_MIGRATION", cut=True)) == []
    assert unreached(FINISHED, 103, VOTERS, QUORUM, ControllerLog("", "POST_MIGRATION", cut=True)) == []
    (reason,) = unreached(DUAL_WRITE, 101, VOTERS, QUORUM, ControllerLog("", "PRE_MIGRATION", cut=True))
    assert reason == "controller 101 is in PRE_MIGRATION, not MIGRATION"
    (reason,) = unreached(DUAL_WRITE, 101, VOTERS, QUORUM, ControllerLog())
    assert reason == "controller 101 is in no state of a migration, not MIGRATION"
    for driver in ("", "DUAL_WRITE"):  # Which no controller has at the end.
        (reason,) = unreached(FINISHED, 103, VOTERS, QUORUM, ControllerLog(driver, "MIGRATION", cut=True))
        assert reason == "controller 103 is in MIGRATION, not POST_MIGRATION"
    # What the quorum says comes first.
    behind = [*QUORUM[:2], Replica(102, 5001, "Follower")]
    assert unreached(DUAL_WRITE, 101, VOTERS, behind, ControllerLog(cut=True)) == [
        "controller 102 is behind in the metadata log",
        RESTART.format(101),
    ]


WAITS = ControllerLog("WAIT_FOR_BROKERS", "PRE_MIGRATION")
WRITES = ControllerLog("DUAL_WRITE", "MIGRATION")
VOTERS = [101, 102, 103]


def test_each_controller_is_believed_by_itself_alone() -> None:
    assert unreached(CONTROLLERS, 103, VOTERS, QUORUM, WAITS) == []
    # A follower's driver is inactive; what it has replayed counts.
    assert unreached(CONTROLLERS, 101, VOTERS, QUORUM, ControllerLog("INACTIVE", "PRE_MIGRATION")) == []
    assert unreached(DUAL_WRITE, 103, VOTERS, QUORUM, WRITES) == []
    assert unreached(KRAFT_BROKERS, 103, VOTERS, QUORUM, WRITES) == []
    assert unreached(FINISHED, 103, VOTERS, QUORUM, ControllerLog("", "POST_MIGRATION")) == []


@pytest.mark.parametrize(
    ("phase", "node_id", "replicas", "log", "reason"),
    [
        (CONTROLLERS, 103, [], WAITS, "controller 103 knows no leader"),
        (CONTROLLERS, 103, QUORUM[:2], WAITS, "does not know 102 as a voter"),
        (CONTROLLERS, 103, [*QUORUM[:2], Replica(102, 5001, "Follower")], WAITS, "controller 102 is behind"),
        (CONTROLLERS, 101, QUORUM, ControllerLog(), "controller 101 is in no state of a migration"),
        (CONTROLLERS, 103, QUORUM, ControllerLog("INACTIVE", "PRE_MIGRATION"), "active controller 103 is in INACTIVE"),
        (DUAL_WRITE, 103, QUORUM, ControllerLog("SYNC_KRAFT_TO_ZK", "MIGRATION"), "SYNC_KRAFT_TO_ZK, not DUAL_WRITE"),
        (DUAL_WRITE, 101, QUORUM, ControllerLog("INACTIVE", "PRE_MIGRATION"), "is in PRE_MIGRATION, not MIGRATION"),
        (DUAL_WRITE, 103, QUORUM, ControllerLog("", "MIGRATION"), "controller 103 is in no state, not DUAL_WRITE"),
        (FINISHED, 101, QUORUM, WRITES, "is in MIGRATION, not POST_MIGRATION"),
    ],
)
def test_a_controller_that_is_not_there_yet_says_why(
    phase: str, node_id: int, replicas: list[Replica], log: ControllerLog, reason: str
) -> None:
    assert any(reason in found for found in unreached(phase, node_id, VOTERS, replicas, log))


def test_a_voter_that_is_a_record_behind_is_ready() -> None:
    assert unreached(CONTROLLERS, 103, VOTERS, [*QUORUM[:2], Replica(102, 5000, "Follower")], WAITS) == []


def test_a_phase_that_was_interrupted_may_have_gone_on() -> None:
    assert unreached(CONTROLLERS, 103, VOTERS, QUORUM, WRITES) == []
    assert unreached(KRAFT_BROKERS, 103, VOTERS, QUORUM, ControllerLog("", "POST_MIGRATION")) == []


@pytest.mark.parametrize(
    ("mode", "phase", "found", "sentence"),
    [
        (
            "zookeeper",
            "",
            REACHED[DUAL_WRITE],
            "kafka_migration_phase: kafka1, kafka2 and kafka3 are on the way to KRaft. Declare the phase that"
            " playbooks/migrate_to_kraft.yml was last run with.",
        ),
        (
            "zookeeper",
            "",
            REACHED[ZOOKEEPER],
            "kafka_process_roles: controller1, controller2 and controller3 are to be controllers alone, which ZooKeeper"
            " mode does not have. playbooks/migrate_to_kraft.yml brings it up (docs/operations.md).",
        ),
        (
            "zookeeper",
            DUAL_WRITE,
            REACHED[CONTROLLERS],
            "kafka_migration_phase: kafka1, kafka2 and kafka3 have not reached dual_write, and only"
            " playbooks/migrate_to_kraft.yml changes a phase.",
        ),
        (
            "kraft",
            "",
            REACHED[KRAFT_BROKERS],
            "kafka_mode: controller1, controller2 and controller3 still need ZooKeeper."
            " playbooks/migrate_to_kraft.yml leads to KRaft (docs/operations.md).",
        ),
        (
            "kraft",
            "",
            REACHED[ZOOKEEPER],
            "kafka_mode: kafka1, kafka2 and kafka3 still need ZooKeeper."
            " playbooks/migrate_to_kraft.yml leads to KRaft (docs/operations.md).",
        ),
    ],
)
def test_site_yml_changes_no_phase(mode: str, phase: str, found: list[Node], sentence: str) -> None:
    assert list(undeclared(mode, phase, found, migrates=False)) == [sentence]


def test_site_yml_keeps_a_phase_and_runs_as_ever_without_one() -> None:
    for phase in PHASES[1:]:
        assert list(undeclared("zookeeper", phase, REACHED[phase], migrates=False)) == []
    assert list(undeclared("kraft", "", REACHED[FINISHED], migrates=False)) == []
    brokers = [node for node in REACHED[ZOOKEEPER] if not node.is_controller]
    assert list(undeclared("zookeeper", "", brokers, migrates=False)) == []
    assert list(undeclared("kraft", "", [replace(node, process=None, written={}) for node in brokers], False)) == []
    assert list(undeclared("zookeeper", DUAL_WRITE, REACHED[CONTROLLERS], migrates=True)) == []


def test_templates_are_told_what_was_found() -> None:
    hostvars: dict[str, dict[str, Any]] = {
        "kafka1": {"kafka_node_id": 1, "kafka_process_roles": ["broker"]},
        "kafka2": {"kafka_node_id": 2},
    }
    found = [
        {
            "name": "kafka1",
            "process": {"properties": {"broker.id": "1"}},
            "written": {},
            "data_dirs": [{"meta": {"version": "0"}}],
        }
    ]
    told = kafka_migration_nodes(["kafka1", "kafka2"], hostvars, found)
    assert [(node["name"], node["process"], node["formatted"]) for node in told] == [
        ("kafka1", {"broker.id": "1"}, True),
        ("kafka2", None, False),
    ]
    declared = {
        "mode": "zookeeper",
        "phase": "controllers",
        "version": "3.9.2",
        "security": "plaintext",
        "log_level": "INFO",
    }
    (sentence,) = kafka_migration_refusals(told, declared)
    assert "kafka2 is broker and controller" in sentence
    assert kafka_migration_undeclared(told, "zookeeper", "", False) == []


@pytest.mark.parametrize("phase", PHASES)
def test_each_phase_tells_what_comes_next(phase: str) -> None:
    assert next_step(phase).endswith((".", ".)"))


def test_the_end_of_the_way_tells_what_was_left_as_it_was() -> None:
    end = next_step(FINISHED)
    assert next_step(FINISHED, [], []) == end
    assert next_step(FINISHED, ["zk1", "zk2"]) == (
        f"{end} The ZooKeeper servers on zk1 and zk2, the firewall rules for ZooKeeper and its data are as they were"
        " (migration_keep_ensemble)."
    )
    assert next_step(FINISHED, ["zk1"], ["kafka1"]) == (
        f"{end} The ZooKeeper server on zk1, the firewall rules for ZooKeeper and its data are as they were"
        " (migration_keep_ensemble). The next run of site.yml closes ZooKeeper's ports on kafka1: declare them in"
        " firewall_extra_rules before."
    )
