"""Profiles: small TOML files that say how much load, by whom, for how long, and what must hold.

A profile has a rate, what the records are like (size or content, keys, headers), users, a duration and limits, and may
declare topics and groups of its own; how records are produced and read (acks, compression, group protocol, …) is an
option, so that each profile can be run with each of them. `profile_schema` says what its tables may hold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kafka_load.config.profile_schema import RecordsTable, read_tables
from kafka_load.config.profile_types import (
    DeclaredGroup,
    DeclaredTopic,
    Presence,
    Profile,
    Rate,
    RecordShape,
)
from kafka_load.records.binary import SMALLEST
from kafka_load.records.pool import lines

__all__ = [
    "PROFILES_DIR",
    "DeclaredGroup",
    "DeclaredTopic",
    "Presence",
    "Profile",
    "ProfileError",
    "Rate",
    "RecordShape",
    "load",
    "names",
    "parse",
    "without_counterpart",
]

PROFILES_DIR = Path(__file__).resolve().parents[1] / "profiles"


class ProfileError(ValueError):
    """A profile that cannot be used; the message is one sentence a mistake, each names the file and the key."""


def names(directory: Path = PROFILES_DIR) -> list[str]:
    """The names of the profiles that can be run."""
    return sorted(path.stem for path in directory.glob("*.toml"))


def load(name: str, directory: Path = PROFILES_DIR) -> Profile:
    """Read the profile `name`, or the file it points to if it ends in `.toml`.

    Raises:
        ProfileError: if there is none or it says something that makes no sense.
    """
    own = name.endswith(".toml")
    path = Path(name) if own else directory / f"{name}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        if own:
            raise ProfileError(f"the profile {name} cannot be read: {error.strerror}") from None
        known = f"the profiles are {', '.join(names(directory))}, and a file's name ends in .toml"
        raise ProfileError(f"there is no profile {name!r}; {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name}: not valid TOML: {error}") from None
    return parse(path.stem, _with_paths(raw, path.parent.resolve()), path.name)


def parse(name: str, raw: Mapping[str, object], where: str) -> Profile:
    """Validate `raw`, the content of a profile read from `where`.

    Raises:
        ProfileError: if it says something that makes no sense.
    """
    table, mistakes = read_tables(raw)
    if table is None:
        raise ProfileError("\n".join(f"{where}: {mistake}" for mistake in mistakes))
    records = _records(table, RecordShape())
    topics = {
        topic: DeclaredTopic(
            topic,
            declared.partitions,
            declared.replication_factor,
            declared.config,
            _records(declared, records),
            declared.event,
        )
        for topic, declared in table.topics.items()
    }
    groups = {
        group: DeclaredGroup(group, tuple(declared.topics), declared.mode, declared.processing, declared.transform)
        for group, declared in table.groups.items()
    }
    return Profile(
        name=name,
        duration_s=table.duration,
        rate={**table.rate, **{topics[topic].user: declared.rate for topic, declared in table.topics.items()}},
        users={
            **table.users,
            **{topics[topic].user: declared.producers for topic, declared in table.topics.items()},
            **{groups[group].user: declared.members for group, declared in table.groups.items()},
        },
        limits=table.slo.whole,
        topic_limits=table.slo.topics,
        group_limits=table.slo.groups,
        records=records,
        topics=topics,
        groups=groups,
        raw=raw,
        warmup_s=table.warmup,
        window_s=table.window,
    )


def without_counterpart(
    profile: Profile, written: Collection[str], read: Collection[str], groups: Collection[str]
) -> Iterator[str]:
    """What a profile says of topics and groups that nobody writes or reads, or that are there twice, in sentences.

    `written`, `read` and `groups` are the topics and groups of users that are classes of the locustfile.
    """
    read = {*read, *(topic for group in profile.groups.values() for topic in group.topics)}
    for topic in profile.topics:
        if topic not in read:
            yield f"topics.{topic}: no group reads it, so nothing would show that its records are there"
    for group in profile.groups.values():
        for topic in group.topics:
            if topic not in written and topic not in profile.topics:
                yield f"groups.{group.name}.topics: nobody produces to {topic!r}; declare [topics.{topic}]"
        for topic in group.written:
            if topic in written:
                yield f"groups.{group.name}: a class of the locustfile produces to {topic!r}; give it another topic"
        if group.name in groups:
            yield f"groups.{group.name}: a class of the locustfile has members of this group; give it another name"
    for topic in profile.topic_limits:
        if topic not in written and topic not in profile.topics:
            yield f"slo.topics.{topic}: nobody produces to this topic"
    for name in profile.group_limits:
        if name not in groups and name not in profile.groups:
            yield f"slo.groups.{name}: there is no such group in this run"


def _records(table: RecordsTable, default: RecordShape) -> RecordShape:
    """What a table says of records; what it does not say is as in `default`."""
    content: dict[str, Any] = {}
    if table.size is not None:
        content = {"size": table.size[0], "sizes": table.size[1], "payload_file": "", "largest_payload": 0}
    if table.payload is not None:
        longest = SMALLEST + max(map(len, lines(table.payload)))
        content = {"size": None, "sizes": (), "payload_file": table.payload, "largest_payload": longest}
    if table.entropy is not None:
        content["entropy"] = table.entropy
    if table.keys is not None:
        content["popularity"] = table.keys
    if table.headers is not None:
        content["headers"] = tuple((name, value.encode()) for name, value in table.headers.items())
    return replace(default, **content)


def _with_paths(raw: Mapping[str, object], folder: Path) -> dict[str, object]:
    """The files that a profile in this folder names, from the root: other processes have other working directories."""
    found = dict(raw)
    if isinstance(payload := raw.get("payload"), str):
        found["payload"] = str(folder / payload)
    if isinstance(keys := raw.get("keys"), dict) and isinstance(keys.get("file"), str):
        found["keys"] = {**keys, "file": str(folder / keys["file"])}
    if isinstance(topics := raw.get("topics"), dict):
        found["topics"] = {
            name: _with_paths(topic, folder) if isinstance(topic, dict) else topic for name, topic in topics.items()
        }
    return found
