"""What the Kafka tab says first: the verdict so far, and what is wrong; everything can be sent as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from finished_run import FACTS
from kafka_load.clock import SECOND
from kafka_load.cluster import PartitionView
from kafka_load.histogram import Histogram
from kafka_load.ledger import GroupJudgement, Judgement
from kafka_load.locust_adapter import live_view
from kafka_load.output.timeline import Bin, to_row
from kafka_load.output.verdict import judge
from kafka_load.run import run_annotations

GROUP = "warehouse-group"
START_NS = 1_000 * SECOND


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """What a coordinator knows in the middle of a run, with a broker that was killed at 5 s."""
    run_annotations.mark(tmp_path, "kill_broker", "kafka2", at_ns=START_NS + 5 * SECOND)
    latency = Histogram()
    latency.add(np.array([4_000] * 100))
    seconds = [Bin(t, {"due": 10, "acknowledged": 10}, {}, {"produce": latency} if t != 5 else {}) for t in range(9)]
    partitions = {("orders", 0): PartitionView(1, (1, 2, 3), (1, 3)), ("orders", 1): PartitionView(-1, (1, 2), (1, 2))}
    rows = [to_row(second, [GROUP], "kill_broker kafka2" if second.second == 5 else "") for second in seconds]
    return SimpleNamespace(
        plan=SimpleNamespace(
            run_id="r1",
            profile=SimpleNamespace(name="steady", duration_s=60.0),
            run_dir=tmp_path,
            limits={"lost": 0, "reordered": 0, "p99_produce_ms": 3},
        ),
        phase="running",
        verdict=None,
        start_ns=START_NS,
        elapsed_s=9.5,
        total=Bin(0, {"acknowledged": 1_234}, {}, {"produce": latency, f"e2e.{GROUP}": latency}),
        recent=rows,
        last_second=rows[-1],
        groups=[SimpleNamespace(name=GROUP, mode="queue", topics=("orders",))],
        lag=lambda group: 17,
        uncertainty_us=lambda group: 0,
        judgement=Judgement(groups=[GroupJudgement(GROUP, "queue", consumed=1_200)]),
        view=SimpleNamespace(partitions=partitions, lags=lambda group, topics: {("orders", 0): 17}),
        clients=SimpleNamespace(round_trips=lambda: {"1": {"avg": 500, "p99_max": 2_000}}),
        events=[(6.0, "broker 127.0.0.1:1 is down")],
    )


def test_while_nothing_is_wrong_it_says_so(run: Any) -> None:
    assert live_view.standing(run) == ("pass", "So far no record is lost, written twice or out of order")


def test_what_is_wrong_is_said_first_with_the_group(run: Any) -> None:
    run.judgement.groups[0] = GroupJudgement(GROUP, "queue", lost=1_200, reordered=2)
    assert live_view.standing(run) == ("fail", f"So far 1,200 lost in {GROUP}, 2 reordered in {GROUP}")


def test_what_has_no_limit_and_what_a_share_group_has_passed_over_is_not_called_wrong(run: Any) -> None:
    run.judgement.groups = [GroupJudgement(GROUP, "queue", phantom=1), GroupJudgement("share", "share", lost=4)]
    assert live_view.standing(run)[0] == "pass"


def test_the_verdict_stays_when_the_run_has_ended(run: Any) -> None:
    run.verdict = judge(FACTS, {"p99_produce_ms": 1})
    assert live_view.standing(run) == ("fail", "FAIL: 1 limit broken: p99_produce_ms")


@pytest.mark.parametrize("phase", ["preparing", "failed"])
def test_a_run_that_has_not_begun_or_has_no_verdict_is_not_said_to_be_well(run: Any, phase: str) -> None:
    run.phase = phase
    assert live_view.standing(run)[0] != "pass"


def test_the_state_is_json_whose_charts_plotly_accepts(run: Any) -> None:
    state = json.loads(json.dumps(live_view.state(run), allow_nan=False))
    for figure in state["figures"]:
        go.Figure(figure["data"], figure["layout"])
    assert [figure["id"] for figure in state["figures"]] == ["rate", "lag", "latency"]
    assert {tile["name"]: tile["bad"] for tile in state["tiles"]}["p99 produce"]
    assert state["events"] == [
        {"at": "6.0 s", "text": "broker 127.0.0.1:1 is down", "bad": False},
        {"at": "5.0 s", "text": "kill_broker kafka2", "bad": True},
    ]


def test_a_folded_table_says_what_is_wrong_in_it(run: Any) -> None:
    notes = {table["id"]: (table["note"], table["bad"]) for table in live_view.state(run)["tables"]}
    assert notes["partitions"] == ("2, 1 without a leader and 1 with replicas out of sync", True)
    assert notes["brokers"] == ("broker 1 is the slowest, 2 ms at p99", False)


def test_before_the_first_run_there_is_nothing_to_show() -> None:
    assert live_view.state(None)["figures"] == []
