"""A task that goes on without the hosts that do not answer really does: two keywords would end the run in spite of it.

Ansible ends it without a word, as no host has failed (lib/ansible/plugins/strategy/linear.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml")]


def tasks(entries: Any) -> Iterator[dict[str, Any]]:
    """The tasks of a file or play, those in blocks too."""
    for entry in entries or ():
        yield entry
        for key in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            yield from tasks(entry.get(key))


FORGIVING = [
    pytest.param(task, id=f"{file.relative_to(ROOT)}: {task['name']}")
    for file in FILES
    for task in tasks(yaml.safe_load(file.read_text(encoding="utf-8")))
    if task.get("ignore_unreachable")
]


@pytest.mark.parametrize("task", FORGIVING)
def test_a_task_that_ignores_unreachable_hosts_does_not_end_the_run(task: dict[str, Any]) -> None:
    assert task.get("any_errors_fatal") is False
    assert "run_once" not in task


def test_there_are_such_tasks() -> None:
    assert FORGIVING
