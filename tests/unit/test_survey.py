"""Whoever asks a cluster for its state is not held up by one broker that cannot tell it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ClassVar

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils import survey as module
from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import (
    Broker,
    ClusterState,
    Quorum,
    QuorumReplica,
)
from ansible_collections.crucible.kafka.plugins.module_utils.health import LogDir
from ansible_collections.crucible.kafka.plugins.module_utils.survey import ask_broker, read_log_dirs, survey


@dataclass
class Servers:
    """Brokers of which some are cut off from their controller, or are behind; each is asked by itself."""

    cut_off: set[str]
    behind: dict[int, int | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def each(self) -> list[Server]:
        return [Server(self, name) for name in ("kafka1", "kafka2", "kafka3")]


@dataclass
class Server:
    servers: Servers
    name: str

    @property
    def bootstrap_servers(self) -> list[str]:
        return [f"{self.name}:9092"]

    @contextmanager
    def connect(self) -> Iterator[Server]:
        self.servers.asked.append(self.name)
        if self.name in self.servers.cut_off:
            raise AdminError(f"{self.name} did not answer.")
        yield self


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch) -> None:
    def told_by(server: Server) -> ClusterState:
        behind = {1: 0, 2: 0, 3: 0} | server.servers.behind
        voters = tuple(QuorumReplica(node, "", 0, ms_ago) for node, ms_ago in behind.items())
        brokers = tuple(Broker(node, f"kafka{node}", 9092) for node in behind)
        return ClusterState(f"as told by {server.name}", "4.3", brokers, 3, Quorum(3, 10, voters), ())

    monkeypatch.setattr(module, "read_state", told_by)


def told(servers: Servers) -> str:
    return survey(servers).cluster_id  # type: ignore[arg-type] # a stand-in


def test_the_first_that_can_tell_is_believed() -> None:
    servers = Servers({"kafka1"})
    assert told(servers) == "as told by kafka2"
    assert servers.asked == ["kafka1", "kafka2"]


def test_who_is_behind_in_the_metadata_log_is_not_believed() -> None:
    assert told(Servers(set(), behind={1: 2_000})) == "as told by kafka2"
    assert told(Servers(set(), behind={1: 1_999})) == "as told by kafka1"
    # A leader that was just elected has heard of nobody; that says nothing of those who follow it.
    assert told(Servers(set(), behind={1: None})) == "as told by kafka1"


def test_where_all_are_behind_nobody_is_believed() -> None:
    with pytest.raises(AdminError, match=r"Broker 1 has not followed the metadata log lately.*Broker 2.*Broker 3"):
        told(Servers(set(), behind=dict.fromkeys((1, 2, 3), 9_000)))


def test_where_nobody_can_tell_each_says_why() -> None:
    with pytest.raises(AdminError, match=r"kafka1 did not answer.*kafka2 did not answer.*kafka3 did not answer"):
        survey(Servers({"kafka1", "kafka2", "kafka3"}))  # type: ignore[arg-type] # a stand-in


class Leaderless:
    """A broker whose controllers have no leader: the answer's other fields are then the protocol's defaults."""

    def describe_cluster(self) -> dict[str, object]:
        return {"cluster_id": "c", "brokers": [], "controller_id": 1}

    def describe_features(self) -> dict[str, object]:
        return {"metadata.version": {"finalized": (30, 30)}}

    def describe_metadata_quorum(self) -> dict[str, object]:
        partition = {
            "partition_index": 0,
            "error": "not the leader",
            "leader_id": 0,
            "current_voters": [],
            "observers": [],
        }
        return {"topics": [{"topic_name": "__cluster_metadata", "partitions": [partition]}]}


def test_a_quorum_without_a_leader_is_not_led_by_node_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(AdminError, match="The controllers have no leader: not the leader"):
        module.read_state(Leaderless())


class Led:
    """A quorum of one voter that also tells on which listeners it is known (KIP-853)."""

    def describe_features(self) -> dict[str, object]:
        return {"kraft.version": {"finalized": (1, 1)}}

    def describe_metadata_quorum(self) -> dict[str, object]:
        voter = {
            "replica_id": 1,
            "replica_directory_id": None,
            "log_end_offset": 7,
            "last_caught_up_timestamp": 1,
        }
        partition = {
            "partition_index": 0,
            "error": None,
            "leader_id": 1,
            "high_watermark": 7,
            "current_voters": [voter],
            "observers": [],
        }
        listeners = [{"name": "CONTROLLER", "host": "kafka1", "port": 9093}]
        nodes = [{"node_id": 1, "listeners": listeners}]
        return {"topics": [{"topic_name": "__cluster_metadata", "partitions": [partition]}], "nodes": nodes}


def test_the_quorum_tells_on_which_listeners_its_voters_are_known() -> None:
    quorum = module._quorum(Led().describe_metadata_quorum(), 2000)
    assert quorum.listeners == {1: ("CONTROLLER",)}


class Applying(Led):
    """A broker that has fetched the metadata log up to offset 1,000, and applies it while it is asked."""

    _manager = SimpleNamespace(least_loaded_node=lambda: 1)

    def __init__(self, *applied: int | None) -> None:
        self.applied, self.asked = list(applied), 0

    def describe_features(self) -> dict[str, object]:
        self.asked += 1
        applied = self.applied.pop(0) if len(self.applied) > 1 else self.applied[0]
        return {"kraft.version": {"supported": (0, 1)}, "metadata.version": {"finalized_epoch": applied}}


def wait_until_applied(broker: Applying) -> None:
    module._when_applied(broker, broker.describe_features(), 1_000)


def test_a_broker_is_asked_when_it_has_applied_what_the_controllers_decided() -> None:
    broker = Applying(10, 998, 999, 1_000)
    wait_until_applied(broker)
    assert broker.asked == 3


class _NotYet(Applying):
    """Its partitions may be asked for only when it has applied the log."""

    def describe_cluster(self) -> dict[str, object]:
        raise AssertionError("asked for partitions")


def test_a_broker_that_has_much_to_apply_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "APPLIED_WITHIN_S", 0)
    with pytest.raises(AdminError, match="Broker 1 has yet to apply 101 records of the metadata log"):
        wait_until_applied(Applying(898))
    # The quorum's own records are in the log and never applied; a broker of old does not tell.
    wait_until_applied(Applying(899))
    wait_until_applied(Applying(None))


def test_the_state_is_read_after_that_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(module, "APPLIED_WITHIN_S", 0)
    broker = _NotYet(898)
    quorum = broker.describe_metadata_quorum()
    quorum["topics"][0]["partitions"][0]["high_watermark"] = 1_000  # type: ignore[index] # of the stand-in's own making
    monkeypatch.setattr(broker, "describe_metadata_quorum", lambda: quorum)
    with pytest.raises(AdminError, match="101 records"):
        module.read_state(broker)
    broker.applied = [999]
    with pytest.raises(AssertionError, match="asked for partitions"):
        module.read_state(broker)


def test_all_questions_go_to_the_broker_that_was_named() -> None:
    """The library asks whom it likes of those that it is connected to, and each of them tells of another moment."""
    brokers = [SimpleNamespace(node_id=number, host=f"kafka{number}", port=9092) for number in (1, 2)]
    manager = SimpleNamespace(cluster=SimpleNamespace(brokers=lambda: brokers), least_loaded_node=lambda: 1)
    admin = SimpleNamespace(_manager=manager, get_broker_version_data=lambda node_id: None)
    Endpoint(["kafka1:9092", "kafka2:9092"], {}, 1)._stay_with_the_only_server(admin)
    assert manager.least_loaded_node() == 1
    Endpoint(["kafka2:9092"], {}, 1)._stay_with_the_only_server(admin)
    assert manager.least_loaded_node() == 2


class WithDisks:
    """Brokers that tell of their directories: each broker as much as its release knows."""

    told: ClassVar[dict[int, dict[str, object]]] = {
        1: {"error_code": 0, "log_dir": "/data", "topics": []},
        2: {"error_code": 0, "log_dir": "/data", "topics": [], "total_bytes": 100, "usable_bytes": 40},
        3: {"error_code": 56, "log_dir": "/data", "topics": [], "total_bytes": -1, "usable_bytes": -1,
            "is_cordoned": True},
    }  # fmt: skip

    def describe_log_dirs(self, topic_partitions: object, brokers: list[int]) -> list[dict[str, object]]:
        assert topic_partitions == {}, "the partitions are many, and are not asked for"
        return [{"broker": node_id, "log_dirs": [self.told[node_id]]} for node_id in brokers]

    def get_broker_version_data(self, broker_id: int) -> SimpleNamespace:
        return SimpleNamespace(broker_version=(4, broker_id))


def test_directories_are_told_by_broker_with_what_is_known_of_each() -> None:
    expected = {
        1: [LogDir("/data", -1, -1)],
        2: [LogDir("/data", 100, 40)],
        3: [LogDir("/data", -1, -1, "the disk fails", cordoned=True)],
    }
    assert read_log_dirs(WithDisks(), [1, 2, 3]) == expected
    report = ask_broker(WithDisks(), 2)
    assert (report.release, report.log_dirs) == ("4.2", expected[2])
