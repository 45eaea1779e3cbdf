"""The shape `steps` of a rate: its steps, and what the search for the sustainable rate needs of them: pure."""

from __future__ import annotations

import math

from kafka_load.config.profile_types import Rate

SEARCH_STEP_S = 6
"""A step of a search lasts so long at least: whether a backlog grows cannot be seen in less."""


def step_rates(rate: Rate) -> list[float]:
    """The rates of the shape `steps`, records/s; one alone for any other shape."""
    if rate.shape != "steps":
        return [rate.highest]
    first, last, count = rate.args["from"], rate.args["to"], int(rate.args["steps"])
    return [first + (last - first) * i / max(1, count - 1) for i in range(count)]


def step_rate(rate: Rate, position: float | None) -> float:
    """The rate at a position between the first step (0) and the last one (1); None is a pause."""
    return 0.0 if position is None else rate.args["from"] + (rate.args["to"] - rate.args["from"]) * position


def tolerance(rate: Rate) -> float:
    """How closely the sustainable rate is looked for between two steps, as a share of it; 0: not at all."""
    return rate.args.get("tolerance", 0.0)


def step_s(rate: Rate, duration_s: float) -> float:
    """How long each step lasts: time is left for as many more as the search takes, each after a pause."""
    return duration_s / (rate.args["steps"] + 2 * _halvings(rate))


def _halvings(rate: Rate) -> int:
    """How many more steps a search between two steps takes at most, whichever they are."""
    if not tolerance(rate):
        return 0
    height = abs(rate.args["to"] - rate.args["from"]) / (rate.args["steps"] - 1)
    lowest = min(step for step in step_rates(rate) if step)
    return max(0, math.ceil(math.log2(max(1.0, height / (tolerance(rate) * lowest)))))


def too_short(rate: Rate, duration_s: float) -> str:
    """Why the steps of a rate cannot be measured, in a sentence; empty if they can, or if it has none."""
    if rate.shape != "steps":
        return ""
    shortest, each_s = SEARCH_STEP_S if tolerance(rate) else 2, step_s(rate, duration_s)
    if each_s >= shortest or (each_s == 1 and not tolerance(rate)):
        return ""
    count = duration_s / each_s
    return (
        f"each of the {count:g} steps would last {each_s:.3g} s, too short to be measured:"
        f" give --run-time {shortest * count:g}s or more"
    )
