"""Profiles: small TOML files that say how much load, by whom, for how long, and what must hold.

A profile has a rate, a size, users, a duration and limits, and nothing else; how records are produced and read
(acks, compression, group protocol, …) is an option, so that each profile can be run with each of them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kafka_load.config.slo import LimitError, check_limits
from kafka_load.records.binary import SMALLEST

PROFILES_DIR = Path(__file__).resolve().parents[1] / "profiles"

_KEYS = {"duration", "size", "rate", "users", "slo"}
_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_SHAPES: dict[str, tuple[str, ...]] = {
    "constant": ("rate",),
    "poisson": ("rate",),
    "ramp": ("from", "to"),
    "spike": ("base", "peak", "at", "for"),
    "steps": ("from", "to", "steps"),
}
_SPANS = {"at", "for", "start", "stay", "away"}


class ProfileError(ValueError):
    """A profile that cannot be used; the message is one sentence that names the file and the key."""


@dataclass(frozen=True)
class Rate:
    """How many records a second are due over the run, all users of one class together.

    `shape` is a key of `_SHAPES`; `args` are its numbers (records/s, seconds or a count of steps).
    """

    shape: str
    args: dict[str, float]

    @property
    def highest(self) -> float:
        """The highest rate the shape reaches, records/s."""
        return max(self.args[name] for name in ("rate", "from", "to", "base", "peak") if name in self.args)

    def scaled(self, factor: float) -> Rate:
        """The same shape, `factor` times as high."""
        return Rate(
            self.shape,
            {k: v * factor if k in ("rate", "from", "to", "base", "peak") else v for k, v in self.args.items()},
        )


@dataclass(frozen=True)
class Presence:
    """How many users of one class there are and when each of them is there.

    A user joins `start_s` after the run began; with `away_s` it then stays `stay_s`, leaves for `away_s`, and so on.
    """

    count: int
    start_s: float = 0.0
    stay_s: float = 0.0
    away_s: float = 0.0


@dataclass(frozen=True)
class Profile:
    """One validated profile; `size` is bytes a record, or None for JSON that a person can read."""

    name: str
    duration_s: float
    size: int | None
    rate: dict[str, Rate]
    users: dict[str, Presence]
    limits: dict[str, float] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict, compare=False)

    def to_wire(self) -> dict[str, Any]:
        """Plain data that `parse` makes the profile of again."""
        return {"name": self.name, "raw": self.raw}

    def lasting(self, duration_s: float) -> Profile:
        """The same profile over another time."""
        return replace(self, duration_s=duration_s, raw={**self.raw, "duration": duration_s})

    @property
    def user_count(self) -> int:
        """All users of all classes together."""
        return sum(presence.count for presence in self.users.values())


def span_s(text: object) -> float:
    """Seconds of a span such as `90`, `"90s"` or `"1h30m"`.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(text, int | float) and not isinstance(text, bool) and text >= 0:
        return float(text)
    match = _SPAN.fullmatch(text) if isinstance(text, str) and text else None
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not a time span such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def names(directory: Path = PROFILES_DIR) -> list[str]:
    """The names of the profiles that can be run."""
    return sorted(path.stem for path in directory.glob("*.toml"))


def load(name: str, directory: Path = PROFILES_DIR) -> Profile:
    """Read the profile `name`, or the file it points to if it ends in `.toml`.

    Raises:
        ProfileError: if there is none or it says something that makes no sense.
    """
    path = Path(name) if name.endswith(".toml") else directory / f"{name}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ProfileError(f"there is no profile {name!r}; the profiles are {', '.join(names(directory))}") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path.name}: not valid TOML: {error}") from None
    return parse(path.stem, raw, path.name)


def parse(name: str, raw: Mapping[str, object], where: str) -> Profile:
    """Validate `raw`, the content of a profile read from `where`.

    Raises:
        ProfileError: if it says something that makes no sense.
    """
    if unknown := sorted(raw.keys() - _KEYS):
        raise ProfileError(f"{where}: unknown key {unknown[0]!r}; a profile has {', '.join(sorted(_KEYS))}")
    if missing := sorted(_KEYS - {"slo"} - raw.keys()):
        raise ProfileError(f"{where}: {missing[0]!r} is missing")
    size = raw["size"]
    if size != "json" and (isinstance(size, bool) or not isinstance(size, int) or size < SMALLEST):
        raise ProfileError(f'{where}: size must be "json" or a number of bytes, at least {SMALLEST}, not {size!r}')
    users = {key: _presence(value, f"{where}: users.{key}") for key, value in _table(raw, "users", where).items()}
    rate = {key: _rate(value, f"{where}: rate.{key}") for key, value in _table(raw, "rate", where).items()}
    if len({shaped.args["steps"] for shaped in rate.values() if shaped.shape == "steps"}) > 1:
        raise ProfileError(f"{where}: all rates with the shape steps must have as many steps")
    if idle := sorted(rate.keys() - users.keys()):
        raise ProfileError(f"{where}: rate.{idle[0]} is given, but there is no {idle[0]} among the users")
    try:
        return Profile(
            name=name,
            duration_s=_positive(raw["duration"], f"{where}: duration"),
            size=None if size == "json" else int(str(size)),
            rate=rate,
            users=users,
            limits=check_limits(_table(raw, "slo", where) if "slo" in raw else {}, f"{where}: slo"),
            raw=raw,
        )
    except LimitError as error:
        raise ProfileError(str(error)) from None


def _table(raw: Mapping[str, object], key: str, where: str) -> dict[str, object]:
    table = raw[key]
    if not isinstance(table, dict):
        raise ProfileError(f"{where}: {key} must be a table, not {table!r}")
    return table


def _number(value: object, where: str) -> float:
    try:
        return span_s(value)
    except ValueError as error:
        raise ProfileError(f"{where}: {error}") from None


def _positive(value: object, where: str) -> float:
    number = _number(value, where)
    if number <= 0:
        raise ProfileError(f"{where} must be more than 0")
    return number


def _numbers(table: Mapping[str, object], where: str) -> dict[str, float]:
    for key, value in table.items():
        if key not in _SPANS and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise ProfileError(f"{where}.{key} must be a number of at least 0, not {value!r}")
    return {key: _number(value, f"{where}.{key}") for key, value in table.items()}


def _rate(value: object, where: str) -> Rate:
    table = dict(value) if isinstance(value, dict) else {"shape": "constant", "rate": value}
    shape = table.pop("shape", None)
    if shape not in _SHAPES:
        raise ProfileError(f"{where}: shape must be one of {', '.join(_SHAPES)}, not {shape!r}")
    if table.keys() != set(_SHAPES[shape]):
        raise ProfileError(f"{where}: the shape {shape} takes {', '.join(_SHAPES[shape])}, not {', '.join(table)}")
    rate = Rate(shape, _numbers(table, where))
    if (steps := rate.args.get("steps", 1)) < 1 or steps != int(steps):
        raise ProfileError(f"{where}.steps must be a whole number of at least 1, not {steps:g}")
    if rate.highest <= 0:
        raise ProfileError(f"{where} never rises above 0")
    return rate


def _presence(value: object, where: str) -> Presence:
    table = dict(value) if isinstance(value, dict) else {"count": value}
    if unknown := sorted(table.keys() - {"count", "start", "stay", "away"}):
        raise ProfileError(f"{where}: unknown key {unknown[0]!r}")
    count = table.pop("count", None)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ProfileError(f"{where}: the count of users must be a whole number of at least 1, not {count!r}")
    spans = _numbers(table, where)
    if ("stay" in spans) != ("away" in spans):
        raise ProfileError(f"{where}: stay and away only make sense together")
    return Presence(count, spans.get("start", 0.0), spans.get("stay", 0.0), spans.get("away", 0.0))
