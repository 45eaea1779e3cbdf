"""The folder of a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafka_load.clock import SECOND
from kafka_load.ledger import Judgement
from kafka_load.output.run_folder import Ended, open_run, write
from kafka_load.output.timeline import Bin
from kafka_load.output.windows import WorstWindows
from kafka_load.run import run_annotations
from kafka_load.run.saturation import Saturation
from planned_run import GOOD, asked


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    plan = asked(options={"results_dir": str(tmp_path)}).plan
    opened = [open_run(plan) for _ in range(3)]
    assert [one.run_id for one in opened] == [plan.run_id, f"{plan.run_id}-2", f"{plan.run_id}-3"]
    for one in opened:
        assert (one.run_dir / "settings.json").is_file()
    assert (tmp_path / "latest").resolve() == opened[-1].run_dir.resolve()


def ended(folder: Path, saturation: Saturation | None = None) -> Ended:
    what = asked(options={"results_dir": str(folder)})
    plan = open_run(what.plan)
    return Ended(
        plan=plan,
        asked=what,
        done=GOOD,
        groups=(),
        started=datetime.now(UTC),
        start_ns=0,
        end_ns=60 * SECOND,
        total=Bin(0),
        saturation=saturation,
        windows=WorstWindows(10, 1),
        notes=(),
        inconclusive_reasons=(),
    )


def verdict_of(run: Ended) -> Any:
    """verdict.json, read by one who takes what RFC 8259 does, and neither Infinity nor NaN."""
    write(run, Judgement(), [])

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads((run.plan.run_dir / "verdict.json").read_text(), parse_constant=refuse)


def test_a_line_that_is_no_mark_keeps_no_run_from_its_verdict_and_is_told(tmp_path: Path) -> None:
    run = ended(tmp_path)
    run_annotations.mark(run.plan.run_dir, "kill_broker", "kafka2", at_ns=20 * SECOND)
    with (run.plan.run_dir / run_annotations.MARKS).open("a") as file:
        file.write("20 kill_broker kafka3\n")
    verdict = verdict_of(run)
    assert [fault["target"] for fault in verdict["faults"]] == ["kafka2"]
    assert any(note.startswith("line 2 of marks.jsonl is left out, as it is no mark") for note in verdict["notes"])


def test_a_search_in_which_nothing_was_acknowledged_leaves_a_verdict_that_is_json(tmp_path: Path) -> None:
    run = ended(tmp_path)
    search = Saturation([1_000], 4.0, {"p99_produce_ms": 50.0}, run.plan.requirements)
    for second in range(4):
        search.add(Bin(second, {"due": 1_000}))
    verdict = verdict_of(ended(tmp_path, search))
    assert verdict["outcome"] == "inconclusive"
    assert any("not even 1,000 records/s: no record was acknowledged" in reason for reason in verdict["reasons"])
