"""What librdkafka would refuse in each of a run's clients is one sentence before the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from kafka_load.config.options import OPTIONS
from kafka_load.config.plan import Plan, PlanError, make_plan
from kafka_load.config.profiles import load, parse

DECLARES: dict[str, Any] = {"duration": "9s", "size": "json", "topics": {"payments": {"rate": 1}}}
PROCESSING = {"failures": 0.1, "dead_letter_topic": "dead"}


def plan(group: Mapping[str, Any] | None = None, secured: Mapping[str, str] | None = None, **options: Any) -> Plan:
    """A plan for the shop, or for one group of a profile's own."""
    given = {option.dest: option.default for option in OPTIONS} | options
    own = None if group is None else DECLARES | {"groups": {"billing": {"topics": ["payments"], **group}}}
    profile = load("steady") if own is None else parse("mine", own, "mine.toml")
    return make_plan(given, profile, "kafka1:9092", shared=False, secured=secured or {})


@pytest.mark.parametrize("group", [None, {}, {"mode": "share"}, {"processing": PROCESSING}, {"transform": "bills"}])
def test_what_librdkafka_takes_is_a_plan(group: Mapping[str, Any] | None) -> None:
    assert plan(group, client=["socket.timeout.ms=3000"]).client.extra == {"socket.timeout.ms": "3000"}


def test_a_trial_reaches_nobody() -> None:
    secured = {"security.protocol": "SASL_SSL", "sasl.mechanisms": "PLAIN", "ssl.ca.location": "/no/such/file"}
    assert plan(secured=secured).secured == secured


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"linger_ms": 1e7}, r"makes no producer of these settings: .* outside .* 0..900000; change --linger-ms$"),
        ({"linger_ms": 2e5}, r"`message.timeout.ms` must be greater than `linger.ms`; change --linger-ms$"),
        ({"batch_bytes": 2**31}, r"makes no producer .*batch.size.*; change --batch-bytes$"),
        ({"max_in_flight": 2_000_000, "no_idempotence": True}, r"makes no producer .*; change --max-in-flight$"),
        ({"session_timeout_ms": 4_000_000}, r"makes no member of a group .*; change --session-timeout-ms$"),
        ({"session_timeout_ms": 400_000}, r"`max.poll.interval.ms`must be >= `session.timeout.ms`; change --session-t"),
        (
            {"transaction_records": 9, "client": ["transaction.timeout.ms=1000"]},
            r"makes no producer .*; change --client transaction.timeout.ms$",
        ),
        ({"secured": {"fetch.max.bytes": "1000"}}, r"makes no member .*; change fetch.max.bytes of --client-config$"),
        ({"group": {}, "session_timeout_ms": 400_000}, r"makes no member of group billing of these settings: .*"),
        (
            {"group": {"mode": "share"}, "client": ["queued.min.messages=9"]},
            r"makes no member of share group billing .*; change --client queued.min.messages$",
        ),
        (
            {"group": {"transform": "bills"}, "client": ["transaction.timeout.ms=1000"]},
            r"makes no producer of group billing .*; change --client transaction.timeout.ms$",
        ),
    ],
)
def test_what_it_does_not_take_is_one_sentence_with_the_setting(options: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says) as refusal:
        plan(**options)
    assert "\n" not in str(refusal.value)
