"""The module wait_for_unit at its edge: a unit that listens, one that died, one that is late."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module
from stand_in_commands import no_commands, stand_in

from ansible_collections.crucible.kafka.plugins.modules import wait_for_unit

RUNNING = "printf 'ActiveState=active\\nInvocationID=a1\\n'"
FAILED = "printf 'ActiveState=failed\\nInvocationID=a1\\n'"
# Another invocation at each question: systemd starts it again and again.
RESTARTED = (
    "count=$(dirname $0)/count; echo >> $count; printf 'ActiveState=active\\nInvocationID=%s\\n' $(wc -l < $count)"
)
JOURNAL = "echo journalctl $* > $(dirname $0)/asked; echo 'log.dirs cannot be read'; echo 'Exiting Kafka.'"


@pytest.fixture
def listener() -> Iterator[int]:
    """A TCP port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A TCP port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def wait(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    systemctl: str,
    ports: list[int],
    timeout_s: float = 60,
    **given: Any,
) -> dict[str, Any]:
    monkeypatch.setattr(wait_for_unit, "POLL_INTERVAL_S", 0)
    stand_in(monkeypatch, tmp_path / "bin", {"systemctl": systemctl, "journalctl": JOURNAL})
    return run_module("wait_for_unit", unit="kafka.service", ports=ports, timeout_s=timeout_s, **given)


def test_a_unit_that_listens_is_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listener: int
) -> None:
    answer = wait(monkeypatch, tmp_path, RUNNING, [listener])
    assert "failed" not in answer, answer
    assert answer["changed"] is False
    assert answer["waited_s"] >= 0


def test_a_unit_is_waited_for_until_the_last_of_its_ports_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looks = itertools.chain([set(), {9092}], itertools.repeat({9092, 9093}))
    monkeypatch.setattr(wait_for_unit, "listening", lambda: next(looks))
    assert "failed" not in wait(monkeypatch, tmp_path, RUNNING, [9092, 9093])
    assert next(looks) == {9092, 9093}


def test_a_unit_that_is_late_is_told_with_its_ports_and_the_end_of_its_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listener: int, closed: int
) -> None:
    answer = wait(monkeypatch, tmp_path, RUNNING, [listener, closed], timeout_s=0)
    assert answer["failed"]
    assert answer["msg"] == (
        f"kafka.service does not listen on port {closed} after 0 s. The end of its journal:\n"
        "log.dirs cannot be read\nExiting Kafka."
    )
    assert "--unit kafka.service" in (tmp_path / "bin/asked").read_text(encoding="utf-8")


@pytest.mark.parametrize("systemctl", [FAILED, RESTARTED])
def test_a_unit_that_died_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed: int, systemctl: str
) -> None:
    answer = wait(monkeypatch, tmp_path, systemctl, [closed], timeout_s=20)
    assert answer["failed"]
    assert answer["msg"].startswith("kafka.service ended soon after its start. The end of its journal:\nlog.dirs ")


def test_a_port_that_another_process_holds_does_not_stand_for_a_unit_that_died(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listener: int
) -> None:
    answer = wait(monkeypatch, tmp_path, FAILED, [listener])
    assert answer.get("failed"), answer
    assert answer["msg"].startswith("kafka.service ended soon after its start.")


def test_check_mode_waits_for_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed: int) -> None:
    no_commands(monkeypatch, tmp_path)
    answer = run_module("wait_for_unit", check=True, unit="kafka.service", ports=[closed], timeout_s=3600)
    assert "failed" not in answer, answer
    assert answer["changed"] is False


def test_a_host_without_systemd_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed: int
) -> None:
    no_commands(monkeypatch, tmp_path)
    answer = run_module("wait_for_unit", unit="kafka.service", ports=[closed], timeout_s=0)
    assert answer["msg"] == "The command systemctl cannot be run on this host: No such file or directory."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"unit": None}, "missing required arguments: unit"),
        ({"ports": None}, "missing required arguments: ports"),
        ({"timeout_s": None}, "missing required arguments: timeout_s"),
        ({"ports": ["client"]}, "Elements value for option 'ports' is of type"),
        ({"timeout_s": "long"}, "argument 'timeout_s' is of type"),
        ({"ports": [0]}, "ports: 0 is no TCP port; give numbers from 1 to 65535."),
        ({"ports": [9092, 70000]}, "ports: 70000 is no TCP port; give numbers from 1 to 65535."),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_what_cannot_be_waited_for_is_refused_by_the_parameters_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, Any], told: str, check: bool
) -> None:
    stand_in(monkeypatch, tmp_path, {"systemctl": RUNNING, "journalctl": JOURNAL})
    given = {"unit": "kafka.service", "ports": [9092], "timeout_s": 0, **changes}
    answer = run_module(
        "wait_for_unit", check=check, **{name: value for name, value in given.items() if value is not None}
    )
    assert answer.get("failed"), answer
    assert answer["msg"].startswith(told)
