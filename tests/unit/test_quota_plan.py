"""A quota plan gives declared entities exactly what is declared, leaves others alone, and tells mistakes beforehand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.quota_plan import (
    RECORDS_PER_REQUEST,
    Entity,
    Limits,
    declared,
    entity,
    lines,
    plan,
    problems,
)

NAMES = st.sampled_from(["shop", "web", None])
ENTITIES = st.one_of(
    st.fixed_dictionaries({"user": NAMES}),
    st.fixed_dictionaries({"client-id": NAMES}),
    st.fixed_dictionaries({"client-id": NAMES, "user": NAMES}),
    st.fixed_dictionaries({"ip": st.sampled_from(["192.0.2.1", None])}),
).map(entity)
KEYS = st.sampled_from(["producer_byte_rate", "request_percentage"])
VALUES = st.sampled_from([1.0, 2.5])
CURRENT = st.dictionaries(ENTITIES, st.dictionaries(KEYS, VALUES, min_size=1))
WANTED = st.dictionaries(ENTITIES, st.dictionaries(KEYS, VALUES))


@given(current=CURRENT, wanted=WANTED)
def test_a_declared_entity_has_exactly_what_is_declared_and_no_other_is_touched(
    current: dict[Entity, Limits], wanted: dict[Entity, Limits]
) -> None:
    result = plan(current, wanted)
    after = result.apply(current)
    assert {each: after.get(each, {}) for each in wanted} == wanted
    others = {each: limits for each, limits in current.items() if each not in wanted}
    assert {each: limits for each, limits in after.items() if each not in wanted} == others
    assert set(result.undeclared) == others.keys()


@given(current=CURRENT, wanted=WANTED)
def test_a_plan_that_was_carried_out_has_nothing_left_to_do_and_asks_nothing(
    current: dict[Entity, Limits], wanted: dict[Entity, Limits]
) -> None:
    again = plan(plan(current, wanted).apply(current), wanted)
    assert not again.alter
    assert list(again.requests()) == []


@given(current=CURRENT, wanted=WANTED)
def test_only_what_changes_is_sent(current: dict[Entity, Limits], wanted: dict[Entity, Limits]) -> None:
    for each, changes in plan(current, wanted).alter.items():
        assert changes
        for key, value in changes.items():
            assert current.get(each, {}).get(key) != value


def test_every_change_is_in_one_request_and_none_is_larger_than_kafka_takes() -> None:
    wanted = {entity({"user": f"user {number}"}): {"a": 1.0, "b": 2.0} for number in range(RECORDS_PER_REQUEST + 1)}
    sent = list(plan({}, wanted).requests())
    assert {each: changes for request in sent for each, changes in request.items()} == wanted
    assert sum(map(len, sent)) == len(wanted)
    assert [sum(map(len, request.values())) for request in sent] == [RECORDS_PER_REQUEST, RECORDS_PER_REQUEST, 2]


def test_what_is_declared_becomes_what_kafka_calls_it() -> None:
    entries: list[dict[str, Any]] = [
        {"user": "<default>", "client_id": "web", "producer_byte_rate": "1024"},
        {"user": "default", "request_percentage": 0.5, "consumer_byte_rate": None},
        {"ip": "2001:db8::1", "connection_creation_rate": 3, "state": "present"},
        {"client_id": "gone", "state": "absent"},
    ]
    assert problems(entries) == []
    found = declared(entries)
    assert found == {
        entity({"client-id": "web", "user": None}): {"producer_byte_rate": 1024.0},
        entity({"user": "default"}): {"request_percentage": 0.5},
        entity({"ip": "2001:db8::1"}): {"connection_creation_rate": 3.0},
        entity({"client-id": "gone"}): {},
    }
    assert lines(found, [entity({"client-id": "web", "user": None})]) == [
        "user <default>, client-id web: producer_byte_rate 1024"
    ]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"producer_byte_rate": 1}, "entry 1: it names no user, client_id or ip"),
        ({"user": None, "producer_byte_rate": 1}, "entry 1: user is None, which is not a text"),
        ({"user": 7, "producer_byte_rate": 1}, "entry 1: user is 7, which is not a text; quote it"),
        (
            {"client_id": "", "producer_byte_rate": 1},
            "entry 1: client_id is empty; Kafka's default is written <default>",
        ),
        ({"ip": "192.0.2.1", "user": "a"}, "entry 1: ip stands alone, not with user"),
        ({"ip": "kafka1", "connection_creation_rate": 1}, "entry 1: ip is kafka1, which is no address"),
        ({"ip": "2001:DB8::1", "connection_creation_rate": 1}, "entry 1: ip is 2001:DB8::1; write it 2001:db8::1"),
        ({"user": "a"}, "user a: no limit is declared; state: absent removes its quotas"),
        ({"user": "a", "state": "absent", "request_percentage": 1}, "user a: state is absent, and request_percentage"),
        ({"user": "a", "state": "gone", "request_percentage": 1}, "user a: state is gone; it is present or absent"),
        ({"user": "a", "request_percentage": 1, "byte_rate": 1}, "user a: Kafka has no quota byte_rate"),
        ({"user": "a", "connection_creation_rate": 1}, "connection_creation_rate is no limit of a user or client_id"),
        ({"ip": "192.0.2.1", "request_percentage": 1}, "request_percentage is no limit of an ip"),
        ({"user": "a", "producer_byte_rate": -1}, "user a: producer_byte_rate is -1; it is a number above 0"),
        ({"user": "a", "producer_byte_rate": 0}, "producer_byte_rate is 0; it is a number above 0"),
        ({"user": "a", "producer_byte_rate": "1 MB"}, "producer_byte_rate is 1 MB; it is a number above 0"),
        ({"user": "a", "producer_byte_rate": True}, "producer_byte_rate is True; it is a number above 0"),
        ({"user": "a", "request_percentage": "inf"}, "request_percentage is inf; it is a number above 0"),
        ({"user": "a", "producer_byte_rate": 1.5}, "producer_byte_rate is 1.5; Kafka takes a whole number"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_entity_and_the_key(entry: dict[str, Any], sentence: str) -> None:
    (found,) = problems([entry])
    assert sentence in found


def test_an_entity_is_declared_once() -> None:
    twice = [{"user": "a", "client_id": "b", "request_percentage": number} for number in (1, 2)]
    other = [{"user": "a", "request_percentage": 1}, {"client_id": "b", "request_percentage": 1}]
    assert problems(other) == []
    assert problems([*twice, *other]) == ["user a, client-id b: declared 2 times"]
