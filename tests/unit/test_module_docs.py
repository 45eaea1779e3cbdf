"""ansible-doc finds what a module's documentation refers to, from an installed collection as well."""

from pathlib import Path

import pytest
from ansible.parsing.plugin_docs import read_docstring

MODULES = sorted((Path(__file__).resolve().parents[2] / "plugins/modules").glob("*.py"))
FRAGMENTS = {f"crucible.kafka.{file.stem}" for file in (MODULES[0].parents[1] / "doc_fragments").glob("*.py")}


@pytest.mark.parametrize("module", MODULES, ids=lambda file: str(file.stem))
def test_a_module_names_its_fragments_in_full(module: Path) -> None:
    documentation = read_docstring(str(module), ignore_errors=False)["doc"]
    assert documentation["module"] == module.stem
    assert set(documentation.get("extends_documentation_fragment", [])) <= FRAGMENTS
