"""Which changed broker settings Kafka takes while it runs, and which wait for a restart (KIP-226).

An override lives only until the process has been started with the same value, and one that nobody declares is removed,
so that server.properties stays the one place that says how a broker is configured. Secrets are left to the restart: an
override would copy them into the metadata log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import config_types

SECRET = re.compile(r"password|secret|credential|jaas\.config|keystore\.key|keystore\.certificate", re.IGNORECASE)
# Kafka would take another port while it runs: on all brokers at once, with what they advertise left as it was.
LISTENERS = ("listeners", "advertised.listeners", "listener.security.protocol.map")
# By these the references to secrets in server.properties are read, which belong to the same start.
PROVIDERS = re.compile(r"config\.providers(\..*)?")
# Set for a while by a reassignment or by a disk's replacement, and removed by those who set them.
TRANSIENT = re.compile(
    r"(leader|follower)\.replication\.throttled\.rate|.*\.io\.max\.bytes\.per\.second|cordoned\.log\.dirs"
)
ON_BROKER, ON_CLUSTER = "DYNAMIC_BROKER_CONFIG", "DYNAMIC_DEFAULT_BROKER_CONFIG"
DEFAULT = "DEFAULT_CONFIG"


@dataclass(frozen=True)
class BrokerKey:
    """One setting as a running broker describes it; `levels` holds its value at each level where it is set."""

    kind: str
    read_only: bool
    sensitive: bool
    levels: Mapping[str, str | None]

    @classmethod
    def from_kafka(cls, name: str, described: Mapping[str, Any]) -> BrokerKey:
        """From an answer of `describe_configs`, whose synonyms also name other keys that this one falls back to."""
        own = [synonym for synonym in described["synonyms"] if synonym["name"] == name]
        return cls(
            kind=described["config_type"],
            read_only=described["read_only"],
            sensitive=described["is_sensitive"],
            levels={synonym["source"]: synonym["value"] for synonym in own},
        )

    @property
    def value(self) -> str | None:
        """The value in force: levels come from the strongest to the weakest."""
        return next(iter(self.levels.values()), None)

    def without_override(self) -> str | None:
        """The value that would be in force without this broker's override."""
        return next((value for level, value in self.levels.items() if level != ON_BROKER), None)

    def same(self, one: str | None, other: str | None) -> bool:
        """Whether two values mean the same to Kafka (`True` and `true`, `a, b` and `a,b`)."""
        return config_types.same(self.kind, one, other)


@dataclass(frozen=True)
class Change:
    """Set a key to a value (None removes the override) at a level, and what the operator sees of it."""

    key: str
    value: str | None
    level: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ConfigPlan:
    """What is done while the broker runs, and the keys that only a restart brings into force."""

    changes: list[Change] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)


def plan(running: Mapping[str, str], declared: Mapping[str, str], described: Mapping[str, BrokerKey]) -> ConfigPlan:
    """Compare what the process was started with, what it should have, and what the broker says of its settings."""
    result = ConfigPlan()
    for key in sorted({*running, *declared, *overridden(described)}):
        known = described.get(key)
        if known is None or known.read_only or known.sensitive or not _takes_while_it_runs(key):
            kind = known.kind if known else ""
            if not config_types.same(kind, running.get(key), declared.get(key)):
                result.restart.append(key)
            continue
        wanted = declared.get(key, known.levels.get(DEFAULT))
        if ON_CLUSTER in known.levels and ON_BROKER not in known.levels:
            # Kafka 4 keeps min.insync.replicas for the whole cluster (KIP-966) and refuses it for one broker.
            if key in declared and not known.same(wanted, known.value):
                result.changes.append(Change(key, wanted, ON_CLUSTER, known.value, wanted))
        elif known.same(wanted, known.without_override()):
            if ON_BROKER in known.levels:
                result.changes.append(Change(key, None, ON_BROKER, known.value, known.without_override()))
        elif wanted is None:
            result.restart.append(key)
        elif not known.same(wanted, known.value):
            result.changes.append(Change(key, wanted, ON_BROKER, known.value, wanted))
    return result


def _takes_while_it_runs(key: str) -> bool:
    return key not in LISTENERS and not SECRET.search(key) and not PROVIDERS.fullmatch(key)


def overridden(described: Mapping[str, BrokerKey]) -> list[str]:
    """The keys with an override on the broker that nobody else will remove."""
    return sorted(key for key, known in described.items() if ON_BROKER in known.levels and not TRANSIENT.fullmatch(key))


def shown(values: Iterable[tuple[str, str | None]]) -> str:
    """Settings as lines of a properties file, for a diff; a secret shows no value."""
    return "".join(
        f"{key}={'(hidden)' if SECRET.search(key) else value}\n" for key, value in values if value is not None
    )
