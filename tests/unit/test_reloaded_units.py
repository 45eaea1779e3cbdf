"""What systemd takes from a unit without a new start of the process is in force once a run has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
UNITS = {"kafka": "__kafka_steps.in_turn", "zookeeper": "__zookeeper_digests"}


def services(role: str) -> list[dict[str, Any]]:
    """What the tasks that start the unit tell systemd."""
    tasks = yaml.safe_load((ROOT / f"roles/{role}/tasks/start.yml").read_text("utf-8"))
    return [task for task in tasks if "ansible.builtin.systemd_service" in task]


@pytest.mark.parametrize("role", UNITS)
def test_a_changed_unit_is_loaded_again_also_if_the_run_that_wrote_it_was_cut_short(role: str) -> None:
    starts, reloads = services(role)
    assert reloads["ansible.builtin.systemd_service"] == {"daemon_reload": True}
    asked = f"{starts['register']}.status.NeedDaemonReload | default('no') == 'yes'"
    assert asked in reloads["when"]


@pytest.mark.parametrize("role", UNITS)
def test_a_process_that_waits_for_its_turn_keeps_its_unit_until_then(role: str) -> None:
    """If it died before its turn, it would start from another release."""
    _, reloads = services(role)
    assert any(UNITS[role] in condition for condition in reloads["when"])
    turn = {"kafka": "rolling_restart_host", "zookeeper": "restart"}[role]
    tasks = yaml.safe_load((ROOT / f"roles/{role}/tasks/{turn}.yml").read_text("utf-8"))
    [restarts] = [task["ansible.builtin.systemd_service"] for task in tasks if "systemd_service" in str(task)]
    assert restarts["daemon_reload"] is True
