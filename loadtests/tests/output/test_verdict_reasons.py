"""Why a run proves nothing is said in sentences that name the cause; and each figure is rounded as people read it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from finished_run import FACTS, LATENCY
from kafka_load.config.slo import DEFAULT_LIMITS
from kafka_load.ledger import Drain, GroupJudgement
from kafka_load.ledger.findings import ProcessingJudgement
from kafka_load.output.measurements import Facts, Percentiles, Requirements, TopicFacts
from kafka_load.output.shortfall import Shortfall
from kafka_load.output.verdict import judge
from kafka_load.run.clock_offset import ClockError

GROUP = GroupJudgement("warehouse-group", "queue", consumed=60_000)
ONE = replace(FACTS, planned=60_000, sent=60_000, groups=(GROUP,), end_to_end={"warehouse-group": LATENCY})
UNREAD = Drain({("orders", 0): 7, ("orders", 1): 5})


def with_group(**counts: Any) -> Facts:
    return replace(ONE, groups=(replace(GROUP, **counts),))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (
            replace(ONE, groups=(), end_to_end={}),
            "no group was to read, so nothing shows that the acknowledged records are there",
        ),
        (
            replace(ONE, late_own=Percentiles(p99=2_500_000)),
            "the harness itself sent 1 % of the records more than 2,500 ms late (at most 1,000 ms): the load was not"
            " the one that was asked for",
        ),
        (
            replace(ONE, late_own=Percentiles(p99=59_930_000)),
            "the harness itself sent 1 % of the records more than 59,930 ms late (at most 1,000 ms): the load was not"
            " the one that was asked for",
        ),
        (
            with_group(drain=Drain(joined=False), consumed=0, unread=60_000),
            "warehouse-group had no member, so it read none of 60,000 records",
        ),
        (
            with_group(drain=Drain({("orders", 0): None, ("orders", 1): 5})),
            "warehouse-group may not have read everything: the end of a log could not be read (1 of them)",
        ),
        (
            with_group(overflow=True),
            "warehouse-group was given a producer's records of a partition in more than 500,000 pieces; the rest was"
            " not followed, so its counts are lower bounds",
        ),
        (
            with_group(drain=UNREAD, unread=9),
            "warehouse-group had not read to the end of the log when it ran out of time: 9 acknowledged records in 12"
            " offsets are left",
        ),
        (
            with_group(drain=replace(UNREAD, cut_short=True), unread=9),
            "warehouse-group had not read to the end of the log when the user did not wait any more: 9 acknowledged"
            " records in 12 offsets are left",
        ),
        (
            with_group(consumed=0, foreign=250, other_runs=1_000),
            "warehouse-group read 1,250 records, all of them from other runs or writers",
        ),
        (
            with_group(consumed=0),
            "warehouse-group read nothing, so nothing shows that it would have got any record",
        ),
    ],
)
def test_the_reason_names_what_is_missing_and_how_much(facts: Facts, reason: str) -> None:
    verdict = judge(facts, {})
    assert (verdict["outcome"], verdict["reasons"]) == ("inconclusive", [reason])


def test_a_shortfall_that_fails_the_run_is_no_reason_to_call_it_inconclusive() -> None:
    refused = Shortfall("partition.orders-2", 1, 0, "nothing was acknowledged in orders-2", "fail")
    verdict = judge(replace(ONE, shortfalls=[refused]), DEFAULT_LIMITS)
    assert (verdict["outcome"], verdict["failures"], verdict["reasons"]) == ("fail", [refused.sentence], [])


def test_limits_of_groups_and_topics_come_beside_those_of_the_run_and_each_other() -> None:
    """The p99 of all is 9 ms."""
    facts = replace(ONE, topics={"clicks": TopicFacts(60_000, 60_000, 60_000, 60_000, LATENCY)})
    of = {"group warehouse-group": {"redelivered": 0.0}, "topic clicks": {"p99_produce_ms": 10.0}}
    verdict = judge(facts, {"p99_produce_ms": 5.0}, limits_of=of)
    assert verdict["outcome"] == "fail"
    assert [(one["name"], one.get("of", ""), one["ok"]) for one in verdict["slo"]] == [
        ("p99_produce_ms", "", False),
        ("redelivered", "group warehouse-group", True),
        ("p99_produce_ms", "topic clicks", True),
    ]


def test_every_limit_that_was_not_measured_is_named() -> None:
    silent = replace(with_group(consumed=60_000), end_to_end={}, topics={"clicks": TopicFacts()})
    of = {"group warehouse-group": {"p99_end_to_end_ms": 5.0}, "topic clicks": {"p999_produce_ms": 5.0}}
    reasons = judge(silent, {"p999_end_to_end_ms": 5.0}, limits_of=of)["reasons"]
    assert [reason for reason in reasons if "not measured" in reason] == [
        "p999_end_to_end_ms could not be judged: it was not measured",
        "p99_end_to_end_ms of group warehouse-group could not be judged: it was not measured",
        "p999_produce_ms of topic clicks could not be judged: it was not measured",
    ]


def test_as_many_records_as_are_required_prove_the_limits_of_a_topic() -> None:
    topics = {"clicks": TopicFacts(100, 100, 100, 100, LATENCY), "views": TopicFacts(99, 99, 99, 99, LATENCY)}
    of = {f"topic {name}": {"p99_produce_ms": 10.0} for name in topics}
    facts = replace(ONE, topics=topics)
    reasons = judge(facts, {}, Requirements(min_records=100), limits_of=of)["reasons"]
    assert [reason for reason in reasons if reason.startswith("the limits of")] == [
        "the limits of topic views prove nothing: it had only 99 records"
    ]


def test_figures_are_rounded_and_a_latency_by_one_clock_is_certain() -> None:
    facts = replace(
        ONE,
        duration_s=60.12345,
        load_s=59.98765,
        target_rate=999.76,
        sent_rate=998.77,
        blocked_s={"window": 1.23456},
        clocks={"w1": ClockError(-1_234_567_890, 1, 1)},
    )
    verdict = judge(facts, {})
    assert (verdict["duration_s"], verdict["plan"]["load_s"]) == (60.123, 59.988)
    schedule = verdict["schedule"]
    assert (schedule["target_rate"], schedule["sent_rate"], schedule["blocked_s"]) == (999.8, 998.8, {"window": 1.235})
    assert verdict["clocks"]["w1"]["ahead_s"] == 1.234568
    assert verdict["latency_us"]["end_to_end"]["warehouse-group"]["uncertainty"] == 0


def test_what_a_group_did_with_its_records_is_told_where_it_processes_them() -> None:
    plain = judge(ONE, {})
    assert "processing" not in plain["groups"][0]
    assert "processing" not in plain["latency_us"]
    work = ProcessingJudgement(processed=59_990, dead_lettered=10, retried=3)
    facts = replace(
        with_group(processing=work),
        processing={"warehouse-group": Percentiles(p99=12_000)},
        uncertainty_us={"warehouse-group": 700},
    )
    verdict = judge(facts, {})
    assert verdict["groups"][0]["processing"] == asdict(work)
    told = verdict["latency_us"]["processing"]["warehouse-group"]
    assert (told["p99"], told["uncertainty"]) == (12_000, 700)
