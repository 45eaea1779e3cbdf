"""What a role's argument_specs say about a variable: which values it may have, and of which type it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load

IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Variable:
    """A variable of a role's interface; `default` is None where the role has none."""

    name: str
    option: Mapping[str, Any]
    default: Any = None

    @property
    def required(self) -> bool:
        """Whether there is nothing to take if nobody says it."""
        return bool(self.option.get("required"))

    @property
    def purpose(self) -> str:
        """What it is for, in one line."""
        description = self.option.get("description", "")
        return " ".join((description if isinstance(description, str) else " ".join(description)).split())

    @property
    def secret(self) -> bool:
        """Whether it holds what may not be shown."""
        return _secret(self.option)

    def error(self, value: Any) -> str | None:
        """Why this may not be its value, None if it may."""
        return "; ".join(self._validated(value).error_messages) or None

    def converted(self, value: Any) -> Any:
        """A permitted value in the variable's own type (`"1"` is 1 where an int is wanted), and nothing added to it."""
        return _converted(value, self._validated(value).validated_parameters[self.name], self.option)

    def _validated(self, value: Any) -> Any:
        validator = ArgumentSpecValidator({self.name: self.option})
        return validator.validate({self.name: value}, validate_role_argument_spec=True)


def interface(role: Path) -> Iterator[Variable]:
    """The variables of the role in this folder."""
    defaults_file = role / "defaults/main.yml"
    defaults = yaml_load(defaults_file.read_text(encoding="utf-8")) if defaults_file.exists() else None
    specs = yaml_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    options: dict[str, Any] = {}
    for entry in specs.values():
        options |= entry.get("options") or {}
    for name, option in options.items():
        yield Variable(name, option, (defaults or {}).get(name))


def depends_on(name: str, raw: Mapping[str, Any]) -> set[str]:
    """The names that a variable's templates mention, themselves or by the variables that they mention.

    Args:
        name: The variable.
        raw: All variables as they were written, not rendered.
    """
    found: set[str] = set()
    pending = [name]
    while pending:
        new = {*_mentioned(raw.get(pending.pop()))} - found
        found |= new
        pending += [mentioned for mentioned in new if mentioned in raw]
    return found


def _mentioned(value: Any) -> Iterator[str]:
    # A dict and no other mapping: hostvars would render what it is asked for.
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield from IDENTIFIER.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _mentioned(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _mentioned(item)


def _secret(option: Mapping[str, Any]) -> bool:
    return bool(option.get("no_log")) or any(map(_secret, (option.get("options") or {}).values()))


def _converted(value: Any, validated: Any, option: Mapping[str, Any]) -> Any:
    """The validated value without the keys that validation adds, and with paths as they were: `~` is the host's."""
    if option.get("type") == "path" and isinstance(value, str):
        return value
    if isinstance(value, Mapping) and isinstance(validated, Mapping):
        options = option.get("options") or {}
        return {key: _converted(item, validated[key], options.get(key, {})) for key, item in value.items()}
    if isinstance(value, list) and isinstance(validated, list):
        element = {**option, "type": option.get("elements")}
        return [_converted(item, right, element) for item, right in zip(value, validated, strict=True)]
    return validated
