"""The limits that a run is held to, and whether it kept them.

Every limit is one row of `LIMITS`: options, profiles, the verdict and the report are made from that table,
so that a new limit is a new row.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

Scope = Literal["group", "topic"]
"""What a limit can be held against alone: one group, or one topic with its producers."""


class LimitError(ValueError):
    """A limit that does not exist or is not a number; the message is one sentence for the user."""


@dataclass(frozen=True)
class Limit:
    """One thing that can be limited.

    `at_least` turns the comparison round. `per_step` marks what each step of a saturation run is held to, `overload`
    what too high a load breaks too, but no step can be held to. `scope` says whether it may be given for one group or
    for one topic, None for neither.
    """

    name: str
    what: str
    scope: Scope | None = "group"
    at_least: bool = False
    per_step: bool = False
    overload: bool = False

    def keeps(self, value: float, limit: float) -> bool:
        """Whether the value is within the limit."""
        return value >= limit if self.at_least else value <= limit


LIMITS: dict[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit("lost", "records acknowledged and never delivered, in any group"),
        Limit("duplicated_in_log", "records written twice, in any group's topics"),
        Limit(
            "duplicated_by_broker",
            "records written twice under one producer id, epoch and sequence, in any group's topics",
        ),
        Limit("reordered", "records behind a later one of the same producer and partition, in any group"),
        Limit("phantom", "records that nobody sent or that were altered, in any group"),
        Limit("diverged", "offsets that hold different records for different groups, or others than acknowledged"),
        Limit("offset_regressions", "times a committed offset went backwards, in any group"),
        Limit("redelivered", "records delivered more than once, in any group"),
        Limit("p99_produce_ms", "ms from due to acknowledged, 99th percentile", scope="topic", per_step=True),
        Limit("p99_end_to_end_ms", "ms from due to delivered, 99th percentile, in any group", per_step=True),
        Limit("p999_produce_ms", "ms from due to acknowledged, 99.9th percentile", scope="topic", overload=True),
        Limit("p999_end_to_end_ms", "ms from due to delivered, 99.9th percentile, in any group", overload=True),
        Limit(
            "p99_window_produce_ms",
            "ms from due to acknowledged, p99 of the slowest window",
            scope="topic",
            overload=True,
        ),
        Limit(
            "p99_window_end_to_end_ms",
            "ms from due to delivered, 99th percentile of the slowest window, in any group",
            overload=True,
        ),
        Limit(
            "longest_gap_s",
            "s without an acknowledgement in any partition while records were due",
            scope="topic",
            overload=True,
        ),
        Limit(
            "recovery_s",
            "s from a fault until no record is acknowledged late any more, the longest",
            scope="topic",
            overload=True,
        ),
        Limit("unprocessed", "records acknowledged, and neither processed nor in the dead-letter topic, in any group"),
        Limit("missing_outputs", "acknowledged input records without an output record, in any group that transforms"),
        Limit("doubled_outputs", "output records of input that had one already, in any group that transforms"),
        Limit("reordered_outputs", "output records behind that of a later input record of the same partition"),
        Limit(
            "p99_processing_ms", "ms from due to processed, 99th percentile, in any group that processes", overload=True
        ),
        Limit("lag_at_end", "records not yet committed when the run ended, in any group"),
        Limit(
            "achieved_rate",
            "share of the planned records that were acknowledged (or aborted on purpose)",
            scope="topic",
            at_least=True,
            per_step=True,
        ),
    )
}

DEFAULT_LIMITS: dict[str, float] = {
    "lost": 0,
    "duplicated_in_log": 0,
    "duplicated_by_broker": 0,
    "reordered": 0,
    "phantom": 0,
    "diverged": 0,
    "achieved_rate": 0.99,
}
"""What holds where neither the profile nor an option says otherwise: Kafka's promise to an idempotent producer, and
that the cluster took what it was given.
"""

PROCESSING_LIMITS: dict[str, float] = {"unprocessed": 0}
"""What holds besides where a group processes its records."""

TRANSFORM_LIMITS: dict[str, float] = {"missing_outputs": 0, "doubled_outputs": 0, "reordered_outputs": 0}
"""What holds besides where a group transforms its records: exactly once, in order."""


@dataclass(frozen=True)
class Measured:
    """A value, and the best and the worst that it can be if all is given to what the harness could not see or do.

    `why` says in a sentence why these differ from the value.
    """

    value: float
    best: float | None = None
    worst: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Result:
    """One limit held against the value that was measured; `undecided` says why nobody can tell whether it was kept.

    `of` is the group or topic that it was given for, such as `topic payments`; empty for the whole run.
    """

    name: str
    limit: float
    value: float
    ok: bool
    undecided: str = ""
    of: str = ""

    @property
    def title(self) -> str:
        """Its name, and what it was given for."""
        return titled(self.name, self.of)

    @property
    def broken(self) -> bool:
        """It was broken for certain."""
        return not self.ok and not self.undecided

    def as_dict(self) -> dict[str, object]:
        """The shape of one entry of verdict.json's `slo`."""
        return {name: value for name, value in asdict(self).items() if name not in ("undecided", "of") or value}


def titled(name: str, of: str) -> str:
    """A limit's name, and what it was given for."""
    return f"{name} of {of}" if of else name


def check_limits(limits: Mapping[str, object], where: str, scope: Scope | None = None) -> dict[str, float]:
    """Validate `limits` as read from `where` (a file or option name), of the whole run or of one group or topic.

    Raises:
        LimitError: for an unknown name or a value that is not a number >= 0.
    """
    checked: dict[str, float] = {}
    for name, value in limits.items():
        if name not in LIMITS:
            raise LimitError(f"{where}: {name!r} is not a limit; the limits are {', '.join(LIMITS)}")
        if scope and LIMITS[name].scope != scope:
            known = ", ".join(limit.name for limit in LIMITS.values() if limit.scope == scope)
            raise LimitError(f"{where}: {name!r} is not a limit of a {scope}; those are {known}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= sys.float_info.max:
            raise LimitError(f"{where}: {name} must be a number of at least 0, not {value!r}")
        checked[name] = value
    return checked


def evaluate(limits: Mapping[str, float], measured: Mapping[str, Measured], of: str = "") -> list[Result]:
    """Hold every limit (of a group or topic) against its value; a limit whose value was not measured is left out.

    A limit is undecided if the value breaks it and the best keeps it, or the value keeps it and the worst breaks it.
    """
    return [_result(name, limit, measured[name], of) for name, limit in limits.items() if name in measured]


def _result(name: str, limit: float, found: Measured, of: str) -> Result:
    kept, best, worst = (
        LIMITS[name].keeps(found.value if value is None else value, limit)
        for value in (found.value, found.best, found.worst)
    )
    undecided = best and not (kept and worst)
    return Result(name, limit, found.value, kept and worst, found.why if undecided else "", of)
