"""What the collection says of itself is so: where it runs, what it needs, what it ships."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))
META = sorted(ROOT.glob("roles/*/meta/main.yml"))
SHIPPED = ("roles/**/*.yml", "playbooks/*.yml", "playbooks/tasks/*.yml", "plugins/**/*.py")


@pytest.mark.parametrize("meta", META, ids=lambda path: path.parts[-3])
def test_every_role_names_the_releases_that_it_is_tried_on(meta: Path) -> None:
    platforms = yaml.safe_load(meta.read_text("utf-8"))["galaxy_info"]["platforms"]
    [debian] = [each for each in platforms if each["name"] == "Debian"]
    assert debian["versions"] == ["bookworm", "trixie"]


def test_the_ansible_that_is_asked_for_is_the_one_that_is_tried() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text("utf-8"))
    tried = re.search(r"^ansible-core==(\d+\.\d+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert tried
    assert runtime["requires_ansible"] == f">={tried[1]}.0"
    asked = {yaml.safe_load(meta.read_text("utf-8"))["galaxy_info"]["min_ansible_version"] for meta in META}
    assert asked == {tried[1]}


def test_the_collections_that_are_asked_for_are_those_that_are_used() -> None:
    files = [file for pattern in SHIPPED for file in ROOT.glob(pattern)]
    used = {
        name
        for file in files
        for name in re.findall(
            r"^\s*-? ?(ansible\.posix|community\.\w+)\.\w+:|import (?:ansible\.posix|community)",
            file.read_text("utf-8"),
            re.M,
        )
        if name
    }
    assert set(GALAXY["dependencies"]) == used


def test_inventories_of_the_lab_are_not_shipped() -> None:
    inventories = {f"inventory/{path.name}" for path in (ROOT / "inventory").iterdir() if path.is_dir()}
    ignored = {path for path in inventories if any(fnmatch(path, pattern) for pattern in GALAXY["build_ignore"])}
    assert inventories - ignored - {"inventory/production"} == {"inventory/production.example"}
