"""The module kafka_broker_config at its edge: what the broker refuses waits for a restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from module_runner import run_module

from ansible_collections.crucible.kafka.plugins.module_utils.broker_config import BrokerKey
from ansible_collections.crucible.kafka.plugins.modules import kafka_broker_config

RUNNING = {"num.io.threads": "8", "log.retention.ms": "1000"}
DECLARED = {"num.io.threads": "12", "log.retention.ms": "2000"}


class Broker:
    """A broker that takes both settings while it runs, but refuses one of them; it notes what it is asked to do."""

    refuses = ""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool, int | None]] = []
        self._manager = SimpleNamespace(run=lambda call: call(), send=self._alter)

    @contextmanager
    def connect(self) -> Iterator[Broker]:
        yield self

    def _alter(self, request: Any, node_id: int | None) -> Any:
        ((_, name, ((key, _, _),)),) = request.resources
        self.asked.append((name, key, request.validate_only, node_id))
        error_code = 40 if key == self.refuses else 0
        result = {"error_code": error_code, "error_message": "refused"}
        return SimpleNamespace(responses=[SimpleNamespace(resource_name=name, to_dict=lambda: result)])


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    found = Broker()
    described = {key: BrokerKey("LONG", False, False, {"STATIC_BROKER_CONFIG": RUNNING[key]}) for key in RUNNING}
    monkeypatch.setattr(kafka_broker_config, "endpoint", lambda _: found)
    monkeypatch.setattr(kafka_broker_config, "describe_broker", lambda admin, broker_id: described)
    return found


def configure(check: bool = False) -> dict[str, Any]:
    arguments = {"bootstrap_servers": ["192.0.2.1:9092"], "broker_id": 1, "running": RUNNING, "declared": DECLARED}
    return run_module("kafka_broker_config", check=check, **arguments)


def test_what_the_broker_takes_is_applied_and_shown(broker: Broker) -> None:
    answer = configure()
    assert answer["changed"] is True
    assert answer["restart_required"] == []
    assert answer["applied"]["num.io.threads"] == {"before": "8", "after": "12"}
    assert broker.asked == [("1", "log.retention.ms", False, 1), ("1", "num.io.threads", False, 1)]


def test_what_the_broker_refuses_waits_for_a_restart_and_the_rest_is_applied(broker: Broker) -> None:
    broker.refuses = "num.io.threads"
    answer = configure()
    assert answer["restart_required"] == ["num.io.threads"]
    assert list(answer["applied"]) == ["log.retention.ms"]


def test_check_mode_only_lets_the_broker_judge(broker: Broker) -> None:
    broker.refuses = "log.retention.ms"
    answer = configure(check=True)
    assert answer["restart_required"] == ["log.retention.ms"]
    assert [validate_only for _, _, validate_only, _ in broker.asked] == [True, True]
