"""When one producer's records are due: by its schedule, until another takes over."""

from __future__ import annotations

from collections import deque

import numpy as np

from kafka_load.clock import MILLISECOND
from kafka_load.config.schedule import Schedule
from kafka_load.records.stamp import Int64s

AHEAD_NS = 50 * MILLISECOND  # how far due times are looked up: to ask at every tick would cost more than the records
AT_ONCE = 50_000
_NONE = np.empty(0, np.int64)


class Arrivals:
    """Hands out due times (ns) once each, in order. Only `switch` may be called by another thread."""

    def __init__(self, schedule: Schedule) -> None:
        self.taken = 0
        self._schedule, self._start = schedule, 0
        self._passed = 0  # records due under schedules that are over
        self._switches: deque[tuple[int, Schedule]] = deque()
        self._upcoming, self._place = _NONE, 0
        self._known = 0  # due times before this are looked up

    def begin(self, start_ns: int) -> None:
        """The schedule starts now."""
        self._start = self._known = start_ns

    def switch(self, schedule: Schedule, at_ns: int) -> None:
        """Let another schedule take over. What was due until then stays due."""
        self._switches.append((at_ns, schedule))

    @property
    def next_ns(self) -> int:
        """When the next record is due, or until when none is, as far as it is looked up."""
        return int(self._upcoming[self._place]) if self._place < len(self._upcoming) else self._known

    def take(self, now: int, at_most: int) -> Int64s:
        """When the next records were due, of those due before `now`; there may be more of them."""
        if self._switches:
            self._turn()
        if self._place == len(self._upcoming) and self._known < now:
            self._look(now)
        if self.next_ns >= now:
            return _NONE
        begin, end = self._place, int(np.searchsorted(self._upcoming, now))
        self._place = min(end, begin + at_most)
        self.taken += self._place - begin
        return self._upcoming[begin : self._place]

    def due(self, now: int) -> int:
        """Records due before `now`."""
        return self._passed + self._schedule.count(now - self._start)

    def rate(self, now: int) -> float:
        """Records per second wanted."""
        return self._schedule.rate_at(now - self._start)

    def _look(self, now: int) -> None:
        ahead = max(self._known, now) + AHEAD_NS
        until = min(ahead, self._switches[0][0]) if self._switches else ahead
        known = self._known - self._start
        end = self._schedule.window_end(known, until - self._start, AT_ONCE)
        self._upcoming, self._place = self._schedule.due_between(known, end) + self._start, 0
        self._known = end + self._start

    def _turn(self) -> None:
        """Forget what is due only after the next switch; turn to its schedule when all before is taken."""
        at, schedule = self._switches[0]
        at = max(at, self._start, int(self._upcoming[self._place - 1]) + 1 if self._place else 0)
        if at < self._known:
            self._upcoming, self._known = self._upcoming[: np.searchsorted(self._upcoming, at)], at
        if self._place == len(self._upcoming) and self._known >= at:
            self._passed = self.taken
            self._schedule, self._start = schedule, at
            self._upcoming, self._place, self._known = _NONE, 0, at
            self._switches.popleft()
