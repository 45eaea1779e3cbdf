"""What has to be done so that the client quotas of a cluster are what is declared. Pure: no Kafka, no file, no clock.

An entity is what Kafka keeps limits for: a user, a client id, both together, or an IP address. Each part of it is a
name or Kafka's default, which holds for those that have no entity of their own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, NamedTuple

# As Kafka has always written it where it writes names; a client that is called so cannot be declared.
DEFAULT = "<default>"
# The key in a declaration, and Kafka's entity type.
ENTITY_TYPES = {"user": "user", "client_id": "client-id", "ip": "ip"}
WHOLE_NUMBERS = frozenset({"producer_byte_rate", "consumer_byte_rate", "connection_creation_rate"})
CLIENT_LIMITS = ("producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate")
IP_LIMITS = ("connection_creation_rate",)
KEYS = frozenset({*ENTITY_TYPES, *CLIENT_LIMITS, *IP_LIMITS, "state"})
# A KRaft controller refuses more than 10,000 records in one operation.
RECORDS_PER_REQUEST = 2000


class Entity(NamedTuple):
    """What limits hold for: pairs of Kafka's entity type and a name (None is Kafka's default), a user first."""

    parts: tuple[tuple[str, str | None], ...]

    def __str__(self) -> str:
        return ", ".join(f"{kind} {DEFAULT if name is None else name}" for kind, name in self.parts)


def entity(names: Mapping[str, str | None]) -> Entity:
    """The entity with these names by Kafka's entity types, which Kafka returns in any order."""
    return Entity(tuple(sorted(names.items(), reverse=True)))


Limits = Mapping[str, float]


@dataclass(frozen=True)
class QuotaPlan:
    """Changed limits by entity (None removes one); `undeclared` are entities that stay as they are."""

    alter: Mapping[Entity, Mapping[str, float | None]] = field(default_factory=dict)
    undeclared: Sequence[Entity] = ()

    def apply(self, current: Mapping[Entity, Limits]) -> dict[Entity, Limits]:
        """The limits as they will be; an entity without any is none."""
        after = dict(current)
        for each, changes in self.alter.items():
            merged = {**current.get(each, {}), **changes}
            after[each] = {key: value for key, value in merged.items() if value is not None}
        return {each: limits for each, limits in after.items() if limits}

    def requests(self) -> Iterator[dict[Entity, Mapping[str, float | None]]]:
        """The changes in as few requests as Kafka takes."""
        batch: dict[Entity, Mapping[str, float | None]] = {}
        records = 0
        for each, changes in self.alter.items():
            if batch and records + len(changes) > RECORDS_PER_REQUEST:
                yield batch
                batch, records = {}, 0
            batch[each] = changes
            records += len(changes)
        if batch:
            yield batch


def lines(quotas: Mapping[Entity, Limits], only: Iterable[Entity]) -> list[str]:
    """Those of the quotas that `only` names, for a diff."""
    return [
        f"{each}: {', '.join(f'{key} {value:.15g}' for key, value in sorted(quotas[each].items()))}"
        for each in sorted(set(only) & quotas.keys(), key=str)
    ]


def problems(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with entries of `kafka_quotas`, in sentences."""
    found: list[str] = []
    sound: list[Entity] = []
    for number, entry in enumerate(entries, 1):
        if about_names := list(_name_problems(entry)):
            found += [f"entry {number}: {sentence}" for sentence in about_names]
        else:
            sound.append(_entity(entry))
            found += [f"{_entity(entry)}: {sentence}" for sentence in _limit_problems(entry)]
    return found + [f"{each}: declared {times} times" for each, times in Counter(sound).items() if times > 1]


def _name_problems(entry: Mapping[str, Any]) -> Iterator[str]:
    given = [key for key in ENTITY_TYPES if key in entry]
    if not given:
        yield "it names no user, client_id or ip"
    if "ip" in given and len(given) > 1:
        yield f"ip stands alone, not with {given[0]}; Kafka limits an address whoever connects from it"
    for key in given:
        if not isinstance(entry[key], str):
            yield f"{key} is {entry[key]}, which is not a text; quote it, and write {DEFAULT} for Kafka's default"
        elif not entry[key]:
            yield f"{key} is empty; Kafka's default is written {DEFAULT}"
        elif key == "ip" and entry[key] != DEFAULT:
            yield from _address_problems(entry[key])


def _address_problems(text: str) -> Iterator[str]:
    try:
        written = str(ip_address(text))
    except ValueError:
        yield f"ip is {text}, which is no address"
    else:
        if written != text:
            yield f"ip is {text}; write it {written}, so that it is the same entity each time"


def _limit_problems(entry: Mapping[str, Any]) -> Iterator[str]:
    if unknown := sorted(map(str, entry.keys() - KEYS)):
        yield f"Kafka has no quota {', '.join(unknown)}"
    if entry.get("state") not in (None, "present", "absent"):
        yield f"state is {entry['state']}; it is present or absent"
    limits = _given_limits(entry)
    if _absent(entry) and limits:
        yield f"state is absent, and {', '.join(limits)} is declared"
    elif not _absent(entry) and not limits:
        yield "no limit is declared; state: absent removes its quotas"
    who, possible = ("an ip", IP_LIMITS) if "ip" in entry else ("a user or client_id", CLIENT_LIMITS)
    for key, value in limits.items():
        if key not in possible:
            yield f"{key} is no limit of {who}, which has {', '.join(possible)}"
        number = _number(value)
        if number is None or number <= 0:
            yield f"{key} is {value}; it is a number above 0"
        elif key in WHOLE_NUMBERS and not number.is_integer():
            yield f"{key} is {value}; Kafka takes a whole number"


def declared(entries: Iterable[Mapping[str, Any]]) -> dict[Entity, Limits]:
    """The limits by entity that entries without `problems` declare; those of an absent one are empty."""
    return {
        _entity(entry): {key: _number(value) or 0.0 for key, value in _given_limits(entry).items()} for entry in entries
    }


def plan(current: Mapping[Entity, Limits], wanted: Mapping[Entity, Limits]) -> QuotaPlan:
    """The steps from the cluster's limits to the declared ones: a declared entity has exactly those."""
    changes = {each: _changes(current.get(each, {}), limits) for each, limits in wanted.items()}
    return QuotaPlan(
        alter={each: changed for each, changed in changes.items() if changed},
        undeclared=sorted(current.keys() - wanted.keys(), key=str),
    )


def _changes(old: Limits, new: Limits) -> dict[str, float | None]:
    changed: dict[str, float | None] = {key: value for key, value in new.items() if old.get(key) != value}
    return changed | dict.fromkeys(old.keys() - new.keys())


def _entity(entry: Mapping[str, Any]) -> Entity:
    names = {kind: entry[key] for key, kind in ENTITY_TYPES.items() if key in entry}
    return entity({kind: None if name == DEFAULT else name for kind, name in names.items()})


def _given_limits(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in (*CLIENT_LIMITS, *IP_LIMITS) if entry.get(key) is not None}


def _absent(entry: Mapping[str, Any]) -> bool:
    return entry.get("state") == "absent"


def _number(value: Any) -> float | None:
    """The declared number, None if it is none; templates make texts of numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
