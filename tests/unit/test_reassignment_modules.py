"""What a user reads of a plan and of a refused removal, and that asking changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka_hosts import VOTERS, cluster
from module_runner import run_module
from stand_in import SERVERS, stand_in

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import ClusterState, Partition
from ansible_collections.crucible.kafka.plugins.module_utils.health import LogDir
from ansible_collections.crucible.kafka.plugins.module_utils.replica_placement import Placement
from ansible_collections.crucible.kafka.plugins.modules import (
    kafka_cordon,
    kafka_reassignment_plan,
    kafka_removal_check,
)

PARTITIONS = [Partition("orders", index, 1, (1, 2), (1, 2), 1) for index in range(4)]
GROWN = cluster(VOTERS, (0, 1, 2, 3), partitions=PARTITIONS)
EMPTY = LogDir("/data", 1_000_000_000, 900_000_000)
ROLES = Path(__file__).resolve().parents[2] / "roles"


def asked(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    state: ClusterState,
    cordoned: dict[int, bool] | None = None,
    log_dirs: dict[int, list[LogDir]] | None = None,
) -> None:
    stand_in(monkeypatch, name, state)
    module = {"kafka_reassignment_plan": kafka_reassignment_plan, "kafka_removal_check": kafka_removal_check}[name]
    placed = [Placement(each.topic, each.index, each.replicas, 1_000_000) for each in state.partitions]
    monkeypatch.setattr(module, "read_placements", lambda *_: placed)
    monkeypatch.setattr(module, "reassigned", lambda _: {})
    monkeypatch.setattr(module, "cordoned", lambda *_: cordoned or {})
    if module is kafka_reassignment_plan:
        found = {broker.node_id: [EMPTY] for broker in state.brokers} | (log_dirs or {})
        monkeypatch.setattr(module, "read_log_dirs", lambda _, brokers: {node: found[node] for node in brokers})


def planned(
    monkeypatch: pytest.MonkeyPatch, state: ClusterState, check: bool = False, **arguments: Any
) -> dict[str, Any]:
    cordoned, log_dirs = arguments.pop("cordoned", None), arguments.pop("log_dirs", None)
    asked(monkeypatch, "kafka_reassignment_plan", state, cordoned, log_dirs)
    return run_module("kafka_reassignment_plan", check=check, bootstrap_servers=SERVERS, **arguments)


def test_a_plan_tells_what_is_copied_how_long_it_takes_and_how_far_each_batch_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = planned(monkeypatch, GROWN, check=True, throttle_bytes_per_second=100_000, batch_partitions=3)
    # Two replicas for each of four brokers: four are copied.
    assert answer["moved_bytes"] == 4_000_000
    partitions, batches = len(answer["diff"]["before"].splitlines()), len(answer["batches"])
    assert answer["lines"] == [
        f"{partitions} partitions change in {batches} batches: 4 replicas,"
        f" 4.0 MB, at least {answer['estimated_s']:.0f} s by the throttle, to brokers 0, 1, 2 and 3."
    ]
    assert answer["batches"][-1]["progress"].endswith("4.0 of 4.0 MB")
    assert "2.0 MB to copy" in answer["diff"]["after"]
    assert answer["changed"]
    assert answer["brokers"] == [0, 1, 2, 3]


def test_a_plan_that_is_going_to_be_carried_out_is_no_change_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = planned(monkeypatch, GROWN)
    assert not answer["changed"]
    assert "without a throttle" in answer["lines"][0]


def test_a_broker_with_id_0_is_drained_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    held = replace(GROWN, partitions=(replace(PARTITIONS[0], replicas=(0, 1), isr=(0, 1)), *PARTITIONS[1:]))
    answer = planned(monkeypatch, held, drain=0)
    (move,) = [move for batch in answer["batches"] for move in batch["moves"]]
    assert (move["before"], 0 in move["after"]) == ([0, 1], False)
    assert answer["brokers"] == [1, 2, 3]


def test_nothing_to_move_is_told_with_the_brokers_that_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    even = cluster(
        VOTERS, (1, 2, 3), partitions=[replace(PARTITIONS[0], leader=1), replace(PARTITIONS[1], replicas=(2, 1))]
    )
    answer = planned(monkeypatch, even, cordoned={3: True})
    assert answer["lines"][0] == "Nothing is to be moved."
    assert answer["lines"][1].startswith("Broker 3 is cordoned: it takes no replicas")


@pytest.mark.parametrize(
    ("state", "arguments", "sentence"),
    [
        (
            replace(GROWN, partitions=(replace(PARTITIONS[0], isr=(1,)),)),
            {},
            "1 partitions lack a replica in sync (orders-0)",
        ),
        (cluster(VOTERS, (1, 2), partitions=PARTITIONS), {"drain": 2}, "replication factor 2 of orders does not fit"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    monkeypatch: pytest.MonkeyPatch, state: ClusterState, arguments: dict[str, Any], sentence: str
) -> None:
    answer = planned(monkeypatch, state, **arguments)
    assert answer["failed"]
    assert answer["msg"].startswith("Nothing was moved")
    assert sentence in answer["msg"]


@pytest.mark.parametrize("check", [False, True])
def test_a_plan_that_fills_a_disk_is_refused_before_anything_is_moved(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    small = LogDir("/data", 10_000_000, 2_500_000)
    answer = planned(monkeypatch, GROWN, check, log_dirs={3: [small]})
    assert answer["failed"]
    assert answer["msg"].startswith(
        "Nothing was moved. Broker 3 would get 2.0 MB, but of its 10.0 MB of disk 2.5 MB are usable, and 1.0 MB are"
    )
    assert not planned(monkeypatch, GROWN, check, log_dirs={3: [small]}, max_used_percent=95).get("failed")


def test_a_plan_for_brokers_that_do_not_report_bytes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = planned(monkeypatch, GROWN, log_dirs={3: [LogDir("/data", -1, -1)]})
    assert answer["lines"][1].startswith("The free space of broker 3 is not judged")


@pytest.mark.parametrize("check", [False, True])
def test_a_plan_whose_batches_cannot_end_in_time_is_refused_before_anything_is_moved(
    monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    slow = {"throttle_bytes_per_second": 100_000, "batch_partitions": 9}
    answer = planned(monkeypatch, GROWN, check, batch_timeout_s=19, **slow)
    assert answer["failed"]
    assert answer["msg"].startswith("Nothing was moved. 1 of 1 batches cannot end in time and would be cancelled:")
    assert "rebalance_batch_timeout_s is 19." in answer["msg"]
    for arguments in ({**slow, "batch_timeout_s": 60}, {"batch_timeout_s": 1}):
        assert not planned(monkeypatch, GROWN, check, **arguments).get("failed")


def test_full_disks_and_slow_batches_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    small = LogDir("/data", 10_000_000, 1)
    answer = planned(
        monkeypatch, GROWN, log_dirs={0: [small], 3: [small]}, throttle_bytes_per_second=1, batch_timeout_s=19
    )
    for sentence in ("Broker 0 would get", "Broker 3 would get", "cannot end in time"):
        assert sentence in answer["msg"]


def test_leaders_are_elected_on_all_brokers_that_hold_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = planned(monkeypatch, GROWN)
    assert answer["elect_leaders_on"] == [0, 1, 2, 3]
    assert len(answer["lines"]) == 1


def test_leaders_stay_where_the_cluster_is_not_to_rebalance_them_and_the_plan_says_how_to_elect_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = planned(monkeypatch, GROWN, auto_leader_rebalance="false")
    assert (answer["elect_leaders_on"], answer["brokers"]) == ([], [0, 1, 2, 3])
    assert answer["lines"][1] == (
        "Preferred leaders are not elected, because auto.leader.rebalance.enable is false in kafka_config."
        " /opt/kafka/bin/kafka-leader-election.sh --bootstrap-server kafka1:9092 --election-type preferred"
        " --all-topic-partitions elects them."
    )


def test_rebalancing_elects_leaders_by_the_setting_by_which_a_rolling_restart_does() -> None:
    plays = {
        name: {task["name"]: task for task in yaml.safe_load((ROLES / name).read_text(encoding="utf-8"))}
        for name in ("kafka/tasks/rolling_restart_host.yml", "rebalance/tasks/plan.yml", "rebalance/tasks/main.yml")
    }
    restart, plan, rebalance = plays.values()
    conditions = restart["Elect preferred leaders"]["when"]
    assert "__kafka_properties['auto.leader.rebalance.enable'] | default(true) | bool" in conditions
    # Without `default`, which would take properties that cannot be rendered for true as well.
    setting = "{{ __kafka_properties.get('auto.leader.rebalance.enable', true) }}"
    assert plan["Plan the moves"]["crucible.kafka.kafka_reassignment_plan"]["auto_leader_rebalance"] == setting
    assert rebalance["Elect preferred leaders"]["loop"] == "{{ __rebalance_plan.elect_leaders_on }}"


def removal(monkeypatch: pytest.MonkeyPatch, state: ClusterState, phase: str, **arguments: Any) -> dict[str, Any]:
    asked(monkeypatch, "kafka_removal_check", state)
    arguments = {"broker_id": 3, "phase": phase, "timeout_s": 0, **arguments}
    return run_module("kafka_removal_check", bootstrap_servers=SERVERS, **arguments)


HELD = [Partition("orders", 0, 1, (1, 3), (1, 3), 1)]


def test_a_removal_that_fits_is_told_with_what_the_node_is(monkeypatch: pytest.MonkeyPatch) -> None:
    state = cluster(VOTERS, partitions=HELD)
    answer = removal(monkeypatch, state, "before", releases={"3": "4.3.1"}, fewer_controllers=True)
    assert answer["notes"][0].startswith("Kafka goes on counting controller 3 with what Kafka 4.3.1 supports")
    assert {key: answer[key] for key in ("known", "registered", "serves", "votes", "cordons")} == {
        "known": True, "registered": True, "serves": True, "votes": True, "cordons": False,
    }  # fmt: skip


def test_a_removal_that_does_not_fit_is_refused_before_anything_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    three = [Partition("orders", 0, 1, (1, 2, 3), (1, 2, 3), 1)]
    answer = removal(monkeypatch, cluster(VOTERS, partitions=three), "before", fewer_controllers=True)
    assert answer["msg"].startswith(
        "Nothing was touched. The replication factor 3 of orders does not fit the 2 brokers"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "Of the controllers only 1 and 2 would be left"),
        ({"fewer_controllers": True, "declared": False}, "no host of the inventory has kafka_node_id 3"),
        ({"fewer_controllers": True, "releases": {"1": "4.4.0", "3": "4.3.1"}}, "Node 3 runs Kafka 4.3.1 and others"),
    ],
)
def test_what_would_be_left_in_a_bad_state_is_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], sentence: str
) -> None:
    assert sentence in removal(monkeypatch, cluster(VOTERS, partitions=HELD), "before", **arguments)["msg"]


def test_a_broker_that_still_holds_replicas_is_not_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = removal(monkeypatch, cluster(VOTERS, partitions=HELD), "drained")
    assert answer["msg"] == "Broker 3 is not drained, and was not stopped: broker 3 holds 1 replicas (orders-0)."
    assert not removal(monkeypatch, cluster(VOTERS, partitions=PARTITIONS), "drained").get("failed")


def test_a_node_that_is_out_already_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = removal(monkeypatch, cluster(VOTERS, partitions=PARTITIONS), "before", broker_id=9)
    assert not answer.get("failed")
    assert not answer["known"]


@pytest.mark.parametrize(
    ("state", "now", "sets"),
    [
        ("present", {}, ["*"]),
        ("present", {3: False}, ["*"]),
        ("present", {3: True}, []),
        ("absent", {3: True}, [None]),
        ("absent", {3: False}, [None]),
        ("absent", {}, []),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_a_broker_is_cordoned_or_not_where_it_is_not_so_yet(
    monkeypatch: pytest.MonkeyPatch, check: bool, state: str, now: dict[int, bool], sets: list[str | None]
) -> None:
    stand_in(monkeypatch, "kafka_cordon", cluster())
    made: list[str | None] = []
    monkeypatch.setattr(kafka_cordon, "cordoned", lambda *_: now)
    monkeypatch.setattr(kafka_cordon, "set_cordon", lambda _, __, value: made.append(value))
    answer = run_module("kafka_cordon", check=check, bootstrap_servers=SERVERS, broker_id=3, state=state)
    assert (answer["changed"], made) == (bool(sets), [] if check else sets)
