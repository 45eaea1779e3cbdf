"""A part of the plan that did not happen: what `plan_check` finds and the verdict tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Shortfall:
    """A part of the plan that did not happen. `outcome` is what follows for the run, by itself."""

    what: str
    planned: float
    done: float
    sentence: str
    outcome: Literal["fail", "inconclusive"] = "inconclusive"

    def as_dict(self) -> dict[str, Any]:
        """The shape of one entry of verdict.json's `plan.shortfalls`."""
        return asdict(self)
