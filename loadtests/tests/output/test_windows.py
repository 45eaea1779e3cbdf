"""The slowest window: what a long run's percentile does not show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import PlanError, make_plan
from kafka_load.config.profiles import parse
from kafka_load.histogram import Histogram
from kafka_load.output.measurements import Facts, Percentiles, TopicFacts, WindowFacts
from kafka_load.output.timeline import Bin
from kafka_load.output.verdict import judge
from kafka_load.output.windows import WorstWindows
from planned_run import STEADY


def latencies(*ms: int) -> Histogram:
    histogram = Histogram()
    histogram.add(np.array(ms, np.int64) * 1_000)
    return histogram


def second(number: int, *ms: int, warm: tuple[int, ...] = (), name: str = "produce") -> Bin:
    return Bin(number, histograms={name: latencies(*ms), f"warm_up.{name}": latencies(*warm)})


def worst(seconds: list[list[int]], length_s: int, least: int = 1) -> int | None:
    windows = WorstWindows(length_s, least)
    for number, ms in enumerate(seconds):
        windows.add(second(number, *ms))
    return windows.p99_us.get("produce")


@given(st.lists(st.lists(st.integers(0, 5_000), max_size=5), max_size=30), st.integers(1, 8), st.integers(1, 6))
def test_it_is_the_highest_percentile_of_all_windows(seconds: list[list[int]], length_s: int, least: int) -> None:
    """Against each window made anew from its seconds."""
    wholes = [
        [ms for one in seconds[begin : begin + length_s] for ms in one] for begin in range(len(seconds) - length_s + 1)
    ]
    expected = max((latencies(*whole).percentile(99) for whole in wholes if len(whole) >= least), default=None)
    assert worst(seconds, length_s, least) == expected


def test_a_stall_of_seconds_is_seen_that_an_hour_hides() -> None:
    run = [[10] * 100] * 3_600
    run[1_800:1_803] = [[4_000] * 100] * 3
    found = worst(run, 10)
    assert found is not None
    assert found >= 3_900_000
    assert latencies(*(ms for one in run for ms in one)).percentile(99) < 11_000


def test_as_many_records_as_are_required_make_a_window_and_one_slow_record_in_200_is_not_its_p99() -> None:
    assert worst([[10], [20]], 2, least=2) == worst([[20], [10]], 2, least=1)
    assert worst([[10], [20]], 2, least=3) is None
    assert worst([[0] * 199, [5_000]], 2, least=200) == 0


def test_records_of_the_warm_up_are_in_no_window() -> None:
    windows = WorstWindows(2, 1)
    for number in range(4):
        windows.add(second(number, 9_000, 10, warm=(9_000,), name="e2e.billing"))
    assert windows.p99_us["e2e.billing"] < 11_000
    assert windows.records == {"e2e.billing": 4}


def test_the_windows_of_one_topic_are_apart_from_those_of_all_and_tell_what_they_lack() -> None:
    windows = WorstWindows(1, 1)
    windows.add(
        Bin(0, histograms={"produce": latencies(10, 10, 800), "produce.orders": latencies(10, 10), "late": latencies()})
    )
    whole, orders = windows.slowest("produce", latencies(10, 10, 800)), windows.slowest("produce.orders", latencies(10))
    assert whole is not None
    assert orders is not None
    assert (whole.p99_us > 700_000, whole.missing) == (True, 0)
    assert (orders.p99_us < 11_000, orders.missing) == (True, -1)
    lacking = windows.slowest("produce.orders", latencies(10, 10, 10))
    assert lacking is not None
    assert lacking.missing == 1
    assert windows.slowest("produce.clicks", latencies(10)) is None
    assert set(windows.p99_us) == {"produce", "produce.orders"}


FACTS = Facts(
    *("r", "p", "2025-01-02T03:04:05+00:00", 60.0),
    due=6_000,
    acknowledged=6_000,
    planned=6_000,
    late_own=Percentiles(p99=10, max=100_000),
    windows={"produce": WindowFacts(500_000), "billing": WindowFacts(900_000), "other": WindowFacts(300_000)},
)


@pytest.mark.parametrize(
    ("name", "limit", "decided"),
    [
        ("p99_window_produce_ms", 500, "kept"),
        ("p99_window_produce_ms", 450, "undecided"),
        ("p99_window_produce_ms", 390, "broken"),
        ("p99_window_end_to_end_ms", 900, "kept"),
        ("p99_window_end_to_end_ms", 700, "broken"),
    ],
)
def test_a_window_is_judged_without_the_harness_own_lateness(name: str, limit: float, decided: str) -> None:
    [result] = judge(FACTS, {name: limit})["slo"]
    assert (result["ok"], "undecided" in result) == (decided == "kept", decided == "undecided")


def test_seconds_that_are_missing_leave_the_worst_open_and_break_no_less() -> None:
    lacking = replace(FACTS, windows={"produce": WindowFacts(500_000, missing=7)})
    [kept] = judge(lacking, {"p99_window_produce_ms": 600})["slo"]
    assert kept["undecided"] == "the windows lack 7 records of seconds not reported"
    [broken] = judge(lacking, {"p99_window_produce_ms": 300})["slo"]
    assert "undecided" not in broken


def test_a_topic_is_held_to_the_windows_of_its_own_records() -> None:
    topics = {name: TopicFacts(3_000, 3_000, 3_000, 3_000) for name in ("orders", "clicks", "returns")}
    facts = replace(
        FACTS,
        topics=topics,
        windows=FACTS.windows,
        topic_windows={"orders": WindowFacts(200_000), "clicks": WindowFacts(600_000, missing=3)},
    )
    limit = {"p99_window_produce_ms": 400.0}
    verdict = judge(facts, limit, limits_of={f"topic {name}": limit for name in topics})
    whole, orders, clicks = verdict["slo"]
    assert (whole["value"], "undecided" in whole) == (500, True)
    assert (orders["of"], orders["value"], orders["ok"]) == ("topic orders", 200, True)
    assert (clicks["of"], clicks["value"], clicks["ok"], "undecided" in clicks) == ("topic clicks", 600, False, False)
    assert "p99_window_produce_ms of topic returns could not be judged: it was not measured" in verdict["reasons"]
    assert verdict["windows"]["topics_p99_us"] == {"clicks": 600_000, "orders": 200_000}


def test_a_plan_tells_whose_windows_are_to_be_measured() -> None:
    given_options: dict[str, Any] = {option.dest: option.default for option in OPTIONS}
    slo = {"topics": {"orders": {"p99_window_produce_ms": 5}, "clicks": {"p99_produce_ms": 5}}}
    plan = make_plan(given_options, parse("mine", STEADY | {"slo": slo}, "mine.toml"), "kafka1:9092", shared=False)
    assert plan.window_topics == {"orders"}
    too_long = parse("mine", STEADY | {"slo": slo, "window": "61s"}, "mine.toml")
    with pytest.raises(PlanError, match="a window of 61 s is longer than the load"):
        make_plan(given_options, too_long, "kafka1:9092", shared=False)


def test_a_group_has_a_window_of_its_own() -> None:
    verdict = judge(FACTS, {}, limits_of={"group other": {"p99_window_end_to_end_ms": 300}})
    assert [result["ok"] for result in verdict["slo"]] == [True]
    assert verdict["windows"]["p99_us"] == {"billing": 900_000, "other": 300_000, "produce": 500_000}
    nothing = judge(replace(FACTS, windows={}), {"p99_window_produce_ms": 1})
    assert "p99_window_produce_ms could not be judged: it was not measured" in nothing["reasons"]


def test_a_window_is_whole_seconds_and_fits_into_the_load() -> None:
    given_options: dict[str, Any] = {option.dest: option.default for option in OPTIONS}

    def plan(profile: dict[str, Any], **options: Any) -> float:
        parsed = parse("mine", STEADY | profile, "mine.toml")
        return make_plan(given_options | options, parsed, "kafka1:9092", shared=False).window_s

    assert (plan({}), plan({"window": "5s"}), plan({"window": "5s"}, window=7.0)) == (10, 5, 7)
    with pytest.raises(PlanError, match=r"a window \(--window\) is a whole number of seconds, at least 1, not 2.5"):
        plan({"window": 2.5})
    limited = {"window": "55s", "warmup": "6s", "slo": {"p99_window_produce_ms": 5}}
    with pytest.raises(PlanError, match="a window of 55 s is longer than the load after the warm-up"):
        plan(limited)
    assert plan(limited, warmup=5.0) == plan(limited | {"slo": {"lost": 0}}) == 55
