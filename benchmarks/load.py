#!/usr/bin/env python3
"""The load harness's figures, each beside its yardstick in the same run: `python benchmarks/load.py [ROW …]`.

Ratios are medians of pairs that alternate within one run, because the machine may have other work. Without
`--bootstrap-servers` the cluster is librdkafka's mock one. Exit status 1 if a figure misses its goal.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that this file can be run as a program

from kafka_load.native_threads import relax_garbage_collector

from benchmarks.load_rows import age, consume, greenlets, idle, processes, produce, schedule, verdict
from benchmarks.load_rows.figure import Row, Way

ROWS: dict[str, Row] = {
    "produce": produce.row,
    "consume": consume.row,
    "schedule": schedule.row,
    "outage": schedule.outage_row,
    "greenlets": greenlets.row,
    "verdict": verdict.row,
    "idle": idle.row,
    "age": age.row,
    "processes": processes.row,
}


def options() -> argparse.Namespace:
    """What is measured, where, and how long."""
    parser = argparse.ArgumentParser(description="Print the load harness's figures beside their yardsticks.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(ROWS)}; all of them by default")
    parser.add_argument(
        "--bootstrap-servers",
        default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"),
        help="a real cluster for `produce` and `consume`, which make topics of their own there and remove them; "
        "the other rows always use the mock one, whose brokers they take down",
    )
    parser.add_argument("--rounds", type=int, default=5, help="pairs of which a ratio is the median")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each contender is measured")
    given = parser.parse_args()
    if unknown := set(given.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    return given


def main() -> int:
    """Print the rows asked for; 1 if a figure missed its goal."""
    given = options()
    relax_garbage_collector()
    way, missed = Way(given.bootstrap_servers or None, given.rounds, given.seconds), 0
    for name in given.rows or ROWS:
        for figure in ROWS[name](way):
            print(figure, flush=True)
            missed += not figure.ok
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
