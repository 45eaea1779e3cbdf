"""Tells which clients a release of Kafka does not serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.old_clients import OldRequest, refusals


def kafka_old_clients(found: Mapping[str, Iterable[Mapping[str, str]]], version: str) -> list[str]:
    """Return a sentence for each client; `found` is what kafka_old_clients_info returned, by host."""
    return refusals({host: [OldRequest(**each) for each in requests] for host, requests in found.items()}, version)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {"kafka_old_clients": kafka_old_clients}
