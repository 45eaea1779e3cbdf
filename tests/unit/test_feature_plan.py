"""Which levels are raised, when none is, and what is said of the way back."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Feature
from ansible_collections.crucible.kafka.plugins.module_utils.feature_plan import Cluster, ghosts, plan, problems

BY_44 = {"kraft.version": 1, "metadata.version": 33, "share.version": 2, "group.version": 1}
LEVELS = {"kraft.version": 0, "metadata.version": 30, "share.version": 1, "group.version": 1}
NODES = ("kafka1", "kafka2", "kafka3")


def cluster(**found: Any) -> Cluster:
    """Three nodes with 4.4.0 whose features are as 4.3 left them."""
    levels = found.pop("levels", LEVELS)
    features = {name: Feature(level, 0, BY_44.get(name, 9)) for name, level in levels.items()}
    ids = (1, 2, 3)
    return Cluster(
        **{
            "features": features,
            "supported": dict.fromkeys(ids, BY_44),
            "registered": ids,
            "releases": dict.fromkeys(NODES, "4.4.0"),
            **found,
        }
    )


def test_each_feature_goes_as_high_as_all_support_the_metadata_first_and_the_quorum_is_left_alone() -> None:
    found = plan(cluster(), {})
    assert list(found.raised.items()) == [("metadata.version", (30, 33)), ("share.version", (1, 2))]
    assert found.levels == {"metadata.version": 33, "share.version": 2}
    assert list(problems(cluster(), {})) == []


def test_a_feature_that_is_not_in_force_yet_is_raised_from_nothing() -> None:
    raised = plan(cluster(levels={"metadata.version": 32}), {}).raised
    assert list(raised.items()) == [
        ("metadata.version", (32, 33)),
        ("group.version", (0, 1)),
        ("share.version", (0, 2)),
    ]


def test_declared_levels_alone_are_raised_the_quorums_too() -> None:
    assert plan(cluster(), {"metadata.version": "31", "kraft.version": 1}).raised == {
        "metadata.version": (30, 31),
        "kraft.version": (0, 1),
    }
    assert list(problems(cluster(), {"metadata.version": "31", "kraft.version": 1})) == []


def test_a_broker_or_a_controller_that_supports_less_holds_all_back() -> None:
    older = cluster(supported={1: BY_44, 2: {**BY_44, "metadata.version": 32}, 3: {"metadata.version": 33}})
    assert plan(older, {}).levels == {"metadata.version": 32}
    controllers = cluster(releases={"kafka1": "4.3.1"})  # Those of their own are no broker that could be asked.
    assert plan(controllers, {}).levels == {}


def test_what_the_table_does_not_know_is_as_the_brokers_say() -> None:
    newer = cluster(supported={1: {**BY_44, "new.version": 3}}, registered=(1,), releases={"kafka1": "9.9.9"})
    assert plan(newer, {}).levels["new.version"] == 3
    assert plan(cluster(supported={1: {**BY_44, "new.version": 3}}, registered=(1,)), {}).levels["new.version"] == 3


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (
            {"metadata.version": 33},
            "There is no way back from metadata.version 33: it changes what the metadata log holds, and no release"
            " before 4.4 can run this cluster any more.",
        ),
        (
            {"metadata.version": 31},
            "metadata.version 31 changes nothing in the metadata log: kafka-features.sh can lower it again, and"
            " releases from 4.3 on can run this cluster then.",
        ),
        ({"share.version": 2}, "Nodes that do not support these levels of share.version cannot join from then on."),
    ],
)
def test_the_way_back_is_told_by_what_the_levels_change(raised: dict[str, int], told: str) -> None:
    ((name, level),) = raised.items()
    before = LEVELS[name]
    assert plan(cluster(), raised).lines == [f"{name}: {before} -> {level}", told]


def test_what_else_changes_is_told_where_a_feature_comes_into_force_and_not_where_it_goes_higher() -> None:
    name = "eligible.leader.replicas.version"
    nodes = {"supported": {1: {name: 2, "metadata.version": 33}}, "releases": {}}
    first, second = (plan(cluster(levels={name: now, "metadata.version": 33}, **nodes), {}).lines for now in (0, 1))
    assert first[0] == f"{name}: 0 -> 2"
    assert first[1].startswith("min.insync.replicas stands for the whole cluster then: ")
    assert (len(first), len(second)) == (3, 2)


def test_where_all_is_raised_that_is_said() -> None:
    found = plan(cluster(levels=BY_44), {})
    assert (found.raised, found.lines) == ({}, ["All features are as high as the nodes support."])


@pytest.mark.parametrize(
    ("found", "declared", "told"),
    [
        ({"levels": {}}, {}, "The cluster has no feature levels: it is in ZooKeeper mode."),
        (
            {"releases": {"kafka1": "4.4.0", "kafka2": ""}},
            {},
            "No process of a known release runs on kafka2. What it will support when it is back is not known: start it,"
            " or take it out of the cluster.",
        ),
        (
            {"supported": {1: BY_44, 2: BY_44}},
            {},
            "Broker 3 is registered and does not answer. Bring it back, or take it out of the cluster"
            " (playbooks/remove_broker.yml).",
        ),
        (
            {"releases": {"kafka1": "4.3.1", "kafka2": "4.4.0", "kafka3": "4.3.1"}},
            {},
            "Nodes run different releases: 4.3.1 on kafka1 and kafka3; 4.4.0 on kafka2. Finish the change of the"
            " release first (playbooks/upgrade.yml).",
        ),
        (
            {},
            {"meta.version": 1},
            "kafka_features: no node knows meta.version; they know group.version, kraft.version, metadata.version and"
            " share.version.",
        ),
        (
            {},
            {"metadata.version": "4.4-IV2"},
            "kafka_features: the level of metadata.version is '4.4-IV2', and must be a number.",
        ),
        (
            {},
            {"metadata.version": 34},
            "kafka_features: metadata.version 34 is more than all nodes support, which is 33.",
        ),
        (
            {},
            {"metadata.version": 29},
            "kafka_features: metadata.version is 30 already, and this raises levels only. Kafka lowers some of them:"
            " kafka-features.sh downgrade.",
        ),
        (
            {"releases": dict.fromkeys(NODES, "4.0.1"), "levels": {"kraft.version": 0}},
            {"kraft.version": 1},
            "kafka_features: before 4.1 Kafka raises kraft.version wrongly (KAFKA-18979); change the release first.",
        ),
    ],
)
def test_nothing_is_raised_where_it_could_not_work(found: dict[str, Any], declared: dict[str, Any], told: str) -> None:
    assert list(problems(cluster(**found), declared)) == [told]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"metadata.version": 30}, {}),
        ({"metadata.version": 33}, {}),
        ({"kraft.version": 1}, {"releases": dict.fromkeys(NODES, "4.1.0")}),
        ({"kraft.version": 1}, {"releases": {}}),
    ],
)
def test_what_is_just_possible_is_taken(declared: dict[str, Any], found: dict[str, Any]) -> None:
    assert list(problems(cluster(**found), declared)) == []


def test_a_removed_controller_that_kafka_still_counts_is_named_and_a_present_one_is_not() -> None:
    refusal = "Invalid update version 33 for feature metadata.version. Controller 99 only supports versions 7-30"
    assert ghosts(refusal, [1, 2, 3]) == (
        "Controller 99 was removed from the quorum while it ran an older release, and Kafka still counts it. Let a node"
        " with that id join once more with the release that runs now, and remove it again."
    )
    assert ghosts(refusal.replace("Controller 99", "Broker 99"), [1, 2, 3]) == ""
    assert ghosts(refusal, [1, 99]) == ""
    assert "Controller 98 and 99" in ghosts("controller 99 has not registered, Controller 98", [1])
