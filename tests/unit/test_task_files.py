"""Every file of tasks and every group that is named is there; Ansible sees that only when it comes to it, or never."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("playbooks", "roles", "molecule")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.yml") if "vars" not in path.parts)


def mappings(found: object) -> Iterator[dict[str, object]]:
    if isinstance(found, dict):
        yield found
        for value in found.values():
            yield from mappings(value)
    elif isinstance(found, list):
        for value in found:
            yield from mappings(value)


def named(path: Path) -> Iterator[Path]:
    """The files that a file names, but for names that are computed."""
    for each in mappings(yaml.safe_load(path.read_text(encoding="utf-8"))):
        if role := re.fullmatch(r"crucible\.kafka\.(\w+)", str(each.get("name", ""))):
            tasks = each.get("tasks_from", "main")
            yield ROOT / f"roles/{role[1]}/tasks/{tasks}.yml"
        for key in ("include_tasks", "import_tasks", "import_playbook"):
            file = each.get(f"ansible.builtin.{key}")
            file = file.get("file") if isinstance(file, dict) else file
            if isinstance(file, str) and "{{" not in file and file.endswith(".yml"):
                yield path.parent / file


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_tasks_that_is_named_is_there(path: Path) -> None:
    assert [str(file) for file in named(path) if not file.exists()] == []


def test_names_of_all_kinds_are_found() -> None:
    files = {file.resolve().relative_to(ROOT) for path in SOURCES for file in named(path)}
    assert {
        Path("roles/tls/tasks/validate_authority.yml"),
        Path("roles/kafka/tasks/format.yml"),
        Path("playbooks/tasks/remove_zookeeper_host.yml"),
        Path("playbooks/check_health.yml"),
    } <= files


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.name)
def test_tests_name_files_of_tasks_that_are_there(path: Path) -> None:
    for name in re.findall(r'"tasks_from": "(\w+)"', path.read_text(encoding="utf-8")):
        assert list((ROOT / "roles").glob(f"*/tasks/{name}.yml")), name


def test_every_group_that_a_run_makes_is_named_as_it_is_made() -> None:
    """A play for a group by another name has no hosts, and is left out without a word."""
    made, used = set[str](), set[str]()
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"groups\['(kafka_\w+)'\]", text))
        for each in mappings(yaml.safe_load(text)):
            for key, value in (("ansible.builtin.group_by", "key"), ("ansible.builtin.add_host", "groups")):
                arguments = each.get(key)
                if isinstance(arguments, dict):
                    made.add(str(arguments[value]))
    assert used
    assert used - made == set()
