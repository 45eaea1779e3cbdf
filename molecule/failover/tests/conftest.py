"""Does each row once, when its first test asks for it, and puts together at the end what came of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from live import ROOT
from matrix import report
from matrix.rows import MODE, SCENARIO, Row
from matrix.scenario import Outcome, deploy, perform

EXTRA = yaml.safe_load((SCENARIO / f"vars/{MODE}.yml").read_text(encoding="utf-8"))
RESULTS = ROOT / "loadtests/results/failover" / MODE
OUTCOMES: pytest.StashKey[list[tuple[Outcome, bool]]] = pytest.StashKey()


class Stage:
    """The cluster, and the timing that it has now."""

    def __init__(self) -> None:
        self._timing = "fast"  # As the scenario's converge left it.

    def perform(self, row: Row) -> Outcome:
        """Do a row under the timing that it wants."""
        if row.timing != self._timing:
            deploy(row.timing, EXTRA)
            self._timing = row.timing
        return perform(row, RESULTS, EXTRA)


@pytest.fixture(scope="session")
def stage() -> Stage:
    """The cluster that the scenario deployed."""
    return Stage()


@pytest.fixture(scope="session")
def outcome(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Outcome]:
    """What came of the row; tests of one row follow each other, so that each row is done once."""
    failed_before = request.session.testsfailed
    found = stage.perform(request.param)
    yield found
    request.config.stash.setdefault(OUTCOMES, []).append((found, request.session.testsfailed == failed_before))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the matrix, and leave it as JSON and as a page."""
    if outcomes := config.stash.get(OUTCOMES, []):
        report.write(RESULTS, outcomes)
        terminalreporter.section("every fault under load")
        terminalreporter.write_line(report.table([report.cells(*one) for one in outcomes]))
        terminalreporter.write_line(f"\n{RESULTS / 'index.html'}")
