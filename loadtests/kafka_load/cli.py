"""`kafka-load`: run the shop, mark a fault in a run, make its report again, compare it with another."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from kafka_load.config.results_dir import default_folder
from kafka_load.output import comparison_report, html_report
from kafka_load.output.comparison import ComparisonError, allowance, table
from kafka_load.output.html_report import ResultsError
from kafka_load.output.verdict import FAIL, PASS, REFUSED
from kafka_load.run import run_annotations

RUN = "run"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; exit status 3 with one sentence where it cannot be done."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == [RUN]:
        _run(given[1:])
    options = _parser().parse_args(given)
    try:
        said, status = options.do(options)
    except (run_annotations.NoRunError, ComparisonError, ResultsError, OSError) as error:
        print(f"kafka-load: {error}", file=sys.stderr)
        return REFUSED
    print(said)
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kafka-load", description=__doc__)
    parser.add_argument(
        "--results-dir", type=Path, default=default_folder(), help="where runs leave their results (%(default)s)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser(RUN, help="start locust with the shop as its locustfile; takes all options of locust")
    mark = commands.add_parser("mark", help="write a fault, or its healing, into the run that is on")
    mark.add_argument("name", metavar="NAME", help="what happened, such as kill_broker")
    mark.add_argument("target", metavar="TARGET", help="to whom, such as kafka2")
    mark.add_argument("--healed", action="store_true", help="the fault is over")
    mark.set_defaults(do=_mark)
    remake = commands.add_parser("report", help="make report.html again from the files of a run")
    remake.add_argument("run", metavar="RUN", help="a run's id or folder, or latest")
    remake.set_defaults(do=_report)
    compare = commands.add_parser(
        "compare",
        help="put two runs side by side",
        epilog="Exit status 0: no figure is worse than allowed; 1: one is, or B failed; 3: they cannot be compared.",
    )
    compare.add_argument("before", metavar="A", help="the run to compare with: its id or folder, or latest")
    compare.add_argument("after", metavar="B", help="the run that may be worse")
    compare.add_argument(
        "--max-regression",
        action="append",
        default=[],
        metavar="NAME=LIMIT",
        help="how much worse a figure of B may be, in percent of A's (p99=10%%) or in its unit (longest_gap_s=0.5)",
    )
    compare.add_argument("--html", type=Path, metavar="FILE", help="where the page goes, by default into B's folder")
    compare.set_defaults(do=_compare)
    return parser


def _run(options: Sequence[str]) -> NoReturn:
    """Become Locust, which takes the shop unless it is given `-f`."""
    environment = {"LOCUST_LOCUSTFILE": str(Path(__file__).with_name("shop.py")), **os.environ}
    os.execve(sys.executable, [sys.executable, "-m", "locust", *options], environment)  # noqa: S606  # no shell is wanted


def _mark(options: argparse.Namespace) -> tuple[str, int]:
    run_dir = run_annotations.running(options.results_dir)
    made = run_annotations.mark(run_dir, options.name, options.target, healed=options.healed)
    return f"{run_dir.name}: {made.name} {made.target}{' healed' if made.healed else ''}", PASS


def _report(options: argparse.Namespace) -> tuple[str, int]:
    return str(html_report.write(_folder(options, options.run))), PASS


def _compare(options: argparse.Namespace) -> tuple[str, int]:
    allowed = [allowance(text) for text in options.max_regression]
    folders = _folder(options, options.before), _folder(options, options.after)
    found, page = comparison_report.write(*folders, allowed, options.html)
    status = FAIL if found.regressions or found.broken else REFUSED if found.undecided else PASS
    return f"{table(found)}\n\n  {page}", status


def _folder(options: argparse.Namespace, run: str) -> Path:
    named = Path(run)
    return named if named.is_dir() else Path(options.results_dir) / run
