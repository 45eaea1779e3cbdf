"""Saturation: the rate rises in steps, each is held against the limits, and the first that is not sustained ends that.

A step is sustained if it kept the limits, and neither the backlog (records due and not answered) nor the lag of a group
(records acknowledged and not delivered to it) grew in it. Its first quarter is left out, so that a step is not blamed
for the change to it. With a `tolerance` the search goes on between the highest rate that was sustained and the lowest
that was not: the load pauses until everybody has caught up, the rate halfway between is tried, and so on until the two
are as close as that.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kafka_load.config.plan import Plan
from kafka_load.config.rate_steps import step_rates, step_s, tolerance
from kafka_load.config.slo import LIMITS, Measured, Result, evaluate
from kafka_load.output.console_summary import milliseconds, number
from kafka_load.output.measurements import Requirements
from kafka_load.output.timeline import Bin, merged
from kafka_load.run.backlog_growth import growth

SETTLING = 0.25
USUAL_TOLERANCE = 0.05
CAUGHT_UP_S = 0.5
"""Everybody has caught up once no more records are left than are due in so long a time."""
PER_STEP = tuple(name for name, limit in LIMITS.items() if limit.per_step)


@dataclass(frozen=True)
class Step:
    """What one step of the rate cost; `why` says why it was not sustained, or is empty.

    `backlog_growth` and `lag_growth` (of the group whose lag grew most) are in records/s.
    """

    target_rate: float
    acknowledged_rate: float
    achieved: float
    produce_p50_us: int
    produce_p99_us: int
    e2e_p99_us: int
    late_p99_us: int
    backlog_growth: float
    lag_growth: float
    why: str


@dataclass(frozen=True)
class Segment:
    """A time of the run with one rate, from and until so many seconds after its start."""

    begin_s: float
    end_s: float
    rate: float


class Saturation:
    """Collects the seconds of a run with the shape `steps`; rates are those of all producers together."""

    def __init__(
        self,
        rates: Sequence[float],
        step_s: float,
        limits: Mapping[str, float],
        requirements: Requirements,
        tolerance: float = 0.0,
        groups: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        self._rates = rates
        self._step_s = step_s
        self.tolerance = tolerance
        self._groups = groups  # their topics
        self._limits = {name: limit for name, limit in limits.items() if name in PER_STEP}
        self._max_late_us = requirements.max_late_ms * 1000
        self.uncertainty_us = 0
        """By how much an end-to-end latency may be wrong because several workers have several clocks."""
        self._segments = [Segment(i * step_s, (i + 1) * step_s, rate) for i, rate in enumerate(rates)]
        self._bins: list[Bin] = []
        self._latest: list[Bin] = []  # the last whole second of a step that is too short to leave any out
        self._backlog = 0
        self._lag = dict.fromkeys(groups, 0)
        self._backlogs: list[int] = []
        self._lags: dict[str, list[int]] = {group: [] for group in groups}
        self._paused = False
        self.steps: list[Step] = []
        self.results: list[list[Result]] = []

    @property
    def broken(self) -> Step | None:
        """The lowest step that was not sustained, if there was one."""
        return min((step for step in self.steps if step.why), key=lambda step: step.target_rate, default=None)

    @property
    def best(self) -> Step | None:
        """The highest step that was sustained."""
        return max((step for step in self.steps if not step.why), key=lambda step: step.target_rate, default=None)

    @property
    def bounded(self) -> bool:
        """The sustainable rate is known as closely as was asked for."""
        best, broken = self.best, self.broken
        if not self.tolerance or best is None or broken is None:
            return False
        return best.target_rate < broken.target_rate <= best.target_rate * (1 + self.tolerance)

    @property
    def done(self) -> bool:
        """There is nothing more to look for."""
        if self.broken is None:
            return bool(self.tolerance) and not self._segments
        return not self.tolerance or self.best is None or self.bounded or self._contradictory

    @property
    def _contradictory(self) -> bool:
        """A rate was sustained that is higher than one that was not: the cluster, or the machine, has changed."""
        best, broken = self.best, self.broken
        return best is not None and broken is not None and best.target_rate > broken.target_rate

    def add(self, second: Bin) -> None:
        """Take one second; a step is judged once its last second is here."""
        self._count(second.counts)
        if not self._segments or self.done:
            return
        segment = self._segments[0]
        end = segment.end_s + 1e-9
        if second.second < segment.begin_s - 1e-9 or second.second + 1 > end:
            return  # what lies across the change to a step or from it to the next belongs to neither
        self._latest = [second]
        if second.second >= segment.begin_s + SETTLING * (segment.end_s - segment.begin_s):
            self._bins.append(second)
            self._backlogs.append(self._backlog)
            for group, lag in self._lag.items():
                self._lags[group].append(lag)
        if second.second + 2 > end:
            self._segments.pop(0)
            self._judge(segment.rate, self._bins or self._latest)
            self._bins, self._latest, self._backlogs = [], [], []
            self._lags = {group: [] for group in self._groups}

    def _count(self, counts: Mapping[str, int]) -> None:
        """Bring the backlog up to date, and of each group how many acknowledged records it was not delivered."""
        self._backlog += counts.get("due", 0) - counts.get("acknowledged", 0) - counts.get("failed", 0)
        for group, topics in self._groups.items():
            given = sum(counts.get(f"acknowledged.{topic}", 0) for topic in topics)
            self._lag[group] += given - counts.get(f"delivered.{group}", 0)

    def next_rate(self, backlog: int, lags: Mapping[str, int]) -> float | None:
        """The rate that is wanted from now on: 0 until all have caught up; None to leave it as it is.

        Args:
            backlog: Records that are due and not answered now.
            lags: The lag of each group now.
        """
        if not self.tolerance or self.done or self.broken is None or self.best is None:
            return None
        if self._segments:
            return None  # a step is on
        if not self._paused:
            self._paused = True
            return 0.0
        left = CAUGHT_UP_S * self.best.target_rate
        if backlog > left or any(lag > left for lag in lags.values()):
            return None
        return (self.best.target_rate + self.broken.target_rate) / 2

    def position(self, rate: float) -> float | None:
        """Where a rate lies between the first step (0) and the last (1); None if it is a pause."""
        return (rate - self._rates[0]) / (self._rates[-1] - self._rates[0]) if rate else None

    def begin(self, rate: float, at_s: float) -> None:
        """The rate that was wanted holds from `at_s` on."""
        if rate:
            begin_s = math.ceil(at_s)
            self._segments = [Segment(begin_s, begin_s + self._step_s, rate)]
            self._paused = False

    def slo(self) -> list[Result]:
        """The limits as the best step kept them, or as the first step broke them."""
        if not self.steps:
            return []
        chosen = self.best or self.steps[0]
        return self.results[self.steps.index(chosen)]

    def sentence(self) -> str:
        """What was found."""
        if self.best is None:
            return f"no step kept the limits: {self.steps[0].why}" if self.steps else "no step was finished"
        found = f"the highest rate that kept the limits was {self.best.target_rate:,.0f} records/s"
        if self.broken is None:
            return f"{found}, the last step: the cluster may carry more"
        return f"{found}; at {self.broken.target_rate:,.0f} {self.broken.why}"

    def unfinished(self) -> list[str]:
        """Why the sustainable rate is not known, or not as closely as was asked for, in a sentence; none if it is."""
        best, broken = self.best, self.broken
        if best is None and self.steps:
            return [f"no rate was sustained, not even {self.steps[0].target_rate:,.0f} records/s: {self.steps[0].why}"]
        if not self.tolerance or self.bounded or best is None or broken is None:
            return []
        if self._contradictory:
            return [
                f"{best.target_rate:,.0f} records/s were sustained and {broken.target_rate:,.0f} were not:"
                " the cluster did not carry the same all along"
            ]
        return [
            f"the sustainable rate lies between {best.target_rate:,.0f} and {broken.target_rate:,.0f} records/s, which"
            f" is not known to {self.tolerance:.3g} of it: let the run last longer (--run-time)"
        ]

    def as_dict(self) -> dict[str, Any]:
        """The shape of verdict.json's `saturation`; rates in records/s, None where there is none."""
        return {
            "sustained_rate": self.best.target_rate if self.best else None,
            "unsustained_rate": self.broken.target_rate if self.broken else None,
            "tolerance": self.tolerance or None,
            "why": self.broken.why if self.broken else "",
        }

    def _judge(self, rate: float, bins: Sequence[Bin]) -> None:
        whole = merged(0, bins)
        seconds = max(1, len(bins))
        due, acknowledged = whole.counts.get("due", 0), whole.counts.get("acknowledged", 0)
        produce, late = (whole.histograms.get(name) for name in ("produce", "late_own"))
        end_to_end = max((h.percentile(99) for n, h in whole.histograms.items() if n.startswith("e2e.")), default=0)
        achieved = acknowledged / due if due else 0.0
        produced = produce is not None and produce.count > 0
        p99 = produce.percentile(99) if produce else 0
        results = evaluate(
            self._limits,
            {
                **({"p99_produce_ms": Measured(p99 / 1000)} if produced else {}),
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
        if not produced:
            why.append("no record was acknowledged")
        backlog, lag = growth(self._backlogs), max(map(growth, self._lags.values()), default=0.0)
        why += self._growing(rate, backlog, lag)
        if late_us > self._max_late_us:
            why.append(f"the harness itself was {late_us / 1000:,.0f} ms late")
        self.results.append(results)
        self.steps.append(
            Step(
                rate,
                round(acknowledged / seconds, 1),
                round(100 * achieved, 2),
                produce.percentile(50) if produce else 0,
                p99,
                end_to_end,
                late_us,
                round(backlog, 1),
                round(lag, 1),
                " and ".join(why),
            )
        )
        if why:
            self._segments = []

    def _growing(self, rate: float, backlog: float, lag: float) -> list[str]:
        """What grew by more than half the tolerance, in words."""
        allowed = (self.tolerance or USUAL_TOLERANCE) / 2 * rate
        found = []
        if backlog > allowed:
            found.append(f"the backlog grew by {backlog:,.0f} records/s")
        if lag > allowed:
            found.append(f"a group's lag grew by {lag:,.0f} records/s")
        return found

    def rows(self) -> list[dict[str, Any]]:
        """The curve as rows of curve.csv."""
        return [vars(step) for step in self.steps]


def planned(plan: Plan, groups: Mapping[str, Collection[str]]) -> Saturation | None:
    """What collects the plan's steps, all users' rates together; None if no rate has the shape `steps`.

    `groups` are those that read, with their topics.
    """
    stepped = [rate for user in plan.profile.rate if (rate := plan.rate(user)) and rate.shape == "steps"]
    if not stepped:
        return None
    rates = [sum(step) for step in zip(*map(step_rates, stepped), strict=True)]
    return Saturation(
        rates,
        step_s(stepped[0], plan.profile.duration_s),
        plan.limits,
        plan.requirements,
        tolerance(stepped[0]),
        groups,
    )
