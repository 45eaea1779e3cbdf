"""The report: one page that stands alone, says the verdict first and draws what was measured."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest
from finished_run import FACTS, GROUPS
from kafka_load.output import charts, html_report
from kafka_load.output.charts import Data, Leader
from kafka_load.output.verdict import judge
from playwright.sync_api import Browser
from plotly.offline import get_plotlyjs

ROWS = [
    {
        "t_s": float(t),
        "due": 1000.0,
        "sent": 1000.0,
        "acknowledged": 1000.0,
        "produce_p50_us": 2e3,
        "produce_p99_us": 9e3,
        "client_queue_records": 40.0,
        "throttle_ms": 3.0,
    }
    | {f"{name}.{group}": 1000.0 for name in ("delivered", "lag", "e2e_p50_us", "e2e_p99_us") for group in GROUPS}
    for t in range(60)
]
LEADERS = [
    Leader(0, "orders-0", 2, (1, 2, 3), 3),
    Leader(20, "orders-0", -1, (1, 3), 3),
    Leader(22, "orders-0", 1, (1, 3), 3),
]
DATA = Data(
    rows=ROWS,
    groups=GROUPS,
    faults=[
        {
            "name": "kill_broker",
            "target": "kafka2",
            "injected_at_s": 20.0,
            "healed_at_s": 40.0,
            "recovered_after_s": 9.5,
        }
    ],
    leaders=LEADERS,
    histograms={"acknowledged": [(900.0, 10), (2000.0, 80), (30000.0, 1)]},
    warmup_s=5.0,
    curve=[{"target_rate": 5000.0, "produce_p99_us": 4000.0, "achieved": 100.0}],
    round_trips=[
        {"t_s": float(t), "broker": float(broker), "rtt_p99_us": 900.0} for t in range(9) for broker in (1, 2)
    ],
)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    facts = replace(FACTS, groups=(replace(FACTS.groups[0], lost=1), FACTS.groups[1]), notes=("a </script> in a note",))
    (tmp_path / "verdict.json").write_text(json.dumps(judge(facts, {"lost": 0})))
    (tmp_path / "settings.json").write_text(json.dumps({"versions": {"locust": "2.47.0"}, "servers": ["a", "b"]}))
    with (tmp_path / "timeline.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*ROWS[0], "marks"])
        writer.writeheader()
        writer.writerows(row | {"marks": ""} for row in ROWS)
    (tmp_path / "anomalies.csv").write_text("kind,group,topic,offset\nlost,warehouse-group,orders,4711\n")
    (tmp_path / "leaders.csv").write_text(
        "t_s,partition,leader,isr,replicas\n0,orders-0,2,1 2 3,3\n20,orders-0,-1,,3\n"
    )
    (tmp_path / "round_trips.csv").write_text("t_s,broker,rtt_avg_us,rtt_p99_us\n0,1,500,900\n1,1,600,2000\n")
    (tmp_path / "curve.csv").write_text(
        "target_rate,achieved,produce_p99_us,why\n1000,99.9,4000,p99_produce_ms was 4\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    "draw",
    [
        *(charts.rates, charts.latency, charts.lag, charts.leaders, charts.curve),
        *(charts.client, charts.round_trips),
    ],
)
def test_plotly_accepts_every_figure_with_and_without_data(draw: object) -> None:
    assert callable(draw)
    go.Figure(draw(DATA))
    go.Figure(draw(Data(rows=[], groups=[])))
    go.Figure(charts.histogram(DATA))


def test_a_partition_without_a_leader_is_a_gap_in_its_bar() -> None:
    bars = charts.leaders(DATA)["data"]
    assert [(bar["name"], bar["base"], bar["x"]) for bar in bars] == [
        ("broker 1", [22], [37.0]),
        ("broker 2", [0], [20]),
    ]


def test_a_long_run_is_thinned_and_keeps_its_peaks() -> None:
    rows = [{"t_s": float(t), "produce_p99_us": 5e6 if t == 7001 else 1e3} for t in range(14_400)]
    drawn = charts.latency(Data(rows=rows, groups=[]))["data"][1]
    assert len(drawn["x"]) <= charts.MAX_POINTS
    assert max(drawn["y"]) == 5000


def test_the_page_stands_alone_and_escapes_what_it_shows(run_dir: Path) -> None:
    page = html_report.write(run_dir).read_text(encoding="utf-8")
    own = page.replace(get_plotlyjs(), "")
    assert not re.search(r"(src|href)\s*=|@import|https?://", own)
    assert "a &lt;/script&gt; in a note" in own
    assert "4711" in own
    assert "kill_broker kafka2, recovered after 9.5 s" in own


def test_the_report_shows_where_logs_differ_and_whose_fault_a_second_copy_is(tmp_path: Path) -> None:
    doubled = replace(FACTS.groups[0], diverged=4_001, duplicated_by_broker=4_002, duplicated_by_client=4_003)
    facts = replace(FACTS, groups=(doubled, FACTS.groups[1]))
    (tmp_path / "verdict.json").write_text(json.dumps(judge(facts, {"diverged": 0})))
    page = html_report.write(tmp_path).read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    shown = re.findall(r'<td class="n( bad)?">(4,00\d)</td>', page)
    assert shown[:3] == [("", "4,002"), ("", "4,003"), (" bad", "4,001")]
    for name in ("diverged", "duplicated by broker", "duplicated by client"):
        assert f'<th class="n">{name}</th>' in page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_browser_draws_it_at_any_width(run_dir: Path, browser: Browser, width: int, scheme: str) -> None:
    page = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page.set_default_timeout(120_000)  # Plotly is large, and the machine may be busy
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(html_report.write(run_dir).as_uri())
    page.wait_for_function("document.querySelectorAll('.plot .main-svg').length >= 8")
    assert page.locator("h1").inner_text() == "1 limit broken: lost."
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems == []
    page.close()
