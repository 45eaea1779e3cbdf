"""A playbook that is run on other hosts than it needs, or than it may be, says so in a sentence and touches nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTS = """
all:
  vars: {ansible_connection: local, ansible_python_interpreter: PYTHON, kafka_archive_checksum: none}
  children:
    kafka: {hosts: {kafka1: {kafka_node_id: 1}, kafka2: {kafka_node_id: 2}}}
    loadgen: {hosts: {loadgen1: {}}}
"""

# A cluster that does not answer, whose hosts need not be asked for it.
CLUSTER = """{
    __kafka_endpoint: {bootstrap_servers: ["127.0.0.1:1"], client: {}, changes: []},
    __kafka_listener_arguments: {running: []},
    kafka_answer_timeout_s: 0.2
}"""


def told(folder: Path, playbook: str, *options: str) -> str:
    """What Ansible says of a playbook that fails."""
    (folder / "hosts.yml").write_text(HOSTS.replace("PYTHON", sys.executable), "utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT}\ninventory = hosts.yml\n", "utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(ROOT / "playbooks" / playbook), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def test_a_broker_is_not_removed_by_a_run_without_its_host(tmp_path: Path) -> None:
    said = told(tmp_path, "remove_broker.yml", "-e", CLUSTER, "-e", "broker=kafka2", "--limit=kafka1")
    assert "Nothing was touched. --limit leaves out kafka2" in said
    assert "TASK [Refuse what the others cannot take over]" not in said


def test_by_its_id_it_is_not_removed_either(tmp_path: Path) -> None:
    said = told(tmp_path, "remove_broker.yml", "-e", CLUSTER, "-e", "broker=2", "--limit=kafka1")
    assert "leaves out kafka2" in said


@pytest.mark.parametrize(
    "options",
    [
        ["-e", "broker=kafka2"],
        ["-e", "broker=kafka2", "--limit=kafka2"],
        ["-e", "broker=7", "--limit=kafka1"],
    ],
    ids=" ".join,
)
def test_a_removal_whose_host_is_in_the_run_or_gone_goes_on_to_ask_the_cluster(
    tmp_path: Path, options: list[str]
) -> None:
    said = told(tmp_path, "remove_broker.yml", "-e", CLUSTER, *options)
    assert "leaves out" not in said
    assert "TASK [Refuse what the others cannot take over]" in said


@pytest.mark.parametrize("limit", ["loadgen", "loadgen1"])
def test_a_load_without_the_cluster_in_the_run_is_one_sentence(tmp_path: Path, limit: str) -> None:
    said = told(tmp_path, "loadtest.yml", f"--limit={limit}")
    assert "--limit leaves out all hosts of the group kafka" in said
    assert "undefined" not in said


@pytest.mark.parametrize("options", [[], ["-e", "fault_injection_allowed=false"]])
def test_the_demo_kills_no_broker_where_faults_are_not_allowed(tmp_path: Path, options: list[str]) -> None:
    said = told(tmp_path, "demo_kill.yml", "-e", "demo_node_id=1", "-e", "demo_at_s=0", *options)
    assert "Nothing is broken here: the inventory does not say fault_injection_allowed=true for kafka1" in said
    assert "TASK [See which start of the broker this is]" not in said


LINK_TAKEN = """
- hosts: kafka
  gather_facts: false
  tasks:
    - set_fact:
        __kafka_found: {name: "{{ inventory_hostname }}", link_is_taken: "{{ inventory_hostname == 'kafka2' }}"}
    - import_role: {name: crucible.kafka.kafka, tasks_from: load_vars}
    - debug: {msg: "taken on {{ __kafka_link_is_taken | join(',') }}"}
    - assert: {that: __kafka_link_is_taken | length == 0}
"""


def test_a_directory_in_the_place_of_the_link_is_refused_with_the_plan(tmp_path: Path) -> None:
    (tmp_path / "link.yml").write_text(LINK_TAKEN, "utf-8")
    assert "taken on kafka2 " in told(tmp_path, str(tmp_path / "link.yml")).replace('"', " ")
    plan = (ROOT / "roles/kafka/tasks/plan.yml").read_text("utf-8")
    assert (
        plan.index("read_hosts.yml")
        < plan.index("that: __kafka_link_is_taken | length == 0")
        < plan.index("kafka_plan:")
    )
