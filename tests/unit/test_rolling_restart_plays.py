"""The plays that restart nodes one at a time keep the order in which the nodes were handed to them."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
ROLE = PLAYBOOKS.parent / "roles/kafka"
# In a process of its own: once Ansible's controller is imported, modules in the same process act as a part of it.
RENDER = """
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
expression, cases = json.load(sys.stdin)
answers = [Templar(DataLoader(), {"groups": groups}).template(trust_as_template(expression)) for groups in cases]
print(json.dumps(answers))
"""


PLAN = """
- hosts: kafka1,kafka2
  gather_facts: false
  vars: {__kafka_plan: {steps: {kafka1: {in_turn: false}, kafka2: {in_turn: %s}}}}
  tasks: [{include_role: {name: crucible.kafka.kafka, tasks_from: refuse_restarts}}]
"""

# kafka2 is down, and would rejoin.
RESTART_ALL = """
- hosts: kafka1,kafka2
  gather_facts: false
  vars:
    __kafka_plan: {steps: {kafka1: {in_turn: false}, kafka2: {in_turn: true}}}
    __kafka_found: {process: "{{ {'release': '4.3.1'} if inventory_hostname == 'kafka1' else none }}"}
  tasks:
    - import_role: {name: crucible.kafka.kafka, tasks_from: load_vars}
    - debug: {msg: "{{ inventory_hostname }} {{ __kafka_restart_steps.in_turn }}"}
"""


def plan_run(folder: Path, *options: str, in_turn: str) -> subprocess.CompletedProcess[str]:
    """A run in which kafka2 waits for its turn, or does not, by a play that has no other behind it."""
    playbook = folder / "roles.yml"
    playbook.write_text(PLAN % in_turn, encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "--inventory=kafka1,kafka2,", str(playbook)]
    return subprocess.run([*command, *options], cwd=PLAYBOOKS.parent, text=True, capture_output=True, check=False)


def hosts_of(playbook: str, *cases: dict[str, list[str]]) -> Any:
    """The hosts of the play with `serial: 1` for each of the inventories' groups, as Ansible renders them."""
    plays = yaml.safe_load((PLAYBOOKS / playbook).read_text(encoding="utf-8"))
    [play] = [play for play in plays if play.get("serial") == 1]
    asked = json.dumps([play["hosts"], cases])
    return json.loads(subprocess.check_output([sys.executable, "-c", RENDER], input=asked, text=True))


@pytest.mark.parametrize("playbook", ["site.yml", "rolling_restart.yml"])
def test_nodes_are_restarted_in_the_order_that_was_decided(playbook: str) -> None:
    cluster = ["kafka1", "kafka2", "kafka3", "kafka4"]
    orders = [list(order) for order in permutations(cluster)]
    cases = [{"kafka": cluster, "kafka_rolling_restart": [*order, "other1"]} for order in orders]
    assert hosts_of(playbook, *cases) == orders


@pytest.mark.parametrize("playbook", ["site.yml", "rolling_restart.yml"])
def test_nothing_is_restarted_that_is_not_due(playbook: str) -> None:
    assert hosts_of(playbook, {"kafka": ["kafka1"]}) == ["all:!all"]


@pytest.mark.parametrize("playbook", ["site.yml", "rolling_restart.yml"])
def test_plays_behind_which_nodes_are_restarted_say_so(playbook: str) -> None:
    # Plays before them may be imported from another playbook.
    plays = [play for play in yaml.safe_load((PLAYBOOKS / playbook).read_text(encoding="utf-8")) if "hosts" in play]
    assert plays[0]["vars"]["__kafka_restarts_follow"] is True
    assert plays[1]["serial"] == 1


def test_a_restart_that_no_play_makes_is_refused(tmp_path: Path) -> None:
    run = plan_run(tmp_path, in_turn="true")
    assert run.returncode != 0
    sentence = "kafka2 must be changed in turn, as planned above, and this playbook has no play that restarts nodes"
    assert sentence in " ".join((run.stdout + run.stderr).split())


def test_a_restart_that_a_play_makes_is_not_refused(tmp_path: Path) -> None:
    run = plan_run(tmp_path, "--extra-vars={__kafka_restarts_follow: true}", in_turn="true")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_play_without_restarts_is_taken_where_none_is_planned(tmp_path: Path) -> None:
    run = plan_run(tmp_path, in_turn="false")
    assert run.returncode == 0, run.stdout + run.stderr


def restarted(playbook: str) -> dict[str, Any]:
    """The variables that a playbook gives to the restart of a node."""
    plays = yaml.safe_load((PLAYBOOKS / playbook).read_text(encoding="utf-8"))
    [play] = [play for play in plays if play.get("serial") == 1]
    return dict(play["tasks"][0].get("vars", {}))


def test_a_restart_that_deploys_nothing_compares_dynamic_settings_with_what_is_written() -> None:
    """With what the inventory declares it would set what nobody has deployed."""
    tasks = yaml.safe_load((ROLE / "tasks/rolling_restart_host.yml").read_text(encoding="utf-8"))
    [drops] = [task["crucible.kafka.kafka_broker_config"] for task in tasks if "kafka_broker_config" in str(task)]
    assert drops["declared"] == "{{ __kafka_restarts_with }}"
    assert restarted("rolling_restart.yml") == {"__kafka_restarts_with": "{{ __kafka_found.written }}"}
    assert restarted("site.yml") == {}
    declared = yaml.safe_load((ROLE / "vars/main/plan.yml").read_text(encoding="utf-8"))
    assert declared["__kafka_restarts_with"] == "{{ __kafka_properties }}"


def test_a_restart_that_deploys_nothing_leaves_a_node_alone_that_does_not_run(tmp_path: Path) -> None:
    playbook = tmp_path / "restart.yml"
    playbook.write_text(RESTART_ALL, encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "--inventory=kafka1,kafka2,", str(playbook)]
    run = subprocess.run(command, cwd=PLAYBOOKS.parent, text=True, capture_output=True, check=False)
    assert "kafka1 True" in run.stdout, run.stdout + run.stderr
    assert "kafka2 False" in run.stdout
    tasks = yaml.safe_load((ROLE / "tasks/rolling_restart_all.yml").read_text(encoding="utf-8"))
    [chooses] = [task for task in tasks if "ansible.builtin.set_fact" in task]
    assert "when" not in chooses
