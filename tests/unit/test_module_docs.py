"""ansible-doc finds what a module's documentation refers to, from an installed collection as well."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

MODULES = sorted((Path(__file__).resolve().parents[2] / "plugins/modules").glob("*.py"))
FRAGMENTS = {f"crucible.kafka.{file.stem}" for file in (MODULES[0].parents[1] / "doc_fragments").glob("*.py")}


def documentation_of(module: Path) -> Any:
    """A module's DOCUMENTATION, without Ansible's controller: once imported, it changes how modules behave here."""
    constants = [node for node in ast.parse(module.read_text("utf-8")).body if isinstance(node, ast.Assign)]
    [text] = [node.value for node in constants if ast.unparse(node.targets[0]) == "DOCUMENTATION"]
    return yaml.safe_load(ast.literal_eval(text))


@pytest.mark.parametrize("module", MODULES, ids=lambda file: str(file.stem))
def test_a_module_names_its_fragments_in_full(module: Path) -> None:
    documentation = documentation_of(module)
    assert documentation["module"] == module.stem
    assert set(documentation.get("extends_documentation_fragment", [])) <= FRAGMENTS
