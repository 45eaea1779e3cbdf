"""Admin modules run on `kafka_admin_host`, with a Python that has kafka-python, and never as root for want of care."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ADMIN = {file.stem for file in (ROOT / "plugins/modules").glob("*.py") if "admin_module(" in file.read_text("utf-8")}
PLAY = """
- hosts: kafka
  gather_facts: false
  become: {become}
  roles:
    - role: crucible.kafka.kafka_topics
      kafka_topics_bootstrap_servers: ["127.0.0.1:1"]
"""
# Whoever becomes another user here fails. Not root, which the tests may be already: Ansible would skip that.
HOSTS = """
all:
  vars: {ansible_become_exe: /bin/false, ansible_become_user: nobody}
  children: {kafka: {hosts: {kafka1: {ansible_connection: local, ansible_python_interpreter: PYTHON}}}}
"""
LOCALHOST = {"localhost": {"ansible_python_interpreter": "/usr/bin/env python3 -S"}}
BASTION = {"bastion": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}


def topics(folder: Path, *options: str, become: bool = False, hosts: dict[str, Any] | None = None, **every: Any) -> str:
    """What Ansible prints when topics are asked for where no broker listens, with further hosts and variables."""
    inventory = yaml.safe_load(HOSTS.replace("PYTHON", sys.executable))
    inventory["all"]["hosts"] = hosts or {}
    inventory["all"]["vars"].update(every)
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), "utf-8")
    (folder / "play.yml").write_text(PLAY.format(become=str(become).lower()), "utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT}\nnocows = True\n", "utf-8")
    command: list[str | Path] = [
        Path(sys.executable).parent / "ansible-playbook",
        "-i",
        "hosts.yml",
        "play.yml",
        *options,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    run: subprocess.CompletedProcess[str] = subprocess.run(
        command, cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
    assert run.returncode == 2, run.stdout + run.stderr
    return run.stdout + run.stderr


# Each with all three ways in which a play becomes root: -b, become: true and ansible_become.
CASES: dict[str, dict[str, Any]] = {
    "the implicit localhost": {},
    "a localhost of the inventory with another Python": {"hosts": LOCALHOST},
    "a bastion": {"hosts": BASTION, "kafka_admin_host": "bastion", "kafka_admin_python": sys.executable},
}


@pytest.mark.parametrize("case", CASES)
def test_the_cluster_is_asked_with_kafka_python_and_not_as_root(tmp_path: Path, case: str) -> None:
    told = topics(tmp_path, "-b", become=True, ansible_become=True, **CASES[case])
    assert "127.0.0.1:1" in told.split("fatal:")[-1], told
    if "kafka_admin_host" in CASES[case]:
        assert "kafka1 -> bastion" in told


def test_an_admin_host_without_kafka_python_is_one_sentence_with_the_settings_to_change(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    told = topics(tmp_path, kafka_admin_python=str(tmp_path / "bare/bin/python"))
    for words in ("bare/bin/python on ", "lacks kafka-python", "kafka_admin_python", "kafka_admin_host"):
        assert words in told


def tasks(found: Any) -> Iterator[dict[str, Any]]:
    """All tasks of a file: of plays, blocks and lists."""
    for task in found if isinstance(found, list) else []:
        for part in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from tasks(task.get(part))
        yield task


FILES = [file for pattern in ("roles/*/tasks/**/*.yml", "playbooks/*.yml") for file in sorted(ROOT.glob(pattern))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_task_that_leaves_its_host_says_by_which_connection_and_python_and_that_it_stays_who_it_is(
    file: Path,
) -> None:
    for task in tasks(yaml.safe_load(file.read_text("utf-8"))):
        asks = any(name.removeprefix("crucible.kafka.") in ADMIN for name in task)
        if asks:
            assert "admin_host }}" in task.get("delegate_to", ""), task["name"]
        if asks or task.get("delegate_to") == "localhost":
            said = task.get("vars", {})
            assert said.get("ansible_become") is False, task["name"]
            assert {"ansible_connection", "ansible_python_interpreter"} <= said.keys(), task["name"]
