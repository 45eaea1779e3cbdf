"""The load harness against the secured cluster, told how to reach it by a client.properties as Kafka's tools are."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from live import BOOTSTRAP, LAB, ROOT
from locust_run import Run

VALUES = yaml.safe_load((ROOT / "molecule/secured/vars/values.yml").read_text(encoding="utf-8"))
SECRET = VALUES["shop_password"]
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
PROPERTIES = f"""
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location={ROOT}/.lab/{LAB}/pki/ca.crt
sasl.mechanism=PLAIN
sasl.jaas.config={LOGIN} \\
    username="shop" password="%s";
"""


def properties(folder: Path, password: str, mode: int = 0o600) -> str:
    path = folder / "client.properties"
    path.touch(mode)
    path.write_text(PROPERTIES % password, encoding="utf-8")
    return f"--client-config={path}"


def workers() -> tuple[str, ...]:
    """Options for a master and two workers, on a port of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ("--processes=2", f"--master-bind-port={port}", f"--master-port={port}")


def shop_run(folder: Path, *arguments: str) -> Run:
    """A run whose topics may hold what other tests wrote."""
    common = ("--write-topics=orders,clicks", "--rate=200", "--session-timeout-ms=10000")
    return Run(folder / "results", ",".join(BOOTSTRAP), *common, *arguments)


def with_secret(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def test_producers_consumers_share_consumers_and_admin_clients_are_let_in_and_tell_nobody_how(tmp_path: Path) -> None:
    """Two workers read the file that the master was given; what passes between them ends in the results or nowhere."""
    run = shop_run(tmp_path, properties(tmp_path, SECRET), "--profile=fanout", "--run-time=10s", *workers())
    run.until(4)
    assert with_secret(run.results) == []  # while the journals are there
    arguments = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert any(b"--client-config=" in line for line in arguments)
    assert not any(SECRET.encode() in line for line in arguments)
    assert run.wait() == 0
    assert {group["group"] for group in run.verdict["groups"] if group["consumed"] and group["drained"]} == {
        *("warehouse-group", "analytics-group", "notification-group", "warehouse-share")
    }
    assert with_secret(run.results) == []
    assert SECRET not in run.output


def test_the_password_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    run = shop_run(tmp_path, properties(tmp_path, "${env:SHOP_PASSWORD}"), "--profile=smoke", "--run-time=5s")
    assert run.wait() == 0
    assert with_secret(tmp_path) == []


@pytest.mark.parametrize("processes", [tuple, workers], ids=["one process", "workers"])
def test_a_wrong_password_is_exit_status_3_and_one_sentence_that_names_the_setting(
    tmp_path: Path, processes: Callable[[], tuple[str, ...]]
) -> None:
    run = shop_run(tmp_path, properties(tmp_path, "guessed"), "--profile=smoke", "--run-time=5s", *processes())
    assert run.wait() == 3
    (sentence,) = [line for line in run.output.splitlines() if line.startswith("locust: ")]
    assert "Invalid username or password" in sentence
    assert "sasl.password" in sentence
    assert "Traceback" not in run.output
    assert "guessed" not in run.output
    assert not run.results.exists()


def test_a_client_that_is_not_told_of_the_security_is_told_what_to_set(tmp_path: Path) -> None:
    run = shop_run(tmp_path, "--profile=smoke", "--run-time=5s")
    assert run.wait() == 3
    assert "check security.protocol in --client-config" in run.output


def test_a_file_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    run = shop_run(tmp_path, properties(tmp_path, "guessed", 0o644), "--profile=smoke", "--run-time=5s")
    assert run.wait() == 3
    assert "holds secrets, and every user of this machine can read it: chmod 600" in run.output
