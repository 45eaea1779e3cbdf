"""The verdict: what passes, what fails, and what proves nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kafka_load.config.slo import (
    DEFAULT_LIMITS,
    LIMITS,
    LimitError,
    Measured,
    check_limits,
    evaluate,
)
from kafka_load.histogram import Histogram, percentile_without
from kafka_load.ledger import Drain, GroupJudgement
from kafka_load.output import console_summary
from kafka_load.output.measurements import Facts, Fault, Gap, Percentiles, Requirements, TopicFacts
from kafka_load.output.shortfall import Shortfall
from kafka_load.output.verdict import judge
from kafka_load.run.clock_offset import ClockError

GROUP = GroupJudgement("warehouse-group", "queue", consumed=1000)
FACTS = Facts(
    run_id="r1",
    profile="smoke",
    started="2025-01-02T03:04:05+00:00",
    duration_s=10.0,
    planned=1000,
    planned_s=10.0,
    load_s=10.0,
    ended_by="duration",
    users={"OrderProducer": 1},
    due=1000,
    sent=1000,
    acknowledged=1000,
    groups=(GROUP,),
    gaps={"orders-0": Gap(0.4, 3.0), "orders-1": Gap(2.5, 5.0)},
    produce=Percentiles(1000, 2000, 3000, 4000, 5000),
    end_to_end={"warehouse-group": Percentiles(2000, 3000, 9000, 9500, 9900)},
    target_rate=100.0,
    sent_rate=99.9,
    late=Percentiles(p50=100, p99=900, max=1500),
    late_own=Percentiles(p50=50, p99=90, max=100),
    blocked_s={"window": 1.5},
    client={"throttle_ms_max": 7},
)


def with_group(**counts: Any) -> Facts:
    return replace(FACTS, groups=(replace(GROUP, **counts),))


def outcome(facts: Facts, **limits: float) -> tuple[Any, Any]:
    verdict = judge(facts, DEFAULT_LIMITS | limits)
    return verdict["outcome"], verdict["exit_code"]


def test_the_verdict_has_the_agreed_shape() -> None:
    clocks = {"worker-1": ClockError(-5_000_000_000, 400_000, 499_001)}
    faults = (Fault("kill_broker", "kafka2", 3.0, None, 2.5, 4.0),)
    verdict = judge(replace(FACTS, faults=faults, uncertainty_us={"warehouse-group": 800}, clocks=clocks), {"lost": 0})
    assert verdict == {
        "schema": 4,
        "plan": {
            "duration_s": 10.0,
            "load_s": 10.0,
            "warmup_s": 0.0,
            "ended_by": "duration",
            "users": {"OrderProducer": 1},
            "records": 1000,
            "due": 1000,
            "topics": {},
            "warmup": {},
            "shortfalls": [],
        },
        "failures": [],
        "run_id": "r1",
        "profile": "smoke",
        "started": "2025-01-02T03:04:05+00:00",
        "duration_s": 10.0,
        "outcome": "pass",
        "exit_code": 0,
        "produced": {"acknowledged": 1000, "failed": 0, "indeterminate": 0},
        "groups": [
            {
                "group": "warehouse-group",
                "mode": "queue",
                "consumed": 1000,
                "lost": 0,
                "duplicated_in_log": 0,
                "duplicated_by_broker": 0,
                "duplicated_by_client": 0,
                "redelivered": 0,
                "reordered": 0,
                "phantom": 0,
                "diverged": 0,
                "offset_regressions": 0,
                "lag_at_end": 0,
                "unread": 0,
                "unverifiable": 0,
                "deleted": 0,
                "drained": True,
            }
        ],
        "availability": {
            "longest_gap_s": 2.5,
            "partitions": {
                "orders-0": {"longest_gap_s": 0.4, "at_s": 3.0},
                "orders-1": {"longest_gap_s": 2.5, "at_s": 5.0},
            },
        },
        "latency_us": {
            "produce": {"p50": 1000, "p95": 2000, "p99": 3000, "p999": 4000, "max": 5000},
            "end_to_end": {
                "warehouse-group": {
                    **{"p50": 2000, "p95": 3000, "p99": 9000, "p999": 9500, "max": 9900, "uncertainty": 800}
                }
            },
        },
        "clocks": {"worker-1": {"ahead_s": 5.0, "uncertainty_us": 500}},
        "schedule": {
            "target_rate": 100.0,
            "sent_rate": 99.9,
            "late_us": {"p50": 100, "p99": 900, "max": 1500},
            "late_own_us": {"p50": 50, "p99": 90, "max": 100},
            "blocked_s": {"window": 1.5},
        },
        "client": {"throttle_ms_max": 7},
        "slo": [{"name": "lost", "limit": 0, "value": 0, "ok": True}],
        "faults": [
            {
                **{"name": "kill_broker", "target": "kafka2", "injected_at_s": 3.0, "healed_at_s": None},
                **{"ordered_at_s": 2.5, "recovered_after_s": 4.0},
            }
        ],
        "windows": {"length_s": 0.0, "p99_us": {}, "topics_p99_us": {}},
        "reasons": [],
        "notes": [],
    }


@pytest.mark.parametrize("count", ["lost", "duplicated_in_log", "reordered", "phantom", "diverged"])
def test_one_record_that_broke_a_promise_fails_the_run(count: str) -> None:
    assert outcome(with_group(**{count: 1})) == ("fail", 1)


def test_redelivery_is_counted_and_allowed_unless_limited() -> None:
    assert outcome(with_group(redelivered=7)) == ("pass", 0)
    assert outcome(with_group(redelivered=7), redelivered=6) == ("fail", 1)


@pytest.mark.parametrize(
    ("limit", "value"),
    [("p99_produce_ms", 2.8), ("p99_end_to_end_ms", 8.8), ("longest_gap_s", 2.3), ("achieved_rate", 1.1)],
)
def test_every_limit_can_be_broken(limit: str, value: float) -> None:
    assert outcome(FACTS, **{limit: value}) == ("fail", 1)


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, late_own=Percentiles(p99=1_000_001)),
        replace(FACTS, planned=99, due=99, acknowledged=99),
        replace(FACTS, groups=()),
        replace(FACTS, inconclusive_reasons=("a worker's readings are missing",)),
        with_group(drain=Drain({("orders", 0): 1}), unread=1),
        with_group(drain=Drain({("orders", 0): 1})),
        with_group(drain=Drain({("orders", 0): None})),
        with_group(drain=Drain(joined=False), consumed=0),
        with_group(unverifiable=1),
        with_group(consumed=0, foreign=250, other_runs=250),
        with_group(consumed=0),
    ],
    ids=[
        *("harness too late", "too few records", "no reader", "doubt", "not drained", "not drained, nothing missing"),
        *("end of a log unknown", "no member", "a reader's last words missing"),
        *("only other runs' records", "nothing read"),
    ],
)
def test_a_run_that_proves_nothing_is_inconclusive_and_says_why(facts: Facts) -> None:
    verdict = judge(facts, DEFAULT_LIMITS)
    assert (verdict["outcome"], verdict["exit_code"]) == ("inconclusive", 2)
    assert verdict["reasons"]
    assert verdict["notes"]


def test_a_late_harness_does_not_excuse_a_lost_record() -> None:
    facts = replace(with_group(lost=1), late_own=Percentiles(p99=10_000_000))
    assert outcome(facts) == ("fail", 1)


def test_lateness_that_the_cluster_causes_is_held_against_the_cluster() -> None:
    late = replace(FACTS, late=Percentiles(p99=9_000_000, max=9_900_000), produce=Percentiles(p99=9_000_000))
    assert outcome(late) == ("pass", 0)
    assert outcome(late, p99_produce_ms=1000) == ("fail", 1)


@pytest.mark.parametrize(
    ("acknowledged", "own_us", "limit", "decided"),
    [
        (20_000, 0, 3.9, "fail"),
        (20_000, 0, 4.0, "pass"),
        (20_000, 200, 3.9, "inconclusive"),
        (20_000, 50, 3.9, "fail"),
        (9_999, 0, 3.9, "inconclusive"),
        (9_999, 0, 4.0, "pass"),
    ],
)
def test_p999_is_judged_from_enough_records_and_without_the_harness_own_lateness(
    acknowledged: int, own_us: int, limit: float, decided: str
) -> None:
    """Its value is 4.0 ms."""
    counts: dict[str, Any] = dict.fromkeys(("planned", "due", "sent", "acknowledged"), acknowledged)
    facts = replace(FACTS, late_own=Percentiles(p99=own_us, max=own_us), **counts)
    assert judge(facts, {"p999_produce_ms": limit})["outcome"] == decided
    assert judge(facts, {"p999_end_to_end_ms": limit + 5.5})["outcome"] == decided


def test_a_limit_that_only_the_harness_may_have_broken_is_undecided() -> None:
    late = replace(FACTS, late_own=Percentiles(p99=2_000, max=2_500))
    verdict = judge(late, {"p99_produce_ms": 2, "p99_end_to_end_ms": 2})
    assert verdict["outcome"] == "fail"
    decided = {result["name"]: result.get("undecided", "") for result in verdict["slo"]}
    assert "the harness itself was up to 2 ms late" in decided["p99_produce_ms"]
    assert decided["p99_end_to_end_ms"] == ""
    assert judge(late, {"p99_produce_ms": 2})["outcome"] == "inconclusive"


def test_what_a_dead_worker_could_not_report_any_more_is_not_held_against_the_cluster() -> None:
    assert outcome(replace(FACTS, acknowledged=900)) == ("fail", 1)
    assert outcome(replace(FACTS, acknowledged=900, unreported=100)) == ("inconclusive", 2)
    assert outcome(replace(FACTS, acknowledged=900, unreported=50)) == ("fail", 1)


@pytest.mark.parametrize(("limit", "decided"), [(5, "fail"), (8, "inconclusive"), (10, "inconclusive"), (13, "pass")])
def test_a_latency_is_judged_as_far_as_the_clocks_are_known(limit: int, decided: str) -> None:
    """The p99 is 9 ms ± 3 ms."""
    unsure = replace(FACTS, late_own=Percentiles(), uncertainty_us={"warehouse-group": 3_000})
    verdict = judge(unsure, {"p99_end_to_end_ms": limit, "p99_produce_ms": 3})
    assert verdict["outcome"] == decided
    produce, end_to_end = sorted(verdict["slo"], key=lambda one: -len(one["name"]))[::-1]
    assert produce["ok"], "it has one clock"
    assert ("the workers' clocks are known to ±3 ms only" in end_to_end.get("undecided", "")) == (
        decided == "inconclusive"
    )


def test_a_latency_is_known_as_far_as_the_harness_has_no_part_in_it() -> None:
    latency, own = Histogram(), Histogram()
    latency.add(np.full(1_000, 50_000))
    own.add(np.r_[np.zeros(995, np.int64), np.full(5, 45_000)])  # too few to have made the percentile
    assert percentile_without(latency, own, 99) == latency.percentile(99)
    own.add(np.full(990, 45_000))
    assert percentile_without(latency, own, 99) == pytest.approx(5_000, rel=0.1)
    assert percentile_without(latency, Histogram(), 99) == latency.percentile(99)


def test_a_shortfall_is_never_a_pass_and_no_excuse_for_a_broken_limit() -> None:
    short = replace(FACTS, shortfalls=[Shortfall("records", 1000, 500, "only 500 of 1,000 planned records were due")])
    verdict = judge(short, DEFAULT_LIMITS)
    assert (verdict["outcome"], verdict["reasons"]) == ("inconclusive", [short.shortfalls[0].sentence])
    assert judge(short, {"p99_produce_ms": 1})["outcome"] == "fail"
    refused = Shortfall("partition.orders-2", 1, 0, "nothing was acknowledged in orders-2", "fail")
    verdict = judge(replace(FACTS, shortfalls=[refused]), DEFAULT_LIMITS)
    assert (verdict["outcome"], verdict["failures"]) == ("fail", [refused.sentence])
    assert console_summary.closing(verdict, "x").startswith("FAIL  nothing was acknowledged in orders-2")


def test_the_rate_that_was_achieved_is_held_against_the_plan_and_by_its_cause() -> None:
    refused = replace(FACTS, acknowledged=900)
    assert outcome(refused, achieved_rate=0.99) == ("fail", 1)
    not_given = replace(FACTS, due=900, sent=900, acknowledged=900)
    assert outcome(not_given, achieved_rate=0.99) == ("inconclusive", 2)
    [rate] = [r for r in judge(not_given, DEFAULT_LIMITS)["slo"] if r["name"] == "achieved_rate"]
    assert (rate["value"], rate["undecided"]) == (0.9, "the harness did not send 100 of 1,000 planned records")
    assert outcome(replace(not_given, acknowledged=800), achieved_rate=0.99) == ("fail", 1)


def test_a_topic_that_somebody_deleted_is_not_held_against_the_cluster_and_another_topic_is() -> None:
    gaps = {"orders-0": Gap(20.0, 5.0), "clicks-0": Gap(0.5, 2.0)}
    deleted = replace(FACTS, acknowledged=400, gaps=gaps, gone={"orders": 600})
    limits = {"longest_gap_s": 1.0, "p99_produce_ms": 1.0}
    assert outcome(deleted, **limits) == ("inconclusive", 2)
    assert any("deleted during the run: orders" in reason for reason in judge(deleted, DEFAULT_LIMITS)["reasons"])
    assert outcome(replace(deleted, gone={}), **limits) == ("fail", 1)
    assert outcome(replace(deleted, gone={"orders": 500})) == ("fail", 1)
    assert outcome(replace(deleted, gaps=gaps | {"clicks-0": Gap(1.5, 2.0)}), **limits) == ("fail", 1)


def test_one_group_that_is_not_drained_does_not_excuse_another() -> None:
    lost = replace(GROUP, group="analytics-group", lost=1)
    behind = replace(GROUP, drain=Drain({("orders", 0): 5}), unread=5)
    assert outcome(replace(FACTS, groups=(lost, behind))) == ("fail", 1)
    assert outcome(replace(FACTS, groups=(replace(lost, lost=0), behind))) == ("inconclusive", 2)


def test_what_was_not_read_in_time_is_not_called_lost() -> None:
    verdict = judge(with_group(drain=Drain({("orders", 0): 5}), unread=5), DEFAULT_LIMITS)
    [lost] = [result for result in verdict["slo"] if result["name"] == "lost"]
    assert (lost["value"], lost["ok"], lost["undecided"]) == (0, False, "nobody knows of 5 of warehouse-group")
    assert outcome(with_group(unverifiable=5)) == ("inconclusive", 2)


def test_a_limit_that_was_not_measured_is_not_kept() -> None:
    nothing_delivered = replace(FACTS, end_to_end={})
    verdict = judge(nothing_delivered, {"p99_end_to_end_ms": 100})
    assert (verdict["outcome"], verdict["slo"]) == ("inconclusive", [])
    assert verdict["reasons"] == ["p99_end_to_end_ms could not be judged: it was not measured"]
    without_fault = judge(replace(FACTS, faults=()), {"recovery_s": 10})
    assert without_fault["reasons"] == ["recovery_s could not be judged: no fault was marked as seen in the run"]


def test_a_lag_that_is_not_known_breaks_and_keeps_no_limit() -> None:
    unknown = replace(with_group(lag_at_end=7), lag_unknown={GROUP.group: "its committed offsets could not be read"})
    assert outcome(unknown, lag_at_end=0) == outcome(unknown, lag_at_end=10) == ("inconclusive", 2)
    assert outcome(with_group(lag_at_end=7), lag_at_end=0) == ("fail", 1)


def test_requirements_can_be_lowered() -> None:
    few = replace(FACTS, planned=5, due=5, acknowledged=5)
    assert judge(few, DEFAULT_LIMITS, Requirements(min_records=5))["outcome"] == "pass"


def test_limits_are_checked_by_name_and_number() -> None:
    with pytest.raises(LimitError, match=r"--slo.*'losses' is not a limit.*lost"):
        check_limits({"losses": 0}, "--slo")
    with pytest.raises(LimitError, match=r"lost must be a number of at least 0"):
        check_limits({"lost": -1}, "--slo")


def test_limits_that_are_right_are_taken_as_they_are() -> None:
    limits = {"lost": 0, "longest_gap_s": 0.5, "redelivered": 10}
    assert check_limits(limits, "--slo") == limits
    with pytest.raises(LimitError) as unknown:
        check_limits({"speed": 1}, "--slo")
    assert str(unknown.value) == f"--slo: 'speed' is not a limit; the limits are {', '.join(LIMITS)}"


def test_a_limit_of_one_group_is_held_against_that_group_alone() -> None:
    other = replace(GROUP, group="other", redelivered=7)
    facts = replace(FACTS, groups=(GROUP, other), end_to_end={**FACTS.end_to_end, "other": Percentiles(p99=50_000)})
    limits = {"redelivered": 0.0, "p99_end_to_end_ms": 10.0}
    kept = judge(facts, DEFAULT_LIMITS, limits_of={"group warehouse-group": limits})
    assert (kept["outcome"], kept["slo"][-1]["of"]) == ("pass", "group warehouse-group")
    broken = judge(facts, DEFAULT_LIMITS, limits_of={"group other": limits})
    assert broken["outcome"] == "fail"
    said = console_summary.closing(broken, "x")
    assert "FAIL  2 limits broken: redelivered of group other, p99_end_to_end_ms of group other" in said
    assert "✗ redelivered of group other is 7, at most 0 allowed" in said


def test_a_limit_of_one_topic_is_held_against_that_topic_alone() -> None:
    slow = TopicFacts(planned=200, due=200, sent=200, acknowledged=150, produce=Percentiles(p99=80_000))
    topics = {"orders": TopicFacts(800, 800, 800, 800, Percentiles(p99=2_000)), "clicks": slow}
    facts = replace(FACTS, topics=topics, gaps={**FACTS.gaps, "clicks-0": Gap(9.0, 1.0)})
    limits = {"p99_produce_ms": 10.0, "longest_gap_s": 5.0, "achieved_rate": 0.9}
    assert judge(facts, DEFAULT_LIMITS, limits_of={"topic orders": limits})["outcome"] == "pass"
    broken = judge(facts, DEFAULT_LIMITS, limits_of={"topic clicks": limits})
    assert [(one["name"], one["value"]) for one in broken["slo"] if not one["ok"]] == [
        ("p99_produce_ms", 80.0),
        ("longest_gap_s", 9.0),
        ("achieved_rate", 0.75),
    ]
    assert broken["plan"]["topics"]["clicks"] == {"records": 200, "due": 200, "acknowledged": 150}


def test_a_limit_of_a_group_that_read_nothing_or_of_a_topic_with_few_records_is_no_pass() -> None:
    silent = replace(GROUP, group="silent", consumed=0)
    facts = replace(FACTS, groups=(GROUP, silent), topics={"clicks": TopicFacts(9, 9, 9, 9, Percentiles(p99=1))})
    for of, name in (("group silent", "p99_end_to_end_ms"), ("topic clicks", "p99_produce_ms")):
        verdict = judge(facts, DEFAULT_LIMITS, limits_of={of: {name: 5}})
        assert verdict["outcome"] == "inconclusive"
        assert any(reason.startswith(f"the limits of {of} prove nothing") for reason in verdict["reasons"])
    silence = judge(facts, {}, limits_of={"group silent": {"p99_end_to_end_ms": 5}})
    assert "p99_end_to_end_ms of group silent could not be judged: it was not measured" in silence["reasons"]


def test_a_limit_holds_on_its_edge() -> None:
    limits = {"lost": 3.0, "achieved_rate": 0.99}
    kept = {"lost": Measured(3), "achieved_rate": Measured(0.99)}
    broken = {"lost": Measured(4), "achieved_rate": Measured(0.98)}
    assert [result.ok for result in evaluate(limits, kept)] == [True, True]
    assert [result.broken for result in evaluate(limits, broken)] == [True, True]
    assert set(DEFAULT_LIMITS) <= set(LIMITS)


def test_the_terminal_says_what_happened() -> None:
    said = console_summary.closing(judge(with_group(lost=3), {"lost": 0, "longest_gap_s": 2}), "results/r1/report.html")
    assert said.startswith("FAIL  2 limits broken: lost, longest_gap_s")
    assert "✗ lost is 3, at most 0 allowed" in said
    assert "3 lost, 0 redelivered, 0 reordered" in said
    assert "orders-1 at 5.0 s" in said
    assert said.endswith("results/r1/report.html")
    passed = console_summary.closing(judge(FACTS, {"lost": 0}), "x")
    assert passed.startswith("PASS  1,000 records acknowledged, none lost")
    assert "proves nothing" in console_summary.closing(judge(replace(FACTS, groups=()), {}), "x")


def test_each_group_is_shown_with_where_its_log_differs_and_whose_fault_a_second_copy_is() -> None:
    found = with_group(duplicated_in_log=7, duplicated_by_broker=4, duplicated_by_client=3, diverged=2)
    said = console_summary.closing(judge(found, {"diverged": 0}), "x")
    assert "7 duplicated in log, 4 of them by a broker, 3 of them by the client, 2 diverged" in said


def test_a_large_figure_is_said_in_full() -> None:
    facts = replace(with_group(redelivered=1_234_567, lag_at_end=2_000_001), gaps={"orders-0": Gap(1_234.56, 0.0)})
    said = console_summary.closing(judge(facts, {"redelivered": 1_000_000, "lag_at_end": 2_000_000}), "x")
    assert "✗ redelivered is 1,234,567, at most 1,000,000 allowed" in said
    assert "✗ lag_at_end is 2,000,001, at most 2,000,000 allowed" in said
    said = console_summary.closing(judge(facts, {"longest_gap_s": 1_234.5, "achieved_rate": 1.01}), "x")
    assert "✗ longest_gap_s is 1,234.56, at most 1,234.5 allowed" in said
    assert "✗ achieved_rate is 1, at least 1.01 allowed" in said


def test_spans_and_latencies_are_said_as_people_say_them() -> None:
    assert [console_summary.duration(s) for s in (0.85, 9.64, 125)] == ["850 ms", "9.6 s", "2 min 05 s"]
    assert [console_summary.duration(s) for s in (0.9996, 59.96, 119.7)] == ["1.0 s", "1 min 00 s", "2 min 00 s"]
    assert [console_summary.duration(s) for s in (3599.6, 14_400, 16_170)] == ["1 h 00 min", "4 h 00 min", "4 h 30 min"]
    assert [console_summary.milliseconds(us) for us in (850, 12_340, 2_210_000, 12_157_000)] == [
        "0.85 ms",
        "12.3 ms",
        "2,210 ms",
        "12.2 s",
    ]


WARM = replace(
    FACTS,
    planned=1_000,
    due=1_000,
    sent=1_000,
    acknowledged=700,
    warmup_s=5.0,
    warmup={"": TopicFacts(500, 500, 500, 200), "orders": TopicFacts(500, 500, 500, 200)},
    topics={"orders": TopicFacts(1_000, 1_000, 1_000, 700)},
    delivered={"warehouse-group": 500},
)


def test_what_was_not_achieved_in_the_warm_up_breaks_no_limit() -> None:
    verdict = judge(WARM, DEFAULT_LIMITS, limits_of={"topic orders": {"achieved_rate": 1.0}})
    assert verdict["outcome"] == "pass"
    assert [result["value"] for result in verdict["slo"] if result["name"] == "achieved_rate"] == [1.0, 1.0]
    assert verdict["plan"]["warmup_s"] == 5.0
    assert verdict["plan"]["warmup"] == {"orders": {"records": 500, "due": 500, "acknowledged": 200}}
    assert outcome(replace(WARM, acknowledged=690)) == ("fail", 1)
    assert outcome(replace(WARM, warmup={}, warmup_s=0.0)) == ("fail", 1)


def test_a_record_that_was_lost_in_the_warm_up_is_lost() -> None:
    assert outcome(replace(WARM, groups=(replace(GROUP, lost=1),))) == ("fail", 1)


def test_too_few_records_after_the_warm_up_prove_nothing() -> None:
    few = replace(WARM, warmup={"": TopicFacts(950, 950, 950, 650), "orders": TopicFacts(950, 950, 950, 650)})
    verdict = judge(few, {"p99_produce_ms": 10}, limits_of={"topic orders": {"p99_produce_ms": 10}})
    assert verdict["outcome"] == "inconclusive"
    assert verdict["reasons"][:2] == [
        "only 50 records of those due after the warm-up were acknowledged; at least 100 must be",
        "the limits of topic orders prove nothing: it had only 50 records",
    ]
    group = judge(
        replace(WARM, delivered={"warehouse-group": 60}), {}, limits_of={"group warehouse-group": {"lost": 0}}
    )
    assert group["reasons"] == ["the limits of group warehouse-group prove nothing: it had only 60 records"]


def test_what_a_search_for_the_sustainable_rate_found_is_told_and_what_it_left_open_decides() -> None:
    found = {"sustained_rate": 4_000.0, "unsustained_rate": 4_100.0, "tolerance": 0.05, "why": "the backlog grew"}
    assert judge(replace(FACTS, saturation=found), {"lost": 0})["saturation"] == found
    assert "saturation" not in judge(FACTS, {"lost": 0})
