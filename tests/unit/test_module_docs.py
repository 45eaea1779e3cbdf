"""ansible-doc tells what a plugin really takes, from an installed collection as well."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.crucible.kafka.plugins.module_utils import entry

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
FRAGMENTS = {f"crucible.kafka.{file.stem}": file for file in (PLUGINS / "doc_fragments").glob("*.py")}
COLLECTION = "ansible_collections.crucible.kafka.plugins"
KEYS = ("required", "default", "choices", "elements")

module_files = pytest.mark.parametrize("module", MODULES, ids=lambda file: str(file.stem))


def texts(file: Path) -> dict[str, str]:
    """The texts of a plugin by name; Ansible's controller is not imported, as modules behave otherwise then."""
    statements = ast.walk(ast.parse(file.read_text("utf-8")))
    constants = (node for node in statements if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant))
    return {
        ast.unparse(node.targets[0]): node.value.value
        for node in constants
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def given(option: dict[str, Any]) -> dict[str, Any]:
    """What is said of an option besides its type."""
    return {
        key: option[key] for key in KEYS if option.get(key) is not None and (key, option[key]) != ("required", False)
    }


def documented(options: dict[str, Any]) -> dict[str, Any]:
    """Options as documented, in the form of an argument_spec."""
    return {
        name: {
            "type": option.get("type", "str"),
            **given(option),
            **({"suboptions": documented(option["suboptions"])} if "suboptions" in option else {}),
        }
        for name, option in options.items()
    }


def taken(spec: dict[str, Any]) -> dict[str, Any]:
    """An argument_spec in the same form."""
    return {
        name: {
            "type": argument.get("type", "str"),
            **given(argument),
            **({"suboptions": taken(argument["options"])} if "options" in argument else {}),
        }
        for name, argument in spec.items()
    }


class Asked(Exception):
    """Carries the argument_spec that a module is made with; it is no error, and ends the module there."""


class Recorder:
    """Stands for AnsibleModule."""

    def __init__(self, argument_spec: dict[str, Any], **_options: Any) -> None:
        raise Asked(argument_spec)


@module_files
def test_a_module_takes_what_its_documentation_says(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documentation = yaml.safe_load(texts(module)["DOCUMENTATION"])
    assert documentation["module"] == module.stem
    options = dict(documentation.get("options", {}))
    for name in documentation.get("extends_documentation_fragment", []):
        options = yaml.safe_load(texts(FRAGMENTS[name])["DOCUMENTATION"])["options"] | options
    assert documented(options) == taken(argument_spec(module, monkeypatch))


def argument_spec(module: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a module is made with; where all is done by the action plugin of its name, what that validates."""
    loaded = importlib.import_module(f"{COLLECTION}.modules.{module.stem}")
    if not hasattr(loaded, "main"):
        body = ast.parse((PLUGINS / f"action/{module.name}").read_text("utf-8")).body
        found = (
            node.value for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ARGUMENTS"
        )
        return ast.literal_eval(next(found))
    monkeypatch.setattr(entry, "AnsibleModule", Recorder)
    monkeypatch.setattr(loaded, "AnsibleModule", Recorder, raising=False)
    with pytest.raises(Asked) as asked:
        loaded.main()
    return asked.value.args[0]


@module_files
def test_a_module_has_an_example_that_names_it_in_full(module: Path) -> None:
    [task] = yaml.safe_load(texts(module)["EXAMPLES"])
    options = task[f"crucible.kafka.{module.stem}"]
    documentation = yaml.safe_load(texts(module)["DOCUMENTATION"])
    required = {name for name, option in documentation.get("options", {}).items() if option.get("required")}
    assert required <= options.keys()


FILTERS = {
    name: function
    for file in sorted((PLUGINS / "filter").glob("*.py"))
    for name, function in importlib.import_module(f"{COLLECTION}.filter.{file.stem}").FilterModule().filters().items()
}


def test_every_documented_filter_is_there() -> None:
    assert {file.stem for file in (PLUGINS / "filter").glob("*.yml")} == FILTERS.keys()


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_what_its_documentation_says(name: str) -> None:
    told = yaml.safe_load((PLUGINS / f"filter/{name}.yml").read_text("utf-8"))
    documentation = told["DOCUMENTATION"]
    _, *further = inspect.signature(FILTERS[name]).parameters
    assert documentation["name"] == name
    assert documentation.get("positional", "").split(", ") == (further or [""])
    assert list(documentation["options"]) == ["_input", *further]
    assert f"crucible.kafka.{name}" in told["EXAMPLES"]


@pytest.mark.parametrize("action", sorted((PLUGINS / "action").glob("*.py")), ids=lambda file: str(file.stem))
def test_an_action_is_documented_as_a_module(action: Path) -> None:
    assert action.stem in {module.stem for module in MODULES}
