"""Profiles: small TOML files that say how much load, by whom, for how long, and what must hold.

A profile has a rate, what the records are like (size or content, keys, headers), users, a duration and limits, and
nothing else; how records are produced and read (acks, compression, group protocol, …) is an option, so that each
profile can be run with each of them.
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
from kafka_load.records.keys import DEFAULT, Popularity
from kafka_load.records.pool import LinesError, lines, shares_of

PROFILES_DIR = Path(__file__).resolve().parents[1] / "profiles"

_REQUIRED = ("duration", "rate", "users")
_KEYS = {*_REQUIRED, "size", "payload", "entropy", "keys", "headers", "slo"}
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
    """One validated profile.

    Attributes:
        name: Its file's name without the suffix.
        duration_s: How long the load lasts.
        size: Bytes a record; None for JSON that a person can read, for `sizes` and for a `payload_file`.
        rate: Records/s by class of users.
        users: How many of each class there are, and when.
        limits: Its limits by name.
        sizes: Sizes of the records, bytes, each with its share of them.
        payload_file: A file whose lines are the records' payloads, behind the header of each.
        largest_payload: Bytes of the longest record with one of those; 0 without.
        entropy: The share of a record behind its header that no compression makes less of.
        popularity: The records' keys, and how often each is drawn.
        headers: Names and values of the headers that each record has.
        raw: What it was read from.
    """

    name: str
    duration_s: float
    size: int | None
    rate: dict[str, Rate]
    users: dict[str, Presence]
    limits: dict[str, float] = field(default_factory=dict)
    sizes: tuple[tuple[int, float], ...] = ()
    payload_file: str = ""
    largest_payload: int = 0
    entropy: float = 1.0
    popularity: Popularity = DEFAULT
    headers: tuple[tuple[str, bytes], ...] = ()
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
    return parse(path.stem, _with_paths(raw, path.parent.resolve()), path.name)


def parse(name: str, raw: Mapping[str, object], where: str) -> Profile:
    """Validate `raw`, the content of a profile read from `where`.

    Raises:
        ProfileError: if it says something that makes no sense.
    """
    if unknown := sorted(raw.keys() - _KEYS):
        raise ProfileError(f"{where}: unknown key {unknown[0]!r}; a profile has {', '.join(sorted(_KEYS))}")
    if missing := [key for key in _REQUIRED if key not in raw]:
        raise ProfileError(f"{where}: {missing[0]!r} is missing")
    if ("size" in raw) == ("payload" in raw):
        raise ProfileError(f"{where}: it must have either 'size' or 'payload'")
    size, sizes = _size(raw["size"], where) if "size" in raw else (None, ())
    payload_file = _file(raw["payload"], f"{where}: payload") if "payload" in raw else ""
    entropy = raw.get("entropy", 1.0)
    if isinstance(entropy, bool) or not isinstance(entropy, int | float) or not 0 <= entropy <= 1:
        raise ProfileError(f"{where}: entropy must be a number from 0 to 1, not {entropy!r}")
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
            size=size,
            sizes=sizes,
            payload_file=payload_file,
            largest_payload=SMALLEST + max(map(len, lines(payload_file))) if payload_file else 0,
            entropy=float(entropy),
            headers=_headers(_table(raw, "headers", where) if "headers" in raw else {}, f"{where}: headers"),
            popularity=_popularity(raw.get("keys", DEFAULT.keys), f"{where}: keys"),
            rate=rate,
            users=users,
            limits=check_limits(_table(raw, "slo", where) if "slo" in raw else {}, f"{where}: slo"),
            raw=raw,
        )
    except LimitError as error:
        raise ProfileError(str(error)) from None


def _with_paths(raw: Mapping[str, object], folder: Path) -> dict[str, object]:
    """The files that a profile in this folder names, from the root: other processes have other working directories."""
    found = dict(raw)
    if isinstance(payload := raw.get("payload"), str):
        found["payload"] = str(folder / payload)
    if isinstance(keys := raw.get("keys"), dict) and isinstance(keys.get("file"), str):
        found["keys"] = {**keys, "file": str(folder / keys["file"])}
    return found


def _size(value: object, where: str) -> tuple[int | None, tuple[tuple[int, float], ...]]:
    if isinstance(value, dict):
        try:
            return None, shares_of(value)
        except ValueError as error:
            raise ProfileError(f"{where}: size: {error}") from None
    if value == "json":
        return None, ()
    if isinstance(value, bool) or not isinstance(value, int) or value < SMALLEST:
        raise ProfileError(f'{where}: size must be "json" or a number of bytes, at least {SMALLEST}, not {value!r}')
    return value, ()


def _file(value: object, where: str) -> str:
    """A file with lines."""
    if not isinstance(value, str) or not value:
        raise ProfileError(f"{where} must be the name of a file, not {value!r}")
    try:
        lines(value)
    except LinesError as error:
        raise ProfileError(f"{where}: {error}") from None
    return value


def _headers(table: Mapping[str, object], where: str) -> tuple[tuple[str, bytes], ...]:
    for name, value in table.items():
        if not name or not isinstance(value, str):
            raise ProfileError(f"{where}: a header has a name and a text as its value, not {name!r} = {value!r}")
    return tuple((name, str(value).encode()) for name, value in table.items())


def _popularity(value: object, where: str) -> Popularity:
    table = dict(value) if isinstance(value, dict) else {"count": value}
    if unknown := sorted(table.keys() - {"count", "file", "zipf"}):
        raise ProfileError(f"{where}: unknown key {unknown[0]!r}")
    if ("count" in table) == ("file" in table):
        raise ProfileError(f"{where}: it must have either 'count' or 'file'")
    zipf = table.get("zipf")
    if zipf is not None and (isinstance(zipf, bool) or not isinstance(zipf, int | float) or zipf < 0):
        raise ProfileError(f"{where}.zipf must be a number of at least 0, not {zipf!r}")
    if "file" in table:
        file = _file(table["file"], f"{where}.file")
        try:
            b"\n".join(lines(file)).decode()
        except UnicodeDecodeError:
            raise ProfileError(f"{where}.file: {file} must be text in UTF-8") from None
        return Popularity.of_file(file, zipf)
    count = table["count"]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ProfileError(f"{where}: the count of keys must be a whole number of at least 1, not {count!r}")
    return Popularity(count, zipf)


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
