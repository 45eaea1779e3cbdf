"""What of the plan did not happen is said with its numbers: how much was planned, and how much was done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from kafka_load.config.profile_types import Presence
from kafka_load.config.profiles import parse
from kafka_load.output.plan_check import (
    LIKELY,
    MANY_KEYS,
    Asked,
    Done,
    HoleFinder,
    likely_partitions,
    present,
    shortfalls,
)
from kafka_load.output.shortfall import Shortfall
from kafka_load.records.keys import Popularity
from planned_run import GOOD, STEADY, USERS, asked, found

SPIKE = {"shape": "spike", "base": 100, "peak": 1000, "at": "30s", "for": "20s"}


def with_users(**users: Any) -> Asked:
    """The plan, with other users in the profile."""
    profile = parse("p", {**STEADY, "users": {**USERS, **users}}, "p.toml")
    what = asked()
    return replace(what, plan=replace(what.plan, profile=profile))


def test_a_load_that_ended_by_itself_is_said_with_its_times() -> None:
    short = Shortfall("duration_s", 60, 12.346, "the load ended after 12.3 s of 60 s, and the user did not end it")
    assert shortfalls(asked(), replace(GOOD, load_s=12.3456, ended_by="")) == [short]
    assert found(asked(), replace(GOOD, load_s=60.0, ended_by="")) == []


def test_of_a_run_that_never_began_only_its_time_is_missing() -> None:
    never = replace(asked(), users=[])
    assert found(never, Done(0.0, "")) == ["duration_s"]
    assert found(never, Done(0.0, "user")) == []
    assert never.latest == {}


def test_missing_records_are_said_with_how_many_were_planned_at_least() -> None:
    """Rounding may take one record of each of the four producers."""
    what = "only 20,000 of 23,996 planned records were due: the load was not what was asked for"
    assert shortfalls(asked(), replace(GOOD, due=20_000)) == [Shortfall("records", 23_996, 20_000, what)]
    enough = -(-23_996 * 99 // 100)
    assert found(asked(), replace(GOOD, due=enough)) == []
    assert found(asked(), replace(GOOD, due=enough - 1)) == ["records"]


def test_a_plan_that_is_not_exact_allows_a_fifth_of_the_records_to_be_missing() -> None:
    """A producer that comes later makes it so; a member that comes and goes does not."""
    coming = with_users(OrderProducer={"count": 2, "start": "30s"})
    assert not coming.exact
    assert not with_users(ClickProducer={"count": 2, "stay": "5s", "away": "5s"}).exact
    assert with_users(WarehouseMember={"count": 3, "stay": "5s", "away": "5s"}).exact
    assert not replace(asked(), users=[(0.0, USERS), (30.0, USERS)]).exact
    assert coming.records(60) == 18_000 + 3_000
    least = 21_000 - 4
    done = replace(GOOD, due=-(-least * 8 // 10))
    assert found(coming, done) == []
    assert found(coming, replace(done, due=done.due - 1)) == ["records"]


def test_missing_records_of_one_topic_are_said_with_the_topic() -> None:
    made = replace(GOOD, due_by_topic={"clicks": 18_000})
    sentence = "only 0 of 5,998 planned records of orders were due"
    assert shortfalls(asked(), made) == [Shortfall("records.orders", 5_998, 0, sentence)]
    made = replace(GOOD, due_by_topic={"clicks": 9_000, "orders": 3_000})
    assert found(asked(), made) == ["records.clicks", "records.orders"]
    assert found(asked(), replace(made, due=9_000)) == ["records"], "the sum says it already"


def test_random_arrivals_of_a_topic_are_allowed_their_own_chance() -> None:
    poisson = asked(rate={"OrderProducer": {"shape": "poisson", "rate": 1}, "ClickProducer": 100})
    assert poisson.least(60, "orders") == pytest.approx(60 - 2 - 4 * 60**0.5)
    assert asked().least(60, "orders") == 6_000 - 2
    assert poisson.least(1, "orders") == 0


def test_the_highest_rate_that_a_short_run_came_to_is_said() -> None:
    spike = asked(duration="20s", rate={"OrderProducer": SPIKE, "ClickProducer": 300})
    what = (
        "OrderProducer was to reach 1,000 records/s and in 20 s came to 100 only: the run was too short for the profile"
    )
    done = replace(GOOD, load_s=20.0, due=8_000)
    assert shortfalls(spike, done) == [Shortfall("highest_rate.OrderProducer", 1_000, 100, what)]
    assert found(spike, replace(done, ended_by="saturation")) == []
    ramp = asked(rate={"OrderProducer": {"shape": "ramp", "from": 10, "to": 190}, "ClickProducer": 300})
    cut = [one for one in shortfalls(ramp, replace(GOOD, load_s=7.3, ended_by="user")) if one.what.startswith("high")]
    assert [(one.planned, one.done) for one in cut] == [(190, 31.9)]


@pytest.mark.parametrize(("load_s", "reached"), [(0.0, 0.0), (15.0, 55.0), (30.0, 100.0), (60.0, 190.0), (90.0, 190.0)])
def test_a_ramp_has_come_as_far_as_the_run_lasted(load_s: float, reached: float) -> None:
    ramp = asked(rate={"OrderProducer": {"shape": "ramp", "from": 10, "to": 190}, "ClickProducer": 300})
    assert ramp.highest("OrderProducer", load_s) == pytest.approx((190.0, reached))
    falling = asked(rate={"OrderProducer": {"shape": "ramp", "from": 190, "to": 10}, "ClickProducer": 300})
    assert falling.highest("OrderProducer", load_s) == (190.0, 190.0 if load_s else 0.0)


def test_a_class_without_a_rate_has_no_highest_one() -> None:
    assert asked(rate={"ClickProducer": 300}).highest("OrderProducer", 60) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("done", "planned", "counted", "sentence"),
    [
        (
            replace(GOOD, started={**USERS, "WarehouseMember": 1}),
            *(3, 1, "3 users of WarehouseMember were asked for, and 1 ever began"),
        ),
        (
            replace(GOOD, started={"OrderProducer": 2, "ClickProducer": 2}, present={}),
            *(3, 0, "3 users of WarehouseMember were asked for, and 0 ever began"),
        ),
        (
            replace(GOOD, present={**USERS, "WarehouseMember": 2}),
            *(3, 2, "3 users of WarehouseMember were asked for, and 2 were there at the end"),
        ),
        (
            replace(GOOD, present={"OrderProducer": 2, "ClickProducer": 2}),
            *(3, 0, "3 users of WarehouseMember were asked for, and 0 were there at the end"),
        ),
    ],
)
def test_users_that_are_missing_are_counted(done: Done, planned: int, counted: int, sentence: str) -> None:
    assert Shortfall("users.WarehouseMember", planned, counted, sentence) in shortfalls(asked(), done)


def test_a_class_that_nobody_was_asked_for_says_what_to_give() -> None:
    none = {"OrderProducer": 2, "ClickProducer": 2}
    what = "none of the 4 users was one of WarehouseMember: give --users at least the profile's number"
    assert shortfalls(asked(none), GOOD) == [Shortfall("users.WarehouseMember", 1, 0, what)]


def test_a_producer_that_is_gone_is_missing_whatever_was_done_to_members() -> None:
    gone = replace(GOOD, present={**USERS, "OrderProducer": 1}, faults=frozenset({"kill_consumer"}))
    assert found(asked(), gone) == ["users.OrderProducer"]
    members = replace(GOOD, present={**USERS, "WarehouseMember": 1})
    assert found(asked(), replace(members, faults=frozenset({"pause_consumer"}))) == []
    assert found(asked(), replace(members, faults=frozenset({"kill_broker"}))) == ["users.WarehouseMember"]


def test_a_class_that_comes_later_than_the_load_lasted_is_said_with_both_times() -> None:
    late = with_users(WarehouseMember={"count": 3, "start": "60s"})
    what = "WarehouseMember was to come after 60 s, and the load lasted 60.0 s"
    assert shortfalls(late, GOOD) == [Shortfall("users.WarehouseMember", 3, 0, what)]
    assert found(late, replace(GOOD, load_s=60.1)) == []


def test_members_that_never_left_are_said_with_their_time() -> None:
    coming = with_users(WarehouseMember={"count": 3, "stay": "70s", "away": "6s"})
    what = "WarehouseMember was to leave after 70 s and come back, and never left"
    away = replace(GOOD, present={**USERS, "WarehouseMember": 0})
    assert shortfalls(coming, away) == [Shortfall("left.WarehouseMember", 3, 0, what)]
    for nobody in ({**USERS, "WarehouseMember": 0}, {"OrderProducer": 2, "ClickProducer": 2}):
        assert found(replace(coming, users=[(0.0, nobody)]), GOOD) == ["users.WarehouseMember"]


def test_a_partition_that_got_only_a_few_records_or_none_proves_nothing() -> None:
    for count, outcome in ((round(LIKELY), "fail"), (round(LIKELY) - 1, "inconclusive"), (0, "inconclusive")):
        sent = {**GOOD.sent, ("clicks", 7): count}
        done = replace(GOOD, sent=sent, acknowledged={k: v for k, v in GOOD.acknowledged.items() if k != ("clicks", 7)})
        sentence = f"nothing was acknowledged in clicks-7, to which {count} records were sent"
        assert [one.as_dict() for one in shortfalls(asked(), done)] == [
            {"what": "partition.clicks-7", "planned": 1, "done": 0, "sentence": sentence, "outcome": outcome}
        ]
    never = replace(GOOD, sent={}, acknowledged={})
    assert len(found(asked(), never)) == 15
    assert {one.outcome for one in shortfalls(asked(), never)} == {"inconclusive"}
    assert all("to which 0 records were sent" in one.sentence for one in shortfalls(asked(), never))
    assert found(asked(), replace(never, load_s=0.0, due=0, ended_by="user")) == [
        "highest_rate.OrderProducer",
        "highest_rate.ClickProducer",
        "users.OrderProducer",
        "users.ClickProducer",
        "users.WarehouseMember",
    ]


def test_partitions_of_a_topic_with_few_records_are_not_expected() -> None:
    """The other topic has more than enough."""
    few = asked(rate={"OrderProducer": 0.5, "ClickProducer": 300})
    nothing = {where: count for where, count in GOOD.acknowledged.items() if where[0] != "orders"}
    assert found(few, replace(GOOD, acknowledged=nothing)) == []


def test_of_very_many_keys_all_partitions_get_their_share() -> None:
    many = Popularity(MANY_KEYS + 1)
    assert likely_partitions(many, 12, 12 * LIKELY) == list(range(12))
    assert likely_partitions(many, 12, 12 * LIKELY - 1) == []
    assert likely_partitions(Popularity(1), 12, LIKELY - 1) == []
    assert len(likely_partitions(Popularity(1), 12, LIKELY)) == 1


def test_how_many_records_of_a_topic_were_not_acknowledged_is_counted() -> None:
    sent = {("orders", 0): 10, ("orders", 1): 5, ("clicks", 0): 7}
    done = replace(GOOD, sent=sent, acknowledged={("orders", 0): 4, ("clicks", 0): 1})
    assert (done.not_acknowledged("orders"), done.not_acknowledged("clicks")) == (6 + 5, 6)


def test_a_hole_of_ten_seconds_is_said_with_its_length() -> None:
    what = "for 10 s on end less than 75% of the planned records were due"
    done = replace(GOOD, hole_s=10, hole_records=200.0, due=24_000 - 200)
    assert shortfalls(asked(), done) == [Shortfall("longest_hole_s", 0, 10, what)]
    assert found(asked(), replace(done, hole_s=9)) == []
    assert found(asked(), replace(done, hole_records=LIKELY, due=24_000 - 20)) == ["longest_hole_s"]
    assert found(asked(), replace(done, hole_records=LIKELY - 1)) == []
    assert found(asked(), replace(done, due=24_000 - 100)) == ["longest_hole_s"], "half of it was made up for"
    assert found(asked(), replace(done, due=24_000 - 99)) == [], "more than half"
    assert found(with_users(OrderProducer={"count": 2, "start": "1s"}), done) == []


def test_the_longest_hole_is_the_one_that_is_told() -> None:
    """400 records are planned a second; 300 of them are enough."""
    holes = HoleFinder(asked())
    assert (holes.longest_s, holes.records) == (0, 0)
    for second, due in enumerate([400, 299, 0, 400, 100, 100, 100, 300, 299, 299, 500]):
        holes.add(second, due)
    assert (holes.longest_s, holes.records) == (3, 900)


def test_a_hole_may_begin_with_the_load_and_of_two_that_are_as_long_the_first_is_told() -> None:
    holes = HoleFinder(asked())
    for second, due in enumerate([300, 400, 100, 100, 400, 0, 0]):
        holes.add(second, due)
    assert (holes.longest_s, holes.records) == (2, 600)
    holes = HoleFinder(asked())
    holes.add(0, 0)
    assert (holes.longest_s, holes.records) == (1, 400)


def test_no_second_after_the_load_is_a_hole() -> None:
    holes = HoleFinder(asked())
    for second in range(70):
        holes.add(second, 400 if second < 60 else 0)
    assert holes.longest_s == 0


@pytest.mark.parametrize(
    ("presence", "span", "there"),
    [
        (Presence(1), (0, 60), [(0, 60)]),
        (Presence(1, start_s=30), (0, 60), [(30, 60)]),
        (Presence(1, start_s=30), (0, 30), []),
        (Presence(1, start_s=30), (40, 60), [(40, 60)]),
        (Presence(1, 0, 12, 6), (0, 60), [(0, 12), (18, 30), (36, 48), (54, 60)]),
        (Presence(1, 5, 12, 6), (10, 25), [(10, 17), (23, 25)]),
        (Presence(1, 0, 12, 6), (12, 18), []),
    ],
)
def test_a_user_is_there_from_its_start_and_between_its_absences(
    presence: Presence, span: tuple[float, float], there: list[tuple[float, float]]
) -> None:
    assert list(present(presence, *span)) == there


def test_users_that_leave_take_their_part_of_the_rate_with_them() -> None:
    fewer = replace(asked(), users=[(0.0, USERS), (20.0, {**USERS, "OrderProducer": 1}), (40.0, {"ClickProducer": 2})])
    assert fewer.records(60, "orders") == 20 * 100 + 20 * 50
    assert fewer.records(30, "orders") == 20 * 100 + 10 * 50
    assert fewer.records(60, "clicks") == 60 * 300
    assert fewer.records(60) == 3_000 + 18_000
    assert fewer.latest == {"ClickProducer": 2}


def test_a_given_rate_is_planned_whoever_is_to_produce_it_and_grows_with_the_users_that_are_added() -> None:
    total = {"rate": 400}
    for users in ({**USERS, "OrderProducer": 0}, {"ClickProducer": 2, "WarehouseMember": 3}):
        assert asked(users, total).records(60) == 24_000
        assert asked(users, total).least(60) == 24_000 - 2, "rounding may take one record of each producer"
        assert asked(users).records(60) == 18_000
    more = replace(asked(options=total), users=[(0.0, USERS), (30.0, {**USERS, "OrderProducer": 4})])
    assert more.records(60) == 24_000 + 30 * 100


def test_a_class_without_a_rate_produces_at_its_own() -> None:
    assert asked(rate={"ClickProducer": 300}).records(60, "orders") == 2 * 250 * 60
