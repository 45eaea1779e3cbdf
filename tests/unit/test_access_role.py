"""The role kafka_access does what it can, and says what waits; the record is read as whoever may read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ACLS = [{"principal": "User:shop", "resource_type": "topic", "name": "orders", "operations": ["READ"]}]
PLAY = """
- hosts: kafka
  gather_facts: false
  tasks:
    - include_role: {name: crucible.kafka.kafka_access}
      vars: {kafka_access_bootstrap_servers: ["127.0.0.1:1"]}
"""
# Whoever becomes another user here fails.
HOSTS = """
all:
  vars: {ansible_become_exe: /bin/false, ansible_become_user: nobody}
  children: {kafka: {hosts: {kafka1: {ansible_connection: local, ansible_python_interpreter: PYTHON}}}}
"""
WAIT = "kafka_acls wait for an authorizer"


def run(folder: Path, play: str, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """What becomes of a play with these variables in the inventory."""
    inventory = yaml.safe_load(HOSTS.replace("PYTHON", sys.executable))
    inventory["all"]["vars"].update(variables)
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), "utf-8")
    (folder / "play.yml").write_text(play, "utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT}\nnocows = True\n", "utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.yml", "play.yml", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


@pytest.mark.parametrize(
    "declared",
    [
        {"kafka_security": "plaintext"},
        {"kafka_security": "tls"},
        {"kafka_security": "tls", "kafka_security_phase": "closed"},
        {"kafka_security": "mtls", "kafka_security_phase": "members"},
        {"kafka_security": "scram", "kafka_config": {"authorizer.class.name": None}},
    ],
    ids=str,
)
def test_acls_wait_where_no_node_has_an_authorizer(tmp_path: Path, declared: dict[str, Any]) -> None:
    """On the way back to plaintext they may stay declared."""
    done = run(tmp_path, PLAY, kafka_acls=ACLS, **declared)
    assert done.returncode == 0, done.stdout + done.stderr
    assert WAIT in done.stdout


@pytest.mark.parametrize(
    "declared",
    [
        {"kafka_security": "scram", "kafka_config": {}},
        {"kafka_security": "mtls"},
        {"kafka_security": "scram", "kafka_security_phase": "authorizer"},
        {"kafka_security": "plaintext", "kafka_config": {"authorizer.class.name": "my.Authorizer"}},
        {},  # Without the role kafka, for a cluster that another tool has made.
    ],
    ids=str,
)
def test_acls_are_made_where_nodes_have_an_authorizer(tmp_path: Path, declared: dict[str, Any]) -> None:
    done = run(tmp_path, PLAY, kafka_acls=ACLS, **declared)
    assert done.returncode == 2 and "127.0.0.1:1" in done.stdout + done.stderr, done.stdout + done.stderr
    assert WAIT not in done.stdout


def test_nothing_is_said_of_acls_that_nobody_declares(tmp_path: Path) -> None:
    done = run(tmp_path, PLAY, kafka_security="plaintext")
    assert done.returncode == 0 and WAIT not in done.stdout


@pytest.mark.parametrize("become", [{}, {"ansible_become": True}], ids=str)
def test_the_record_on_the_machine_that_runs_ansible_is_read_and_written_as_the_user_who_runs_it(
    tmp_path: Path, become: dict[str, bool]
) -> None:
    record = tmp_path / "users.json"
    record.touch()
    users = [{"name": "shop", "password": "open sesame"}]
    done = run(
        tmp_path,
        PLAY,
        "-b",
        kafka_users=users,
        kafka_access_users_record=str(record),
        kafka_access_users_record_host="localhost",
        **become,
    )
    # It was read as who runs Ansible; what fails is to ask a cluster that is not there.
    assert "127.0.0.1:1" in done.stdout + done.stderr, done.stdout + done.stderr


def test_every_task_of_the_record_is_in_the_files_that_are_told_who_to_be() -> None:
    tasks = ROOT / "roles/kafka_access/tasks"
    holding = {file.name for file in tasks.glob("*.yml") if "kafka_access_users_record_host" in file.read_text("utf-8")}
    assert holding == {"read_users_record.yml", "write_users_record.yml"}
    users = json.dumps(yaml.safe_load((tasks / "users.yml").read_text("utf-8")))
    for name in holding:
        assert users.count(name) == 2, name
