"""What ZooKeeper says of who leads a cluster that migrates, and which epoch the next controller may not be below."""

from __future__ import annotations

import json

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.migration_znodes import (
    KAFKAS_OWN,
    chroot_levels,
    ensemble_refusal,
    of_others,
    parse,
    parse_children,
)

VOTERS = (101, 102, 103)
# As printed by Kafka 3.9.2, whose controllers led a cluster of three brokers.
SHELL = """\
Connecting to 127.0.0.1:2181/kafka
WatchedEvent state:SyncConnected type:None path:null
{"version":2,"brokerid":103,"timestamp":"1795912942113","kraftControllerEpoch":4}
{"version":0,"kraft_metadata_offset":85,"kraft_controller_id":103,"kraft_metadata_epoch":1,"kraft_controller_epoch":4}
2
"""


def test_what_controllers_left_is_found_and_a_brokers_is_not() -> None:
    found = parse(SHELL, VOTERS)
    assert {path: json.loads(value)["version"] for path, value in found.left.items()} == {
        "/controller": 2,
        "/migration": 0,
    }
    assert list(parse(SHELL.replace('"brokerid":103', '"brokerid":2'), VOTERS).left) == ["/migration"]
    assert parse("Node does not exist: /migration", VOTERS).left == {}
    for either, other in (
        ("kraft_controller_id", "kraft_metadata_offset"),
        ("kraft_metadata_offset", "kraft_controller_id"),
    ):
        assert parse(f'{{"version":0,"{either}":1}}', VOTERS).left, f"{either} without {other}"


def test_a_prompt_before_a_value_is_none_of_it() -> None:
    assert list(parse(SHELL.replace("{", "[zk: 1(CONNECTED) 0] {"), VOTERS).left) == ["/controller", "/migration"]
    assert parse("{no JSON\n", VOTERS).left == {}


@pytest.mark.parametrize(
    ("counted", "controller", "migration", "wanted"),
    [
        ("2", 4, 4, 4),
        ("2", 5, 4, 5),
        ("2", 4, 5, 5),
        ("3", 4, 4, 4),
        ("4", 4, 4, None),
        ("12", 4, 4, None),
        ("[zk: 192.0.2.11(CONNECTED) 2] 2", 4, 4, 4),
        ("[zk: 192.0.2.11(CONNECTED) 2] 12", 4, 4, None),
    ],
)
def test_the_next_controllers_epoch_is_higher_than_what_any_wrote(
    counted: str, controller: int, migration: int, wanted: int | None
) -> None:
    text = SHELL.replace('kraftControllerEpoch":4', f'kraftControllerEpoch":{controller}')
    text = text.replace('kraft_controller_epoch":4', f'kraft_controller_epoch":{migration}')
    assert parse(text.replace("\n2\n", f"\n{counted}\n"), VOTERS).epoch_to_set == wanted


@pytest.mark.parametrize("counted", ["", "Insufficient permission : /controller_epoch", "12 of 13"])
def test_an_epoch_that_cannot_be_read_is_none(counted: str) -> None:
    found = parse(SHELL.replace("\n2\n", f"\n{counted}\n"), VOTERS)
    assert (found.epoch, found.epoch_to_set) == (None, None)


def test_where_a_broker_leads_no_epoch_is_raised() -> None:
    assert parse('{"version":2,"brokerid":2,"kraftControllerEpoch":-1}\n1\n', VOTERS).epoch_to_set is None
    assert parse("", VOTERS).epoch_to_set is None


HOSTS = "192.0.2.11:2181,192.0.2.12:2181,192.0.2.13:2181"


@pytest.mark.parametrize(
    ("chroot", "levels"),
    [
        ("", ["/"]),
        ("/", ["/"]),
        ("/kafka", ["/", "/kafka"]),
        ("/kafka/", ["/", "/kafka"]),
        ("/kafka/a", ["/", "/kafka", "/kafka/a"]),
    ],
)
def test_each_level_of_the_way_to_the_chroot_is_listed(chroot: str, levels: list[str]) -> None:
    assert chroot_levels(HOSTS + chroot) == levels


# As ZooKeeper 3.8 prints it, which has no prompts without JLine.
LISTED = """\
Connecting to 192.0.2.11:2181
WatchedEvent state:SyncConnected type:None path:null
[kafka, solr, zookeeper]
[a, b]
"""


def test_what_the_shell_lists_is_read_level_by_level() -> None:
    assert parse_children(LISTED, 2) == [["kafka", "solr", "zookeeper"], ["a", "b"]]
    prompts = LISTED.replace("[a", "[zk: 192.0.2.11(CONNECTED) 1] [a")
    assert parse_children(prompts, 2) == [["kafka", "solr", "zookeeper"], ["a", "b"]]
    assert parse_children("[]\n", 1) == [[""]]
    assert parse_children(" [kafka] \n", 1) == [["kafka"]]


def test_a_level_that_does_not_exist_has_nothing() -> None:
    told = "[zookeeper]\nNode does not exist: /kafka\nNode does not exist: /kafka/a\n"
    assert parse_children(told, 3) == [["zookeeper"]]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("", 1),
        (LISTED, 1),
        (LISTED, 3),
        ("[kafka, zookeeper]\nInsufficient permission : /kafka\n", 2),
        ("[2026-11-27 10:00:00] INFO [SendThread] Session [0x1]\n", 1),
        ("of [kafka]\n", 1),
        ("[kafka] of\n", 1),
    ],
)
def test_a_level_that_is_not_told_is_not_taken_for_empty(text: str, levels: int) -> None:
    assert parse_children(text, levels) is None


@pytest.mark.parametrize(
    ("chroot", "children", "others"),
    [
        ("/kafka", [["kafka", "zookeeper"], ["brokers", "migration"]], []),
        ("/kafka", [["zookeeper", "solr", "kafka", "hbase"], ["brokers"]], ["/hbase", "/solr"]),
        # Another cluster without a chroot, beside this one.
        ("/kafka", [["brokers", "kafka", "zookeeper"], ["brokers"]], ["/brokers"]),
        # Clusters below one path, and one whose path is within another's.
        ("/kafka/a", [["kafka", "zookeeper"], ["a", "b"], ["brokers"]], ["/kafka/b"]),
        ("/kafka/a", [["kafka", "zookeeper"], ["a", "brokers"], ["brokers"]], ["/kafka/brokers"]),
        ("/kafka", [["kafka", "zookeeper"], ["a", "brokers"]], ["/kafka/a"]),
        ("/kafka/a", [["kafka", "zookeeper"], ["a"], ["b", "brokers"]], ["/kafka/a/b"]),
        # What is ZooKeeper's at the root alone, and the chroot's names at their own levels alone.
        ("/kafka", [["kafka", "zookeeper"], ["zookeeper", "kafka"]], ["/kafka/kafka", "/kafka/zookeeper"]),
        ("/kafka/a", [["a", "kafka"], ["kafka", "a"]], ["/a", "/kafka/kafka"]),
        ("", [["zookeeper", *KAFKAS_OWN]], []),
        ("", [["zookeeper", "brokers", "kafka"]], ["/kafka"]),
        ("/kafka", [["zookeeper"]], []),
        ("/kafka", [["kafka", "zookeeper"], [""]], []),
        ("/kafka", [], []),
    ],
)
def test_what_is_neither_zookeepers_nor_this_clusters_is_of_others(
    chroot: str, children: list[list[str]], others: list[str]
) -> None:
    assert of_others(HOSTS + chroot, children) == others


def test_what_a_cluster_has_is_what_kafka_makes() -> None:
    """`ZkData.SecureRootPaths`, `ZkAclStore.securePaths`, `ConsumerPathZNode` and `MigrationZNode` of Kafka 3.9."""
    made = """admin brokers cluster config controller controller_epoch isr_change_notification latest_producer_id_block
        log_dir_event_notification delegation_token kafka-acl-extended feature kafka-acl kafka-acl-changes
        kafka-acl-extended-changes consumers migration"""
    assert set(made.split()) == KAFKAS_OWN


def test_servers_that_others_use_are_refused_by_a_sentence_that_says_how_to_go_on() -> None:
    assert ensemble_refusal(["zk1", "zk2"], [], "") == ""
    assert ensemble_refusal(["zk1", "zk2"], ["/hbase", "/solr"], "") == (
        "Nothing was changed. Other systems than this cluster have /hbase and /solr in ZooKeeper, and"
        " kafka_migration_phase finished would take zk1 and zk2 down: give -e migration_keep_ensemble=yes, with which"
        " the servers stay as they are, or remove from ZooKeeper what nobody needs."
    )
    assert ensemble_refusal(["zk1"], [], "Connection refused") == (
        "Nothing was changed. ZooKeeper does not tell what else it holds, and kafka_migration_phase finished would take"
        " zk1 down: start the servers (systemctl start zookeeper), or give -e migration_keep_ensemble=yes, with which"
        " the servers stay as they are (Connection refused)."
    )
