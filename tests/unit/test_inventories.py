"""What an inventory chooses: several clusters, each a group of its own, and what is left to the user's own means."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = [file for file in sorted((ROOT / "playbooks").glob("*.yml")) if file.name != "demo_kill.yml"]
HOSTS = """
orders:
  hosts: {o1: {kafka_node_id: 1}, o2: {kafka_node_id: 2}}
clicks:
  hosts: {c1: {kafka_node_id: 1}, c2: {kafka_node_id: 2}}
"""
# Both clusters in one run, as a rolling restart of each has left its group.
BOTH = """
- hosts: all
  gather_facts: false
  tasks: [{group_by: {key: kafka_rolling_restart}}]
"""
OWN_MEANS = """
- hosts: orders
  gather_subset: ["!all", "!min", distribution]
  connection: local
  vars: {java_enabled: false, os_tuning_enabled: false, firewall_enabled: false, data_disk_mounts: []}
  roles: [crucible.kafka.os_tuning, crucible.kafka.data_disk, crucible.kafka.java, crucible.kafka.firewall]
"""
# What uninstall.yml does with the firewall; without `when` of its own it would need ufw, which this host does not have.
OWN_FIREWALL = """
- hosts: orders
  gather_facts: false
  connection: local
  tasks:
    - import_role: {name: crucible.kafka.firewall, tasks_from: rules}
      vars: {firewall_rules: [], firewall_keep_undeclared: false}
"""
MEMBERS = """
- hosts: clicks
  gather_facts: false
  tasks:
    - import_role: {name: crucible.kafka.kafka, tasks_from: load_vars}
    - debug: {msg: "{{ __kafka_members | map(attribute='name') | join(',') }} is {{ kafka_group }}"}
"""


def run(folder: Path, *arguments: str | Path) -> str:
    """What ansible-playbook prints with that inventory; it must end well."""
    (folder / "hosts.yml").write_text(HOSTS, "utf-8")
    (folder / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT}\ninventory = hosts.yml\n", "utf-8")
    command: list[str | Path] = [Path(sys.executable).parent / "ansible-playbook", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_playbook_acts_on_the_hosts_of_the_group_alone(tmp_path: Path) -> None:
    told = run(tmp_path, "--list-hosts", "-e", "kafka_group=clicks", *PLAYBOOKS)
    hosts = set(re.findall(r"^      (\S+)$", told, re.MULTILINE))
    assert hosts == {"c1", "c2"}
    assert "pattern: ['kafka']" not in told


@pytest.mark.parametrize(("playbook", "first", "last"), [("site.yml", "z1", "o1"), ("uninstall.yml", "o1", "z1")])
def test_zookeeper_servers_outside_the_cluster_come_before_it_and_go_after_it(
    tmp_path: Path, playbook: str, first: str, last: str
) -> None:
    (tmp_path / "ensemble.yml").write_text("zookeeper: {hosts: {z1: {}, o2: {}}}\n", "utf-8")
    inventories = ("-i", "hosts.yml", "-i", "ensemble.yml")
    told = run(tmp_path, "--list-hosts", *inventories, "-e", "kafka_group=orders", ROOT / "playbooks" / playbook)
    plays = [set(re.findall(r"^      (\S+)$", play, re.MULTILINE)) for play in told.split("\n  play #")]
    changing = [min(hosts) for hosts in plays if hosts in ({"z1"}, {"o1", "o2"})]
    assert changing.index(first) < len(changing) - 1 - changing[::-1].index(last)
    assert {"z1"} in plays


def test_what_one_cluster_restarts_is_not_restarted_by_the_run_of_another(tmp_path: Path) -> None:
    site = (ROOT / "playbooks/site.yml").read_text("utf-8")
    pattern = re.search(r'^  hosts: ("\{\{ groups\[.*)$', site, re.MULTILINE)
    assert pattern
    (tmp_path / "both.yml").write_text(
        f"{BOTH}\n- hosts: {pattern[1]}\n  gather_facts: false\n  vars: {{kafka_group: clicks}}\n"
        "  tasks: [{debug: {msg: restarts}}]\n",
        "utf-8",
    )
    told = run(tmp_path, "both.yml").split("PLAY [")[2]
    assert "[c1]" in told
    assert "[o1]" not in told


def test_the_members_of_a_cluster_are_those_of_the_group_that_its_group_vars_name(tmp_path: Path) -> None:
    (tmp_path / "members.yml").write_text(MEMBERS, "utf-8")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/clicks.yml").write_text("kafka_group: clicks\n", "utf-8")
    assert "c1,c2 is clicks" in run(tmp_path, "members.yml")


def test_what_is_left_to_the_user_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(OWN_MEANS, "utf-8")
    told = run(tmp_path, "own.yml", "--limit=o1", "-e", f"ansible_python_interpreter={sys.executable}")
    assert re.search(r"o1 +: ok=5 +changed=0 ", told), (
        told
    )  # The facts, the four specifications of arguments, and no task.


@pytest.mark.parametrize("given", ["firewall_enabled=false", '{"firewall_enabled": false}'])
def test_a_firewall_that_is_left_to_the_user_is_not_touched_when_kafka_is_removed(tmp_path: Path, given: str) -> None:
    (tmp_path / "own.yml").write_text(OWN_FIREWALL, "utf-8")
    python = f"ansible_python_interpreter={sys.executable}"
    told = run(tmp_path, "own.yml", "--check", "--limit=o1", "-e", python, "-e", given)
    assert re.search(r"o1 +: ok=0 +changed=0 .*skipped=1 ", told), told


@pytest.mark.parametrize("given", ["java_enabled", "os_tuning_enabled", "firewall_enabled"])
def test_what_is_left_to_the_user_may_be_said_as_text(tmp_path: Path, given: str) -> None:
    (tmp_path / "own.yml").write_text(OWN_MEANS, "utf-8")
    python = f"ansible_python_interpreter={sys.executable}"
    told = run(tmp_path, "own.yml", "--limit=o1", "-e", python, "-e", f"{given}=false")
    assert re.search(r"o1 +: ok=5 +changed=0 ", told), told
