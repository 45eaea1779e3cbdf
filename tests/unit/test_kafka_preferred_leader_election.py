"""kafka_preferred_leader_election at its edge: it elects in steps, in check mode nothing, and verifies the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from module_runner import run_module
from stand_in import SERVERS

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Partition
from ansible_collections.crucible.kafka.plugins.modules import kafka_preferred_leader_election

NOT_AUTHORIZED = 31


@dataclass
class Cluster:
    """Four partitions that broker 2 should lead; it notes each election, which goes through unless it is refused."""

    partitions: list[Partition]
    elected: list[list[int]] = field(default_factory=list)
    deaf: bool = False
    error_code: int = 0

    @contextmanager
    def connect(self) -> Iterator[Cluster]:
        yield self

    def elect_leaders(self, kind: int, numbers: Mapping[str, Sequence[int]], raise_errors: bool) -> SimpleNamespace:
        assert (kind, raise_errors) == (0, False)
        self.elected.append(list(numbers.get("orders", [])))
        if not self.deaf and not self.error_code:
            self.partitions = [
                replace(each, leader=each.replicas[0]) if each.index in numbers.get(each.topic, ()) else each
                for each in self.partitions
            ]
        return SimpleNamespace(error_code=self.error_code)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    due = [Partition("orders", index, 1, (2, 3, 1), (1, 2, 3), 2) for index in range(4)]
    not_in_sync = Partition("clicks", 0, 1, (2, 3, 1), (1, 3), 2)
    found = Cluster([*due, not_in_sync])
    monkeypatch.setattr(kafka_preferred_leader_election, "answer_endpoint", lambda _: found)
    monkeypatch.setattr(kafka_preferred_leader_election, "read_partitions", lambda admin: tuple(admin.partitions))
    return found


@pytest.fixture(autouse=True)
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits: the pauses that were to be made."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


def take(check: bool = False, **arguments: Any) -> dict[str, Any]:
    given = {"bootstrap_servers": SERVERS, "broker_id": "2", "timeout_s": 0, **arguments}
    return run_module("kafka_preferred_leader_election", check=check, **given)


ORDERS = [f"orders-{index}" for index in range(4)]


def test_it_elects_in_steps_with_a_pause_after_each(cluster: Cluster, paused: list[float]) -> None:
    answer = take(pause_s="0.1")
    assert (answer["changed"], answer["partitions"]) == (True, ORDERS)
    assert [step for step in cluster.elected if step] == [[0], [1, 2], [3]]
    assert paused == [0.1] * 3
    assert {each.leader for each in cluster.partitions if each.topic == "orders"} == {2}


def test_check_mode_tells_what_would_be_led_and_elects_nobody(cluster: Cluster, paused: list[float]) -> None:
    answer = take(check=True)
    assert (answer["changed"], answer["partitions"]) == (True, ORDERS)
    assert cluster.elected == []
    assert paused == []


def test_what_it_leads_already_or_cannot_lead_is_no_change(cluster: Cluster) -> None:
    take()
    cluster.elected.clear()
    answer = take()
    assert (answer["changed"], answer["partitions"]) == (False, [])
    assert cluster.elected == []


def test_what_it_does_not_lead_in_the_end_fails_by_name(cluster: Cluster) -> None:
    cluster.deaf = True
    answer = take()
    assert answer["failed"]
    assert answer["msg"] == "Broker 2 was elected and does not lead: orders-0, orders-1, orders-2 and orders-3."


def test_an_election_that_kafka_does_not_permit_fails_at_once_with_its_reason(
    cluster: Cluster, paused: list[float]
) -> None:
    cluster.error_code = NOT_AUTHORIZED
    answer = take()
    assert answer["failed"]
    assert "ClusterAuthorizationFailedError" in answer["msg"]
    assert len(cluster.elected) == 1
    assert paused == []


@pytest.mark.parametrize(
    ("arguments", "named"), [({"broker_id": "kafka2"}, "broker_id"), ({"pause_s": "short"}, "pause_s")]
)
def test_an_argument_of_another_type_is_refused_by_its_name(
    cluster: Cluster, arguments: dict[str, Any], named: str
) -> None:
    answer = take(**arguments)
    assert answer["failed"]
    assert named in answer["msg"]
    assert cluster.elected == []
