"""What ZooKeeper says of who leads a cluster that migrates, and which epoch the next controller may not be below."""

from __future__ import annotations

import json

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.migration_znodes import parse

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
