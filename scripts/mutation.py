#!/usr/bin/env python3
"""Mutation testing: change the pure cores, one small change at a time, and count the changes that no test notices.

mutation.py [CORE...] tests the cores named in tests/mutation.toml (all by default; `ledger` means all of `ledger/`).
Each is mutated in a copy of the checkout below .cache/mutation; mutmut makes the mutants and runs the tests.
The exit status is 1 if fewer than 90 % of a core's mutants are killed. Survivors that docs/testing.md lists with a
reason do not count. mutmut changes statements in functions; constants and decorated functions (properties) stay.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIES = ROOT / ".cache/mutation"
REQUIRED_PERCENT = 90
KILLED = ("killed", "timeout")
COLLECTION = "ansible_collections/crucible/kafka/plugins/module_utils"
SETTINGS = """
[tool.mutmut]
source_paths = ["{source}"]
pytest_add_cli_args_test_selection = [{tests}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", "-p", "mutation_hypothesis",
    "--hypothesis-profile=mutation"]
timeout_multiplier = 6
track_dependencies = false
use_git_change_detection = false
use_setproctitle = false
"""
Explained = frozenset[tuple[str, str, str]]


@dataclass(frozen=True)
class Core:
    """A module without input and output: its name, its file as tests import it, the files of its tests."""

    name: str
    source: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed: the core, the changed function and the lines that it has instead."""

    core: str
    function: str
    lines: str


@dataclass(frozen=True)
class Score:
    """How many mutants of a core there are, which survive, and how many of those docs/testing.md explains."""

    core: str
    mutants: int
    survivors: tuple[Survivor, ...]
    explained: int

    @property
    def percent(self) -> float:
        """The killed ones of those that can be killed."""
        killable = self.mutants - self.explained
        return 100 * (killable - len(self.survivors)) / killable if killable else 100.0


def cores(declared: dict[str, dict[str, list[str]]]) -> Iterator[Core]:
    """The cores of tests/mutation.toml."""
    for name, tests in declared["collection"].items():
        yield Core(name, f"{COLLECTION}/{name}.py", tuple(f"tests/unit/test_{test}.py" for test in tests))
    for name, tests in declared["load_harness"].items():
        paths = (Path(test) for test in tests)
        files = tuple(f"loadtests/tests/{path.parent}/test_{path.name}.py" for path in paths)
        yield Core(name, f"kafka_load/{name}.py", files)


def selected(known: list[Core], names: list[str]) -> list[Core]:
    """The cores with these names or in these folders.

    Raises:
        ValueError: There is no core of that name.
    """
    chosen = []
    for name in names:
        found = [core for core in known if core.name == name or core.name.startswith(f"{name}/")]
        if not found:
            raise ValueError(f"there is no core {name!r}; tests/mutation.toml names {[core.name for core in known]}")
        chosen += found
    return chosen or known


def explained_survivors(document: str) -> Explained:
    """The survivors (core, function, lines) with a reason, from the TOML block of docs/testing.md."""
    block = re.search(r"^```toml\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    listed = tomllib.loads(block[1]) if block else {}
    return frozenset((core, function, lines) for core, rows in listed.items() for function, lines, _reason in rows)


def changed_lines(mutated_source: str) -> dict[str, str]:
    """For each mutant (`x_function__mutmut_1`) in a file that mutmut wrote: the lines that it has instead."""
    functions = {
        node.name: [line for part in _parts(node) for line in ast.unparse(part).splitlines()]
        for node in ast.walk(ast.parse(mutated_source))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    changes = {}
    for name, body in functions.items():
        original = functions[re.sub(r"__mutmut_\w+$", "__mutmut_orig", name)]
        new = [line[2:].strip() for line in difflib.ndiff(original, body) if line.startswith("+ ")]
        changes[name] = " ".join(new)
    return changes


def _parts(function: ast.FunctionDef) -> Iterator[ast.AST]:
    yield from function.args.defaults
    yield from filter(None, function.args.kw_defaults)
    yield from function.body


def copy_folder(core: Core) -> Path:
    """Where a core is mutated."""
    return COPIES / core.name.replace("/", "_")


def copy_checkout(core: Core) -> None:
    """Copy what git knows or would add, for mutmut: the core's file, and below `mutants` everything."""
    folder = copy_folder(core)
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / "mutants" / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (folder / "mutants/kafka_load").symlink_to("loadtests/kafka_load")
    (folder / core.source).parent.mkdir(parents=True)
    shutil.copy2(folder / "mutants" / core.source, folder / core.source)
    write_settings(core)


def write_settings(core: Core) -> None:
    """Write the pyproject.toml of a copy: the project's own, and what mutmut has to know."""
    tests = ", ".join(f'"{test}"' for test in core.tests)
    settings = (ROOT / "pyproject.toml").read_text() + SETTINGS.format(source=core.source, tests=tests)
    (copy_folder(core) / "pyproject.toml").write_text(settings)


def copy_tests(core: Core) -> None:
    """Bring the tests of an earlier copy up to date, so that its survivors can be tried again.

    Raises:
        FileNotFoundError: There is no earlier copy.
        ValueError: The core is not what it was then.
    """
    folder = copy_folder(core)
    now = ROOT / core.source.replace("kafka_load/", "loadtests/kafka_load/", 1)
    if now.read_bytes() != (folder / core.source).read_bytes():
        raise ValueError(f"{core.name} has changed since; run without --survivors")
    for tests in ("tests/unit", "tests/shared", "loadtests/tests"):
        shutil.copytree(ROOT / tests, folder / "mutants" / tests, dirs_exist_ok=True)
    write_settings(core)
    (folder / "mutants/mutmut-stats.json").unlink(missing_ok=True)


def run_mutmut(folder: Path, *arguments: str) -> str:
    """Run mutmut and return what it printed.

    Raises:
        RuntimeError: It failed, most often since a test fails without any mutation.
    """
    result = subprocess.run(
        ["mutmut", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "mutants/scripts"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"mutmut {arguments[0]} failed:\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
    return result.stdout


def survivors_of(core: Core, results: str, mutated_source: str) -> tuple[int, tuple[Survivor, ...]]:
    """From `mutmut results --all true`: the number of mutants, and those that were not killed."""
    changes = changed_lines(mutated_source)
    alive = sorted(name.rsplit(".", 1)[-1] for name in not_killed(results))
    survivors = tuple(Survivor(core.name, function_of(name), changes[name]) for name in alive)
    return sum("__mutmut_" in line for line in results.splitlines()), survivors


def not_killed(results: str) -> list[str]:
    """The mutants that `mutmut results` says no test killed."""
    status = (line.strip().split(": ") for line in results.splitlines() if "__mutmut_" in line)
    return [name for name, what in status if what not in KILLED]


def function_of(mutant: str) -> str:
    """`x_plan__mutmut_3` is of `plan`, `xǁLedgerǁjudge__mutmut_3` of `Ledger.judge`."""
    return mutant.partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")


def table(scores: list[Score]) -> Iterator[str]:
    """The summary, a line for each core."""
    yield f"{'core':28} {'mutants':>7} {'killed':>7} {'survived':>8} {'explained':>9} {'percent':>7}"
    for one in scores:
        survived = len(one.survivors)
        killed = one.mutants - survived - one.explained
        yield f"{one.core:28} {one.mutants:7} {killed:7} {survived:8} {one.explained:9} {one.percent:6.0f}%"


def score(core: Core, explained: Explained, survivors_only: bool) -> Score:
    """Mutate one core and run its tests; or run them on those mutants alone that survived the last run."""
    folder = copy_folder(core)
    if survivors_only:
        alive_then = not_killed(run_mutmut(folder, "results"))
        copy_tests(core)
        if alive_then:
            run_mutmut(folder, "run", "--max-children", "1", *alive_then)
    else:
        copy_checkout(core)
        run_mutmut(folder, "run", "--max-children", "1")
    mutated = (folder / "mutants" / core.source).read_text()
    mutants, alive = survivors_of(core, run_mutmut(folder, "results", "--all", "true"), mutated)
    unexplained = tuple(one for one in alive if (one.core, one.function, one.lines) not in explained)
    return Score(core.name, mutants, unexplained, len(alive) - len(unexplained))


def main() -> int:
    """Print each core's survivors and its score; 1 if one is below the required percentage."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("core", nargs="*", help="a core of tests/mutation.toml, or a folder of them (default: all)")
    parser.add_argument("--survivors", action="store_true", help="only what survived the last run, with today's tests")
    arguments = parser.parse_args()
    with (ROOT / "tests/mutation.toml").open("rb") as file:
        known = list(cores(tomllib.load(file)))
    try:
        chosen = selected(known, arguments.core)
    except ValueError as error:
        parser.error(str(error))
    explained = explained_survivors((ROOT / "docs/testing.md").read_text())
    scores = []
    for core in chosen:
        scores.append(found := score(core, explained, arguments.survivors))
        for one in found.survivors:
            print(f"{core.name}: {one.function} survives with: {one.lines}")
        print(f"{core.name}: {int(found.percent)} %", flush=True)
    print("", *table(scores), sep="\n")
    return int(any(one_score.percent < REQUIRED_PERCENT for one_score in scores))


if __name__ == "__main__":
    sys.exit(main())
