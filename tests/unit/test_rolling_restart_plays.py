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
# In a process of its own: once Ansible's controller is imported, modules in the same process act as a part of it.
RENDER = """
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
expression, cases = json.load(sys.stdin)
answers = [Templar(DataLoader(), {"groups": groups}).template(trust_as_template(expression)) for groups in cases]
print(json.dumps(answers))
"""


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
