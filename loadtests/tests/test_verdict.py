"""The verdict: what passes, what fails, and what proves nothing."""

from dataclasses import replace
from typing import Any

import pytest
from kafka_load import words
from kafka_load.ledger import GroupJudgement
from kafka_load.slo import DEFAULT_LIMITS, LIMITS, LimitError, check_limits, evaluate
from kafka_load.verdict import Facts, Fault, Gap, Percentiles, Requirements, judge

GROUP = GroupJudgement("warehouse-group", "queue", consumed=1000)
FACTS = Facts(
    run_id="r1",
    profile="smoke",
    started="2025-01-02T03:04:05+00:00",
    duration_s=10.0,
    due=1000,
    acknowledged=1000,
    groups=(GROUP,),
    gaps={"orders-0": Gap(0.4, 3.0), "orders-1": Gap(2.5, 5.0)},
    produce=Percentiles(1000, 2000, 3000, 4000, 5000),
    end_to_end={"warehouse-group": Percentiles(2000, 3000, 9000, 9500, 9900)},
    target_rate=100.0,
    sent_rate=99.9,
    late=Percentiles(p50=100, p99=900, max=1500),
)


def with_group(**counts: Any) -> Facts:
    return replace(FACTS, groups=(replace(GROUP, **counts),))


def outcome(facts: Facts, **limits: float) -> tuple[Any, Any]:
    verdict = judge(facts, DEFAULT_LIMITS | limits)
    return verdict["outcome"], verdict["exit_code"]


def test_the_verdict_has_the_agreed_shape() -> None:
    verdict = judge(replace(FACTS, faults=(Fault("kill_broker", "kafka2", 3.0, None),)), {"lost": 0})
    assert verdict == {
        "schema": 1,
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
                "offset_regressions": 0,
                "lag_at_end": 0,
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
            "end_to_end": {"warehouse-group": {"p50": 2000, "p95": 3000, "p99": 9000, "p999": 9500, "max": 9900}},
        },
        "schedule": {"target_rate": 100.0, "sent_rate": 99.9, "late_us": {"p50": 100, "p99": 900, "max": 1500}},
        "slo": [{"name": "lost", "limit": 0, "value": 0, "ok": True}],
        "faults": [{"name": "kill_broker", "target": "kafka2", "injected_at_s": 3.0, "healed_at_s": None}],
        "notes": [],
    }


@pytest.mark.parametrize("count", ["lost", "duplicated_in_log", "reordered", "phantom"])
def test_one_record_that_broke_a_promise_fails_the_run(count: str) -> None:
    assert outcome(with_group(**{count: 1})) == ("fail", 1)


def test_redelivery_is_counted_and_allowed_unless_limited() -> None:
    assert outcome(with_group(redelivered=7)) == ("pass", 0)
    assert outcome(with_group(redelivered=7), redelivered=6) == ("fail", 1)


@pytest.mark.parametrize(
    ("limit", "value"),
    [("p99_produce_ms", 2.9), ("p99_end_to_end_ms", 8.9), ("longest_gap_s", 2.4), ("achieved_rate", 1.1)],
)
def test_every_limit_can_be_broken(limit: str, value: float) -> None:
    assert outcome(FACTS, **{limit: value}) == ("fail", 1)


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, late=Percentiles(p99=1_000_001)),
        replace(FACTS, acknowledged=99),
        replace(FACTS, groups=()),
        replace(FACTS, doubts=("a worker's readings are missing",)),
        replace(FACTS, unread={GROUP.group: 1}),
        with_group(unwitnessed=1),
        with_group(consumed=0, foreign=250, other_runs=250),
    ],
    ids=[
        *("harness too late", "too few records", "no reader", "doubt", "not drained", "a reader's last words missing"),
        "only other runs' records",
    ],
)
def test_a_run_that_proves_nothing_is_inconclusive_and_says_why(facts: Facts) -> None:
    verdict = judge(facts, DEFAULT_LIMITS | {"p99_produce_ms": 1})
    assert (verdict["outcome"], verdict["exit_code"]) == ("inconclusive", 2)
    assert verdict["notes"]


def test_a_late_harness_does_not_excuse_a_lost_record() -> None:
    facts = replace(with_group(lost=1), late=Percentiles(p99=10_000_000))
    assert outcome(facts) == ("fail", 1)


def test_what_was_not_read_in_time_is_not_called_lost() -> None:
    assert outcome(replace(with_group(lost=5), unread={GROUP.group: 5})) == ("inconclusive", 2)
    assert outcome(with_group(lost=5, unwitnessed=5)) == ("inconclusive", 2)


def test_requirements_can_be_lowered() -> None:
    few = replace(FACTS, due=5, acknowledged=5)
    assert judge(few, DEFAULT_LIMITS, Requirements(min_records=5))["outcome"] == "pass"


def test_limits_are_checked_by_name_and_number() -> None:
    with pytest.raises(LimitError, match=r"--slo.*'losses' is not a limit.*lost"):
        check_limits({"losses": 0}, "--slo")
    with pytest.raises(LimitError, match=r"lost must be a number of at least 0"):
        check_limits({"lost": -1}, "--slo")


def test_a_limit_holds_on_its_edge() -> None:
    assert [r.ok for r in evaluate({"lost": 3, "achieved_rate": 0.99}, {"lost": 3, "achieved_rate": 0.99})] == [
        True
    ] * 2
    assert [r.ok for r in evaluate({"lost": 3, "achieved_rate": 0.99}, {"lost": 4, "achieved_rate": 0.98})] == [
        False
    ] * 2
    assert set(DEFAULT_LIMITS) <= set(LIMITS)


def test_the_terminal_says_what_happened() -> None:
    said = words.closing(judge(with_group(lost=3), {"lost": 0, "longest_gap_s": 2}), "results/r1/report.html")
    assert said.startswith("FAIL  2 limits broken: lost, longest_gap_s")
    assert "✗ lost is 3, at most 0 allowed" in said
    assert "3 lost, 0 redelivered, 0 reordered" in said
    assert "orders-1 at 5.0 s" in said
    assert said.endswith("results/r1/report.html")
    assert words.closing(judge(FACTS, {"lost": 0}), "x").startswith("PASS  1,000 records acknowledged, none lost")
    assert "proves nothing" in words.closing(judge(replace(FACTS, groups=()), {}), "x")


def test_spans_and_latencies_are_said_as_people_say_them() -> None:
    assert [words.duration(s) for s in (0.85, 9.64, 125)] == ["850 ms", "9.6 s", "2 min 05 s"]
    assert [words.milliseconds(us) for us in (850, 12_340, 2_210_000, 12_157_000)] == [
        "0.85 ms",
        "12.3 ms",
        "2,210 ms",
        "12.2 s",
    ]
