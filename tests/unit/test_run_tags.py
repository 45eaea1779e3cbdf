"""Runs with --tags or --skip-tags restart no nodes without their ports, and close no ports on which nodes run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTS = "kafka: {hosts: {kafka1: {kafka_node_id: 1, ansible_connection: local}, kafka2: {kafka_node_id: 2}}}\n"
# The whole playbook under a tag of the user's own, by which it is told apart from other systems.
IMPORTED = f"- import_playbook: {ROOT}/playbooks/site.yml\n  tags: [kafka]\n"
NOTES = f"- import_playbook: {ROOT}/playbooks/note_tags.yml\n"
JUDGES = """
- hosts: kafka
  gather_facts: false
  tasks:
    - name: Judge the tags
      import_role: {name: crucible.kafka.preflight, tasks_from: run_tags}
      tags: [always]
    - name: Load the defaults of the role firewall
      import_role: {name: crucible.kafka.firewall}
      when: false
"""
MOVES = "{__kafka_endpoint: {changes: ['CLIENT moves from port 9092 to 9192 (kafka1, kafka2)']}}"
STAYS = "{__kafka_endpoint: {changes: []}}"
PARTIAL = [["--tags=firewall"], ["--tags=kafka"], ["--skip-tags=firewall"], ["--skip-tags=kafka"]]
WHOLE = [[], ["--tags=firewall,kafka"], ["--tags=tls"], ["--skip-tags=firewall,kafka"], ["--skip-tags=java"]]


def run(folder: Path, playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What Ansible does with a playbook."""
    (folder / "hosts.yml").write_text(HOSTS, "utf-8")
    (folder / "play.yml").write_text(playbook, "utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT}\ninventory = hosts.yml\n", "utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "play.yml", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def judged(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What becomes of tags in the play that judges them; later options outrank the moved listener."""
    return run(folder, NOTES + JUDGES, "-e", MOVES, *options)


@pytest.mark.parametrize(
    ("tags", "closes"), [("firewall", False), ("kafka", True), ("firewall,kafka", True), ("all", True)]
)
def test_ports_are_closed_by_runs_that_restart_nodes(tmp_path: Path, tags: str, closes: bool) -> None:
    told = run(tmp_path, IMPORTED.replace("[kafka]", "[]"), "--list-tasks", f"--tags={tags}").stdout
    plays = {play.split("\n", 1)[0]: play for play in told.split("\n  play #")[1:]}
    [closing] = [play for name, play in plays.items() if "Close the ports that listeners have left" in name]
    assert ("Make the rules exactly the declared ones" in closing) is closes


@pytest.mark.parametrize("options", PARTIAL, ids=" ".join)
def test_tags_that_take_one_of_firewall_and_kafka_are_refused_while_listeners_change(
    tmp_path: Path, options: list[str]
) -> None:
    done = judged(tmp_path, *options)
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, told
    assert "Nothing was changed. CLIENT moves from port 9092 to 9192 (kafka1, kafka2)" in told
    assert "--tags" in told and "firewall" in told and "kafka" in told


@pytest.mark.parametrize("options", WHOLE, ids=" ".join)
def test_tags_that_take_both_or_neither_are_not_refused(tmp_path: Path, options: list[str]) -> None:
    done = judged(tmp_path, *options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("options", PARTIAL, ids=" ".join)
def test_tags_are_not_refused_where_no_listener_changes_or_the_firewall_is_the_users_own(
    tmp_path: Path, options: list[str]
) -> None:
    for given in (STAYS, "firewall_enabled=false"):
        done = judged(tmp_path, *options, "-e", given)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_tag_of_the_users_own_for_the_whole_playbook_takes_both(tmp_path: Path) -> None:
    told = run(tmp_path, IMPORTED, "--list-tasks", "--tags=kafka").stdout
    assert len(re.findall(r"Note that this run \w+ ", told)) == 2
    done = run(tmp_path, NOTES + "  tags: [kafka]\n" + JUDGES, "--tags=kafka", "-e", MOVES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tags_are_noted_before_any_host_is_touched_and_judged_before_anything_is_changed() -> None:
    site = (ROOT / "playbooks/site.yml").read_text("utf-8")
    assert re.findall(r"import_playbook: (\S+)", site)[:2] == ["note_tags.yml", "zookeeper_servers.yml"]
    hosts = (ROOT / "roles/preflight/tasks/hosts.yml").read_text("utf-8")
    assert hosts.index("tasks_from: find_cluster") < hosts.index("run_tags.yml") < hosts.index("preflight_plan")
