"""Data is never formatted by mistake, and what was interrupted is finished by the next run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.identity import (
    DataDir,
    Node,
    Plan,
    Refusal,
    Steps,
    directory_id,
    new_id,
    plan,
)

CLUSTER, OTHER = "EXMJaUKljxZCEQTPA9t-Tg", "CAV9tvnTSrZTY4eaJRv4ww"
VOTERS = {node_id: directory_id(CLUSTER, node_id) for node_id in (1, 2, 3)}


def data_dir(node_id: int, cluster_id: str | None = CLUSTER, **changes: Any) -> DataDir:
    """A directory of that cluster, a blank one if there is none."""
    meta = {
        "version": "1",
        "cluster.id": cluster_id,
        "node.id": str(node_id),
        "directory.id": directory_id(CLUSTER, node_id),
    }
    found = DataDir(
        "/data", "", False, blank=cluster_id is None, meta={k: v for k, v in meta.items() if v and cluster_id}
    )
    return replace(found, **changes)


def node(node_id: int, *data_dirs: DataDir, **changes: Any) -> Node:
    """One of three combined nodes whose cluster has been serving."""
    host = Node(
        name=f"kafka{node_id}",
        node_id=node_id,
        roles=("broker", "controller"),
        endpoint=f"kafka{node_id}:9093",
        data_dirs=data_dirs or (data_dir(node_id),),
        recorded_id=CLUSTER,
        formed=True,
        in_run=True,
    )
    return replace(host, **changes)


def bare(node_id: int, **changes: Any) -> Node:
    return node(node_id, data_dir(node_id, None), **{"recorded_id": "", "formed": False} | changes)


def decide(*nodes: Node, declared: str = "", voters: Mapping[int, str] | None = None, **options: Any) -> Plan:
    return plan("kraft", nodes, declared, voters, **options)


def test_bare_hosts_become_one_cluster_with_a_new_id_unless_one_is_declared() -> None:
    made = decide(bare(1), bare(2), bare(3))
    assert len(made.cluster_id) == 22
    assert set(made.steps.values()) == {Steps("initial")}
    assert decide(bare(1), bare(2), bare(3), declared=CLUSTER).cluster_id == CLUSTER


def test_an_interrupted_formation_is_finished_with_the_same_controllers() -> None:
    first = decide(*(bare(i, recorded_id=CLUSTER) for i in (1, 2, 3)))
    second = decide(node(1, formed=False), bare(2, recorded_id=CLUSTER), bare(3))
    assert second.initial_controllers == first.initial_controllers
    assert second.steps == {"kafka1": Steps(), "kafka2": Steps("initial"), "kafka3": Steps("initial")}


def test_only_controllers_are_named_as_the_first_ones() -> None:
    made = decide(bare(1, roles=["controller"]), bare(2, roles=["broker"]))
    assert made.initial_controllers == f"1@kafka1:9093:{directory_id(made.cluster_id, 1)}"


def test_a_host_that_lost_its_disk_joins_a_cluster_that_serves() -> None:
    steps = decide(node(1), node(2, data_dir(2, None)), node(3), voters=VOTERS).steps
    assert steps == {"kafka1": Steps(), "kafka2": Steps("join", evict=VOTERS[2], vote=True), "kafka3": Steps()}


def test_a_replacement_that_was_interrupted_goes_on_where_it_was() -> None:
    without = {i: VOTERS[i] for i in (1, 3)}
    evicted = decide(node(1), node(2, data_dir(2, None)), node(3), voters=without)
    assert evicted.steps["kafka2"] == Steps("join", vote=True)
    formatted = decide(node(1), node(2), node(3), voters=without)
    assert formatted.steps["kafka2"] == Steps(vote=True)


def test_a_broker_that_lost_its_disk_asks_for_no_vote() -> None:
    lost = node(4, data_dir(4, None), roles=["broker"])
    assert decide(node(1), lost, voters={1: VOTERS[1]}).steps["kafka4"] == Steps("join")


def test_a_quorum_with_fixed_voters_is_left_as_it_is() -> None:
    assert decide(node(1), node(2), voters={1: "", 2: "AAAAAAAAAAAAAAAAAAAAAA"}).steps["kafka2"] == Steps()


def test_only_the_first_data_directory_decides() -> None:
    second_disk_replaced = node(2, data_dir(2), data_dir(2, None))
    assert decide(node(1), second_disk_replaced, node(3), voters=VOTERS).steps["kafka2"] == Steps()


@pytest.mark.parametrize(
    ("hosts", "declared", "sentence"),
    [
        ((node(1), node(2, data_dir(2, OTHER)), node(3)), "", "not of one cluster"),
        ((node(1), node(2), node(3)), OTHER, "kafka_cluster_id"),
        ((bare(1, recorded_id=CLUSTER), bare(2, recorded_id=OTHER)), "", "not of one cluster"),
        ((node(1), node(2, data_dir(1))), "", "belongs to node 1, but kafka_node_id is 2"),
        ((node(1), node(2, data_dir(2, None, blank=False))), "", "holds files but no meta.properties"),
        ((node(1), node(2, data_dir(2, mount="/disk"))), "", "nothing is mounted at /disk"),
        ((bare(1), bare(2, data_dirs=(data_dir(2, None, mount="/disk"),))), "", "nothing is mounted at /disk"),
        ((node(1, data_dir(1, meta={"version": "0", "broker.id": "1"})),), "", "kafka_mode kraft"),
        ((node(1), node(2, data_dir(2, None))), "", "kafka2: no metadata, but the cluster has been there before"),
        ((node(1, recorded_id="", formed=False), bare(2)), "", "kafka2: no metadata, but the cluster has been there"),
        ((bare(1), bare(2, in_run=False)), "", "kafka2 too (--limit)"),
        ((bare(1), bare(2, in_run=False, data_dirs=())), "", "kafka2 too (--limit)"),
    ],
)
def test_what_could_lose_data_or_make_a_second_cluster_is_refused(
    hosts: tuple[Node, ...], declared: str, sentence: str
) -> None:
    with pytest.raises(Refusal, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        decide(*hosts, declared=declared)


def test_a_preview_takes_a_bare_host_for_one_whose_disk_is_about_to_be_mounted() -> None:
    unmounted = data_dir(1, None, mount="/disk")
    decide(bare(1, data_dirs=(unmounted,)), preview=True)
    with pytest.raises(Refusal):
        decide(bare(1, data_dirs=(unmounted,), recorded_id=CLUSTER), preview=True)


def test_zookeeper_brokers_format_themselves_and_must_belong_together() -> None:
    meta = {"version": "0", "broker.id": "1", "cluster.id": OTHER}
    first, second = node(1, data_dir(1, meta=meta), recorded_id=""), bare(2)
    assert plan("zookeeper", [first, second], CLUSTER, None) == Plan(OTHER, "", {"kafka1": Steps(), "kafka2": Steps()})
    third = node(3, data_dir(3, meta={**meta, "broker.id": "3", "cluster.id": CLUSTER}), recorded_id="")
    with pytest.raises(Refusal):
        plan("zookeeper", [first, second, third], "", None)


@given(st.integers(0, 2**31 - 1))
def test_directory_ids_are_as_kafka_writes_them(node_id: int) -> None:
    for identifier in (directory_id(CLUSTER, node_id), new_id()):
        assert len(identifier) == 22
        assert not identifier.startswith("-")
    assert directory_id(CLUSTER, node_id) == directory_id(CLUSTER, node_id) != directory_id(OTHER, node_id)


@given(st.lists(st.sampled_from(["serving", "blank", "foreign"]), min_size=1, max_size=5), st.booleans())
def test_no_data_of_any_kind_is_ever_formatted(hosts: list[str], answers: bool) -> None:
    kinds = {"serving": CLUSTER, "blank": None, "foreign": OTHER}
    nodes = [node(i, data_dir(i, kinds[kind])) for i, kind in enumerate(hosts, 1)]
    try:
        steps = decide(*nodes, voters={} if answers else None).steps
    except Refusal:
        return
    assert all(hosts[n.node_id - 1] == "blank" for n in nodes if steps[n.name].format)
    assert not any(steps[n.name].format == "initial" for n in nodes)
