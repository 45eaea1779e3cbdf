"""One clock for due times, acknowledgements and deliveries: that of the process which conducts the run.

Latency is a difference of two of its readings, so a stepped wall clock (NTP, a fault that moves it) must not show in
it: the wall clock is read once, when this module is imported, and the monotonic clock counts from there. A worker on
another host corrects it by what it finds its clock to be wrong by (see `kafka_load.run.clock_offset`): at once before
it has any engine, and from then on so slowly that no latency is changed by more than `SLEW`.
"""

from __future__ import annotations

import time
from typing import NamedTuple

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
SLEW = 500e-6
"""How fast a correction is changed while engines run, as NTP does it; so much faster or slower the clock goes then."""

_ANCHOR_NS = time.time_ns() - time.monotonic_ns()


class Correction(NamedTuple):
    """What is added to this host's clock: from `begin_ns` to `end_ns` (of that clock) it goes from `start_ns` to
    `target_ns`, and stays there.
    """

    begin_ns: int = 0
    end_ns: int = 0
    start_ns: int = 0
    target_ns: int = 0

    def at(self, local_ns: int) -> int:
        """The correction at a time of this host's clock."""
        if local_ns >= self.end_ns:
            return self.target_ns
        done = (local_ns - self.begin_ns) / (self.end_ns - self.begin_ns)
        return self.start_ns + int((self.target_ns - self.start_ns) * done)

    def toward(self, target_ns: int, local_ns: int) -> Correction:
        """From the correction that holds now to another one, slowly."""
        now_ns = self.at(local_ns)
        return Correction(local_ns, local_ns + int(abs(target_ns - now_ns) / SLEW), now_ns, target_ns)


_in_force = [Correction()]  # replaced as a whole: threads read it without a lock


def now_ns() -> int:
    """Nanoseconds since the epoch, free of steps; comparable between processes as far as their offsets are known."""
    local_ns = _ANCHOR_NS + time.monotonic_ns()
    return local_ns + _in_force[0].at(local_ns)


def local_ns() -> int:
    """The same without the correction: this host's own clock."""
    return _ANCHOR_NS + time.monotonic_ns()


def correct(offset_ns: int, *, at_once: bool) -> int:
    """Correct the clock by `offset_ns` from now on, or slowly; returns how far it is still off that."""
    here_ns = local_ns()
    _in_force[0] = Correction(target_ns=offset_ns) if at_once else _in_force[0].toward(offset_ns, here_ns)
    return offset_ns - _in_force[0].at(here_ns)
