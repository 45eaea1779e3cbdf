"""A changed setting goes to the running broker where it can, to a restart where it must, and to no one twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.crucible.kafka.plugins.module_utils.broker_config import (
    BrokerKey,
    Change,
    overridden,
    plan,
    shown,
)

STATIC, DEFAULT = "STATIC_BROKER_CONFIG", "DEFAULT_CONFIG"
ON_BROKER, ON_CLUSTER = "DYNAMIC_BROKER_CONFIG", "DYNAMIC_DEFAULT_BROKER_CONFIG"
VALUES = st.sampled_from(["8", "9", "10"])


def key(kind: str = "INT", *flags: str, **values: str | None) -> BrokerKey:
    levels = {"broker": ON_BROKER, "cluster": ON_CLUSTER, "static": STATIC, "default": DEFAULT}
    told = {source: values[level] for level, source in levels.items() if level in values}
    return BrokerKey(kind, "read_only" in flags, "sensitive" in flags, told)


THREADS = "num.io.threads"


def test_a_dynamic_setting_is_set_without_a_restart() -> None:
    result = plan({THREADS: "8"}, {THREADS: "9"}, {THREADS: key(static="8", default="8")})
    assert result.changes == [Change(THREADS, "9", ON_BROKER, "8", "9")]
    assert result.restart == []


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("log.dirs", {"log.dirs": key("STRING", "read_only", static="8")}),
        ("config.providers", {"config.providers": key("LIST", static="8", default="")}),
        ("my.plugin", {}),
        ("listeners", {"listeners": key("LIST", static="8")}),
        ("ssl.keystore.password", {"ssl.keystore.password": key("PASSWORD", static="8")}),
        ("listener.token", {"listener.token": key("PASSWORD", "sensitive")}),
    ],
)
def test_what_a_running_broker_does_not_take_needs_a_restart(name: str, known: dict[str, BrokerKey]) -> None:
    result = plan({name: "8"}, {name: "9"}, known)
    assert (result.changes, result.restart) == ([], [name])
    assert plan({name: "9"}, {name: "9"}, known).restart == []


def test_a_removed_setting_falls_back_to_the_default() -> None:
    result = plan({THREADS: "9"}, {}, {THREADS: key(static="9", default="8")})
    assert result.changes == [Change(THREADS, "8", ON_BROKER, "9", "8")]


def test_a_removed_setting_without_a_default_needs_a_restart() -> None:
    retention = "log.retention.ms"
    assert plan({retention: "9"}, {}, {retention: key("LONG", static="9")}).restart == [retention]


def test_an_override_goes_once_the_process_was_started_with_its_value() -> None:
    known = {THREADS: key(broker="9", static="9", default="8")}
    assert plan({THREADS: "9"}, {THREADS: "9"}, known).changes == [Change(THREADS, None, ON_BROKER, "9", "9")]


def test_an_override_that_nobody_declares_is_removed_unless_a_reassignment_set_it() -> None:
    throttle = "leader.replication.throttled.rate"
    known = {THREADS: key(broker="9", default="8"), throttle: key("LONG", broker="1000")}
    assert overridden(known) == [THREADS]
    assert [change.key for change in plan({}, {}, known).changes] == [THREADS]


def test_a_setting_that_stands_for_the_cluster_is_set_for_the_cluster() -> None:
    known = {"min.insync.replicas": key(cluster="2", static="2", default="1")}
    assert plan({"min.insync.replicas": "2"}, {"min.insync.replicas": "1"}, known).changes == [
        Change("min.insync.replicas", "1", ON_CLUSTER, "2", "1")
    ]
    assert plan({"min.insync.replicas": "2"}, {"min.insync.replicas": "2"}, known).changes == []
    assert plan({"min.insync.replicas": "2"}, {}, known).changes == []


def test_what_needs_a_restart_keeps_no_other_setting_from_the_running_broker() -> None:
    known = {"log.dirs": key("STRING", "read_only", static="/a"), THREADS: key(static="8", default="8")}
    found = plan({"log.dirs": "/a", THREADS: "8"}, {"log.dirs": "/b", THREADS: "9"}, known)
    assert (found.restart, [change.key for change in found.changes]) == (["log.dirs"], [THREADS])


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [("BOOLEAN", "True", "true"), ("LIST", "a, b", "a,b"), ("LONG", "08", "8"), ("DOUBLE", "1", "1.0")],
)
def test_spellings_of_one_value_are_no_change(kind: str, one: str, other: str) -> None:
    assert plan({"k": other}, {"k": one}, {"k": key(kind, static=other)}).changes == []


@given(
    running=st.dictionaries(st.just(THREADS), VALUES),
    declared=st.dictionaries(st.just(THREADS), VALUES),
    override=st.none() | VALUES,
)
def test_a_change_brings_the_declared_value_into_force_and_leaves_nothing_to_do(
    running: dict[str, str], declared: dict[str, str], override: str | None
) -> None:
    started_with = {"static": running[THREADS]} if running else {}
    levels = {**({"broker": override} if override else {}), **started_with, "default": "8"}
    changes = plan(running, declared, {THREADS: key(**levels)}).changes
    for change in changes:
        levels = {level: value for level, value in levels.items() if level != "broker"}
        levels |= {} if change.value is None else {"broker": change.value}
    after = key(**levels)
    assert after.value == declared.get(THREADS, "8")
    assert plan(running, declared, {THREADS: after}).changes == []


def test_synonyms_of_other_keys_are_not_taken_for_levels_of_this_one() -> None:
    told = {
        "config_type": "LONG",
        "read_only": False,
        "is_sensitive": False,
        "synonyms": [{"name": "log.retention.hours", "source": STATIC, "value": "24"}],
    }
    assert BrokerKey.from_kafka("log.retention.ms", told) == BrokerKey("LONG", False, False, {})


def test_a_setting_is_read_with_its_type_its_flags_and_its_levels_from_the_strongest_on() -> None:
    told = {
        "config_type": "INT",
        "read_only": True,
        "is_sensitive": True,
        "synonyms": [
            {"name": THREADS, "source": ON_BROKER, "value": "9"},
            {"name": THREADS, "source": DEFAULT, "value": "8"},
        ],
    }
    found = BrokerKey.from_kafka(THREADS, told)
    assert found == BrokerKey("INT", True, True, {ON_BROKER: "9", DEFAULT: "8"})
    assert (found.value, found.without_override()) == ("9", "8")
    assert BrokerKey("INT", False, False, {ON_BROKER: "9"}).without_override() is None


def test_a_diff_shows_no_secret() -> None:
    assert shown([("ssl.key.password", "hunter2"), (THREADS, "8")]) == "ssl.key.password=(hidden)\nnum.io.threads=8\n"


def test_another_spelling_of_a_setting_restarts_nobody() -> None:
    known = {"auto.create.topics.enable": key("BOOLEAN", "read_only", static="true", default="true")}
    plans = [plan({name: "True"}, {name: value}, known) for name in known for value in ("true", "false")]
    assert [result.restart for result in plans] == [[], ["auto.create.topics.enable"]]
