"""Share groups in whole runs: a broker that does not take their settings is said so in one sentence."""

from __future__ import annotations

from pathlib import Path

from locust_run import Run
from mock_cluster import MockCluster


def test_refused_settings_of_a_share_group_are_exit_status_3_and_one_sentence(
    shop: MockCluster, tmp_path: Path
) -> None:
    """The mock cluster takes no settings of groups."""
    run = Run(tmp_path, shop.bootstrap, "--profile", "fanout", "--run-time", "3s")
    assert run.wait() == 3
    assert "share group warehouse-share could not be set up: " in run.output
    assert "Traceback" not in run.output
