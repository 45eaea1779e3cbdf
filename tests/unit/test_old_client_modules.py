"""The modules that listen for clients which a later release no longer serves, at their edge."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from kafka_hosts import cluster
from module_runner import run_module
from stand_in import SERVERS, stand_in
from stand_in_commands import no_commands
from stand_in_commands import stand_in as stand_in_commands

from ansible_collections.crucible.kafka.plugins.modules import kafka_logger_level

REQUEST = (
    '{"requestHeader":{"requestApiKeyName":"FETCH","requestApiVersion":3,"clientId":"billing",'
    '"requestApiVersionDeprecated":true}}'
)
LISTEN: dict[str, Any] = {
    "bootstrap_servers": SERVERS,
    "logger": "kafka.request.logger",
    "level": "INFO",
    "seconds": 7,
}


class Loggers:
    """The level of a logger at each broker, and what was done to it, in order; `broken` refuses any change."""

    def __init__(self, levels: dict[int, str], broken: int | None) -> None:
        self.levels = {1: "WARN", 2: "WARN", 3: "WARN"} | levels
        self.done: list[tuple[int | str, Any]] = []
        self.broken = broken

    def describe(self, _: Any, kind: str, names: list[str], keys: list[str]) -> dict[str, Any]:
        """What a broker says of a logger that it has."""
        assert kind == "broker_logger"
        known = {name: self.levels.get(int(name), "") for name in names}
        return {name: {key: {"value": level} for key in keys} for name, level in known.items() if level}

    def alter(
        self, _: Any, kind: str, changes: dict[str, dict[str, str]], validate_only: bool, node_id: int
    ) -> list[str]:
        """Change it where it is asked for."""
        assert (kind, validate_only, list(changes)) == ("broker_logger", False, [str(node_id)])
        if node_id == self.broken:
            return [f"Broker {node_id} refuses."]
        (self.levels[node_id],) = changes[str(node_id)].values()
        self.done.append((node_id, self.levels[node_id]))
        return []

    def sleep(self, seconds: float) -> None:
        """Time goes by."""
        self.done.append(("sleep", seconds))


def listening(
    monkeypatch: pytest.MonkeyPatch, levels: dict[int, str] | None = None, broken: int | None = None, **told: Any
) -> Loggers:
    stand_in(monkeypatch, "kafka_logger_level", cluster(), **told)
    loggers = Loggers(levels or {}, broken)
    monkeypatch.setattr(kafka_logger_level, "describe_configs", loggers.describe)
    monkeypatch.setattr(kafka_logger_level, "alter_configs", loggers.alter)
    monkeypatch.setattr(time, "sleep", loggers.sleep)
    return loggers


def test_each_broker_logs_more_for_a_while_and_then_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch)
    answer = run_module("kafka_logger_level", **LISTEN)
    assert (answer["changed"], answer["brokers"]) == (False, [1, 2, 3])
    assert loggers.done[:4] == [(1, "INFO"), (2, "INFO"), (3, "INFO"), ("sleep", 7)]
    assert sorted(loggers.done[4:]) == [(1, "WARN"), (2, "WARN"), (3, "WARN")]


def test_a_broker_that_logs_as_much_already_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch, {1: "INFO", 2: "TRACE", 3: "OFF"})
    run_module("kafka_logger_level", **LISTEN)
    assert loggers.done == [(3, "INFO"), ("sleep", 7), (3, "FATAL")]


def test_a_broker_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch, silent=[2])
    assert run_module("kafka_logger_level", **LISTEN)["brokers"] == [1, 3]
    assert {who for who, _ in loggers.done} == {1, 3, "sleep"}


def test_nothing_is_set_in_check_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch)
    assert run_module("kafka_logger_level", check=True, **LISTEN)["brokers"] == [1, 2, 3]
    assert loggers.done == []


def test_where_one_broker_refuses_the_others_have_their_level_back(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch, broken=2)
    answer = run_module("kafka_logger_level", **LISTEN)
    assert answer["failed"] and "Broker 2 refuses." in answer["msg"]
    assert loggers.done == [(1, "INFO"), (1, "WARN")]


def test_a_logger_that_a_broker_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    loggers = listening(monkeypatch, {2: ""})
    answer = run_module("kafka_logger_level", **LISTEN)
    assert answer["failed"] and "Broker 2 has no logger kafka.request.logger." in answer["msg"]
    assert loggers.levels[1] == "WARN"


JOURNAL = f"""
echo "$*" >> $(dirname $0)/asked
case "$*" in
    *--show-cursor*) echo a line; echo '-- cursor: s=1;i=2' ;;
    *) echo '{REQUEST}' ;;
esac
"""


def asked(folder: Path) -> list[list[str]]:
    """The arguments of each call of journalctl."""
    return [call.split() for call in (folder / "asked").read_text(encoding="utf-8").splitlines()]


def test_without_a_beginning_nothing_is_read_and_the_end_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in_commands(monkeypatch, tmp_path / "bin", {"journalctl": JOURNAL})
    answer = run_module("kafka_old_clients_info")
    assert (answer["cursor"], answer["requests"], len(asked(tmp_path / "bin"))) == ("s=1;i=2", [], 1)


def test_the_journal_of_the_unit_is_read_from_where_it_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in_commands(monkeypatch, tmp_path / "bin", {"journalctl": JOURNAL})
    answer = run_module("kafka_old_clients_info", after="s=1;i=1")
    assert [(each["client_id"], each["request"]) for each in answer["requests"]] == [("billing", "FETCH v3")]
    assert {"--unit=kafka.service", "--after-cursor=s=1;i=1"} <= set(asked(tmp_path / "bin")[1])


def test_a_host_without_a_journal_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_commands(monkeypatch, tmp_path)
    answer = run_module("kafka_old_clients_info")
    assert answer["failed"] and "journalctl cannot be run on this host" in answer["msg"]
