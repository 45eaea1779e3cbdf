"""Profiles: what is shipped loads, and what makes no sense is refused in one sentence that names the key."""

import copy
from pathlib import Path
from typing import Any

import pytest
from kafka_load.config import profiles
from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import Plan, PlanError, make_plan

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
    assert profile.size is None
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
        ("rate.OrderProducer", 0, "rate.OrderProducer never rises"),
        ("rate.OrderProducer", -1, "rate.OrderProducer.rate must be a number"),
        ("rate.OrderProducer", {"shape": "wave"}, "shape must be one of"),
        ("rate.OrderProducer", {"shape": "ramp", "from": 1}, "the shape ramp takes from, to"),
        ("rate.OrderProducer", {"shape": "steps", "from": 1, "to": 2, "steps": 0}, "steps must be a whole number"),
        ("rate.OrderProducer", {"shape": "steps", "from": 1, "to": 2, "steps": 2.5}, "steps must be a whole number"),
        ("rate.ClickProducer", 5, "there is no ClickProducer among the users"),
        ("users.OrderProducer", 0, "users.OrderProducer: the count"),
        ("users.OrderProducer", {"count": 1, "stay": "5s"}, "stay and away only make sense together"),
        ("size", {}, "there must be 1 to 32 sizes, not 0"),
        ("size", {"100": 0}, "the share of 100 bytes must be a number above 0, not 0"),
        ("size", {"10": 1}, "'10' is not a number of bytes, at least 48"),
        ("payload", "lines.txt", "either 'size' or 'payload'"),
        ("entropy", 2, "entropy must be a number from 0 to 1, not 2"),
        ("keys", 0, "keys: the count of keys must be a whole number"),
        ("keys", {"file": "/no/such"}, "keys.file: /no/such cannot be read: No such file"),
        ("keys", {"file": "/no/such", "count": 1}, "either 'count' or 'file'"),
        ("keys", {"count": 1, "law": 1}, "keys: unknown key 'law'"),
        ("keys", {"count": 1, "zipf": -1}, "keys.zipf must be a number"),
        ("headers", {"source": 1}, "headers: a header has a name and a text as its value, not 'source' = 1"),
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
    assert (lines.largest, lines.payload_file) == (48 + 5, str(tmp_path / "lines.txt"))
    assert lines.producer("orders", "order", 1).format == "binary"
    other = plan('payload = "lines.txt"', size="json", keys=7, entropy=0.1).producer("orders", "order", 1)
    assert (other.format, other.payload_file, other.popularity.keys, other.entropy) == ("json", "", 7, 0.1)
    with pytest.raises(PlanError, match="a record of 2000000 bytes is more than a client takes"):
        plan('size = {"100" = 3, "2000000" = 1}')


def test_a_missing_profile_names_those_that_exist() -> None:
    with pytest.raises(profiles.ProfileError, match=r"no profile 'stedy'.*smoke.*steady"):
        profiles.load("stedy")


def test_a_scaled_rate_keeps_its_shape_and_times() -> None:
    spike = profiles.Rate("spike", {"base": 100, "peak": 1000, "at": 30, "for": 20})
    assert spike.highest == 1000
    assert spike.scaled(2.0).args == {"base": 200, "peak": 2000, "at": 30, "for": 20}
