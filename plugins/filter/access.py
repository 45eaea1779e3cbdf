"""Tells what of the declared access waits for something that the nodes do not have yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils import security, security_phase


def kafka_has_authorizer(name: str, phase: str, config: Mapping[str, Any]) -> bool:
    """Return whether nodes are declared to have an authorizer, without which Kafka keeps no ACLs.

    Args:
        name: `kafka_security`, "" where nothing is known of the nodes, because another tool has made the cluster.
        phase: `kafka_security_phase`.
        config: `kafka_config`, which outranks both.
    """
    if security_phase.AUTHORIZER in config:
        return bool(config[security_phase.AUTHORIZER])
    if not name:
        return True
    way = security_phase.named(phase)
    return security.named(name).authorizes and (way is None or way.authorizer)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {"kafka_has_authorizer": kafka_has_authorizer}
