"""What is given with `-e NAME=VALUE` is text, and outranks what the preflight has converted: numbers and booleans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONVERTED = r"(?!\w)(?!\s*\|\s*(?:int|float)\b)"


def variables(*types: str) -> set[str]:
    """The variables of all roles that have one of these types."""
    specs = [yaml.safe_load(path.read_text("utf-8")) for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
    options = [entry["options"] for spec in specs for entry in spec["argument_specs"].values() if "options" in entry]
    return {name for each in options for name, option in each.items() if option.get("type") in types}


def numbers() -> set[str]:
    """The variables of all roles that are numbers."""
    return variables("int", "float")


CONDITIONS = ("when", "that", "until", "failed_when", "changed_when")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def conditions(found: Any, key: str = "") -> Iterator[str]:
    """The expressions of a file that decide something; a module converts what it is given as it is."""
    if isinstance(found, dict):
        for each, value in found.items():
            yield from conditions(value, each)
    elif isinstance(found, list):
        for value in found:
            yield from conditions(value, key)
    elif isinstance(found, str):
        if key in CONDITIONS and "{{" not in found:
            yield found
        given = [each.strip() for each in re.findall(r"\{\{(.*?)\}\}", found, re.DOTALL)]
        yield from (each for each in given if not re.fullmatch(r"\w+", each))


def judged_as_given(name: str, expression: str) -> bool:
    """Whether an expression judges a variable without `| bool`."""
    converted = r"(?:\s*\|\s*default\([^|]*\))?\s*\|\s*bool\b"
    return bool(re.search(rf"(?<![\w.]){name}\b(?!{converted})", QUOTED.sub("''", expression)))


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


CHOSEN_BY = ("roles/*/tasks/*.yml", "roles/*/vars/**/*.yml", "roles/fault/faults/*.yml", "playbooks/**/*.yml")


def test_nothing_that_is_true_or_false_is_judged_as_it_is_given() -> None:
    paths, names = [path for pattern in CHOSEN_BY for path in ROOT.glob(pattern)], sorted(variables("bool"))
    found = [
        f"{path.relative_to(ROOT)}: {expression}"
        for path in paths
        for expression in conditions(yaml.safe_load(path.read_text(encoding="utf-8")))
        for name in names
        if judged_as_given(name, expression)
    ]
    assert found == []


@pytest.mark.parametrize(
    "task",
    [
        {"when": "tls_enabled"},
        {"when": ["other", "not tls_enabled"]},
        {"mode": "{{ 1 if tls_enabled else 0 }}"},
        {"assert": {"that": "not tls_enabled | default(false) or other"}},
    ],
)
def test_what_would_be_judged_as_text_is_found(task: dict[str, Any]) -> None:
    assert "tls_enabled" in variables("bool")
    assert [judged_as_given("tls_enabled", expression) for expression in conditions(task)].count(True) == 1


@pytest.mark.parametrize(
    "task",
    [
        {"when": "tls_enabled | bool"},
        {"tls": "{{ tls_enabled | default(kafka_security != 'plaintext') | bool }}"},
        {"module": {"enabled": "{{ tls_enabled }}"}, "tls_enabled": True},
        {"when": ["my_tls_enabled", "'tls_enabled' in names"]},
    ],
)
def test_what_is_converted_or_given_to_a_module_is_not_found(task: dict[str, Any]) -> None:
    assert not any(judged_as_given("tls_enabled", expression) for expression in conditions(task))
