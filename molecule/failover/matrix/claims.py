"""What each row claims, as sentences with a check: tests are made of them, and read as a specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from live import BROKERS
from logged import told, unexplained

from .identities import Stamp
from .rows import EXPLAINED, Row
from .scenario import Outcome

SENTENCES = {
    "lost": "nothing acknowledged is lost",
    "duplicated_in_log": "no broker writes anything twice",
    "reordered": "no records change places",
    "phantom": "nothing is read that nobody wrote",
    "longest_gap_s": "no partition stands still for more than {limit:g} s",
    "redelivered": "at most {limit:g} records are delivered again",
}
REBOOT = "reboot_host"
"""The fault with which the host goes away before its check can see it: its mark has the time of the order."""
FINDS = {"lost": "is missing", "duplicated_in_log": "is in the log twice", "reordered": "changed places"}


@dataclass(frozen=True)
class Claim:
    """A sentence about a row, and the function that fails with an AssertionError where it is not true."""

    row: Row
    sentence: str
    check: Callable[[Outcome], None]

    @property
    def id(self) -> str:
        """How the test is called."""
        return f"{self.row.name}: {self.sentence}"


def claims(row: Row) -> Iterator[Claim]:
    """All that is claimed of a row, beginning with that it was done at all."""
    yield Claim(row, "it happens and is healed", _done)
    if any(step.get("inject", REBOOT) != REBOOT for step in row.steps):
        yield Claim(row, "its mark has the time at which its check saw it", _marked)
    for name, expected in row.seen.items():
        yield Claim(row, f"meanwhile {name.replace('_', ' ')}: {_said(expected)}", _seen(name, expected))
    for name, limit in row.limits.items():
        yield Claim(row, SENTENCES[name].format(limit=limit), LIMITED.get(name, _within)(name, limit))
    if row.finds:
        yield Claim(row, f"the harness finds what {FINDS[row.finds]}", _found(row.finds))
    yield Claim(row, "no node logs an error that the fault does not explain", _explained)
    yield Claim(row, "a reader that shares no code with the harness agrees", _agrees)


def _said(expected: object) -> str:
    if isinstance(expected, list):
        return " and ".join(expected)
    return ("no", "yes")[expected] if isinstance(expected, bool) else str(expected)


def _done(outcome: Outcome) -> None:
    assert outcome.error == ""
    assert outcome.verdict["outcome"] != "inconclusive", outcome.verdict.get("notes")


def _marked(outcome: Outcome) -> None:
    assert outcome.verdict, outcome.error
    ordered = [fault for fault in outcome.verdict["faults"] if fault["ordered_at_s"] is not None]
    assert ordered
    assert [fault for fault in ordered if fault["injected_at_s"] <= fault["ordered_at_s"]] == []


def _seen(name: str, expected: object) -> Callable[[Outcome], None]:
    def check(outcome: Outcome) -> None:
        assert name in outcome.seen, outcome.error
        assert outcome.seen[name] == expected

    return check


def _within(name: str, limit: float) -> Callable[[Outcome], None]:
    def check(outcome: Outcome) -> None:
        assert outcome.verdict, outcome.error
        assert outcome.value(name) <= limit, f"see {outcome.report}"

    return check


def _by_brokers(_: str, limit: float) -> Callable[[Outcome], None]:
    """What a client wrote again as something new no broker can know; that is a finding, see epochs.py."""

    def check(outcome: Outcome) -> None:
        assert outcome.twice_by_brokers is not None, outcome.error
        assert outcome.twice_by_brokers <= limit, f"see {outcome.report}"

    return check


LIMITED = {"duplicated_in_log": _by_brokers}
"""Limits that are not held against the verdict's figure of the same name."""


def _found(name: str) -> Callable[[Outcome], None]:
    def check(outcome: Outcome) -> None:
        assert outcome.verdict, outcome.error
        assert outcome.value(name) > 0, f"the control had no effect, or the harness is blind: see {outcome.report}"

    return check


def _explained(outcome: Outcome) -> None:
    assert outcome.logged.keys() == BROKERS.keys(), outcome.error
    found = {
        name: told(unexplained(lines, (*EXPLAINED, *outcome.row.errors))) for name, lines in outcome.logged.items()
    }
    assert not any(found.values()), "\n".join(f"{name} {line}" for name, lines in found.items() for line in lines)


def _agrees(outcome: Outcome) -> None:
    """Record by record: what the harness calls acknowledged and lost, and what the log holds."""
    assert outcome.audit is not None, outcome.error
    assert outcome.claimed is not None, outcome.error
    claimed, in_log = outcome.claimed, outcome.audit.records
    assert len(claimed.acknowledged) == outcome.verdict["produced"]["acknowledged"]
    missing = claimed.acknowledged - in_log
    if outcome.taken is None:
        assert outcome.value("lost") == len(missing), f"missing from the log: {_some(missing)}"
        assert claimed.lost <= missing, f"called lost and in the log: {_some(claimed.lost - missing)}"
    else:  # What a member committed and did not process is in the log, and the harness was never told of it.
        assert not missing, f"missing from the log: {_some(missing)}"
        assert outcome.value("lost") == outcome.taken
        assert claimed.lost <= in_log, f"called lost of a member, and not in the log: {_some(claimed.lost - in_log)}"
    assert outcome.value("duplicated_in_log") == outcome.audit.copies
    assert outcome.audit.damaged == 0


def _some(stamps: frozenset[Stamp]) -> str:
    return ", ".join(
        f"{topic}-{number} {producer}/{sequence}" for producer, topic, number, sequence in sorted(stamps)[:5]
    )
