"""A number that is given with `-e NAME=VALUE` is text, and outranks what the preflight has converted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONVERTED = r"(?!\w)(?!\s*\|\s*(?:int|float)\b)"


def numbers() -> set[str]:
    """The variables of all roles that are numbers."""
    specs = [yaml.safe_load(path.read_text("utf-8")) for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
    options = [entry["options"] for spec in specs for entry in spec["argument_specs"].values() if "options" in entry]
    return {name for each in options for name, option in each.items() if option.get("type") in ("int", "float")}


def expressions() -> Iterator[tuple[Path, str]]:
    """What templates and tasks compute."""
    for pattern in ("roles/*/tasks/*.yml", "roles/*/vars/**/*.yml", "roles/*/templates/*", "playbooks/**/*.yml"):
        for path in ROOT.glob(pattern):
            for line in path.read_text(encoding="utf-8").splitlines():
                if not re.match(r"\s*(#|- name:)", line):
                    yield path, line


def test_no_number_is_computed_with_as_it_is_given() -> None:
    name = f"(?:{'|'.join(sorted(numbers()))})"
    computes = re.compile(rf"\b{name}{CONVERTED}\s*(?://|[-+*/<>%])|(?:[-+*/<>%]=?|range\()\s*\b{name}{CONVERTED}")
    found = [f"{path.relative_to(ROOT)}: {line.strip()}" for path, line in expressions() if computes.search(line)]
    assert found == []


def test_what_would_be_computed_with_text_is_found() -> None:
    name, computes = "kafka_heap_mb", re.compile(rf"\bkafka_heap_mb{CONVERTED}\s*(?://|[-+*/<>%])")
    assert name in numbers()
    assert computes.search("{{ kafka_heap_mb / 2 }}") and computes.search("when: kafka_heap_mb > 0")
    assert not computes.search("{{ kafka_heap_mb | int / 2 }}") and not computes.search("kafka_heap_mb_more / 2")
