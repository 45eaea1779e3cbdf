"""Whether a backlog grows over a step of the rate: pure.

A cluster that is given more than it can carry falls behind evenly. What holds it up for a moment only makes the backlog
higher for a moment, so the lowest backlogs of the two halves of a step are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

LEAST_S = 4
"""In fewer seconds nobody can tell whether a backlog grows."""


def growth(backlogs: Sequence[int]) -> float:
    """By how many records a second a backlog grew, given it at the end of each second of a step; 0 if it shrank."""
    half = len(backlogs) // 2
    if len(backlogs) < LEAST_S:
        return 0.0
    return max(0.0, (min(backlogs[-half:]) - min(backlogs[:half])) / (len(backlogs) - half))
