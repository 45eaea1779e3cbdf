"""One line of the table, and what a row is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """How to measure: on a real cluster (None: the mock one), in so many rounds of `seconds` each."""

    bootstrap: str | None
    rounds: int
    seconds: float


@dataclass(frozen=True)
class Figure:
    """What was measured. Without a value it was not, and `goal` says why."""

    name: str
    value: float | None
    unit: str = ""
    goal: str = ""
    ok: bool = True

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name:52} {self.goal}"
        return f"{self.name:52} {self.value:14,.2f} {self.unit:10} {self.goal}{'' if self.ok else '   MISSED'}".rstrip()


Row = Callable[[Way], Iterator[Figure]]


def at_least(name: str, value: float, goal: float, unit: str = "") -> Figure:
    """A figure that should not be below its goal."""
    return Figure(name, value, unit, f"≥ {goal:g}", value >= goal)


def at_most(name: str, value: float, goal: float, unit: str) -> Figure:
    """A figure that should not be above its goal."""
    return Figure(name, value, unit, f"≤ {goal:g}", value <= goal)


def skipped(name: str, why: str) -> Figure:
    """A figure that cannot be measured here."""
    return Figure(name, None, goal=f"skipped: {why}")


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of what ours is of theirs, round by round."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
