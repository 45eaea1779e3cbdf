"""Saturation: the rate rises in steps, each is held against the limits, and the first that breaks one ends the run.

The first quarter of a step is left out, so that a step is not blamed for the change to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka_load.config.plan import Plan, step_rates
from kafka_load.config.slo import LIMITS, Measured, Result, evaluate
from kafka_load.output.console_summary import milliseconds, number
from kafka_load.output.facts import Requirements
from kafka_load.output.timeline import Bin, merged

SETTLING = 0.25
PER_STEP = tuple(name for name, limit in LIMITS.items() if limit.per_step)


@dataclass(frozen=True)
class Step:
    """What one step of the rate cost; `why` says which limit it broke, or is empty."""

    target_rate: float
    acknowledged_rate: float
    achieved: float
    produce_p50_us: int
    produce_p99_us: int
    e2e_p99_us: int
    late_p99_us: int
    why: str


class Saturation:
    """Collects the seconds of a run with the shape `steps`."""

    def __init__(
        self, rates: Sequence[float], step_s: float, limits: Mapping[str, float], requirements: Requirements
    ) -> None:
        self._rates = rates
        self._step_s = step_s
        self._limits = {name: limit for name, limit in limits.items() if name in PER_STEP}
        self._max_late_us = requirements.max_late_ms * 1000
        self.uncertainty_us = 0
        """By how much an end-to-end latency may be wrong because several workers have several clocks."""
        self._bins: list[Bin] = []
        self._latest: list[Bin] = []  # the last whole second of a step that is too short to leave any out
        self.steps: list[Step] = []
        self.results: list[list[Result]] = []

    @property
    def broken(self) -> Step | None:
        """The step that broke a limit, if there was one."""
        return self.steps[-1] if self.steps and self.steps[-1].why else None

    @property
    def best(self) -> Step | None:
        """The highest step that kept the limits."""
        return next((step for step in reversed(self.steps) if not step.why), None)

    def add(self, second: Bin) -> None:
        """Take one second; a step is judged once its last second is here."""
        index = int(second.second / self._step_s)
        if index >= len(self._rates) or self.broken:
            return
        end = (index + 1) * self._step_s + 1e-9
        if second.second + 1 > end:  # what lies across the change to the next step belongs to neither
            return
        self._latest = [second]
        if second.second >= (index + SETTLING) * self._step_s:
            self._bins.append(second)
        if second.second + 2 > end:
            self._judge(self._rates[index], self._bins or self._latest)
            self._bins, self._latest = [], []

    def slo(self) -> list[Result]:
        """The limits as the best step kept them, or as the first step broke them."""
        kept = [results for step, results in zip(self.steps, self.results, strict=True) if not step.why]
        return (kept or self.results or [[]])[-1 if kept else 0]

    def sentence(self) -> str:
        """What was found."""
        if self.best is None:
            return f"no step kept the limits: {self.steps[0].why}" if self.steps else "no step was finished"
        found = f"the highest rate that kept the limits was {self.best.target_rate:,.0f} records/s"
        if self.broken is None:
            return f"{found}, the last step: the cluster may carry more"
        return f"{found}; at {self.broken.target_rate:,.0f} {self.broken.why}"

    def _judge(self, rate: float, bins: Sequence[Bin]) -> None:
        whole = merged(0, bins)
        seconds = max(1, len(bins))
        due, acknowledged = whole.counts.get("due", 0), whole.counts.get("acknowledged", 0)
        produce, late = (whole.histograms.get(name) for name in ("produce", "late_own"))
        end_to_end = max((h.percentile(99) for n, h in whole.histograms.items() if n.startswith("e2e.")), default=0)
        achieved = acknowledged / due if due else 0.0
        p99 = produce.percentile(99) if produce and produce.count else math.inf
        results = evaluate(
            self._limits,
            {
                "p99_produce_ms": Measured(p99 / 1000),
                "p99_end_to_end_ms": Measured(
                    end_to_end / 1000,
                    best=max(0, end_to_end - self.uncertainty_us) / 1000,
                    worst=(end_to_end + self.uncertainty_us) / 1000,
                    why=f"the workers' clocks are known to ±{milliseconds(self.uncertainty_us)} only",
                ),
                "achieved_rate": Measured(round(achieved, 4)),
            },
        )
        late_us = late.percentile(99) if late else 0
        why = [
            f"{r.name} was {number(r.value, 4)} (limit {number(r.limit)}"
            f"{f'; undecided: {r.undecided}' * bool(r.undecided)})"
            for r in results
            if not r.ok
        ]
        if late_us > self._max_late_us:
            why.append(f"the harness itself was {late_us / 1000:,.0f} ms late")
        self.results.append(results)
        self.steps.append(
            Step(
                rate,
                round(acknowledged / seconds, 1),
                round(100 * achieved, 2),
                produce.percentile(50) if produce else 0,
                0 if math.isinf(p99) else int(p99),
                end_to_end,
                late_us,
                " and ".join(why),
            )
        )

    def rows(self) -> list[dict[str, Any]]:
        """The curve as rows of curve.csv."""
        return [vars(step) for step in self.steps]


def planned(plan: Plan) -> Saturation | None:
    """What collects the plan's steps, all users' rates together; None if no rate has the shape `steps`."""
    stepped = [rate for user in plan.profile.rate if (rate := plan.rate(user)) and rate.shape == "steps"]
    if not stepped:
        return None
    rates = [sum(step) for step in zip(*map(step_rates, stepped), strict=True)]
    return Saturation(rates, plan.profile.duration_s / len(rates), plan.limits, plan.requirements)
