"""A worker's side of the comparison of clocks: what it asks, and what it does with the answer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from kafka_load import clock
from kafka_load.run.clock_offset import DRIFT, ClockError, Exchange, ExchangeWindow

EVERY_S, FIRST_S = 1.0, 0.1
_PROCESS = secrets.token_hex(8)


class ClockComparison:
    """Keeps this process's clock with that of the coordinator, which is another process."""

    def __init__(self) -> None:
        self._window = ExchangeWindow()
        self._error: ClockError | None = None
        self._at_ns = 0

    @property
    def error(self) -> ClockError | None:
        """How far the clock was off, and how certain that is; None before it is known."""
        return self._error

    @property
    def every_s(self) -> float:
        """How long to wait until the next question."""
        return EVERY_S if self._error is not None else FIRST_S

    def question(self) -> dict[str, Any]:
        """What to send to the coordinator."""
        return {"asked_ns": clock.local_ns()}

    def take(self, answer: Mapping[str, Any], *, at_once: bool) -> None:
        """Take the coordinator's answer, and correct the clock; `at_once` only while nothing is measured by it.

        What was uncertain until now, and what will be, count for `ClockError.worst_ns`.
        """
        now_ns = clock.local_ns()
        times = (answer["asked_ns"], answer["received_ns"], answer["answered_ns"], now_ns)
        self._window.add(Exchange(*times), answer["process"])
        if (found := self._window.offset(now_ns)) is None:
            return
        before, left_ns = self._error, clock.correct(found.offset_ns, at_once=at_once)
        uncertainty_ns = worst_ns = found.uncertainty_ns + abs(left_ns)
        if before is not None and not at_once:
            grown_ns = before.uncertainty_ns + int(DRIFT * (now_ns - self._at_ns))
            worst_ns = max(before.worst_ns, grown_ns, uncertainty_ns)
        self._error, self._at_ns = ClockError(found.offset_ns, uncertainty_ns, worst_ns), now_ns


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """What the coordinator answers."""
    received_ns = clock.now_ns()
    return {**question, "received_ns": received_ns, "process": _PROCESS, "answered_ns": clock.now_ns()}
