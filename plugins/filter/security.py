"""Makes listeners, the administrator's client and the first user of what kafka_security says."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import scram, security, security_phase
from ansible_collections.crucible.kafka.plugins.module_utils.user_plan import (
    DEFAULT_MECHANISM,
    MIN_ITERATIONS,
    iteration_counts,
)


def kafka_security_choices(name: str, phase: str = "") -> dict[str, Any]:
    """Return the listeners that this kafka_security stands for, on the way there in a phase, and which serves what."""
    chosen, way = security.named(name), security_phase.named(phase)
    if way is None or not chosen.encrypts:
        inter_broker = "INTERNAL" if chosen.encrypts else "CLIENT"
        served = {"inter_broker": inter_broker, "controllers": ["CONTROLLER"], "admin": "CLIENT", "clients": "CLIENT"}
        return {"listeners": security.listeners(chosen), **served}
    return {
        "listeners": security.listeners(chosen, way),
        "inter_broker": security_phase.inter_broker_listener(way),
        "controllers": security_phase.controller_listeners(way),
        "admin": security_phase.admin_listener(way),
        "clients": security_phase.SECURE,
    }


def kafka_security_users(
    name: str, phase: str, users: Sequence[Mapping[str, Any]], user: str, password: str
) -> list[Mapping[str, Any]]:
    """Return the users to be declared: the administrator, too, in the phases in which nobody needs a login yet.

    In the first one users are sent unencrypted, in the second one anew.
    """
    early = [each.name for each in security_phase.PHASES if each.former_controllers]
    if phase not in early or not security.named(name).has_passwords or any(each.get("name") == user for each in users):
        return list(users)
    return [*users, {"name": user, "password": password}]


def kafka_security_skipped(name: str, phase: str, running: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return why the nodes that run cannot come there by one rolling restart, in sentences."""
    chosen = security.named(name)
    if not chosen.encrypts:
        return []
    started = {each["name"]: each["process"]["properties"] for each in running if each.get("process")}
    return list(security_phase.skipped(phase, chosen.authorizes, started))


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
            "kafka_security_choices": kafka_security_choices,
            "kafka_security_client": kafka_security_client,
            "kafka_security_problems": kafka_security_problems,
            "kafka_security_skipped": kafka_security_skipped,
            "kafka_security_users": kafka_security_users,
        }
