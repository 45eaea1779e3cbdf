"""Two runs side by side: their figures, what is worse in the second, and how their settings differ.

`compare` is pure: two verdicts and the regressions that are allowed in, rows out. A figure that rests on too few
records is not compared, and a run that proves nothing cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Verdict = Mapping[str, Any]

BEYOND = 10
"""A percentile is compared if at least so many records were slower than it."""
SAME, BETTER, WORSE, REGRESSION, UNDECIDED = "same", "better", "worse", "regression", "undecided"
_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0}
_COUNTS = ("lost", "duplicated_in_log", "reordered", "phantom", "diverged", "redelivered", "unread", "lag_at_end")
_ALLOWED = re.compile(r"(?P<name>[\w.-]+)=(?P<value>\d+(?:\.\d+)?)(?P<percent>%?)")


class ComparisonError(ValueError):
    """Two runs that cannot be compared, or an allowance that makes no sense; the message is one sentence."""


@dataclass(frozen=True)
class Figure:
    """One figure of a run; `more_is_better` turns the comparison round, `unsure` is by how much it may be wrong."""

    name: str
    unit: str
    value: float
    more_is_better: bool = False
    unsure: float = 0.0


@dataclass(frozen=True)
class Allowed:
    """How much worse a figure may become: `value` in its unit, or in percent of the first run's."""

    name: str
    value: float
    percent: bool

    def worse_by(self, before: float) -> float:
        """How much worse it may be, in the figure's unit."""
        return before * self.value / 100 if self.percent else self.value

    def covers(self, figure: str) -> bool:
        """`p99` covers `p99_produce_ms`, `p99_end_to_end_ms` and that of each group."""
        return figure == self.name or (self.name in _PERCENTILES and figure.startswith(f"{self.name}_"))

    def __str__(self) -> str:
        return f"{self.value:g}{'%' if self.percent else ''}"


@dataclass(frozen=True)
class Row:
    """A figure of both runs, None where a run has none; `allowed` is what it was held against."""

    name: str
    unit: str
    before: float | None
    after: float | None
    outcome: str
    allowed: Allowed | None = None

    @property
    def change(self) -> float | None:
        """By how much it changed, in percent of the first run's; None where that says nothing."""
        if self.before is None or self.after is None or not self.before:
            return None
        return 100 * (self.after - self.before) / self.before


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side. `broken`: the second one failed by its own limits."""

    before: Verdict
    after: Verdict
    rows: Sequence[Row]
    settings: Sequence[tuple[str, str, str]]
    broken: bool

    @property
    def regressions(self) -> list[Row]:
        """What became worse than was allowed."""
        return [row for row in self.rows if row.outcome == REGRESSION]

    @property
    def undecided(self) -> list[Row]:
        """What may have, as the workers' clocks are not known well enough."""
        return [row for row in self.rows if row.outcome == UNDECIDED]


def allowance(text: str) -> Allowed:
    """An allowance as it is given: `p99=10%`, `longest_gap_s=0.5`.

    Raises:
        ComparisonError: if it is not NAME=NUMBER or NAME=NUMBER%.
    """
    found = _ALLOWED.fullmatch(text)
    if found is None:
        raise ComparisonError(f"--max-regression {text}: it is NAME=NUMBER or NAME=NUMBER%, such as p99=10%")
    return Allowed(found["name"], float(found["value"]), bool(found["percent"]))


def compare(
    before: Verdict,
    after: Verdict,
    allowed: Sequence[Allowed] = (),
    settings: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
) -> Comparison:
    """Put two verdicts and their flat settings side by side.

    Raises:
        ComparisonError: if an allowance names no figure of both runs, or one is inconclusive.
    """
    for verdict in (before, after):
        if verdict["outcome"] == "inconclusive":
            why = (verdict.get("reasons") or verdict["notes"] or ["it could not be judged"])[0]
            raise ComparisonError(f"run {verdict['run_id']} is inconclusive, so its figures prove nothing: {why}")
    first, second = ({figure.name: figure for figure in figures(verdict)} for verdict in (before, after))
    for one in allowed:
        names = [name for name in {**first, **second} if one.covers(name)]
        if not names:
            known = ", ".join(dict.fromkeys([*first, *second]))
            raise ComparisonError(f"--max-regression {one.name}: no such figure; the figures are {known}")
        missing = [name for name in names if name not in first or name not in second]
        if missing:
            run = (before if missing[0] not in first else after)["run_id"]
            raise ComparisonError(
                f"--max-regression {one.name}: run {run} has no {missing[0]}, or too few records for it"
            )
    rows = [_row(first.get(name), second.get(name), allowed) for name in dict.fromkeys([*first, *second])]
    return Comparison(before, after, rows, list(_differences(*settings)), after["outcome"] == "fail")


def figures(verdict: Verdict) -> Iterator[Figure]:
    """The figures of a run that can be compared."""
    load_s = verdict.get("plan", {}).get("load_s") or verdict["duration_s"]
    acknowledged = verdict["produced"]["acknowledged"]
    if load_s:
        yield Figure("rate", "records/s", acknowledged / load_s, more_is_better=True)
    latency, groups = verdict["latency_us"], verdict["groups"]
    for name in _enough(acknowledged):
        yield Figure(f"{name}_produce_ms", "ms", latency["produce"][name] / 1000)
    consumed = {group["group"]: group["consumed"] for group in groups}
    measured = {group: values for group, values in latency["end_to_end"].items() if consumed.get(group)}
    unsure = {group: values.get("uncertainty", 0) / 1000 for group, values in measured.items()}
    for name in _enough(min((consumed[group] for group in measured), default=0)):
        slowest = max(values[name] for values in measured.values()) / 1000
        yield Figure(f"{name}_end_to_end_ms", "ms", slowest, unsure=max(unsure.values()))
    for group, values in measured.items():
        if len(measured) > 1 and "p99" in _enough(consumed[group]):
            yield Figure(f"p99_end_to_end_ms.{group}", "ms", values["p99"] / 1000, unsure=unsure[group])
    yield Figure("longest_gap_s", "s", verdict["availability"]["longest_gap_s"])
    for name in _COUNTS:
        if groups and all(name in group for group in groups):
            yield Figure(name, "records", max(group[name] for group in groups))


def table(found: Comparison) -> str:
    """The comparison for a terminal."""
    before, after = found.before, found.after
    lines = [
        f"A  {before['run_id']}  {before['outcome'].upper()}",
        f"B  {after['run_id']}  {after['outcome'].upper()}",
        "",
        f"  {'':<40}{'A':>14}{'B':>14}{'change':>10}",
    ]
    for row in found.rows:
        change = "" if row.change is None else f"{row.change:+.1f} %"
        limit = f" (at most {row.allowed} worse)" if row.allowed else ""
        sign = {
            REGRESSION: f"  ✗ regression{limit}",
            UNDECIDED: f"  undecided{limit}",
            WORSE: "  worse",
            BETTER: "  better",
        }.get(row.outcome, "")
        name = f"{row.name}, {row.unit}"
        lines.append(f"  {name:<40}{number(row.before):>14}{number(row.after):>14}{change:>10}{sign}")
    if found.settings:
        lines += ["", "  set otherwise in B:"]
        lines += [f"    {name}: {one or 'not set'} → {other or 'not set'}" for name, one, other in found.settings]
    return "\n".join([*lines, "", headline(found)])


def headline(found: Comparison) -> str:
    """What comes of the comparison, in one sentence."""
    sentences = []
    if found.regressions:
        names = ", ".join(row.name for row in found.regressions)
        sentences.append(f"worse than allowed: {names}")
    if found.broken:
        sentences.append(f"run {found.after['run_id']} failed by its own limits")
    if sentences:
        return f"REGRESSION  {'; '.join(sentences)}"
    if found.undecided:
        names = ", ".join(row.name for row in found.undecided)
        return f"UNDECIDED  the workers' clocks are not known well enough to judge {names}"
    held = sum(row.allowed is not None for row in found.rows)
    return (
        f"NO REGRESSION  {held} figures held against --max-regression" if held else "NOTHING HELD  no --max-regression"
    )


def number(value: float | None) -> str:
    """A figure for people."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"


def _enough(records: int) -> list[str]:
    """The percentiles that so many records are enough for; the maximum always is one."""
    return [name for name, share in _PERCENTILES.items() if records and (share == 1 or records * (1 - share) >= BEYOND)]


def _row(before: Figure | None, after: Figure | None, allowed: Sequence[Allowed]) -> Row:
    known = before or after
    if known is None:
        raise ComparisonError("a figure of neither run")
    if before is None or after is None:
        one, other = (figure.value if figure is not None else None for figure in (before, after))
        return Row(known.name, known.unit, one, other, SAME)
    worse = (before.value - after.value) if known.more_is_better else (after.value - before.value)
    # The strictest counts where several cover a figure.
    limit = min((one for one in allowed if one.covers(known.name)), key=_by(before.value), default=None)
    outcome = SAME if not worse else WORSE if worse > 0 else BETTER
    if limit is not None:
        unsure, least = before.unsure + after.unsure, limit.worse_by(before.value) + 1e-9
        if worse - unsure > least:
            outcome = REGRESSION
        elif worse + unsure > least:
            outcome = UNDECIDED if unsure else REGRESSION
    return Row(known.name, known.unit, before.value, after.value, outcome, limit)


def _by(before: float) -> Callable[[Allowed], float]:
    return lambda allowed: allowed.worse_by(before)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*before, *after}):
        one, other = before.get(name, ""), after.get(name, "")
        if one != other and name not in ("options.results_dir", "options.junit", "options.metrics_port"):
            yield name, one, other
