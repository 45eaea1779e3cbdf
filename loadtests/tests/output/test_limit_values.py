"""The value that each limit is held against, and how much of it may be the harness's own doing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from kafka_load.config.slo import Measured
from kafka_load.ledger import Drain, GroupJudgement
from kafka_load.output.limit_values import P999_RECORDS, longest_gap_s, measured, part_of, too_late
from kafka_load.output.measurements import Facts, Gap, Percentiles, Requirements, TopicFacts

GROUP = GroupJudgement("payments", "queue", consumed=30_000)
NOT_LATE = Percentiles()
FACTS = Facts(
    run_id="r1",
    profile="steady",
    started="2025-01-02T03:04:05+00:00",
    duration_s=60.0,
    planned=30_000,
    due=30_000,
    sent=30_000,
    acknowledged=30_000,
    groups=(GROUP,),
    gaps={"orders-eu-0": Gap(2.5, 20.0), "clicks-0": Gap(0.75, 3.0)},
    produce=Percentiles(p99=9_000, p999=20_000),
    end_to_end={"payments": Percentiles(p99=12_000, p999=25_000)},
)


def values(facts: Facts, **requirements: Any) -> dict[str, Measured]:
    return measured(facts, Requirements(**requirements))


def late(ms: float, **changes: Any) -> Facts:
    """The harness was this late at most, but late enough for only few records."""
    return replace(FACTS, late_own=Percentiles(max=round(ms * 1_000)), **changes)


def too_late_by(us: int, **changes: Any) -> Facts:
    return replace(FACTS, late_own=Percentiles(p99=1_000_000 + us, max=1_000_000 + us), **changes)


def with_groups(*counts: dict[str, Any]) -> Facts:
    return replace(FACTS, groups=[replace(GROUP, group=f"g{n}", **one) for n, one in enumerate(counts)])


# The rate.


def test_what_was_aborted_on_purpose_was_taken() -> None:
    rate = values(replace(FACTS, acknowledged=29_000, aborted=1_000))["achieved_rate"]
    assert (rate.value, rate.best) == (1.0, 1.0)


@pytest.mark.parametrize(("us", "best"), [(0, 0.9), (1, 1.0)])
def test_records_that_were_due_and_not_sent_are_the_harness_fault_only_if_it_was_too_late(us: int, best: float) -> None:
    facts = too_late_by(us, sent=27_000, acknowledged=27_000)
    assert too_late(facts, Requirements(max_late_ms=1_000)) == bool(us)
    rate = values(facts, max_late_ms=1_000)["achieved_rate"]
    assert (rate.value, rate.best) == (0.9, best)
    assert rate.why == f"the harness did not send {3_000 if us else 0:,} of 30,000 planned records"


def test_records_that_were_never_due_and_records_that_were_sent_too_late_are_added() -> None:
    rate = values(too_late_by(1, due=28_000, sent=27_000, acknowledged=26_000))["achieved_rate"]
    assert (rate.value, rate.best) == (round(26 / 30, 6), round(29 / 30, 6))
    assert rate.why == "the harness did not send 3,000 of 30,000 planned records"


def test_nobody_knows_what_was_sent_where_it_was_not_counted() -> None:
    assert values(too_late_by(1, sent=None, acknowledged=27_000))["achieved_rate"].best == 0.9


def test_no_more_than_all_is_achieved_at_best() -> None:
    rate = values(replace(FACTS, due=29_000, sent=29_000, acknowledged=29_000, unreported=2_000))["achieved_rate"]
    assert rate.best == 1.0
    assert rate.why == (
        "the harness did not send 1,000 of 30,000 planned records; of 2,000 records of workers that died nobody knows"
        " what became of them"
    )


def test_records_of_deleted_topics_may_have_been_taken_and_all_causes_are_named() -> None:
    facts = replace(FACTS, due=29_000, sent=28_500, acknowledged=20_000, gone={"b": 300, "a": 200}, unreported=100)
    rate = values(facts)["achieved_rate"]
    assert (rate.value, rate.best) == (0.666667, round(22_100 / 30_000, 6))
    assert rate.why == (
        "the harness did not send 1,500 of 30,000 planned records and had no acknowledgement for 500 sent;"
        " deleted during the run: a, b; of 100 records of workers that died nobody knows what became of them"
    )


# Gaps.


def test_a_gap_may_be_shorter_by_the_harness_own_lateness() -> None:
    assert values(late(500))["longest_gap_s"] == Measured(2.5, 2.0, None, "the harness itself was up to 500 ms late")
    assert values(late(59_500, gaps={"orders-eu-0": Gap(60.0, 0.0)}))["longest_gap_s"] == Measured(
        60.0, 0.5, None, "the harness itself was up to 59,500 ms late"
    )
    assert values(late(9_000))["longest_gap_s"].best == 0.0


def test_a_run_without_a_gap_stood_still_for_no_time() -> None:
    silent = replace(FACTS, gaps={})
    assert longest_gap_s(silent) == 0.0
    assert values(silent)["longest_gap_s"].best == 0.0


def test_a_gap_in_a_deleted_topic_is_not_held_against_the_others() -> None:
    gap = values(late(500, gone={"orders-eu": 10}))["longest_gap_s"]
    assert gap == Measured(2.5, 0.25, None, "deleted during the run: orders-eu")


# Counts of groups.


def test_what_nobody_knows_of_each_group_is_named_with_the_groups() -> None:
    found = values(with_groups({"lost": 2, "unread": 3}, {"unverifiable": 4, "unread": 1}, {}))["lost"]
    assert found == Measured(2, worst=5, why="nobody knows of 3 of g0, 5 of g1")


def test_a_copy_of_which_nobody_knows_who_wrote_it_may_be_the_brokers() -> None:
    copies = {"duplicated_in_log": 9, "duplicated_by_client": 5, "duplicated_by_broker": 1}
    found = values(with_groups(copies, {"duplicated_in_log": 2}))["duplicated_by_broker"]
    assert found == Measured(1, worst=4, why="the log does not tell who wrote some of the records twice")


def test_the_lag_of_a_group_for_which_the_user_did_not_wait_is_not_held_against_the_cluster() -> None:
    behind = {"lag_at_end": 9, "drain": Drain({("orders", 0): 9}, cut_short=True)}
    why = "the user did not wait for the readers"
    assert values(with_groups(behind))["lag_at_end"] == Measured(9, best=0, why=why)
    assert values(with_groups(behind, {"lag_at_end": 4}))["lag_at_end"] == Measured(9, best=4, why=why)


def test_the_lag_of_a_group_that_is_not_known_leaves_that_of_another_one_known() -> None:
    why = "its commits could not be read"
    both = replace(with_groups({"lag_at_end": 9}, {"lag_at_end": 4}), lag_unknown={"g0": why})
    assert values(both)["lag_at_end"] == Measured(9, 4, math.inf, why)
    other = replace(both, lag_unknown={"g1": why})
    assert values(other)["lag_at_end"] == Measured(9, 9, math.inf, why)
    elsewhere = replace(both, lag_unknown={"g7": why})
    assert values(elsewhere)["lag_at_end"] == Measured(9, 9, why="the user did not wait for the readers")


# Latencies.


def test_a_latency_may_be_lower_by_the_harness_own_lateness_and_never_below_nothing() -> None:
    some = values(late(4))
    why = "the harness itself was up to 4 ms late"
    assert some["p99_produce_ms"] == Measured(9.0, 5.0, 9.0, why)
    assert some["p999_produce_ms"] == Measured(20.0, 16.0, 20.0, why)
    assert some["p99_end_to_end_ms"] == Measured(12.0, 8.0, 12.0, why)
    assert some["p999_end_to_end_ms"] == Measured(25.0, 21.0, 25.0, why)
    assert {name: one.best for name, one in values(late(99)).items() if name.endswith("_ms")} == {
        "p99_produce_ms": 0,
        "p999_produce_ms": 0,
        "p99_end_to_end_ms": 0,
        "p999_end_to_end_ms": 0,
    }


def test_the_percentile_without_the_harness_part_is_known_by_its_name() -> None:
    facts = late(4, p99_without_own={"produce": 8_500, "payments": 11_000})
    assert (values(facts)["p99_produce_ms"].best, values(facts)["p99_end_to_end_ms"].best) == (8.5, 11.0)
    of_topic = part_of(
        replace(facts, topics={"clicks": TopicFacts(9, 9, 9, 900, Percentiles(p99=9_000))}), "topic clicks"
    )
    assert values(of_topic)["p99_produce_ms"].best == 5.0, "of one topic it is not known"


def test_clocks_make_a_latency_uncertain_both_ways() -> None:
    facts = late(4, uncertainty_us={"payments": 3_001_000}, end_to_end={"payments": Percentiles(p99=9_000_000)})
    assert values(facts)["p99_end_to_end_ms"] == Measured(
        9_000.0,
        5_995.0,
        12_001.0,
        "the harness itself was up to 4 ms late, and the workers' clocks are known to ±3,001 ms only",
    )


def test_of_few_records_a_percentile_may_be_chance() -> None:
    few = "only 99 records were acknowledged; at least 100 must be"
    facts = replace(FACTS, acknowledged=99)
    for name in ("p99_produce_ms", "p99_end_to_end_ms"):
        assert (values(facts)[name].best, values(facts)[name].why) == (0, few)
        enough = values(replace(facts, acknowledged=100))[name]
        assert enough.best == enough.value


@pytest.mark.parametrize("name", ["p999_produce_ms", "p999_end_to_end_ms"])
def test_the_thousandth_takes_ten_thousand_records(name: str) -> None:
    enough, few = (values(replace(FACTS, acknowledged=count))[name] for count in (P999_RECORDS, P999_RECORDS - 1))
    assert enough.best == enough.value
    assert enough.why == "the harness itself was up to 0 ms late"
    why = "of 9,999 records nobody can tell the 99.9th percentile; it takes 10,000"
    assert few == Measured(few.value, 0, few.value, why)


# One topic or group.


def test_of_one_topic_only_its_own_is_measured() -> None:
    orders = TopicFacts(1_000, 900, 800, 700, Percentiles(p99=5_000, p999=6_000))
    facts = replace(FACTS, topics={"orders-eu": orders}, aborted=50, gone={"clicks": 7, "orders-eu": 3})
    part = part_of(facts, "topic orders-eu")
    assert set(values(part)) == {"p99_produce_ms", "p999_produce_ms", "longest_gap_s", "achieved_rate"}
    assert part.gaps == {"orders-eu-0": Gap(2.5, 20.0)}
    assert part.gone == {"orders-eu": 3}
    assert values(part)["achieved_rate"].value == 0.7
    assert values(part)["achieved_rate"].best == pytest.approx((700 + 100 + 100 + 3) / 1_000)
    assert values(part)["longest_gap_s"].why == "deleted during the run: orders-eu"
    assert part_of(facts, "topic clicks").gone == {"clicks": 7}


def test_of_a_topic_that_had_no_producer_nothing_is_measured() -> None:
    assert values(part_of(FACTS, "topic nothing")) == {}


def test_a_group_is_named_by_all_that_follows_the_first_space() -> None:
    """A group's name may be any text."""
    named = replace(GROUP, group="my group", consumed=9)
    part = part_of(replace(FACTS, groups=(GROUP, named)), "group my group")
    assert (part.groups, part.acknowledged, part.end_to_end) == ([named], 9, {})
