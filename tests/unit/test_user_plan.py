"""A user plan reaches what is declared, leaves other users alone, and refuses as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils import user_plan
from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import (
    MAX_ITERATIONS,
    MECHANISMS,
    MIN_ITERATIONS,
    Credential,
    DeclaredCredential,
    Login,
    UserPlan,
    declared,
    iteration_counts,
    login,
    plan,
    problems,
    requests,
)

CREDENTIALS = st.builds(Credential, st.sampled_from("abcd"), st.sampled_from(sorted(MECHANISMS)))
COUNTS = st.sampled_from([4096, 4100, 4200, 8000, 8100, 16384])
CURRENT = st.dictionaries(CREDENTIALS, COUNTS)
DECLARED = st.dictionaries(CREDENTIALS, st.tuples(st.sampled_from([4096, 8000, 16384]), st.booleans())).map(
    lambda found: [DeclaredCredential(key, "secret", *value) for key, value in found.items()]
)
SHOP = Credential("shop", "SCRAM-SHA-512")
OTHER = Credential("shop", "SCRAM-SHA-256")


def wanted(credential: Credential = SHOP, secret: str = "secret", **further: Any) -> DeclaredCredential:  # noqa: S107
    return DeclaredCredential(credential, secret, **further)


def carried_out(changes: UserPlan, current: Mapping[Credential, int], declared_: list[DeclaredCredential]) -> Any:
    """The cluster's credentials and the record after the plan."""
    counts = {each.credential: iteration_counts(each.iterations)[0] for each in declared_}
    kept = {key: count for key, count in current.items() if key not in changes.remove}
    return kept | {key: counts[key] for key in changes.set}


@given(current=CURRENT, declared_=DECLARED, recorded=CURRENT)
def test_a_declared_user_has_exactly_what_is_declared_and_nobody_else_is_touched(
    current: dict[Credential, int], declared_: list[DeclaredCredential], recorded: dict[Credential, int]
) -> None:
    changes = plan(current, declared_, recorded)
    after = carried_out(changes, current, declared_)
    users = {each.credential.name for each in declared_}
    assert {key for key in after if key.name in users} == {each.credential for each in declared_ if each.present}
    others = {key: count for key, count in current.items() if key.name not in users}
    assert others == {key: count for key, count in after.items() if key.name not in users}
    assert changes.undeclared == sorted({key.name for key in others})


@given(current=CURRENT, declared_=DECLARED, recorded=CURRENT)
def test_a_plan_that_was_carried_out_and_recorded_has_nothing_left_to_do(
    current: dict[Credential, int], declared_: list[DeclaredCredential], recorded: dict[Credential, int]
) -> None:
    changes = plan(current, declared_, recorded)
    after = carried_out(changes, current, declared_)
    known = recorded | {key: after[key] for key in changes.set}
    assert not plan(after, declared_, known).changes


@given(current=CURRENT, declared_=DECLARED, recorded=CURRENT)
def test_what_is_not_recorded_as_the_broker_shows_it_is_set_anew(
    current: dict[Credential, int], declared_: list[DeclaredCredential], recorded: dict[Credential, int]
) -> None:
    changes = plan(current, declared_, recorded)
    for each in declared_:
        key = each.credential
        as_recorded = key in current and recorded.get(key) == current[key]
        right = as_recorded and current[key] in iteration_counts(each.iterations)
        assert (key in changes.set) == (each.present and not right)


@given(current=CURRENT, declared_=DECLARED)
def test_no_request_changes_a_user_twice_and_a_user_gets_before_it_loses(
    current: dict[Credential, int], declared_: list[DeclaredCredential]
) -> None:
    changes = plan(current, declared_, {})
    sent = list(requests(changes))
    assert Counter(each for one in sent for each in one) == Counter([*changes.set, *changes.remove])
    for one in sent:
        assert max(Counter(each.name for each in one).values()) == 1
    for user in {each.name for each in changes.remove}:
        own = [each for one in sent for each in one if each.name == user]
        assert own == sorted(own, key=lambda each: each in changes.remove)
    assert len(sent) <= 2


def test_requests_are_no_larger_than_a_controller_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_plan, "CHANGES_PER_REQUEST", 2)
    changes = UserPlan(set=dict.fromkeys([Credential(name, "SCRAM-SHA-512") for name in "abcde"], "new"))
    assert [len(one) for one in requests(changes)] == [2, 2, 1]


def test_what_was_sent_unencrypted_is_set_anew_as_declared() -> None:
    current, recorded = {SHOP: 4100, OTHER: 4200}, {SHOP: 4100, OTHER: 4200}
    declared_ = [wanted(), wanted(OTHER)]
    own = Login(SHOP, "secret")
    assert not plan(current, declared_, recorded, own).changes
    changes = plan(current, declared_, recorded, own, exposed={SHOP, Credential("gone", "SCRAM-SHA-512")})
    assert changes.set == {SHOP: "set anew, as it was sent unencrypted"}
    assert plan({}, declared_, recorded, exposed={SHOP}).set == {SHOP: "new", OTHER: "new"}


def test_the_declared_count_is_taken_only_where_there_is_none_above() -> None:
    assert iteration_counts(4096) == range(4097, 4597)
    assert iteration_counts(16200) == range(16201, 16385)
    assert iteration_counts(16384) == range(16384, 16385)


@pytest.mark.parametrize(
    ("current", "recorded", "reason"),
    [
        (None, None, "new"),
        (None, 4100, "new"),
        (4100, None, "set anew, as the record does not have the declared password"),
        (4096, 4100, "set anew, as somebody else has set it since"),
        (9000, 9000, "set anew, as other iterations are declared"),
    ],
)
def test_a_diff_says_why(current: int | None, recorded: int | None, reason: str) -> None:
    now = {} if current is None else {SHOP: current}
    changes = plan(now, [wanted()], {} if recorded is None else {SHOP: recorded})
    assert changes.set == {SHOP: reason}
    assert changes.before(now) == [str(key) for key in now]
    assert changes.after() == [f"shop (SCRAM-SHA-512): {reason}"]


def test_a_diff_shows_what_goes_and_nothing_that_stays() -> None:
    current = {SHOP: 4100, OTHER: 4100, Credential("else", "SCRAM-SHA-512"): 4096}
    changes = plan(current, [wanted()], {SHOP: 4100})
    assert changes.remove == [OTHER]
    assert (changes.before(current), changes.after()) == (["shop (SCRAM-SHA-256)"], [])
    assert changes.changes


def test_an_absent_user_loses_all_credentials() -> None:
    assert plan({SHOP: 4096, OTHER: 4096}, [wanted(present=False)], {}).remove == [OTHER, SHOP]


def test_the_credential_by_which_this_run_is_logged_in_stays_and_keeps_its_password() -> None:
    own = Login(SHOP, "secret")
    removed = plan({SHOP: 4100, OTHER: 1}, [wanted(present=False)], {}, own)
    assert not removed.changes
    assert removed.refusals == [
        "shop (SCRAM-SHA-512): kafka_admin_client logs in by it, so it is not removed; declare it present, or let "
        "kafka_admin_client log in otherwise first"
    ]
    other_password = plan({SHOP: 4100}, [wanted(SHOP, "another")], {}, own)
    assert not other_password.changes
    assert other_password.refusals[0].startswith(
        "shop (SCRAM-SHA-512): kafka_admin_client logs in by it with another password"
    )
    assert plan({SHOP: 4100, OTHER: 1}, [wanted()], {}, own).remove == [OTHER]
    assert plan({SHOP: 4100}, [wanted(Credential("else", "SCRAM-SHA-512"))], {}, own).undeclared == ["shop"]


def test_only_a_client_with_scram_has_a_credential_to_keep() -> None:
    client = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "shop",
        "sasl_plain_password": "secret",
    }
    assert login(client) == Login(SHOP, "secret")
    assert login({**client, "sasl_mechanism": "PLAIN"}) is None
    assert login({**client, "security_protocol": "SSL"}) is None
    assert login({}) is None


def test_no_password_is_shown_where_an_object_is() -> None:
    assert "secret" not in repr(wanted()) + repr(Login(SHOP, "secret"))


ENTRY = {"name": "shop", "password": "a-planted-secret"}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"password": None}, "shop: password is missing; state: absent would remove the user"),
        ({"password": ""}, "shop: password is empty"),
        ({"password": 1234}, "shop: password is not a text; quote it"),
        ({"password": True}, "shop: password is not a text; quote it"),
        ({"password": "a-planted-secret\u00ad"}, "shop: password has characters that SASLprep changes or refuses"),
        ({"password": "a-planted-secret\n"}, "shop: password has characters that SASLprep changes or refuses"),
        ({"name": ""}, "entry 2: name is empty"),
        ({"name": None}, "entry 2: name is not a text; quote it"),
        ({"name": 7}, "entry 2: name is not a text; quote it"),
        ({"name": "sh\u00adop"}, "the name has characters that SASLprep changes or refuses"),
        ({"mechanism": "PLAIN"}, "shop: mechanism is PLAIN; Kafka has SCRAM-SHA-256 and SCRAM-SHA-512"),
        ({"iterations": 4095}, "shop: iterations is 4095; Kafka takes 4096 to 16384"),
        ({"iterations": 16385}, "shop: iterations is 16385; Kafka takes 4096 to 16384"),
        ({"iterations": "many"}, "shop: iterations is many; Kafka takes 4096 to 16384"),
        ({"iterations": True}, "shop: iterations is True; Kafka takes 4096 to 16384"),
        ({"state": "gone"}, "shop: state is gone; it is present or absent"),
        ({"name": "fine"}, "fine (SCRAM-SHA-512): declared 2 times"),
        ({"name": "fine", "state": "absent"}, "fine (SCRAM-SHA-512): declared 2 times"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_user_and_no_password(changed: dict[str, Any], sentence: str) -> None:
    (found,) = problems([{**ENTRY, "name": "fine"}, {**ENTRY, **changed}])
    assert sentence in found
    assert "planted" not in found


def test_what_is_right_has_no_problem() -> None:
    entries: list[dict[str, Any]] = [
        ENTRY,
        {**ENTRY, "mechanism": "SCRAM-SHA-256", "iterations": MIN_ITERATIONS},
        {**ENTRY, "name": "other", "iterations": str(MAX_ITERATIONS), "state": "present"},
        {"name": "gone", "state": "absent"},
    ]
    assert problems(entries) == []
    secret = ENTRY["password"]
    assert declared(entries) == [
        wanted(SHOP, secret, iterations=4096),
        wanted(OTHER, secret, iterations=4096),
        wanted(Credential("other", "SCRAM-SHA-512"), secret, iterations=16384),
        replace(wanted(Credential("gone", "SCRAM-SHA-512"), ""), present=False),
    ]


def test_every_mistake_is_told_at_once() -> None:
    assert len(problems([{"name": "a"}, {**ENTRY, "mechanism": "x", "iterations": 1}, {}])) == 4
