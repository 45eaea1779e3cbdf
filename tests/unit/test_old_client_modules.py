"""The modules that listen for clients which a later release no longer serves, at their edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kafka_hosts import cluster
from module_runner import run_module
from stand_in import SERVERS, stand_in
from stand_in_commands import no_commands
from stand_in_commands import stand_in as stand_in_commands

from ansible_collections.crucible.kafka.plugins.module_utils.admin import AdminError, Endpoint
from ansible_collections.crucible.kafka.plugins.module_utils.cluster import Broker
from ansible_collections.crucible.kafka.plugins.modules import kafka_logger_level

REQUEST = (
    '{"requestHeader":{"requestApiKeyName":"FETCH","requestApiVersion":3,"clientId":"billing",'
    '"requestApiVersionDeprecated":true}}'
)
LISTEN: dict[str, Any] = {"bootstrap_servers": SERVERS, "logger": "kafka.request.logger", "level": "INFO", "seconds": 0}


class Loggers:
    """The level of a logger at each broker, and the changes that were made to it; `broken` refuses any."""

    def __init__(self, broken: int | None = None) -> None:
        self.levels: dict[int, str] = {}
        self.changes: list[tuple[int, str]] = []
        self.broken = broken

    def level(self, _: Endpoint, broker: Broker, __: str) -> str:
        """What it is now."""
        return self.levels.get(broker.node_id, "WARN")

    def set_level(self, _: Endpoint, broker: Broker, __: str, wanted: str) -> None:
        """Change it."""
        if broker.node_id == self.broken:
            raise AdminError(f"Broker {broker.node_id} refuses.")
        self.levels[broker.node_id] = wanted
        self.changes.append((broker.node_id, wanted))


def listening(monkeypatch: pytest.MonkeyPatch, broken: int | None = None) -> Loggers:
    stand_in(monkeypatch, "kafka_logger_level", cluster())
    loggers = Loggers(broken)
    monkeypatch.setattr(kafka_logger_level, "level", loggers.level)
    monkeypatch.setattr(kafka_logger_level, "set_level", loggers.set_level)
    return loggers


def test_each_broker_logs_more_for_a_while_and_then_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch)
    answer = run_module("kafka_logger_level", **LISTEN)
    assert (answer["changed"], answer["brokers"]) == (False, [1, 2, 3])
    assert loggers.changes[:3] == [(1, "INFO"), (2, "INFO"), (3, "INFO")]
    assert set(loggers.levels.values()) == {"WARN"}


def test_nothing_is_set_in_check_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch)
    assert run_module("kafka_logger_level", check=True, **LISTEN)["brokers"] == [1, 2, 3]
    assert loggers.changes == []


def test_where_one_broker_refuses_the_others_have_their_level_back(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch, broken=2)
    answer = run_module("kafka_logger_level", **LISTEN)
    assert answer["failed"] and "Broker 2 refuses." in answer["msg"]
    assert loggers.levels == {1: "WARN"}


def test_the_journal_of_the_unit_is_read_as_far_back_as_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in_commands(monkeypatch, tmp_path / "bin", {"journalctl": f"echo $* > {tmp_path}/asked; echo '{REQUEST}'"})
    answer = run_module("kafka_old_clients_info", seconds=9.2)
    assert [(each["client_id"], each["request"]) for each in answer["requests"]] == [("billing", "FETCH v3")]
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split()
    assert {"--unit", "kafka.service", "--since=-10s"} <= set(asked)


def test_a_host_without_a_journal_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_commands(monkeypatch, tmp_path)
    answer = run_module("kafka_old_clients_info", seconds=1)
    assert answer["failed"] and "journalctl cannot be run on this host" in answer["msg"]
