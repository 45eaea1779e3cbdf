"""An ACL plan gives declared principals exactly what is declared, leaves others alone, and names mistakes before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.acl_plan import (
    ACLS_PER_REQUEST,
    OPERATIONS,
    OPERATIONS_OF,
    RESOURCE_TYPES,
    Acl,
    batches,
    declared,
    plan,
    problems,
)

PRINCIPALS = st.sampled_from(["User:shop", "User:web", "User:*"])
ACLS = st.builds(
    Acl,
    principal=PRINCIPALS,
    resource_type=st.sampled_from(["topic", "group"]),
    name=st.sampled_from(["orders", "*"]),
    pattern_type=st.sampled_from(["literal", "prefixed"]),
    operation=st.sampled_from(["read", "describe"]),
    permission=st.sampled_from(["allow", "deny"]),
    host=st.sampled_from(["*", "192.0.2.1"]),
)
CURRENT = st.sets(ACLS)


@st.composite
def wanted_sets(draw: st.DrawFn) -> dict[str, set[Acl]]:
    principals = draw(st.sets(PRINCIPALS))
    acls = draw(st.sets(ACLS))
    return {each: {acl for acl in acls if acl.principal == each} for each in principals}


@given(current=CURRENT, wanted=wanted_sets())
def test_a_declared_principal_has_exactly_what_is_declared_and_no_other_is_touched(
    current: set[Acl], wanted: dict[str, set[Acl]]
) -> None:
    result = plan(current, wanted)
    assert not current & set(result.create)
    assert set(result.delete) <= current
    after = (current | set(result.create)) - set(result.delete)
    for principal, acls in wanted.items():
        assert {acl for acl in after if acl.principal == principal} == acls
    others = {acl for acl in current if acl.principal not in wanted}
    assert {acl for acl in after if acl.principal not in wanted} == others
    assert set(result.undeclared) == {acl.principal for acl in others}
    assert result.changes is (after != current)
    assert not plan(after, wanted).changes


def test_no_request_has_more_acls_than_kafka_takes() -> None:
    acls = [Acl("User:a", "topic", str(number), "literal", "read", "allow", "*") for number in range(2001)]
    assert [len(batch) for batch in batches(acls)] == [ACLS_PER_REQUEST, 1]
    assert [acl for batch in batches(acls) for acl in batch] == acls
    assert list(batches([])) == []


def test_what_is_declared_becomes_one_acl_for_each_operation_in_any_of_kafkas_spellings() -> None:
    entries: list[dict[str, Any]] = [
        {"principal": "User:shop", "resource_type": "topic", "name": "orders", "operations": ["Write", "AlterConfigs"]},
        {
            "principal": "User:shop",
            "resource_type": "TransactionalId",
            "name": "shop-",
            "pattern_type": "PREFIXED",
            "operations": ["ALL"],
            "permission": "Deny",
            "host": "192.0.2.1",
        },
        {"principal": "User:web", "resource_type": "cluster", "operations": ["IDEMPOTENT_WRITE"]},
        {"principal": "User:gone", "state": "absent"},
    ]
    assert problems(entries) == []
    found = declared(entries)
    assert found == {
        "User:shop": {
            Acl("User:shop", "topic", "orders", "literal", "write", "allow", "*"),
            Acl("User:shop", "topic", "orders", "literal", "alter_configs", "allow", "*"),
            Acl("User:shop", "transactional_id", "shop-", "prefixed", "all", "deny", "192.0.2.1"),
        },
        "User:web": {Acl("User:web", "cluster", "kafka-cluster", "literal", "idempotent_write", "allow", "*")},
        "User:gone": set(),
    }
    assert sorted(map(str, found["User:shop"]))[0] == "User:shop: allow alter_configs topic orders"
    assert "User:shop: deny all transactional_id prefix shop- from 192.0.2.1" in map(str, found["User:shop"])


def test_each_operation_of_each_resource_type_is_known() -> None:
    assert OPERATIONS_OF.keys() == RESOURCE_TYPES.keys()
    assert {"all"}.union(*OPERATIONS_OF.values()) == OPERATIONS.keys()


FINE = {"principal": "User:a", "resource_type": "topic", "name": "t", "operations": ["read"]}
CLUSTER = {"principal": "User:a", "resource_type": "cluster", "operations": ["alter"]}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({**FINE, "principal": "a"}, "entry 1 (a): principal is written User:NAME"),
        ({**FINE, "principal": None}, "principal is written User:NAME"),
        ({**FINE, "principal": "User:"}, "principal is written User:NAME"),
        ({**FINE, "principal": "user:a"}, "Kafka compares case: write the principal User:NAME"),
        ({**FINE, "resource_type": "topics"}, "resource_type is topics; it is one of topic, group, cluster"),
        ({**FINE, "resource_type": None}, "resource_type is None; it is one of topic, group, cluster"),
        ({**FINE, "pattern_type": "match"}, "pattern_type is match; it is literal or prefixed"),
        ({**FINE, "permission": "grant"}, "permission is grant; it is allow or deny"),
        (
            {**FINE, "operations": ["read", "alter_tokens"]},
            "alter_tokens is no operation on a topic, which has all, read",
        ),
        ({**FINE, "operations": ["cluster_action"]}, "cluster_action is no operation on a topic"),
        ({**FINE, "operations": []}, "operations is a list with at least one; state: absent removes all"),
        ({**FINE, "operations": "read"}, "operations is a list with at least one"),
        ({**FINE, "name": None}, "name is None; it is the name of a topic, as text, or * for all"),
        ({**FINE, "name": 7}, "name is 7; it is the name of a topic"),
        ({**FINE, "name": ""}, "name is ''; it is the name of a topic"),
        ({**FINE, "name": "*", "pattern_type": "prefixed"}, "for all, write literal"),
        ({**CLUSTER, "name": "mine"}, "a cluster has no other name than kafka-cluster"),
        ({**CLUSTER, "pattern_type": "prefixed"}, "a cluster has no other name than kafka-cluster"),
        ({**FINE, "host": "kafka1"}, "host is kafka1; Kafka compares addresses, so it is one address or *"),
        ({**FINE, "host": "192.0.2.0/24"}, "host is 192.0.2.0/24; Kafka compares addresses"),
        ({**FINE, "state": "gone"}, "state is gone; it is present or absent"),
        ({**FINE, "state": "absent"}, "so resource_type, name, operations cannot be given"),
        ({**FINE, "kind": "topic"}, "there is no key kind"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_entry_and_the_key(entry: dict[str, Any], sentence: str) -> None:
    (found,) = problems([entry])
    assert sentence in found
    assert found.startswith("entry 1 (")


@pytest.mark.parametrize(
    ("host", "kafkas"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::a:1", "2001:db8:0:0:0:0:a:1"),
        ("2001:0db8:0:0:0:0:000a:1", "2001:db8:0:0:0:0:a:1"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_address_is_spelt_as_java_does_with_which_kafka_compares_it(host: str, kafkas: str) -> None:
    entry = {**FINE, "host": host}
    assert problems([entry]) == []
    assert {acl.host for acl in declared([entry])["User:a"]} == {kafkas}


def test_what_is_declared_twice_or_also_absent_is_refused() -> None:
    absent = {"principal": "User:a", "state": "absent"}
    assert problems([FINE, {**FINE, "operations": ["describe"]}, {**FINE, "principal": "User:b"}]) == []
    assert problems([FINE, {**FINE, "operations": ["describe", "Read"]}]) == [
        "User:a: allow read topic t: declared 2 times"
    ]
    assert problems([FINE, absent]) == ["User:a: an entry says state: absent, and another declares ACLs"]
