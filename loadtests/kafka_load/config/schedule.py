"""Arrival schedules, fixed before the run: when each record is due.

An open loop sends what is due whether or not earlier records were answered, so an outage shows as lateness instead of
disappearing (Tene's "coordinated omission"). A schedule is a pure function of time: any window of it can be asked
for, in any cuts, and the same records come out. Times are ns from the schedule's start. What a question costs does not
depend on how late in the run it is asked: see `kafka_load.config.poisson`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kafka_load.clock import SECOND
from kafka_load.config import poisson

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """Piecewise linear rates: from `times_ns[i]` to `times_ns[i+1]` the rate goes from `starts[i]` to `ends[i]` (1/s).

    The last time may be infinite if its rate is constant. `seed` makes arrivals Poisson instead of evenly spaced.
    """

    times_ns: tuple[float, ...]
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    seed: int | None = None

    @property
    def duration_ns(self) -> int | None:
        """Length, or None if endless."""
        return None if math.isinf(self.times_ns[-1]) else int(self.times_ns[-1])

    def poisson(self, seed: int) -> Self:
        """The same rates with Poisson arrivals; a seed fixes them."""
        return replace(self, seed=seed)

    def scaled(self, factor: float) -> Self:
        """All rates times `factor`, e.g. one worker's share."""
        return replace(self, starts=tuple(r * factor for r in self.starts), ends=tuple(r * factor for r in self.ends))

    def rate_at(self, t_ns: int) -> float:
        """Records per second wanted at a time; 0 outside."""
        piece = int(np.searchsorted(self.times_ns, t_ns, side="right")) - 1
        if not 0 <= piece < len(self.starts):
            return 0.0
        length = self.times_ns[piece + 1] - self.times_ns[piece]
        share = 0.0 if math.isinf(length) else (t_ns - self.times_ns[piece]) / length
        return self.starts[piece] + (self.ends[piece] - self.starts[piece]) * share

    def expected(self, t_ns: float) -> float:
        """Integral of the rate from the start to a time: records expected by then."""
        total = 0.0
        for begin, end, rate0, rate1 in zip(self.times_ns, self.times_ns[1:], self.starts, self.ends, strict=False):
            if t_ns <= begin:
                break
            elapsed = min(t_ns, end) - begin
            slope = 0.0 if math.isinf(end) else (rate1 - rate0) / (end - begin)
            total += (rate0 + slope * elapsed / 2) * elapsed / SECOND
        return total

    def count(self, t_ns: int) -> int:
        """Records due before a time."""
        expected = self.expected(t_ns)
        if self.seed is None:
            return math.ceil(expected)
        return poisson.count(self.seed, expected)

    def due_between(self, t0_ns: int, t1_ns: int) -> Int64s:
        """Due times in [t0, t1), ascending, shape (n,). Windows may be cut anywhere: nothing is lost or doubled."""
        low, high = self.expected(t0_ns), self.expected(t1_ns)
        if self.seed is None:
            arrivals = np.arange(math.ceil(low), math.ceil(high), dtype=np.float64)
        else:
            arrivals = poisson.arrivals(self.seed, low, high)
        return np.clip(self._when(arrivals).astype(np.int64), t0_ns, max(t0_ns, t1_ns - 1))

    def window_end(self, t0_ns: int, t1_ns: int, at_most: int) -> int:
        """The end of a window from t0, t1 at the latest, in which about `at_most` records are due."""
        wanted = self.expected(t0_ns) + at_most
        if self.expected(t1_ns) <= wanted:
            return t1_ns
        return min(t1_ns, max(t0_ns + 1, int(self._when(np.array([wanted]))[0])))

    @cached_property
    def _pieces(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Of each piece: when it begins, records expected before it, its first rate (1/ns), its slope (1/ns²)."""
        begins = np.array(self.times_ns[:-1])
        rates = np.array(self.starts) / SECOND
        slopes = (np.array(self.ends) / SECOND - rates) / np.diff(np.array(self.times_ns))
        return begins, np.array([self.expected(begin) for begin in begins]), rates, slopes

    def _when(self, expected: Floats) -> Floats:
        """Times at which the integral of the rate reaches the given values."""
        begins, before, rates, slopes = self._pieces
        piece = np.searchsorted(before, expected, side="right") - 1
        rest, rate, slope = expected - before[piece], rates[piece], slopes[piece]
        # The root of slope/2·t² + rate·t = rest, in the form that stays exact as the slope goes to zero.
        speed = rate + np.sqrt(np.maximum(rate**2 + 2 * slope * rest, 0.0))
        return begins[piece] + np.divide(2 * rest, speed, out=np.zeros_like(rest), where=speed > 0)


def steps(rates: Sequence[tuple[float, float]]) -> Schedule:
    """A staircase of (records per second, seconds); only the last may last for ever (`math.inf`)."""
    times = np.concatenate([[0.0], np.cumsum([seconds * SECOND for _, seconds in rates])])
    levels = tuple(float(rate) for rate, _ in rates)
    return Schedule(tuple(times.tolist()), levels, levels)


def constant(rate: float, seconds: float = math.inf) -> Schedule:
    """Evenly spaced records."""
    return steps([(rate, seconds)])


def ramp(rate0: float, rate1: float, seconds: float) -> Schedule:
    """A rate that changes linearly."""
    return Schedule((0.0, seconds * SECOND), (float(rate0),), (float(rate1),))


def spike(base: float, peak: float, before_s: float, peak_s: float, after_s: float = math.inf) -> Schedule:
    """A base rate with one burst."""
    return steps([(base, before_s), (peak, peak_s), (base, after_s)])
