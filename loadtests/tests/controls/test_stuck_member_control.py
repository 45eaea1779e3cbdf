"""Control of a member that stands still for good: the run ends all the same, and its group is not called well read.

The independent check is a plain client, which is told by the brokers what the group has committed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from locust_run import Run
from mock_cluster import MockCluster
from plain_clients import committed, written

PROGRAM = (sys.executable, str(Path(__file__).parents[1] / "locust_with_stuck_member.py"))


def test_a_run_with_a_member_that_stands_still_ends_without_a_pass(shop: MockCluster, tmp_path: Path) -> None:
    stuck = "notification-group"
    smoke = ("--profile", "smoke", "--run-time", "10s", "--drain-timeout", "10")
    run = Run(tmp_path, shop.bootstrap, *smoke, program=(*PROGRAM, stuck))
    status = run.wait()
    assert f"a member of {stuck} stands still" in run.output
    assert committed(shop, stuck, "orders") < written(shop, "orders")

    groups = {group["group"]: group for group in run.verdict["groups"]}
    assert (status, run.verdict["outcome"]) == (2, "inconclusive")
    assert (groups[stuck]["drained"], groups[stuck]["lost"]) == (False, 0)
    others = [group for name, group in groups.items() if name != stuck]
    assert [(group["drained"], group["lost"]) for group in others] == [(True, 0)] * 2
