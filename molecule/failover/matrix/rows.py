"""The rows of rows.yml as data classes: what is done to the cluster under which load, and what must come of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

SCENARIO = Path(__file__).resolve().parents[1]
FILE = SCENARIO / "matrix/rows.yml"
PROMISED = {"lost": 0.0, "duplicated_in_log": 0.0, "reordered": 0.0, "phantom": 0.0}
"""What Kafka promises an idempotent producer with acks=all whatever the fault: limits of the load's verdict."""

EXPLAINED = (
    "OutOfOrderSequenceException",
    r"errors\.(Timeout|NotEnoughReplicas(AfterAppend)?|NotLeaderOrFollower|(Unknown|Fenced)LeaderEpoch)Exception",
    r"errors\.(NotController|NotCoordinator|CoordinatorNotAvailable|CoordinatorLoadInProgress)Exception",
    r"errors\.(Disconnect|Network)Exception",
    "controller event queue overloaded",
)
"""Errors that every fault explains. What was sent behind a batch that got lost with its connection is refused until
that one has come again, which is how records keep their order. The others are those by which Kafka says that a node is
away, or not in office (any more, or yet), and that the same will be tried again; not those on data or disks. The last
is how a controller that got too little of the machine says that it heard a heartbeat too late for the fast profile."""

TIMED = {"longest_gap_s"}
"""Limits that say how fast a machine was, too: the whole matrix holds them, a run in CI prints the figures only."""

MODE = os.environ.get("CRUCIBLE_MODE", "kraft")

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        name: The row's, and the fault's where no steps are said.
        kind: `promise` (must hold), or `control` (given up on purpose: the harness must find what that costs).
        mode: `kraft` or `zookeeper`.
        timing: `kafka_timing`: `fast` or `default` (Kafka's own).
        ci: Whether it belongs to the short matrix.
        load: The profile, a .toml file in loads/.
        options: Of the load, beyond the usual ones.
        topics: Configuration that the shop's topics have while the row runs.
        steps: One verb of `scenario.Scenario` each, with its arguments.
        limits: By name as in the verdict; what is measured must not be above.
        seen: What must be observed while the fault is active, by name in `evidence`.
        errors: Expressions for what a node's log calls an error and the fault explains, beside EXPLAINED.
        finds: For a control, the figure of the verdict that must not be 0.
    """

    name: str
    mode: str
    kind: str = "promise"
    timing: str = "fast"
    ci: bool = False
    load: str = "load"
    options: Sequence[str] = ()
    topics: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[str] = ()
    finds: str = ""

    @property
    def profile(self) -> Path:
        """The load's profile."""
        return SCENARIO / f"loads/{self.load}.toml"


def rows(mode: str, file: Path = FILE) -> list[Row]:
    """The rows of one mode, those with the fast timing first, so that the timing is changed at most once."""
    found = [_row(dict(said), mode) for said in yaml.safe_load(file.read_text(encoding="utf-8"))]
    return sorted((row for row in found if row is not None), key=lambda row: row.timing == "default")


def chosen(mode: str = MODE) -> list[Row]:
    """The rows that the environment asks for: CRUCIBLE_FAULT by name, CRUCIBLE_MATRIX=ci the short matrix, else all.

    Raises:
        ValueError: A name stands for no row.
    """
    named = [name for name in os.environ.get("CRUCIBLE_FAULT", "").split(",") if name]
    short = os.environ.get("CRUCIBLE_MATRIX") == "ci"
    every = rows(mode)
    if unknown := set(named) - {row.name for row in every}:
        raise ValueError(f"no row of mode {mode} is called {', '.join(sorted(unknown))}")
    asked = [row for row in every if (row.name in named if named else row.ci or not short)]
    return [replace(row, limits=_untimed(row.limits)) for row in asked] if short else asked


def _untimed(limits: Mapping[str, float]) -> Mapping[str, float]:
    return {name: limit for name, limit in limits.items() if name not in TIMED}


def _row(said: dict[str, Any], mode: str) -> Row | None:
    if mode not in said.pop("modes", ["kraft"]):
        return None
    usual = [{"inject": said["name"]}, {"hold": said.pop("hold_s", 10)}, {"heal": said["name"]}]
    limits = {kind: said.pop(kind, {}) for kind in ("limits", "limits_zookeeper")}
    promised = PROMISED if said.get("kind", "promise") == "promise" else {}
    of_mode = limits["limits_zookeeper"] if mode == "zookeeper" else {}
    return Row(mode=mode, limits=promised | limits["limits"] | of_mode, **({"steps": usual} | said))
