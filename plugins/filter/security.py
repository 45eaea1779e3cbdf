"""Makes listeners, the administrator's client and the first user of what kafka_security says."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import scram, security
from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import (
    DEFAULT_MECHANISM,
    MIN_ITERATIONS,
    iteration_counts,
)


def kafka_security_listeners(name: str) -> list[dict[str, Any]]:
    """Return the entries of kafka_listeners that this kafka_security stands for."""
    return security.listeners(security.named(name))


def kafka_security_client(name: str, authority_dir: str, user: str, password: str) -> dict[str, str]:
    """Return how kafka-python logs in as a user, whose certificates are in the authority's folder."""
    return security.client(security.named(name), authority_dir, user, password)


def kafka_client_properties(client: Mapping[str, str], servers: Iterable[str]) -> dict[str, str]:
    """Return the same as Kafka's own tools are told it in a client.properties."""
    return security.client_properties(client, list(servers))


def kafka_security_problems(name: str, declared: Mapping[str, Any]) -> list[str]:
    """Return what cannot work, in sentences; `declared` has the fields of `security.Declared`."""
    return list(security.problems(name, security.Declared(**declared)))


def kafka_first_user(name: str, user: str, password: str) -> list[str]:
    """Return the arguments of `kafka-storage format` that make the administrator; none where nobody has a password."""
    if not security.named(name).has_passwords:
        return []
    iterations = secrets.choice(iteration_counts(MIN_ITERATIONS))
    return scram.format_arguments(DEFAULT_MECHANISM, user, password, os.urandom(scram.SALT_BYTES), iterations)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {
            "kafka_client_properties": kafka_client_properties,
            "kafka_first_user": kafka_first_user,
            "kafka_security_client": kafka_security_client,
            "kafka_security_listeners": kafka_security_listeners,
            "kafka_security_problems": kafka_security_problems,
        }
