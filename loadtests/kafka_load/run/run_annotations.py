"""Marks: what happened from outside while a run was on, written into the run's folder by whoever caused it.

One line of JSON a mark, appended to `marks.jsonl`. A file works the same for a headless run, a run with the web UI and
a fault injected from another process or over SSH; the time is taken by the writer, so nothing depends on how soon the
run reads it. It is the time at which the fault was seen, by something other than what caused it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from kafka_load.output.measurements import Fault

MARKS = "marks.jsonl"
START = "start_ns"
LATEST = "latest"
NS = 1_000_000_000
_LATEST_NS = 2**63 - 1
_KINDS = {str: "a text", bool: "true or false", int: "a whole number"}


class NoRunError(RuntimeError):
    """There is no run to mark; the message says so in one sentence."""


@dataclass(frozen=True)
class Mark:
    """`name` happened to `target` (or was healed) at `at_ns`, nanoseconds since the epoch: when a check saw it.

    `ordered_ns` is when somebody gave the order, which a busy host may carry out much later; None if nobody says.
    """

    name: str
    target: str
    healed: bool
    at_ns: int
    ordered_ns: int | None = None


def running(results_dir: Path) -> Path:
    """The folder of the run that is on.

    Raises:
        NoRunError: if there is none.
    """
    latest = results_dir / LATEST
    if not latest.is_dir():
        raise NoRunError(f"there is no run in {results_dir}")
    run_dir = latest.resolve()
    if (run_dir / "verdict.json").exists():
        raise NoRunError(f"the run {run_dir.name} has ended")
    return run_dir


def begin(run_dir: Path, start_ns: int) -> None:
    """Say when the run's time starts (nanoseconds since the epoch), so that others can do things at its seconds."""
    unfinished = run_dir / f".{START}"
    unfinished.write_text(f"{start_ns}\n", encoding="utf-8")
    unfinished.replace(run_dir / START)


def began_ns(run_dir: Path) -> int | None:
    """When the run's time started or will start, nanoseconds since the epoch; None as long as nobody knows."""
    path = run_dir / START
    return int(path.read_text(encoding="utf-8")) if path.exists() else None


def mark(
    run_dir: Path,
    name: str,
    target: str,
    *,
    healed: bool = False,
    at_ns: int | None = None,
    ordered_ns: int | None = None,
) -> Mark:
    """Write one mark into the run in `run_dir`; the time is now unless `at_ns` says otherwise."""
    made = Mark(name, target, healed, time.time_ns() if at_ns is None else at_ns, ordered_ns)
    with (run_dir / MARKS).open("a", encoding="utf-8") as file:  # one short write in append mode is atomic
        file.write(json.dumps(asdict(made)) + "\n")
    return made


def read(run_dir: Path) -> list[Mark]:
    """The marks so far, by time; a line that is still being written is left for the next reading.

    A line that is no mark is left out, see `mistakes`.
    """
    found = (one for _, one in _lines(run_dir) if isinstance(one, Mark))
    return sorted(found, key=lambda mark: mark.at_ns)


def mistakes(run_dir: Path) -> list[str]:
    """The lines that are no marks, in sentences."""
    return [
        f"line {number} of {MARKS} is left out, as it is no mark: {one}"
        for number, one in _lines(run_dir)
        if isinstance(one, str)
    ]


def _lines(run_dir: Path) -> list[tuple[int, Mark | str]]:
    """Each whole line by its number: its mark, or why it is none."""
    path = run_dir / MARKS
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    return [(number, _parsed(line)) for number, line in enumerate(lines, start=1) if line.strip()]


def _parsed(line: str) -> Mark | str:
    """The mark that a line holds, or why it holds none: anybody may write one."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}"
    if not isinstance(found, dict):
        return "it must be an object"
    if unknown := next(iter(found.keys() - {one.name for one in fields(Mark)}), ""):
        return f"it has the unknown key {unknown!r}"
    for name, kind in (("name", str), ("target", str), ("healed", bool), ("at_ns", int)):
        if type(found.get(name)) is not kind:
            return f"{name} must be {_KINDS[kind]}, not {found.get(name)!r}"
    if type(found.get("ordered_ns")) not in (int, type(None)):
        return f"ordered_ns must be {_KINDS[int]} or left out, not {found['ordered_ns']!r}"
    if any(abs(found.get(name) or 0) > _LATEST_NS for name in ("at_ns", "ordered_ns")):
        return "its time is not in nanoseconds since the epoch"
    return Mark(**found)


def by_second(marks: Iterable[Mark], start_ns: int) -> dict[int, str]:
    """The marks of each second of the run, in words."""
    texts: dict[int, list[str]] = {}
    for one in marks:
        text = f"{one.name} {one.target}{' healed' * one.healed}"
        texts.setdefault((one.at_ns - start_ns) // NS, []).append(text)
    return {second: "; ".join(together) for second, together in texts.items()}


def faults(marks: Iterable[Mark], start_ns: int) -> list[Fault]:
    """Marks as faults: each healing ends the latest injection of the same name and target that is still open."""
    found: list[Fault] = []
    for one in marks:
        at_s = round((one.at_ns - start_ns) / NS, 3)
        open_at = next(
            (
                i
                for i in reversed(range(len(found)))
                if (found[i].name, found[i].target, found[i].healed_at_s) == (one.name, one.target, None)
            ),
            None,
        )
        if not one.healed:
            ordered_s = None if one.ordered_ns is None else round((one.ordered_ns - start_ns) / NS, 3)
            found.append(Fault(one.name, one.target, at_s, None, ordered_s))
        elif open_at is None:
            found.append(Fault(one.name, one.target, None, at_s))
        else:
            found[open_at] = replace(found[open_at], healed_at_s=at_s)
    return found
