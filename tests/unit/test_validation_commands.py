"""A file replaces its predecessor only if the command that judges it has run, and has found nothing wrong."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[2] / "roles"
FILES = {
    "kafka": yaml.safe_load((ROLES / "kafka/vars/main/files.yml").read_text("utf-8"))["__kafka_files"],
    "zookeeper": yaml.safe_load((ROLES / "zookeeper/vars/main.yml").read_text("utf-8"))["__zookeeper_files"],
}
PARSED = "Found log directory:\n  /var/lib/kafka/data\n\nFound problem:\n  /var/lib/kafka/data is not formatted.\n"
REFUSED = 'Exception in thread "main" org.apache.kafka.common.config.ConfigException: Invalid value x\n'


def passes(role: str, number: int, file: Path, java: str = "java") -> bool:
    """Whether the role's file of this number may be replaced by `file`, judged as Ansible does it."""
    template = FILES[role][number]["validate"].replace("{{ kafka_java }}", java)
    command = shlex.split(re.sub(r"\{\{ .*? \}\}", "/nowhere", template) % file)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def java(folder: Path, says: str, status: int) -> str:
    """A java that only says something."""
    program = folder / "java"
    (folder / "says").write_text(says, encoding="utf-8")
    program.write_text(f"#!/bin/sh\ncat {folder}/says >&2\nexit {status}\n", encoding="ascii")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("says", "status", "good"),
    [
        (PARSED, 1, True),
        ("WARN something\n" + PARSED, 0, True),
        (REFUSED, 1, False),
        (PARSED + REFUSED, 1, False),
        ("", 0, False),
        ("Error: Could not find or load main class kafka.tools.StorageTool\n", 1, False),
        ("Error occurred during initialization of VM\n", 1, False),
    ],
)
def test_properties_are_good_only_if_kafka_has_read_them(tmp_path: Path, says: str, status: int, good: bool) -> None:
    assert passes("kafka", 0, tmp_path / "server.properties", java(tmp_path, says, status)) is good


def test_a_java_that_is_not_there_lets_no_properties_pass(tmp_path: Path) -> None:
    assert not passes("kafka", 0, tmp_path / "server.properties", str(tmp_path / "none/bin/java"))


PROPERTIES = [("kafka", 1), ("zookeeper", 0), ("zookeeper", 1)]


@pytest.mark.parametrize(("role", "number"), PROPERTIES)
@pytest.mark.parametrize(("text", "good"), [("# a\na.b=1\nc_d=x y\n", True), ("a=1\nb\n", False), ("a=\n", False)])
def test_a_properties_file_has_nothing_but_properties(
    tmp_path: Path, role: str, number: int, text: str, good: bool
) -> None:
    file = tmp_path / "x.properties"
    file.write_text(text, encoding="utf-8")
    assert passes(role, number, file) is good


@pytest.mark.parametrize(("role", "number"), PROPERTIES)
def test_a_file_that_cannot_be_read_does_not_pass(tmp_path: Path, role: str, number: int) -> None:
    assert not passes(role, number, tmp_path / "none.properties")
