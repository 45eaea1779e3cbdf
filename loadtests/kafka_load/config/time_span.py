"""Time spans as users write them, in profiles and on the command line."""

from __future__ import annotations

import re

MOST_S = 366 * 86_400
"""No span is longer: nanoseconds of a longer one may not fit into 64 bits."""

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)(?:s|$))?(?:(\d+(?:\.\d+)?)ms)?")


def span_s(text: object) -> float:
    """Seconds of a span such as `90`, `"90s"`, `"1h30m"` or `"20ms"`.

    Raises:
        ValueError: if it is none, or is longer than a year.
    """
    if isinstance(text, int | float) and not isinstance(text, bool) and text >= 0:
        return _at_most_a_year(text)
    match = _SPAN.fullmatch(text) if isinstance(text, str) and text else None
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not a time span such as 90s, 5m or 1h30m")
    hours, minutes, seconds, ms = (float(part or 0) for part in match.groups())
    return _at_most_a_year(hours * 3600 + minutes * 60 + seconds + ms / 1000)


def _at_most_a_year(seconds: float) -> float:
    if seconds > MOST_S:
        raise ValueError(f"a time span is at most a year ({MOST_S // 3600}h)")
    return float(seconds)
