"""A run is held against its plan: what of it did not happen is found, and what was asked for otherwise is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka_load.config.plan import PlanError
from kafka_load.config.profiles import parse
from kafka_load.output.plan_check import HoleFinder, likely_partitions, shortfalls
from kafka_load.records.keys import Popularity, partition_of
from planned_run import GOOD, STEADY, USERS, asked, found


def test_a_run_that_went_by_its_plan_has_no_shortfall() -> None:
    assert shortfalls(asked(), GOOD) == []


def test_fewer_users_than_the_profile_has_share_a_rate_that_was_given_and_halve_the_profiles_own() -> None:
    half = {"OrderProducer": 1, "ClickProducer": 1, "WarehouseMember": 3}
    assert asked(half).records(60) == 12_000
    assert asked(half, {"rate": 400}).records(60) == 24_000
    given = asked(half, {"rate": 400}).plan
    assert given.schedule("OrderProducer", 250.0, 1, 0).expected(60e9) == 6_000
    assert found(asked(half, {"rate": 400}), replace(GOOD, due=12_000, started=half, present=half)) == ["records"]
    assert found(asked(half), replace(GOOD, due=12_000, started=half, present=half)) == []


def test_a_class_without_a_user_is_a_shortfall_and_its_part_of_a_given_rate_is_planned_all_the_same() -> None:
    none = {"OrderProducer": 0, "ClickProducer": 2, "WarehouseMember": 3}
    done = replace(GOOD, due=18_000, started=none, present=none)
    assert found(asked(none, {"rate": 400}), done) == ["records", "users.OrderProducer"]
    assert "users.OrderProducer" in found(asked(none), done)


def test_a_topic_that_nobody_reads_is_a_shortfall_unless_nothing_was_written_to_it() -> None:
    unread = replace(asked(), read=("orders",))
    assert found(unread, GOOD) == ["readers.clicks"]
    unwritten = replace(GOOD, sent={("orders", 0): 1}, acknowledged={("orders", 0): 1})
    assert "readers.clicks" not in found(unread, unwritten)
    assert "readers.clicks" not in found(replace(unread, readers={}), GOOD)


def test_what_is_missing_of_a_small_topic_is_not_hidden_by_a_large_one() -> None:
    small = asked(rate={"OrderProducer": 1, "ClickProducer": 999})
    made = replace(GOOD, due=60_000 - 30, due_by_topic={"orders": 30, "clicks": 59_940})
    assert found(small, made) == ["records.orders"]
    assert found(small, replace(made, due=60_000, due_by_topic={"orders": 60, "clicks": 59_940})) == []


def test_a_user_who_ends_the_run_asks_for_the_time_until_then() -> None:
    early = replace(GOOD, load_s=6.0, ended_by="user", due=2_400)
    assert found(asked(), early) == []
    assert found(asked(), replace(early, due=1_200)) == ["records"]
    assert found(asked(), replace(early, ended_by="")) == ["duration_s"]


def test_a_spike_that_never_came_is_a_shortfall_even_if_the_user_ended_the_run() -> None:
    spike = {"shape": "spike", "base": 100, "peak": 1000, "at": "30s", "for": "20s"}
    short = asked(duration="20s", rate={"OrderProducer": spike, "ClickProducer": 300})
    for ended_by in ("duration", "user"):
        done = replace(GOOD, load_s=20.0, ended_by=ended_by, due=8_000)
        assert found(short, done) == ["highest_rate.OrderProducer"]
    assert short.plan.schedule("OrderProducer", 0.0, 1, 0).expected(90e9) == 20 * 100 / 2
    cut = asked(duration="40s", rate={"OrderProducer": spike, "ClickProducer": 300})
    assert cut.records(90, "orders") == 30 * 100 + 10 * 1000
    long = asked(duration="90s", rate={"OrderProducer": spike, "ClickProducer": 300})
    assert found(long, replace(GOOD, load_s=90.0, due=54_000)) == []


@pytest.mark.parametrize(
    ("member", "load_s", "left", "expected"),
    [
        ({"count": 3, "start": "45s"}, 60.0, {}, []),
        ({"count": 3, "start": "90s"}, 60.0, {}, ["users.WarehouseMember"]),
        ({"count": 3, "stay": "12s", "away": "6s"}, 60.0, {"WarehouseMember": 9}, []),
        ({"count": 3, "stay": "70s", "away": "6s"}, 60.0, {}, ["left.WarehouseMember"]),
    ],
    ids=["late", "never", "come and go", "never go"],
)
def test_members_come_and_go_as_planned(
    member: dict[str, Any], load_s: float, left: dict[str, int], expected: list[str]
) -> None:
    what = asked(users=USERS)
    profile = parse("p", {**STEADY, "users": {**USERS, "WarehouseMember": member}}, "p.toml")
    what = replace(what, plan=replace(what.plan, profile=profile))
    assert found(what, replace(GOOD, load_s=load_s, left=left)) == expected


def test_a_member_that_is_gone_at_the_end_is_a_shortfall_unless_a_mark_says_that_it_was_meant() -> None:
    gone = replace(GOOD, present={**USERS, "WarehouseMember": 2})
    assert found(asked(), gone) == ["users.WarehouseMember"]
    assert found(asked(), replace(gone, faults=frozenset({"kill_consumer"}))) == []
    assert found(asked(), replace(GOOD, started={**USERS, "WarehouseMember": 2})) == ["users.WarehouseMember"]


def test_a_partition_that_took_nothing_fails_the_run() -> None:
    [short] = shortfalls(asked(), replace(GOOD, acknowledged={**GOOD.acknowledged, ("clicks", 7): 0}))
    assert (short.what, short.outcome) == ("partition.clicks-7", "fail")
    assert "1,000 records were sent" in short.sentence
    empty = replace(GOOD, acknowledged={**GOOD.acknowledged, ("clicks", 7): 0}, gone=frozenset({"clicks"}))
    assert [short.outcome for short in shortfalls(asked(), empty)] == ["inconclusive"]


def test_partitions_that_no_key_belongs_to_are_not_expected() -> None:
    assert len(likely_partitions(Popularity(1), 12, 1e6)) == 1
    assert likely_partitions(Popularity(10_000), 12, 24_000) == list(range(12))
    assert likely_partitions(Popularity(10_000), 12, 100) == []


def test_partitions_are_those_of_the_users_own_keys(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text("first\nsecond\nfirst\n")
    owners = {partition_of(b"first", 12), partition_of(b"second", 12)}
    assert likely_partitions(Popularity.of_file(str(tmp_path / "keys.txt")), 12, 1e6) == sorted(owners)


def test_random_arrivals_are_allowed_their_chance() -> None:
    poisson = asked(rate={"OrderProducer": {"shape": "poisson", "rate": 1}, "ClickProducer": 1})
    assert poisson.least(60) == pytest.approx(120 - 4 - 4 * 120**0.5)


def test_a_hole_in_a_long_run_is_found_and_a_stall_that_was_made_up_for_is_not() -> None:
    what = asked(duration="1h")
    holes = HoleFinder(what)
    for second in range(3600):
        holes.add(second, 200 if 100 <= second < 115 else 400)
    assert (holes.longest_s, holes.records) == (15, 3_000)
    done = replace(GOOD, load_s=3600.0, due=3600 * 400 - 3_000, hole_s=holes.longest_s, hole_records=holes.records)
    assert found(what, done) == ["longest_hole_s"]
    assert found(what, replace(done, due=3600 * 400)) == []


def test_users_that_are_added_during_the_run_are_planned_from_then_on() -> None:
    more = replace(asked(), users=[(0.0, USERS), (30.0, {**USERS, "OrderProducer": 4})])
    assert more.records(60) == 24_000 + 30 * 100


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        (
            {"duration": "5s", "rate": {"OrderProducer": {"shape": "steps", "from": 1, "to": 9, "steps": 10}}},
            "--run-time",
        ),
        ({"size": 1_000_000}, "message.max.bytes"),
    ],
    ids=["steps too short", "records too large"],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(profile: dict[str, Any], names: str) -> None:
    with pytest.raises(PlanError, match=names):
        asked(**profile)


def test_a_search_is_held_against_the_rates_that_it_asked_for() -> None:
    steps = {"shape": "steps", "from": 100, "to": 500, "steps": 5, "tolerance": 0.5}
    search = asked(duration="70s", rate={"OrderProducer": steps, "ClickProducer": 50})
    up = sum(100 * step * 10 for step in range(1, 6))
    assert search.records(70, "orders") == up, "nothing is due after the last step unless the search asks for it"
    tried = replace(search, positions=[(35.0, None), (40.0, 0.5), (50.0, None)])
    assert tried.records(70, "orders") == 100 * 10 + 200 * 10 + 300 * 10 + 400 * 5 + 300 * 10
    assert tried.records(70, "clicks") == search.records(70, "clicks") == 50 * 70
    assert tried.records(38, "orders") == tried.records(35, "orders")
    done = replace(GOOD, load_s=70.0, due=round(tried.records(70)))
    assert found(tried, done) == []
    assert found(search, done) == ["records"]
