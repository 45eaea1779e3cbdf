"""The folder of a run."""

from __future__ import annotations

from pathlib import Path

from kafka_load.output.run_folder import open_run
from planned_run import asked


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    plan = asked(options={"results_dir": str(tmp_path)}).plan
    opened = [open_run(plan) for _ in range(3)]
    assert [one.run_id for one in opened] == [plan.run_id, f"{plan.run_id}-2", f"{plan.run_id}-3"]
    for one in opened:
        assert (one.run_dir / "settings.json").is_file()
    assert (tmp_path / "latest").resolve() == opened[-1].run_dir.resolve()
