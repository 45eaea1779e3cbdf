"""`kafka-load`: what is done to a run from outside: mark a fault, make the report again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kafka_load.output import html_report
from kafka_load.output.verdict import REFUSED
from kafka_load.run import run_annotations

RESULTS_DIR = Path("loadtests/results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; exit status 3 with one sentence where it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        print(options.do(options))
    except (run_annotations.NoRunError, OSError) as error:
        print(f"kafka-load: {error}", file=sys.stderr)
        return REFUSED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kafka-load", description=__doc__)
    parser.add_argument(
        "--results-dir", type=Path, default=RESULTS_DIR, help="where runs leave their results (%(default)s)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    mark = commands.add_parser("mark", help="write a fault, or its healing, into the run that is on")
    mark.add_argument("name", metavar="NAME", help="what happened, such as kill_broker")
    mark.add_argument("target", metavar="TARGET", help="to whom, such as kafka2")
    mark.add_argument("--healed", action="store_true", help="the fault is over")
    mark.set_defaults(do=_mark)
    remake = commands.add_parser("report", help="make report.html again from the files of a run")
    remake.add_argument("run", metavar="RUN", help="a run's id or folder, or latest")
    remake.set_defaults(do=_report)
    return parser


def _mark(options: argparse.Namespace) -> str:
    run_dir = run_annotations.running(options.results_dir)
    made = run_annotations.mark(run_dir, options.name, options.target, healed=options.healed)
    return f"{run_dir.name}: {made.name} {made.target}{' healed' if made.healed else ''}"


def _report(options: argparse.Namespace) -> str:
    named = Path(options.run)
    return str(html_report.write(named if named.is_dir() else options.results_dir / options.run))
