"""The module unit_info at its edge: what systemd and the process say, and what they cannot say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from module_runner import run_module
from stand_in_commands import no_commands, stand_in


@contextmanager
def process(environment: Mapping[str, bytes | str]) -> Iterator[int]:
    """A process with this environment; its id. It ends with its standard input."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as started:
        assert started.stdin
        assert started.stdout
        started.stdin.write(b"\n")
        started.stdin.flush()
        started.stdout.read(1)  # It is cat by now, and no longer a copy of this process.
        yield started.pid


def unit_info(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, systemctl: str, check: bool = False, unit: str = "kafka.service"
) -> dict[str, Any]:
    stand_in(monkeypatch, tmp_path / "bin", {"systemctl": systemctl})
    return run_module("unit_info", check=check, unit=unit)


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("environment", "digests"),
    [
        (
            {"CONFIG_SHA256": "kafka.service:1a log4j2.properties:2b"},
            {"kafka.service": "1a", "log4j2.properties": "2b"},
        ),
        ({"CONFIG_SHA256": "kafka.service:1a", "LC_NAME": b"M\xfcller"}, {"kafka.service": "1a"}),
        ({"KAFKA_HEAP_OPTS": "-Xmx1g"}, {}),
    ],
)
def test_the_digests_are_those_of_the_process_whatever_else_is_in_its_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, bytes | str], digests: Any, check: bool
) -> None:
    with process(environment) as pid:
        answer = unit_info(monkeypatch, tmp_path, f"echo {pid}", check)
    assert answer["digests"] == digests, answer
    assert answer["changed"] is False


@pytest.mark.parametrize(
    ("classes", "release"),
    [("/opt/kafka-4.3.1/libs/*", "4.3.1"), ("/opt/kafka/libs/*", ""), ("/opt/kafka-4.3/libs/*", "")],
)
def test_the_release_is_that_whose_classes_the_process_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, classes: str, release: str
) -> None:
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", "-cp", classes, "kafka.Kafka"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout
        assert started.stdin
        started.stdout.readline()
        answer = unit_info(monkeypatch, tmp_path, f"echo {started.pid}")
    assert answer["release"] == release, answer


def test_the_unit_of_the_parameter_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asks_for_it = 'test "$*" = "show --value --property=MainPID zookeeper.service" && echo 0'
    answer = unit_info(monkeypatch, tmp_path, asks_for_it, unit="zookeeper.service")
    assert answer["digests"] is None, answer


def test_a_process_that_has_ended_since_has_no_digests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with process({}) as pid:
        pass
    answer = unit_info(monkeypatch, tmp_path, f"echo {pid}")
    assert "failed" not in answer
    assert answer["digests"] is None


def test_without_a_unit_nothing_is_asked() -> None:
    assert run_module("unit_info")["msg"] == "missing required arguments: unit"


def test_a_host_without_systemd_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_commands(monkeypatch, tmp_path)
    answer = run_module("unit_info", unit="kafka.service")
    assert answer["failed"]
    assert answer["msg"] == "The command systemctl cannot be run on this host: No such file or directory."


@pytest.mark.parametrize(
    ("systemctl", "told"),
    [
        ("echo 'Failed to connect to bus: Host is down' >&2; exit 1", ": Failed to connect to bus: Host is down"),
        ("exit 3", ", and says nothing"),
    ],
)
def test_a_systemctl_that_fails_is_named_with_what_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, systemctl: str, told: str
) -> None:
    answer = unit_info(monkeypatch, tmp_path, systemctl)
    assert answer["failed"]
    assert answer["msg"].startswith("The command 'systemctl show --value --property=MainPID kafka.service' ended with")
    assert answer["msg"].endswith(f"{told}.")


def test_digests_that_only_root_may_read_are_told_as_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forbidden(path: Path, **_: Any) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    stand_in(monkeypatch, tmp_path / "bin", {"systemctl": "echo 42"})
    monkeypatch.setattr(Path, "read_text", forbidden)  # As root, the tests may read everything.
    answer = run_module("unit_info", unit="kafka.service")
    assert answer["failed"]
    assert answer["msg"] == (
        "What kafka.service was started with is readable by root alone (/proc/42/environ: Permission denied); "
        "set become: true."
    )
