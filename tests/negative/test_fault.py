"""Nothing is broken that was not released for it, and what is broken heals itself."""

from __future__ import annotations

from typing import Any

import pytest
from kafka_load.native_threads import wait_until
from live import host, nothing_restarts, play, replicas_in_sync, starts

FAULT, STATE = "playbooks/fault.yml", "/var/lib/crucible-fault/kill_broker"
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"fault": "kill_broker", "fault_injection_allowed": False}, "does not say fault_injection_allowed=true"),
    ({"fault": "kill_brocker"}, "No fault is called kill_brocker; there are"),
    ({"fault": "two_brokers_down"}, "Set fault_expect_unavailable if that is what you want to see."),
)


@pytest.mark.parametrize(("extra", "sentence"), REFUSED)
def test_a_fault_that_was_not_clearly_asked_for_is_refused(extra: dict[str, Any], sentence: str) -> None:
    with nothing_restarts():
        run = play(FAULT, **extra)
    assert not run.ok
    assert sentence in run.sentences


@pytest.mark.parametrize("stopped", ["kafka3"], indirect=True)
def test_a_cluster_that_is_not_healthy_is_left_alone(stopped: object) -> None:
    with nothing_restarts():
        run = play(FAULT, fault="kill_broker", fault_target="kafka2", fault_health_timeout_s=3)
    assert not run.ok
    assert "The cluster is not healthy: brokers that do not serve: 3" in run.sentences


def test_a_host_heals_itself_when_nobody_comes_to_do_it() -> None:
    before = starts()
    run = play(
        FAULT, fault="kill_broker", fault_target="kafka2", fault_phase="inject", fault_duration_s=1, fault_grace_s=1
    )
    assert run.ok, run.why
    assert wait_until(lambda: bool(host("kafka2").file(f"{STATE}/healed").exists), 60, 0.5)
    replicas_in_sync()
    assert {name for name, start in starts().items() if start != before[name]} == {"kafka2"}
    assert not host("kafka2").file(f"{STATE}/active").exists
