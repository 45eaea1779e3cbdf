"""Two runs side by side: what is worse than allowed is found, and what says nothing is not compared."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import finished_run
import plotly.graph_objects as go
import pytest
from finished_run import GROUPS, LATENCY
from kafka_load import cli
from kafka_load.output import charts, comparison_report
from kafka_load.output.charts import Data
from kafka_load.output.comparison import Comparison, ComparisonError, allowance, compare, number
from kafka_load.output.measurements import Gap, Percentiles
from kafka_load.output.verdict import judge
from playwright.sync_api import Browser
from plotly.offline import get_plotlyjs

FACTS = replace(
    finished_run.FACTS,
    run_id="A",
    duration_s=61.0,
    planned=60_000,
    planned_s=60,
    load_s=60.0,
    gaps={"orders-0": Gap(0.5, 20.0)},
)
A = judge(FACTS, {"lost": 0})


def run_b(**changed: Any) -> dict[str, Any]:
    return judge(replace(FACTS, run_id="B", **changed), {"lost": 0})


def held(after: dict[str, Any], *allowed: str) -> Comparison:
    return compare(A, after, [allowance(text) for text in allowed])


def names(found: Comparison) -> list[str]:
    return [row.name for row in found.regressions]


def slower(factor: float) -> Percentiles:
    return replace(LATENCY, p99=round(LATENCY.p99 * factor))


@pytest.mark.parametrize(
    ("changed", "allowed", "worse"),
    [
        ({}, ("p99=0", "rate=0", "longest_gap_s=0%"), []),
        ({"produce": slower(1.10)}, ("p99=10%",), []),
        ({"produce": slower(1.11)}, ("p99=10%",), ["p99_produce_ms"]),
        ({"produce": slower(1.11)}, ("p99_produce_ms=0.9",), ["p99_produce_ms"]),
        ({"produce": slower(1.11)}, ("p99_produce_ms=1",), []),
        ({"produce": slower(0.5)}, ("p99=0",), []),
        ({"acknowledged": 53_000}, ("rate=10%",), ["rate"]),
        ({"acknowledged": 55_000}, ("rate=10%",), []),
        ({"acknowledged": 90_000}, ("rate=0",), []),
        ({"gaps": {"orders-0": Gap(2.0, 1.0)}}, ("longest_gap_s=1",), ["longest_gap_s"]),
        (
            {"end_to_end": {GROUPS[0]: LATENCY, GROUPS[1]: slower(3)}},
            ("p99=50%",),
            ["p99_end_to_end_ms", "p99_end_to_end_ms.analytics-group"],
        ),
        ({"groups": (replace(FACTS.groups[0], redelivered=1), FACTS.groups[1])}, ("redelivered=50%",), ["redelivered"]),
        ({"produce": slower(1.2)}, ("p99=30%", "p99_produce_ms=10%"), ["p99_produce_ms"]),
    ],
)
def test_a_figure_that_is_worse_than_allowed_is_a_regression(
    changed: dict[str, Any], allowed: tuple[str, ...], worse: list[str]
) -> None:
    assert names(held(run_b(**changed), *allowed)) == worse


@pytest.mark.parametrize(
    ("p99_ms", "outcome", "status"),
    [(9.0, "same", 0), (9.8, "undecided", 3), (10.2, "undecided", 3), (10.6, "regression", 1)],
)
def test_what_the_workers_clocks_leave_open_is_undecided(
    tmp_path: Path, p99_ms: float, outcome: str, status: int
) -> None:
    """At most 1 ms worse than 9 ms is allowed; each run's clocks are known to 0.25 ms in warehouse-group."""
    unsure = {"warehouse-group": 250}
    one = judge(replace(FACTS, uncertainty_us=unsure), {"lost": 0})
    latencies = {**FACTS.end_to_end, "warehouse-group": replace(LATENCY, p99=round(p99_ms * 1000))}
    two = run_b(uncertainty_us=unsure, end_to_end=latencies)
    found = compare(one, two, [allowance("p99_end_to_end_ms.warehouse-group=1")])
    assert {row.outcome for row in found.rows if row.allowed} == {outcome}
    folders = [str(folder(tmp_path / name, verdict, 9_000)) for name, verdict in (("one", one), ("two", two))]
    assert cli.main(["compare", *folders, "--max-regression", "p99_end_to_end_ms.warehouse-group=1"]) == status


def test_a_second_run_that_failed_by_its_own_limits_is_told_so() -> None:
    found = held(run_b(groups=(replace(FACTS.groups[0], lost=1), FACTS.groups[1])))
    assert found.broken
    assert not found.regressions


@pytest.mark.parametrize("which", ["first", "second"])
def test_an_inconclusive_run_is_not_compared(which: str) -> None:
    doubtful = run_b(inconclusive_reasons=("the harness was stopped",))
    with pytest.raises(ComparisonError, match="run B is inconclusive, so its figures prove nothing: the harness was"):
        compare(*((doubtful, A) if which == "first" else (A, doubtful)))


@pytest.mark.parametrize("text", ["p99", "p99=", "p99=10 %", "p99=-1%", "=1", "p99=ten"])
def test_an_allowance_that_makes_no_sense_is_one_sentence(text: str) -> None:
    with pytest.raises(ComparisonError, match="it is NAME=NUMBER or NAME=NUMBER%, such as p99=10%"):
        allowance(text)


def test_an_allowance_for_a_figure_that_is_not_there_is_refused_not_kept() -> None:
    with pytest.raises(ComparisonError, match="--max-regression p98: no such figure; the figures are rate, p50_"):
        held(run_b(), "p98=1%")
    with pytest.raises(ComparisonError, match="run B has no p99_end_to_end_ms"):
        held(run_b(end_to_end={}), "p99=1%")


def test_a_percentile_of_too_few_records_is_not_compared() -> None:
    """Of 2,000 records 20 are beyond p99 and 2 beyond p999, which is chance."""
    few = run_b(acknowledged=2_000, planned=2_000, due=2_000)
    assert names(held(few, "p99=0")) == []
    with pytest.raises(ComparisonError, match="run B has no p999_produce_ms, or too few records for it"):
        held(few, "p999=10%")


def test_settings_that_differ_are_shown_and_those_of_the_folder_are_not() -> None:
    one = {"options.compression": "none", "options.results_dir": "a", "machine": "m"}
    found = compare(A, run_b(), (), (one, {**one, "options.compression": "lz4", "options.results_dir": "b"}))
    assert list(found.settings) == [("options.compression", "none", "lz4")]


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), (0.0, "0"), (12345.6, "12,346"), (9.1234, "9.12")])
def test_figures_are_written_for_people(value: float | None, shown: str) -> None:
    assert number(value) == shown


def folder(path: Path, verdict: dict[str, Any], latency_us: int) -> Path:
    path.mkdir()
    (path / "verdict.json").write_text(json.dumps(verdict))
    (path / "settings.json").write_text(json.dumps({"options": {"linger_ms": latency_us}}))
    columns = ["t_s", "due", "sent", "acknowledged", "produce_p50_us", "produce_p99_us"]
    columns += [f"{name}.{group}" for name in ("delivered", "lag", "e2e_p99_us") for group in GROUPS]
    rows = [f"{t}" + 3 * ",1000" + 2 * f",{latency_us}" + 4 * ",1000" + 2 * f",{latency_us}" for t in range(60)]
    (path / "timeline.csv").write_text("\n".join([",".join(columns), *rows]) + "\n")
    (path / "histograms.json").write_text(json.dumps({"acknowledged": [[latency_us, 100]]}))
    return path


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    return folder(tmp_path / "one", A, 9_000), folder(tmp_path / "two", run_b(produce=slower(2)), 500_000)


def test_the_exit_status_is_that_of_the_comparison(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = ["--results-dir", str(tmp_path), "compare", "one", str(runs[1])]
    assert cli.main(compared) == cli.main([*compared, "--max-regression", "p99=100%"]) == 0
    assert "NO REGRESSION  4 figures held against --max-regression" in capsys.readouterr().out
    assert cli.main([*compared, "--max-regression", "p99=99%"]) == 1
    output = capsys.readouterr().out
    assert "REGRESSION  worse than allowed: p99_produce_ms" in output
    assert re.search(r"p99_produce_ms, ms +9 +18 +\+100.0 %  ✗ regression \(at most 99% worse\)", output)
    assert "options.linger_ms: 9000 → 500000" in output
    for refused in (["compare", "one", "none"], [*compared[2:], "--max-regression", "p98=1%"]):
        assert cli.main(["--results-dir", str(tmp_path), *refused]) == 3
        assert capsys.readouterr().err.count("\n") == 1


def without(verdict: dict[str, Any], *names: str) -> dict[str, Any]:
    """The verdict as a version wrote it that did not know these tables yet."""
    return {name: value for name, value in verdict.items() if name not in names}


NOT_OURS = "it is cut off, or not as this version of kafka-load writes it"


def test_a_run_of_an_earlier_version_is_compared_and_reported(tmp_path: Path) -> None:
    """The baseline of a CI server outlives an upgrade; the first version's verdicts had no more than this."""
    before = without(A, "clocks", "client", "plan", "windows", "failures", "reasons") | {"schema": 1}
    before["groups"] = [without(group, "diverged", "drained", "duplicated_by_broker") for group in A["groups"]]
    before["faults"] = [without(fault, "ordered_at_s", "recovered_after_s") for fault in A["faults"]]
    folders = [str(folder(tmp_path / name, run, 9_000)) for name, run in (("one", before), ("two", run_b()))]
    assert cli.main(["compare", *folders, "--max-regression", "p99=10%"]) == 0
    assert cli.main(["report", folders[0]]) == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("verdict.json", '{"schema": 4, ', f"{NOT_OURS} (Expecting property name"),
        ("verdict.json", "null", f"{NOT_OURS} (it holds no object)"),
        ("verdict.json", json.dumps(without(A, "latency_us")), "it has no 'latency_us.produce', so another version of"),
        ("verdict.json", json.dumps(A | {"groups": [{}]}), "it has no 'groups.group', so another version"),
        ("verdict.json", json.dumps(A | {"produced": 5}), f"{NOT_OURS} (argument of type 'int'"),
        ("verdict.json", json.dumps(A).replace('"lost", "lim', '"gone", "lim'), f"{NOT_OURS} ('gone' is no limit)"),
        ("settings.json", '{"options": ', f"{NOT_OURS} (Expecting value"),
        ("histograms.json", "[", f"{NOT_OURS} (Expecting value"),
        ("timeline.csv", "t_s,due\n0,1\n1,soon\n", f"{NOT_OURS} (could not convert string to float"),
        ("leaders.csv", "t_s,partition,leader,isr,replicas\n0,orders-0,1\n", f"{NOT_OURS} ("),
        ("leaders.csv", "t_s,partition,leader\n0,orders-0,1\n", "it has no 'isr', so another version"),
        ("curve.csv", "target_rate\n\x00\n", f"{NOT_OURS} ("),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_and_no_comparison(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], name: str, content: str, says: str
) -> None:
    one, two = runs
    (one / name).write_text(content)
    for command in (["compare", str(two), str(one)], ["report", str(one)]):
        assert cli.main(command) == 3
        said = capsys.readouterr().err
        assert said.startswith(f"kafka-load: {one / name} cannot be used: {says}")
        assert said.endswith("; name another run\n")
        assert said.count("\n") == 1


@pytest.mark.parametrize("draw", [charts.rates, charts.latency, charts.lag, charts.histogram])
def test_plotly_accepts_two_runs_in_one_figure(draw: Any) -> None:
    rows = [{"t_s": float(t), "due": 1.0, "acknowledged": 1.0, "produce_p99_us": 10.0**t} for t in range(5)]
    one = draw(Data(rows=rows, groups=GROUPS, histograms={"acknowledged": [(10.0, 1)]}))
    two = draw(Data(rows=[*rows, {"t_s": 9.0, "produce_p99_us": 1e9}], groups=GROUPS))
    both = comparison_report.overlaid(one, two)
    go.Figure(both)
    assert {trace["name"][:2] for trace in both["data"]} <= {"A ", "B "}
    if draw is not charts.histogram:
        assert both["layout"]["xaxis"]["range"] == [0, 9]


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_a_browser_draws_both_runs_at_any_width(
    runs: tuple[Path, Path], browser: Browser, width: int, scheme: str
) -> None:
    _, path = comparison_report.write(*runs, [allowance("p99=10%")], None)
    own = path.read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    assert not re.search(r"(src|href)\s*=|@import|https?://", own)
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page.set_default_timeout(120_000)  # Plotly is large, and the machine may be busy
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.plot .main-svg').length >= 8")
    assert page.locator("h1").inner_text() == "Worse than allowed: p99_produce_ms."
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems == []
    page.screenshot(path=str(path.parent / f"{width}.png"), full_page=True)
    page.close()
