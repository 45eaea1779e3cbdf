"""The plays that restart nodes one at a time keep the order in which the nodes were handed to them."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"


def hosts_of(playbook: str, groups: dict[str, list[str]]) -> Any:
    """The hosts of the play with `serial: 1`, as Ansible renders them."""
    plays = yaml.safe_load((PLAYBOOKS / playbook).read_text(encoding="utf-8"))
    [play] = [play for play in plays if play.get("serial") == 1]
    return Templar(DataLoader(), {"groups": groups}).template(trust_as_template(play["hosts"]))


@pytest.mark.parametrize("playbook", ["site.yml", "rolling_restart.yml"])
def test_nodes_are_restarted_in_the_order_that_was_decided(playbook: str) -> None:
    cluster = ["kafka1", "kafka2", "kafka3", "kafka4"]
    for order in permutations(cluster):
        groups = {"kafka": cluster, "kafka_rolling_restart": [*order, "other1"]}
        assert hosts_of(playbook, groups) == list(order)


@pytest.mark.parametrize("playbook", ["site.yml", "rolling_restart.yml"])
def test_nothing_is_restarted_that_is_not_due(playbook: str) -> None:
    assert hosts_of(playbook, {"kafka": ["kafka1"]}) == "all:!all"
