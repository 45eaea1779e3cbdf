"""What the plays of the migration take down, leave as it is and compare, as Ansible renders it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own: once Ansible's controller is imported, modules in the same process act as a part of it.
RENDER = """
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
expressions, given, wanted = json.load(sys.stdin)
trusted = {name: trust_as_template(text) for name, text in expressions.items()}
templar = Templar(DataLoader(), {**trusted, **given})
print(json.dumps([templar.template(trusted[name]) for name in wanted]))
"""
GROUPS = {"kafka": ["kafka1", "kafka2"], "zookeeper": ["zk1", "kafka1"]}
ENSEMBLE = [
    "__kafka_migration_keeps_ensemble",
    "__kafka_migration_taken_down",
    "__kafka_migration_kept",
    "__firewall_mode",
]
CLUSTER_MODE = "{{ 'kraft' if kafka_migration_phase == 'finished' else 'zookeeper' }}"


def expressions() -> dict[str, str]:
    """The variables of the migration, and of the firewall, as they are written."""
    files = ("roles/kafka/vars/main/migration.yml", "playbooks/vars/firewall.yml")
    found = [yaml.safe_load((ROOT / file).read_text(encoding="utf-8")) for file in files]
    texts = {name: value for each in found for name, value in each.items() if isinstance(value, str)}
    return texts | {"__kafka_cluster_mode": CLUSTER_MODE}


def rendered(wanted: list[str], **variables: Any) -> list[Any]:
    given = {"groups": GROUPS, "__kafka_zookeeper_group": "zookeeper", **variables}
    asked = json.dumps([expressions(), given, wanted])
    answers: list[Any] = json.loads(subprocess.check_output([sys.executable, "-c", RENDER], input=asked, text=True))
    return answers


@pytest.mark.parametrize(
    ("phase", "given", "expected"),
    [
        ("finished", {}, [False, ["zk1", "kafka1"], [], "kraft"]),
        ("finished", {"migration_keep_ensemble": "no"}, [False, ["zk1", "kafka1"], [], "kraft"]),
        ("finished", {"migration_keep_ensemble": "yes"}, [True, [], ["zk1", "kafka1"], "zookeeper"]),
        ("finished", {"migration_keep_ensemble": True}, [True, [], ["zk1", "kafka1"], "zookeeper"]),
        ("kraft_brokers", {"migration_keep_ensemble": "yes"}, [False, [], [], "zookeeper"]),
        ("", {"migration_keep_ensemble": "yes", "__kafka_cluster_mode": "kraft"}, [False, [], [], "kraft"]),
    ],
)
def test_finished_takes_the_ensemble_down_unless_it_is_told_to_leave_it(
    phase: str, given: dict[str, Any], expected: list[Any]
) -> None:
    assert rendered(ENSEMBLE, kafka_migration_phase=phase, **given) == expected


def test_only_what_is_to_be_taken_down_is_handed_to_the_play_that_does_it() -> None:
    tasks = yaml.safe_load((ROOT / "roles/kafka/tasks/migration_validate.yml").read_text(encoding="utf-8"))
    (handed,) = (
        task for task in tasks if task.get("ansible.builtin.add_host", {}).get("groups") == "kafka_migration_ensemble"
    )
    names = [task["name"] for task in tasks]
    assert handed["loop"] == "{{ __kafka_migration_taken_down }}"
    assert names.index("Refuse to take down an ensemble that others use") < names.index(handed["name"])


def servers(*running: bool, enabled: tuple[bool, ...]) -> dict[str, Any]:
    """What is found of zk1 and kafka1."""
    names = GROUPS["zookeeper"]
    found: list[dict[str, Any]] = [
        {"item": name, "digests": {} if up else None} for name, up in zip(names, running, strict=True)
    ]
    return {
        "__kafka_migration_servers": {"results": found},
        "__kafka_migration_enabled": {"results": [{"stat": {"exists": each}} for each in enabled]},
    }


@pytest.mark.parametrize(
    ("found", "asked", "is_resumed"),
    [
        (servers(True, True, enabled=(True, True)), "zk1", False),
        (servers(False, True, enabled=(True, True)), "kafka1", False),
        (servers(False, True, enabled=(False, True)), "kafka1", True),
        (servers(False, False, enabled=(True, True)), None, False),
        (servers(False, False, enabled=(False, False)), None, True),
    ],
)
def test_a_server_that_runs_is_asked_and_one_that_was_taken_down_is_known(
    found: dict[str, Any], asked: str | None, is_resumed: bool
) -> None:
    wanted = ["__kafka_migration_running", "__kafka_migration_asked", "__kafka_migration_is_resumed"]
    running, first, resumed = rendered(wanted, kafka_migration_phase="finished", **found)
    assert ([each["item"] for each in running][:1], resumed) == ([asked] if asked else [], is_resumed)
    assert first["item"] == (asked or "zk1")  # A task that is left out names its host all the same.


def test_what_a_run_that_was_cut_short_has_recorded_is_compared() -> None:
    contents = {"replicas": {"orders-0": [1, 2]}, "configs": {}, "quotas": {}, "offsets": {}}
    content = base64.b64encode(json.dumps(contents).encode()).decode()
    wanted = ["__kafka_migration_recorded", "__kafka_migration_accepts_changes"]
    assert rendered(wanted, __kafka_migration_record_read={"content": content}) == [contents, False]
    skipped = {"skipped": True, "changed": False}
    assert rendered(wanted, __kafka_migration_record_read=skipped, migration_accept_changes="yes") == [{}, True]
