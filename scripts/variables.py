#!/usr/bin/env python3
"""Keep three statements of each role's interface from drifting apart: defaults, argument_specs and the docs.

`variables.py` rewrites docs/variables.md, the README.md of each role, and in the project's README.md each table between
`<!-- variables: NAME … -->` and its end;
`variables.py --check` changes nothing and exits 1 when anything disagrees.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"(<!-- variables: (?P<names>[^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Variable:
    """One variable of a role's interface."""

    role: str
    name: str
    type: str
    description: str
    default: str

    @property
    def row(self) -> str:
        """The variable as a row of a Markdown table."""
        return f"| `{self.name}` | {self.type} | {self.default} | {self.description} |"


SHORT = 60
"""So many characters of a default fit into a table."""


def on_one_line(value: Any) -> str:
    """Return a default as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n...")


def said_whole(value: Any) -> bool:
    """Tell whether a default is short and the same on every host, so that it can be said wherever the variable is."""
    text = on_one_line(value)
    return value is not None and len(text) <= SHORT and "{{" not in text


def shown(value: Any) -> str:
    """Return a default as a reader of a table wants it: short, and on one line."""
    text = on_one_line(value)
    return f"`{text}`" if len(text) <= SHORT and "|" not in text else "see `defaults/main.yml`"


@cache
def argument_specs(role: Path) -> dict[str, Any]:
    """Read what a role's entry points take."""
    file = role / "meta/argument_specs.yml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"])


def read(role: Path, problems: list[str]) -> list[Variable]:
    """Read one role's interface, adding a sentence to `problems` for each disagreement."""
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text(encoding="utf-8")) or {}
    specs = argument_specs(role)
    options: dict[str, dict[str, Any]] = {}
    for entry in specs.values():
        options.update(entry.get("options") or {})
    required = {name for name, option in options.items() if option.get("required")}
    for name in sorted(defaults.keys() - options.keys()):
        problems.append(f"roles/{role.name}: {name} has a default but no entry in argument_specs.")
    for name in sorted(options.keys() - defaults.keys() - required):
        problems.append(f"roles/{role.name}: {name} is in argument_specs, neither required nor with a default.")
    for name, option in options.items():
        if not option.get("description"):
            problems.append(f"roles/{role.name}: {name} has no description.")
        if "default" in option and option["default"] != defaults.get(name):
            problems.append(f"roles/{role.name}: {name} has another default in argument_specs.")
        elif "default" not in option and name in defaults and said_whole(defaults[name]):
            problems.append(f"roles/{role.name}: {name} has no default in argument_specs, which ansible-doc shows.")
    return [
        Variable(
            role.name,
            name,
            str(option.get("type", "str")),
            _sentence(option.get("description", "")),
            "required" if name in required else shown(defaults.get(name)),
        )
        for name, option in options.items()
    ]


def _sentence(description: str | list[str]) -> str:
    text = description if isinstance(description, str) else " ".join(description)
    return " ".join(text.split()).replace("|", "\\|")


HEAD = "| variable | type | default | what it says |\n|---|---|---|---|\n"


def page(variables: list[Variable]) -> str:
    """Return the whole of docs/variables.md."""
    source = "Made by `scripts/variables.py` from each role's `argument_specs.yml` and `defaults/main.yml`."
    parts = [f"# Variables\n\n{source}\n"]
    for role in sorted({variable.role for variable in variables}):
        rows = [variable.row for variable in variables if variable.role == role]
        parts.append(f"\n## {role}\n\n{HEAD}" + "\n".join(rows) + "\n")
    return "".join(parts)


def role_page(role: Path, variables: list[Variable]) -> str:
    """Return the README.md of a role: what it does, its variables, and where it is used."""
    specs = argument_specs(role)
    name = f"crucible.kafka.{role.name}"
    entries = [f"- `{entry}`: {spec['short_description']}." for entry, spec in specs.items() if entry != "main"]
    parts = [
        f"# {name}\n\n{specs['main']['short_description']}.\n",
        f"{_sentence(specs['main'].get('description', ''))}\n",
        f"```yaml\n- hosts: {'loadgen' if role.name == 'loadgen' else 'kafka'}\n  roles:\n    - role: {name}\n```\n",
        "Its other entry points, for `tasks_from`:\n\n" + "\n".join(entries) + "\n" if entries else "",
        HEAD + "\n".join(variable.row for variable in variables if variable.role == role.name) + "\n",
        "[docs/collection.md](../../docs/collection.md) says how roles and playbooks go together."
        " Made by `scripts/variables.py` from `meta/argument_specs.yml` and `defaults/main.yml`.\n",
    ]
    return "\n".join(part for part in parts if part.strip())


def readme(text: str, variables: list[Variable], problems: list[str]) -> str:
    """Return README.md with its tables made anew."""
    rows = {variable.name: variable.row for variable in variables}

    def table(match: re.Match[str]) -> str:
        names = match["names"].split()
        problems.extend(f"README.md: no role has a variable {name}." for name in names if name not in rows)
        return match[1] + HEAD + "".join(f"{rows[name]}\n" for name in names if name in rows) + match[3]

    return MARK.sub(table, text)


def main() -> int:
    """Write or check the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when anything disagrees")
    check = parser.parse_args().check
    problems: list[str] = []
    roles = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
    undeclared = sorted(set(ROOT.glob("roles/*")) - set(roles))
    problems += [f"roles/{role.name} has no meta/argument_specs.yml." for role in undeclared]
    variables = [variable for role in roles for variable in read(role, problems)]
    front = ROOT / "README.md"
    pages = {
        ROOT / "docs/variables.md": page(variables),
        front: readme(front.read_text("utf-8"), variables, problems),
        **{role / "README.md": role_page(role, variables) for role in roles},
    }
    for path, text in pages.items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if check:
            problems.append(f"{path.relative_to(ROOT)} is out of date: run `scripts/variables.py`.")
        else:
            path.write_text(text, "utf-8")
    for problem in problems:
        sys.stderr.write(problem + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
