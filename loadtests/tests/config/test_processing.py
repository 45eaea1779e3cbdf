"""What a profile says of a group's work: how long it takes, which attempts fail, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from kafka_load.config import profiles
from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import make_plan
from kafka_load.config.processing import Processing, ProcessingTime, seed_of
from kafka_load.config.transform import Transform, read_source, source_of

GOOD: dict[str, Any] = {
    "duration": "10s",
    "topics": {"payments": {"rate": 100}},
    "groups": {
        "billing": {
            "topics": ["payments"],
            "processing": {"time": "20ms", "failures": 0.1, "retries": 2, "dead_letter_topic": "billing.DLT"},
        }
    },
}


def with_processing(**keys: object) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    raw["groups"]["billing"]["processing"].update(keys)
    return raw


def test_a_group_says_what_it_does_with_its_records() -> None:
    profile = profiles.parse("mine", with_processing(backoff="1s500ms"), "mine.toml")
    billing = profile.groups["billing"]
    fixed = ProcessingTime("fixed", {"value": 0.02})
    assert billing.processing == Processing(fixed, 0.1, 2, 1.5, "billing.DLT")
    assert set(profile.own_topics) == {"payments", "billing.DLT"}
    assert profiles.parse("mine", profile.raw, "plan") == profile


def test_its_plan_holds_it_to_no_unprocessed_record_and_one_that_only_reads_to_nothing() -> None:
    options = {option.dest: option.default for option in OPTIONS}
    raw = copy.deepcopy(GOOD)
    options["group_prefix"] = "test."
    plan = make_plan(options, profiles.parse("mine", raw, "mine.toml"), "127.0.0.1:9", shared=False)
    assert plan.limits["unprocessed"] == 0
    assert set(plan.processing) == {"test.billing"}
    assert plan.reader("test.billing", ("payments",), "queue", "a", "w").processing is not None
    del raw["groups"]["billing"]["processing"]
    plan = make_plan(options, profiles.parse("mine", raw, "mine.toml"), "127.0.0.1:9", shared=False)
    assert "unprocessed" not in plan.limits


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"tme": 1}, "groups.billing.processing: unknown key 'tme'; did you mean 'time'?"),
        ({"time": "soon"}, "groups.billing.processing.time.value: 'soon' is not a time span"),
        ({"time": {"distribution": "normal"}}, "groups.billing.processing.time: distribution must be one of fixed, "),
        ({"time": {"distribution": "uniform", "from": 2, "to": 1}}, "processing.time: from must not be more than to"),
        ({"time": {"distribution": "lognormal", "median": 0, "p99": 1}}, "time.median must be more than 0, not 0"),
        ({"time": {"distribution": "exponential"}}, "groups.billing.processing.time.mean is missing"),
        ({"time": {"distribution": "uniform", "form": 1}}, "processing.time: unknown key 'form'; did you mean 'from'?"),
        ({"failures": 2}, "groups.billing.processing.failures must be at most 1, not 2"),
        ({"retries": -1}, "groups.billing.processing.retries must be at least 0, not -1"),
        ({"dead_letter_topic": ""}, "groups.billing.processing: it needs a dead_letter_topic"),
        ({"dead_letter_topic": "a b"}, "groups.billing.processing.dead_letter_topic: a topic's name has"),
        ({"dead_letter_topic": "payments"}, "dead_letter_topic: 'payments' is a topic that the run produces to"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_that_names_its_key(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(profiles.ProfileError) as refusal:
        profiles.parse("mine", with_processing(**keys), "mine.toml")
    sentences = str(refusal.value).splitlines()
    assert any(says in sentence for sentence in sentences), sentences


def test_members_of_a_share_group_process_nothing() -> None:
    raw = copy.deepcopy(GOOD)
    raw["groups"]["billing"]["mode"] = "share"
    with pytest.raises(profiles.ProfileError, match=r"groups.billing.processing: members of a share group only read"):
        profiles.parse("mine", raw, "mine.toml")


def with_transform(**groups: Any) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    raw["groups"]["enricher"] = {"topics": ["payments"], "transform": {"output": "enriched"}}
    for name, more in groups.items():
        raw["groups"].setdefault(name, {"topics": ["payments"]}).update(more)
    return raw


def test_a_group_says_what_it_makes_of_its_records() -> None:
    raw = with_transform(copier={"transform": "copies"})
    profile = profiles.parse("mine", raw, "mine.toml")
    assert profile.groups["enricher"].transform == Transform("enriched", 500, 0.2)
    assert profile.groups["copier"].transform == Transform("copies", 500, 0.2)
    assert set(profile.own_topics) == {"payments", "billing.DLT", "enriched", "copies"}
    options = {option.dest: option.default for option in OPTIONS}
    plan = make_plan(options, profile, "127.0.0.1:9", shared=False)
    assert {"missing_outputs", "doubled_outputs", "reordered_outputs"} <= plan.limits.keys()
    readers = [plan.reader("enricher", ("payments",), "queue", "same", "w") for _ in range(2)]
    assert readers[0].transform == Transform("enriched")
    assert readers[0].transactional_id != readers[1].transactional_id


def test_one_prefixed_acl_covers_every_transactional_id() -> None:
    options = {option.dest: option.default for option in OPTIONS} | {"transaction_records": 5}
    plan = make_plan(options, profiles.parse("mine", with_transform(), "mine.toml"), "127.0.0.1:9", shared=False)
    transaction = plan.producer("payments", "order", 1).transaction
    assert transaction is not None
    reader = plan.reader("enricher", ("payments",), "queue", "a-member", "w")
    for made in (transaction.transactional_id, reader.transactional_id):
        assert made.startswith(f"kafka-load-{plan.run_id}-")


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        (
            {"enricher": {"transform": {"output": "a", "recrods": 1}}},
            "unknown key 'recrods'; did you mean 'records'?",
        ),
        ({"enricher": {"transform": {"output": ""}}}, "groups.enricher.transform.output"),
        (
            {"enricher": {"transform": {"output": "a", "interval": 0}}},
            "transform.interval must be more than 0",
        ),
        ({"enricher": {"transform": "payments"}}, "enricher.transform.output: 'payments' is a topic that the run"),
        ({"enricher": {"processing": {}}}, "groups.enricher: it has either processing or transform"),
        ({"enricher": {"mode": "share"}}, "groups.enricher.transform: members of a share group only read"),
        (
            {"copier": {"transform": "enriched"}},
            "output: the group enricher writes into 'enriched', too",
        ),
        ({"copier": {"transform": "billing.DLT"}}, "output: the group billing writes into 'billing.DLT', too"),
    ],
)
def test_what_makes_no_sense_of_a_transform_is_one_sentence(groups: dict[str, Any], says: str) -> None:
    with pytest.raises(profiles.ProfileError) as refusal:
        profiles.parse("mine", with_transform(**groups), "mine.toml")
    assert says in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_groups_that_process_may_share_a_dead_letter_topic() -> None:
    raw = copy.deepcopy(GOOD)
    raw["groups"]["archive"] = copy.deepcopy(raw["groups"]["billing"])
    assert len(profiles.parse("mine", raw, "mine.toml").groups) == 2


@pytest.mark.parametrize("source", [("payments", 3, 17), ("a-b-9", 0, 0)])
def test_the_header_names_the_input_record(source: tuple[str, int, int]) -> None:
    assert read_source(source_of(*source)) == source


def test_a_topic_that_a_class_of_the_locustfile_writes_is_no_dead_letter_topic() -> None:
    profile = profiles.parse("mine", GOOD, "mine.toml")
    [sentence] = profiles.without_counterpart(profile, ["billing.DLT"], [], [])
    assert sentence.startswith("groups.billing: a class of the locustfile produces to 'billing.DLT'")


@pytest.mark.parametrize(
    ("time", "median", "mean"),
    [
        (ProcessingTime("fixed", {"value": 0.02}), 0.02, 0.02),
        (ProcessingTime("uniform", {"from": 0.01, "to": 0.03}), 0.02, 0.02),
        (ProcessingTime("exponential", {"mean": 0.02}), 0.0138629, 0.02),
        (ProcessingTime("lognormal", {"median": 0.02, "p99": 0.2}), 0.02, 0.0326),
    ],
    ids=lambda value: getattr(value, "distribution", ""),
)
def test_times_are_those_of_the_distribution(time: ProcessingTime, median: float, mean: float) -> None:
    drawn = time.draw_s(np.random.default_rng(1), 200_000)
    assert np.median(drawn) == pytest.approx(median, rel=0.02)
    assert drawn.mean() == pytest.approx(mean, rel=0.02)
    assert (drawn >= 0).all()
    if time.distribution == "lognormal":
        assert np.percentile(drawn, 99) == pytest.approx(0.2, rel=0.03)


def test_failures_are_those_shares_and_each_group_of_each_run_has_its_own() -> None:
    work = Processing(failures=0.3, retries=2, dead_letter_topic="dead")
    sequences = np.arange(100_000)
    origins = np.full(len(sequences), 7 << 32 | 1, np.uint64)
    failed = work.failed_attempts(seed_of(5, "billing"), origins, sequences)
    shares = np.bincount(failed, minlength=4) / len(failed)
    assert shares == pytest.approx([0.7, 0.21, 0.063, 0.027], rel=0.05)
    again = work.failed_attempts(seed_of(5, "billing"), origins[50_000:], sequences[50_000:])
    assert (again == failed[50_000:]).all()
    others = [(5, "archive", 7), (6, "billing", 7), (5, "billing", 8)]
    for run, group, producer in others:
        other = work.failed_attempts(seed_of(run, group), origins + np.uint64((producer - 7) << 32), sequences)
        assert (other != failed).mean() == pytest.approx(1 - (shares**2).sum(), rel=0.05)


@pytest.mark.parametrize(("failures", "expected"), [(0.0, 0), (1.0, 3)])
def test_no_attempt_fails_or_each_does(failures: float, expected: int) -> None:
    work = Processing(failures=failures, retries=2, dead_letter_topic="dead")
    sequences = np.arange(1_000)
    assert set(work.failed_attempts(1, np.zeros(1_000, np.uint64), sequences).tolist()) == {expected}
