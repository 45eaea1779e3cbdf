"""A limit that does not exist, is no number or is given for the wrong thing is refused in one sentence."""

from __future__ import annotations

import math

import pytest
from kafka_load.config.slo import LIMITS, LimitError, Scope, check_limits


@pytest.mark.parametrize("value", [True, "5", None, [1], math.nan, -1, -0.001, math.inf, 10**400])
def test_a_limit_is_a_number_of_at_least_nothing(value: object) -> None:
    with pytest.raises(LimitError) as refused:
        check_limits({"lost": 0, "redelivered": value}, "--slo")
    assert str(refused.value) == f"--slo: redelivered must be a number of at least 0, not {value!r}"


@pytest.mark.parametrize(("scope", "wrong"), [("topic", "lost"), ("group", "p99_produce_ms")])
def test_a_limit_of_a_group_is_not_taken_for_a_topic_nor_the_other_way_round(scope: Scope, wrong: str) -> None:
    with pytest.raises(LimitError) as refused:
        check_limits({wrong: 1}, "steady.toml", scope)
    own = [limit.name for limit in LIMITS.values() if limit.scope == scope]
    assert str(refused.value) == (f"steady.toml: {wrong!r} is not a limit of a {scope}; those are {', '.join(own)}")
    assert check_limits(dict.fromkeys(own, 1), "steady.toml", scope) == dict.fromkeys(own, 1)
    assert check_limits({wrong: 1}, "steady.toml") == {wrong: 1}
