"""The matrix's results as a table for the terminal, as JSON, and as one page with each run's timeline."""

from __future__ import annotations

import csv
import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from .scenario import Outcome

COLUMNS = (
    "fault",
    "mode",
    "acknowledged",
    "lost",
    "redelivered",
    "reordered",
    "longest gap",
    "ISR full after",
    "verdict",
)
WIDTH, HEIGHT = 480, 48


def cells(outcome: Outcome, passed: bool) -> list[str]:
    """One row of the table."""
    row, verdict = outcome.row, "as promised" if passed else "BROKEN"
    if row.kind == "control":
        verdict = f"found: {row.finds}" if passed else "NOT FOUND"
    elif outcome.finding:
        verdict = f"{verdict}; {outcome.finding}"
    if not outcome.verdict:
        return [row.name, row.mode, *["-"] * 6, outcome.error[:60] or verdict]
    counts = [f"{outcome.value(name):,.0f}" for name in ("acknowledged", "lost", "redelivered", "reordered")]
    recovered = "-" if outcome.recovered_s is None else f"{outcome.recovered_s:.1f} s"
    return [row.name, row.mode, *counts, f"{outcome.value('longest_gap_s'):.1f} s", recovered, verdict]


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows below their headings, for a terminal."""
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (COLUMNS, *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def write(folder: Path, outcomes: Iterable[tuple[Outcome, bool]]) -> None:
    """Write results.json and index.html."""
    outcomes = list(outcomes)
    folder.mkdir(parents=True, exist_ok=True)
    facts = [{**outcome.as_dict(), "passed": passed} for outcome, passed in outcomes]
    (folder / "results.json").write_text(json.dumps(facts, indent=1, default=str) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(_page(folder, outcomes), encoding="utf-8")


def _page(folder: Path, outcomes: Sequence[tuple[Outcome, bool]]) -> str:
    heads = "".join(f"<th>{name}</th>" for name in (*COLUMNS, "acknowledged in each second, and the fault"))
    body = ""
    for outcome, passed in outcomes:
        texts = [html.escape(text) for text in cells(outcome, passed)]
        if outcome.report:
            texts[0] = f'<a href="{Path(outcome.report).relative_to(folder.resolve())}">{texts[0]}</a>'
        body += f'<tr class="{"good" if passed else "bad"}">' + "".join(f"<td>{text}</td>" for text in texts)
        body += f"<td>{_timeline(outcome)}</td></tr>\n"
    return f"""<!doctype html><meta charset="utf-8"><title>Crucible: every fault under load</title>
<style>
 body {{ font: 14px system-ui, sans-serif; margin: 2em; color: #222 }} table {{ border-collapse: collapse }}
 th, td {{ padding: .35em .8em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }}
 th:first-child, td:first-child {{ text-align: left }}
 .good td:nth-child(9) {{ color: #17692b }} .bad td {{ background: #fde8e6 }}
</style>
<h1>Every fault under load, judged record by record</h1>
<table><tr>{heads}</tr>
{body}</table>
"""


def _timeline(outcome: Outcome) -> str:
    """Acknowledged records a second as a line, the time of the fault as a shade."""
    path = Path(outcome.report).with_name("timeline.csv") if outcome.report else None
    if path is None or not path.exists():
        return ""
    with path.open(encoding="utf-8", newline="") as file:
        counts = [int(float(row["acknowledged"] or 0)) for row in csv.DictReader(file)]
    seconds, most = max(len(counts), 2), max([*counts, 1])
    points = " ".join(
        f"{WIDTH * i / (seconds - 1):.1f},{HEIGHT * (1 - count / most):.1f}" for i, count in enumerate(counts)
    )
    shades = ""
    for fault in outcome.verdict["faults"]:
        begin, end = fault["injected_at_s"] or 0, fault["healed_at_s"] or seconds
        x, width = WIDTH * begin / seconds, WIDTH * max(0.3, end - begin) / seconds
        shades += f'<rect x="{x:.1f}" width="{width:.1f}" height="{HEIGHT}" fill="#c0392b" opacity=".2"/>'
    line = f'<polyline points="{points}" fill="none" stroke="#1f6fb2" stroke-width="1.3"/>'
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img">{shades}{line}</svg>'
