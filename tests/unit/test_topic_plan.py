"""A topic plan reaches what is declared, takes nothing away unasked, and refuses as a whole."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.topic_plan import TRANSIENT_CONFIGS, Topic, plan

NAMES = st.sampled_from(["orders", "clicks", "returns", "stock"])
CONFIGS = st.dictionaries(
    st.sampled_from(["retention.ms", "cleanup.policy", "leader.replication.throttled.replicas"]),
    st.sampled_from(["1", "2"]),
)


def topic(name: str = "orders", partitions: int = 3, factor: int = 3, config: Mapping[str, str] | None = None) -> Topic:
    return Topic(name, partitions, frozenset([factor]), config or {})


@st.composite
def topic_sets(draw: st.DrawFn) -> dict[str, Topic]:
    names = draw(st.sets(NAMES))
    return {name: topic(name, draw(st.integers(1, 9)), draw(st.integers(1, 3)), draw(CONFIGS)) for name in names}


@given(current=topic_sets(), declared=topic_sets(), absent=st.sets(NAMES))
def test_a_plan_reaches_what_is_declared_and_nothing_more(
    current: dict[str, Topic], declared: dict[str, Topic], absent: set[str]
) -> None:
    absent -= declared.keys()
    result = plan(current, declared.values(), absent, brokers=3)
    after = result.apply(current)
    if result.refusals:
        assert not result.changes
        assert after == current
        return
    for name, wanted in declared.items():
        assert (after[name].partitions, after[name].replication_factors) == (
            wanted.partitions,
            wanted.replication_factors,
        )
        kept = {key for key in after[name].config if key in TRANSIENT_CONFIGS}
        assert {k: v for k, v in after[name].config.items() if k not in kept - wanted.config.keys()} == wanted.config
    assert not absent & after.keys()
    assert {name: current[name] for name in current.keys() - declared.keys() - absent} == {
        name: after[name] for name in after.keys() - declared.keys()
    }


@given(current=topic_sets(), declared=topic_sets())
def test_a_plan_that_was_carried_out_has_nothing_left_to_do(
    current: dict[str, Topic], declared: dict[str, Topic]
) -> None:
    after = plan(current, declared.values(), [], brokers=3).apply(current)
    again = plan(after, declared.values(), [], brokers=3)
    assert not again.changes


@given(current=topic_sets(), declared=topic_sets(), exact=st.booleans())
def test_partitions_and_topics_never_become_fewer_unasked(
    current: dict[str, Topic], declared: dict[str, Topic], exact: bool
) -> None:
    after = plan(current, declared.values(), [], 3, exact).apply(current)
    for name, old in current.items():
        assert after[name].partitions >= old.partitions


def test_a_setting_that_is_declared_no_longer_is_reset_only_where_the_list_is_exact() -> None:
    current = {"orders": topic(config={"retention.ms": "1", "cleanup.policy": "compact"})}
    wanted = [topic(config={"retention.ms": "2"})]
    assert plan(current, wanted, [], 3).alter == {"orders": {"retention.ms": "2", "cleanup.policy": None}}
    assert plan(current, wanted, [], 3, exact_config=False).alter == {"orders": {"retention.ms": "2"}}


def test_a_reassignment_in_progress_keeps_its_throttle() -> None:
    current = {"orders": topic(config={"leader.replication.throttled.replicas": "0:1"})}
    assert not plan(current, [topic()], [], 3).changes


@pytest.mark.parametrize(
    ("current", "wanted", "absent", "sentence"),
    [
        ([topic(partitions=4)], [topic(partitions=3)], [], "has 4 partitions and 3 are declared"),
        ([topic(factor=3)], [topic(factor=2)], [], "kafka-reassign-partitions.sh"),
        ([], [topic(factor=4)], [], "only 3 brokers serve"),
        ([], [topic(factor=0)], [], "at least 1"),
        ([], [topic(partitions=0)], [], "at least 1"),
        ([], [topic(config={"min.insync.replicas": "4"})], [], "between 1 and the replication_factor 3"),
        ([], [topic(config={"min.insync.replicas": "two"})], [], "min.insync.replicas is two"),
        ([], [topic(), topic()], [], "declared 2 times"),
        ([topic()], [topic()], ["orders"], "declared 2 times"),
        ([], [topic("a b")], [], "no legal topic name"),
        ([], [topic("..")], [], "no legal topic name"),
        ([topic("__consumer_offsets")], [], ["__consumer_offsets"], "never deleted"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_done(
    current: list[Topic], wanted: list[Topic], absent: list[str], sentence: str
) -> None:
    possible = [topic("fine")]
    result = plan({t.name: t for t in current}, [*possible, *wanted], absent, brokers=3)
    assert not result.changes
    assert any(sentence in refusal for refusal in result.refusals)


def test_every_refusal_is_listed_at_once() -> None:
    wanted = [topic("a", partitions=0), topic("b", factor=9), topic("c d")]
    assert len(plan({}, wanted, [], brokers=3).refusals) == 3


@pytest.mark.parametrize(
    ("key", "kind", "current", "declared"),
    [
        ("min.cleanable.dirty.ratio", "DOUBLE", "1.0", "1"),
        ("preallocate", "BOOLEAN", "true", "True"),
        ("cleanup.policy", "LIST", "compact,delete", "compact, delete"),
        ("retention.ms", "LONG", "604800000", " 604800000"),
    ],
)
def test_a_setting_that_kafka_spells_otherwise_is_not_changed_again(
    key: str, kind: str, current: str, declared: str
) -> None:
    old = Topic("orders", 3, frozenset([3]), {key: current}, {key: kind})
    assert not plan({"orders": old}, [topic(config={key: declared})], [], 3).changes
    assert plan({"orders": old}, [topic(config={key: "0"})], [], 3).alter == {"orders": {key: "0"}}


def test_each_refusal_says_what_is_and_what_is_declared() -> None:
    current = {
        "orders": topic(partitions=6),
        "clicks": Topic("clicks", 3, frozenset([2, 3]), {}),
    }
    wanted = [topic(partitions=3), topic("clicks", factor=3)]
    assert list(plan(current, wanted, [], brokers=3).refusals) == [
        "orders: has 6 partitions and 3 are declared; Kafka cannot remove partitions, only a new topic has fewer",
        "clicks: has replication_factor 2, 3 and 3 is declared; replicas are moved by a reassignment "
        "(kafka-reassign-partitions.sh), not here",
    ]


def test_the_least_that_a_topic_can_have_is_no_refusal() -> None:
    smallest = topic(partitions=1, factor=1, config={"min.insync.replicas": "1"})
    everywhere = topic("clicks", factor=3, config={"min.insync.replicas": "3"})
    assert plan({}, [smallest, everywhere], [], brokers=3).create == [smallest, everywhere]


def test_a_diff_shows_partitions_replicas_and_settings_in_order() -> None:
    moving = Topic("orders", 6, frozenset([3, 2]), {"retention.ms": "1", "cleanup.policy": "compact"})
    assert moving.lines() == [
        "orders:",
        "  partitions: 6",
        "  replication_factor: 2, 3",
        "  cleanup.policy: compact",
        "  retention.ms: 1",
    ]


def test_every_topic_that_is_made_grown_set_or_deleted_is_touched() -> None:
    current = {name: topic(name) for name in ("clicks", "returns", "stock", "kept")}
    wanted = [
        topic("orders"),
        topic("clicks", partitions=9),
        topic("returns", config={"retention.ms": "1"}),
        topic("kept"),
    ]
    found = plan(current, wanted, ["stock"], brokers=3)
    assert found.touched() == {"orders", "clicks", "returns", "stock"}


def test_a_setting_of_unknown_type_is_compared_as_it_is_written() -> None:
    old = topic(config={"new.setting": "1"})
    assert plan({"orders": old}, [topic(config={"new.setting": "1.0"})], [], brokers=3).alter == {
        "orders": {"new.setting": "1.0"}
    }
    assert not plan({"orders": old}, [topic(config={"new.setting": "1"})], [], brokers=3).changes
