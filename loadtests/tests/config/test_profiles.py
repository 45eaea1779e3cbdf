"""Profiles: what is shipped loads, and what makes no sense is refused in one sentence that names the key."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from kafka_load.clock import SECOND
from kafka_load.config import profiles
from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import Plan, PlanError, make_plan, switched
from kafka_load.config.profiles import Rate
from kafka_load.config.rate_steps import step_s
from kafka_load.config.schedule import constant

GOOD: dict[str, Any] = {
    "duration": "1m30s",
    "size": "json",
    "rate": {"OrderProducer": 100},
    "users": {"OrderProducer": 2, "WarehouseMember": {"count": 3, "start": "20s"}},
    "slo": {"lost": 0},
}


def changed(path: str, value: object) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    table, _, key = path.rpartition(".")
    (raw[table] if table else raw)[key] = value
    return raw


def test_every_shipped_profile_is_valid() -> None:
    assert profiles.names() == [
        "backlog",
        "churn",
        "fanout",
        "ramp",
        "saturate",
        "smoke",
        "soak",
        "spike",
        "steady",
    ]
    for name in profiles.names():
        assert profiles.load(name).limits["lost"] == 0, name


def test_a_profile_says_rate_size_users_and_duration() -> None:
    profile = profiles.parse("mine", GOOD, "mine.toml")
    assert profile.duration_s == 90
    assert profile.records.size is None
    assert profile.rate["OrderProducer"] == profiles.Rate("constant", {"rate": 100.0})
    assert profile.users["WarehouseMember"] == profiles.Presence(3, start_s=20.0)
    assert profile.user_count == 5


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("acks", "all", "unknown key 'acks'"),
        ("size", 0, "size must be"),
        ("size", True, "size must be"),
        ("size", 10, "at least 48, not 10"),
        ("duration", "soon", "duration: 'soon' is not a time span"),
        ("duration", 0, "duration must be more than 0"),
        ("duration", 10**400, "duration: a time span is at most a year (8784h)"),
        ("window", 1e308, "window: a time span is at most a year (8784h)"),
        ("rate.OrderProducer", 1e10, "rate.OrderProducer.rate must be at most 1,000,000,000, not 10000000000.0"),
        ("users.OrderProducer", 10**12, "users.OrderProducer.count must be at most 1,000,000, not 1000000000000"),
        ("keys", 10**12, "keys.count must be at most 10,000,000, not 1000000000000"),
        ("size", {"100": math.inf}, "the share of 100 bytes must be a number above 0, at most 1,000,000,000, not inf"),
        ("slo.lost", math.inf, "lost must be a number of at least 0, not inf"),
        ("rate.OrderProducer", 0, "rate.OrderProducer never rises"),
        ("rate.OrderProducer", -1, "rate.OrderProducer.rate must be at least 0, not -1"),
        ("rate.OrderProducer", {"shape": "wave"}, "shape must be one of"),
        ("rate.OrderProducer", {"shape": "ramp", "from": 1}, "rate.OrderProducer.to is missing"),
        (
            "rate.OrderProducer",
            {"shape": "steps", "from": 1, "to": 2, "steps": 0},
            "rate.OrderProducer.steps must be at least 1, not 0",
        ),
        (
            "rate.OrderProducer",
            {"shape": "steps", "from": 1, "to": 2, "steps": 2.5},
            "rate.OrderProducer.steps must be a whole number",
        ),
        ("rate.ClickProducer", 5, "there is no ClickProducer among the users"),
        ("users.OrderProducer", 0, "users.OrderProducer.count must be at least 1, not 0"),
        ("users.OrderProducer", {"count": 1, "stay": "5s"}, "stay and away only make sense together"),
        ("size", {}, "there must be 1 to 32 sizes, not 0"),
        ("size", {"100": 0}, "the share of 100 bytes must be a number above 0, at most 1,000,000,000, not 0"),
        ("size", {"10": 1}, "'10' is not a number of bytes, at least 48"),
        ("payload", __file__, "either 'size' or 'payload'"),
        ("entropy", 2, "entropy must be at most 1, not 2"),
        ("keys", 0, "keys.count must be at least 1, not 0"),
        ("keys", {"file": "/no/such"}, "keys.file: /no/such cannot be read: No such file"),
        ("keys", {"file": __file__, "count": 1}, "either 'count' or 'file'"),
        ("keys", {"count": 1, "law": 1}, "keys: unknown key 'law'; known are count, file, zipf"),
        ("users.OrderProducer", {"count": 1, "begin": 1}, "users.OrderProducer: unknown key 'begin'; known are away, "),
        ("rate.OrderProducer", {"shape": "ramp", "from": 1, "to": 2, "at": 1}, "rate.OrderProducer: unknown key 'at'"),
        ("keys", {"count": 1, "zipf": -1}, "keys.zipf must be at least 0, not -1"),
        ("headers", {"source": 1}, "headers.source must be a text, not 1"),
        ("slo.speed", 1, "'speed' is not a limit"),
        ("slo.lost", "none", "lost must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(path: str, value: object, names: str) -> None:
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.parse("mine", changed(path, value), "mine.toml")
    assert str(refused.value).startswith("mine.toml: ")
    assert names in str(refused.value)


def test_sizes_payloads_and_keys_are_the_profiles_and_options_go_before_them(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one\nthree\n")
    (tmp_path / "keys.txt").write_text("Zoë\n")
    rest = '[rate]\nOrderProducer = 1\n[users]\nOrderProducer = 1\n[keys]\nfile = "keys.txt"\nzipf = 1\n'
    given: dict[str, Any] = {option.dest: option.default for option in OPTIONS}

    def plan(records: str, **options: Any) -> Plan:
        (tmp_path / "mine.toml").write_text(f"duration = 9\nentropy = 0.5\nheaders = {{a = 'b'}}\n{records}\n{rest}")
        profile = profiles.load(str(tmp_path / "mine.toml"))
        made = make_plan({**given, **options}, profile, "kafka1:9092", shared=False)
        return Plan.from_wire(made.to_wire())

    sized = plan('size = {"100" = 3, "2000" = 1}').producer("orders", "order", 1)
    assert (sized.format, sized.sizes, sized.entropy) == ("binary", ((100, 3.0), (2_000, 1.0)), 0.5)
    assert sized.popularity.names() == ["Zoë".encode()]
    assert sized.popularity.zipf == 1
    assert sized.headers == (("a", b"b"),)
    lines = plan('payload = "lines.txt"')
    shape = lines.records("orders")
    assert (shape.largest, shape.payload_file) == (48 + 5, str(tmp_path / "lines.txt"))
    assert lines.producer("orders", "order", 1).format == "binary"
    other = plan('payload = "lines.txt"', size="json", keys=7, entropy=0.1).producer("orders", "order", 1)
    assert (other.format, other.payload_file, other.popularity.keys, other.entropy) == ("json", "", 7, 0.1)
    with pytest.raises(PlanError, match="a record of 2000000 bytes is more than a client takes"):
        plan('size = {"100" = 3, "2000000" = 1}')


DECLARES: dict[str, Any] = {
    "duration": 9,
    "size": 100,
    "headers": {"source": "web"},
    "topics": {
        "payments": {"rate": 200, "partitions": 6, "config": {"retention": {"ms": 1}, "cleanup.policy": "delete"}},
        "clicks.raw": {"rate": {"shape": "ramp", "from": 1, "to": 9}, "producers": 3, "size": "json", "event": "click"},
    },
    "groups": {
        "fraud": {"topics": ["payments"], "members": {"count": 2, "start": "5s"}},
        "all": {"topics": ["payments", "clicks.raw"], "mode": "share"},
    },
}


def declaring(path: str, value: object) -> dict[str, Any]:
    raw = copy.deepcopy(DECLARES)
    *tables, key = path.split("/")
    inner = raw
    for table in tables:
        inner = inner[table]
    inner[key] = value
    return raw


def test_topics_and_groups_of_a_profile_have_users_named_after_their_keys() -> None:
    profile = profiles.parse("mine", DECLARES, "mine.toml")
    payments, clicks = profile.topics["payments"], profile.topics["clicks.raw"]
    assert (payments.partitions, payments.config) == (6, {"retention.ms": "1", "cleanup.policy": "delete"})
    assert (payments.records.size, clicks.records.size, clicks.event) == (100, None, "click")
    assert payments.records.headers == clicks.records.headers == (("source", b"web"),)
    assert profile.groups["all"] == profiles.DeclaredGroup("all", ("payments", "clicks.raw"), "share")
    assert {user: presence.count for user, presence in profile.users.items()} == {
        "topics.payments": 1,
        "topics.clicks.raw": 3,
        "groups.fraud": 2,
        "groups.all": 1,
    }
    assert {user: rate.highest for user, rate in profile.rate.items()} == {
        "topics.payments": 200,
        "topics.clicks.raw": 9,
    }


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("topics/payments", 5, "topics.payments must be a table, not 5"),
        ("topics/pay ments", {"rate": 1}, "topics.pay ments: a topic's name has 1 to 249 letters"),
        ("topics/payments/rate", {"shape": "wave"}, "topics.payments.rate: shape must be one of constant, poisson"),
        ("topics/payments/rate", float("nan"), "topics.payments.rate.rate must be a number, not nan"),
        ("topics/payments/partitions", "6", "topics.payments.partitions must be a whole number, not '6'"),
        ("topics/payments/partitions", 0, "topics.payments.partitions must be at least 1, not 0"),
        ("topics/payments/config", 5, "topics.payments.config must be a table, not 5"),
        ("topics/payments/config", {"a": [1]}, "topics.payments.config: a must be a text, a number or true or false"),
        ("topics/payments/size", 3, "topics.payments.size must be"),
        ("topics/payments/payload", "/no/such", "topics.payments.payload: /no/such cannot be read"),
        ("topics/payments/event", "visit", "topics.payments.event must be one of 'order' or 'click', not 'visit'"),
        ("topics/payments/producers", 0, "topics.payments.producers.count must be at least 1, not 0"),
        ("groups/fraud/topics", [], "groups.fraud.topics must not be empty"),
        ("groups/fraud/topics", "payments", "groups.fraud.topics must be a list, not 'payments'"),
        ("groups/fraud/topics", ["payments", "payments"], "groups.fraud.topics names 'payments' twice"),
        ("groups/fraud/topic", ["payments"], "groups.fraud: unknown key 'topic'; did you mean 'topics'?"),
        ("groups/fraud/mode", "fanout", "groups.fraud.mode must be one of 'queue', 'pubsub' or 'share', not 'fanout'"),
        ("groups/", {"topics": ["payments"]}, "groups.: a group's name has at least one character"),
        ("slo", 5, "slo must be a table, not 5"),
        ("slo", {"groups": {"fraud": {"lost": -1}}}, "slo.groups.fraud: lost must be a number of at least 0, not -1"),
        (
            "slo",
            {"topics": {"payments": {"lost": 0}}},
            "slo.topics.payments: 'lost' is not a limit of a topic; those are p99_produce_ms, p999_produce_ms,",
        ),
        (
            "slo",
            {"groups": {"fraud": {"longest_gap_s": 0}}},
            "slo.groups.fraud: 'longest_gap_s' is not a limit of a group; those are lost, ",
        ),
        ("slo", {"lost": float("nan")}, "slo: lost must be a number of at least 0, not nan"),
    ],
)
def test_what_makes_no_sense_of_a_topic_or_group_is_refused_by_its_key(path: str, value: object, says: str) -> None:
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.parse("mine", declaring(path, value), "mine.toml")
    assert str(refused.value).startswith(f"mine.toml: {says}")
    assert len(str(refused.value).splitlines()) == 1


def test_all_mistakes_are_told_at_once() -> None:
    raw = declaring("topics/payments/rate", -1) | {"duration": 0, "acks": "all"}
    raw["groups"]["fraud"]["members"] = "two"
    raw["topics"]["payments"]["partitons"] = 3
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.parse("mine", raw, "mine.toml")
    assert str(refused.value).splitlines() == [
        "mine.toml: duration must be more than 0, not 0",
        "mine.toml: topics.payments.rate.rate must be at least 0, not -1",
        "mine.toml: topics.payments: unknown key 'partitons'; did you mean 'partitions'?",
        "mine.toml: groups.fraud.members.count must be a whole number, not 'two'",
        "mine.toml: unknown key 'acks'; known are duration, entropy, groups, headers, keys, payload, rate, size, slo,"
        " topics, users, warmup, window",
    ]


def test_a_profile_without_anybody_who_produces_is_refused() -> None:
    with pytest.raises(profiles.ProfileError, match=r"mine.toml: rate is missing: a profile has \[topics.NAME\]"):
        profiles.parse("mine", {"duration": 5, "groups": DECLARES["groups"]}, "mine.toml")


def test_a_topic_nobody_reads_and_one_nobody_writes_are_named() -> None:
    profile = profiles.parse("mine", declaring("groups/all/topics", ["orders"]), "mine.toml")
    assert list(profiles.without_counterpart(profile, written=["orders"], read=["clicks.raw"], groups=["x"])) == []
    assert list(profiles.without_counterpart(profile, written=[], read=[], groups=["fraud"])) == [
        "topics.clicks.raw: no group reads it, so nothing would show that its records are there",
        "groups.fraud: a class of the locustfile has members of this group; give it another name",
        "groups.all.topics: nobody produces to 'orders'; declare [topics.orders]",
    ]


def test_limits_of_one_topic_or_group_are_kept_apart_from_those_of_the_run() -> None:
    slo = {"lost": 0, "topics": {"payments": {"longest_gap_s": 5}}, "groups": {"fraud": {"lag_at_end": 0}}}
    profile = profiles.parse("mine", DECLARES | {"slo": slo}, "mine.toml")
    assert profile.limits == {"lost": 0}
    given: dict[str, Any] = {option.dest: option.default for option in OPTIONS} | {"group_prefix": "test-"}
    plan = make_plan(given, profile, "kafka1:9092", shared=False)
    assert plan.limits_of == {"topic payments": {"longest_gap_s": 5}, "group test-fraud": {"lag_at_end": 0}}
    assert Plan.from_wire(plan.to_wire()).limits_of == plan.limits_of


def test_limits_of_what_is_not_there_are_named() -> None:
    slo = {"topics": {"payment": {"longest_gap_s": 5}}, "groups": {"frauds": {"lost": 0}}}
    profile = profiles.parse("mine", DECLARES | {"slo": slo}, "mine.toml")
    assert list(profiles.without_counterpart(profile, [], [], [])) == [
        "slo.topics.payment: nobody produces to this topic",
        "slo.groups.frauds: there is no such group in this run",
    ]


def test_records_are_those_of_the_topic_unless_an_option_says_otherwise() -> None:
    given: dict[str, Any] = {option.dest: option.default for option in OPTIONS}
    profile = profiles.parse("mine", DECLARES, "mine.toml")
    plan = make_plan(given, profile, "kafka1:9092", shared=False)
    assert plan.producer("payments", "order", 1).format == "binary"
    assert plan.producer("clicks.raw", "click", 1).format == "json"
    assert make_plan({**given, "size": "70"}, profile, "kafka1:9092", shared=False).records("clicks.raw").size == 70
    with pytest.raises(PlanError, match="a record of 2000000 bytes is more than a client takes"):
        large = profiles.parse("mine", declaring("topics/payments/size", 2_000_000), "mine.toml")
        make_plan(given, large, "kafka1:9092", shared=False)


def test_a_missing_profile_names_those_that_exist() -> None:
    with pytest.raises(profiles.ProfileError, match=r"no profile 'stedy'.*smoke.*steady"):
        profiles.load("stedy")


def test_a_scaled_rate_keeps_its_shape_and_times() -> None:
    spike = profiles.Rate("spike", {"base": 100, "peak": 1000, "at": 30, "for": 20})
    assert spike.highest == 1000
    assert spike.scaled(2.0).args == {"base": 200, "peak": 2000, "at": 30, "for": 20}


def test_a_warm_up_is_the_profiles_unless_an_option_says_otherwise_and_leaves_something_to_judge() -> None:
    given: dict[str, Any] = {option.dest: option.default for option in OPTIONS}
    profile = profiles.parse("mine", DECLARES | {"duration": "2m", "warmup": "30s"}, "mine.toml")
    plan = make_plan(given, profile, "kafka1:9092", shared=False)
    assert plan.warmup_s == Plan.from_wire(plan.to_wire()).warmup_s == 30
    assert make_plan({**given, "warmup": 0.0}, profile, "kafka1:9092", shared=False).warmup_s == 0
    with pytest.raises(PlanError, match="a warm-up of 120 s leaves nothing of a load of 120 s to judge"):
        make_plan({**given, "warmup": 120.0}, profile, "kafka1:9092", shared=False)
    with pytest.raises(PlanError, match="a warm-up does not go with the shape steps"):
        make_plan({**given, "warmup": 5.0}, profiles.load("saturate"), "kafka1:9092", shared=False)
    with pytest.raises(profiles.ProfileError, match=r"warmup: 'soon' is not a time span"):
        profiles.parse("mine", DECLARES | {"warmup": "soon"}, "mine.toml")


def searching(**steps: Any) -> dict[str, Any]:
    return declaring("topics/payments/rate", {"shape": "steps", "from": 100, "to": 500, "steps": 5} | steps)


def search_plan(duration: str, raw: dict[str, Any] | None = None, **options: Any) -> Plan:
    given: dict[str, Any] = {option.dest: option.default for option in OPTIONS} | options
    profile = profiles.parse("mine", (raw or searching(tolerance=0.1)) | {"duration": duration}, "mine.toml")
    return make_plan(given, profile, "kafka1:9092", shared=False)


def test_a_search_leaves_time_for_as_many_steps_as_it_may_take() -> None:
    """Between two steps of 100 records/s, four halvings leave less than a tenth of the lowest; each has a pause."""
    plan = search_plan("130s")
    rate = plan.rate("topics.payments")
    assert rate is not None
    assert step_s(rate, 130) == 10
    steps = plan.whole_schedule("topics.payments", 1.0, 0)
    assert [steps.rate_at(int(second * SECOND)) for second in (5, 15, 45, 55)] == [100, 200, 500, 0]
    assert Plan.from_wire(plan.to_wire()).rate("topics.payments") == rate
    assert step_s(Rate("steps", {"from": 100, "to": 500, "steps": 5}), 130) == 26


def test_a_search_that_cannot_be_is_refused() -> None:
    with pytest.raises(
        PlanError, match=r"each of the 13 steps would last 5 s, too short .* give --run-time 78s or more"
    ):
        search_plan("65s")
    with pytest.raises(PlanError, match=r"a rate with a tolerance does not go with --abort-every"):
        search_plan("130s", abort_every=3, transaction_records=10)
    coming = searching(tolerance=0.1)
    coming["topics"]["payments"]["producers"] = {"count": 1, "start": "5s"}
    with pytest.raises(PlanError, match=r"topics.payments has a rate with a tolerance: its users are there all along"):
        search_plan("130s", coming)


@pytest.mark.parametrize(
    ("slo", "options", "setting"),
    [
        ({"topics": {"payments": {"p99_produce_ms": 50}}}, {}, "slo.topics.payments.p99_produce_ms"),
        ({"topics": {"payments": {"achieved_rate": 0.9}}}, {}, "slo.topics.payments.achieved_rate"),
        ({"topics": {"payments": {"longest_gap_s": 1}}}, {}, "slo.topics.payments.longest_gap_s"),
        ({"groups": {"billing": {"lost": 0, "p99_end_to_end_ms": 50}}}, {}, "slo.groups.billing.p99_end_to_end_ms"),
        ({"p999_end_to_end_ms": 50}, {}, "slo.p999_end_to_end_ms"),
        ({"recovery_s": 50}, {}, "slo.recovery_s"),
        ({}, {"slo_p999_produce_ms": 50.0}, "--slo-p999-produce-ms"),
        ({}, {"slo_p99_window_produce_ms": 50.0}, "--slo-p99-window-produce-ms"),
        ({}, {"slo_longest_gap_s": 1.0}, "--slo-longest-gap-s"),
    ],
)
def test_a_limit_that_no_step_can_be_held_to_does_not_go_with_a_search(
    slo: dict[str, Any], options: dict[str, Any], setting: str
) -> None:
    with pytest.raises(PlanError) as refused:
        search_plan("130s", searching(tolerance=0.1) | {"slo": slo}, **options)
    assert str(refused.value) == (
        f"{setting} does not go with the shape steps, whose last step is meant to be too much: leave it out; each step"
        " is held to the limits p99_produce_ms, p99_end_to_end_ms, achieved_rate of the whole run"
    )


def test_a_search_keeps_what_each_step_is_held_to_and_what_no_load_excuses() -> None:
    slo = {"p99_produce_ms": 50, "lag_at_end": 0, "groups": {"billing": {"lost": 0, "redelivered": 0}}}
    plan = search_plan("130s", searching(tolerance=0.1) | {"slo": slo}, slo_p99_end_to_end_ms=90.0)
    assert plan.limits_of == {"group billing": {"lost": 0, "redelivered": 0}}
    assert {"p99_produce_ms", "p99_end_to_end_ms", "lag_at_end"} <= plan.limits.keys()


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ({"tolerance": 0}, "topics.payments.rate.tolerance must be more than 0, not 0"),
        ({"tolerance": 1.5}, "topics.payments.rate.tolerance must be at most 1, not 1.5"),
        ({"tolerance": 0.1, "steps": 1}, "a rate with a tolerance must have at least 2 steps"),
        ({"tolerance": 0.1, "to": 100}, "a rate with a tolerance must rise from the first step to the last"),
    ],
)
def test_a_tolerance_that_makes_no_sense_is_refused(steps: dict[str, Any], says: str) -> None:
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.parse("mine", searching(**steps), "mine.toml")
    assert str(refused.value) == f"mine.toml: {says}"


def test_another_rate_holds_from_its_time_on() -> None:
    whole = switched(constant(100, 20), [(5, 0.0), (8, 300.0)], 20)
    assert [whole.rate_at(int(second * SECOND)) for second in (4, 6, 9, 19, 21)] == [100, 0, 300, 300, 0]
    assert whole.expected(20 * SECOND) == 5 * 100 + 12 * 300
    assert switched(constant(100, 20), [(25, 0.0)], 20) == constant(100, 20)
