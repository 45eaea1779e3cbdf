"""Turns what the inventory declares into the names of a node's certificate, and into the files that Kafka reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.listeners import running_node
from ansible_collections.crucible.kafka.plugins.module_utils.node_certificate import (
    alternative_names,
    setting_problems,
)

STORE = re.compile(r"(^|\.)ssl\.(keystore|truststore)\.location$")


def kafka_certificate_names(properties: Mapping[str, str], further: Iterable[str] = ()) -> list[str]:
    """Return the alternative names that a node's certificate needs.

    Args:
        properties: The node's properties, whose listeners say where it listens and where others are told to find it.
        further: More names and addresses.
    """
    listeners = running_node("", "", properties).listeners.values()
    return alternative_names([*(host for each in listeners for host in (each.host, each.bind)), *further])


def kafka_store_files(config: Mapping[str, Any]) -> list[str]:
    """Return the files of keys and certificates that properties name, each once."""
    return sorted({str(value) for key, value in config.items() if value and STORE.search(key)})


def kafka_tls_problems(settings: Mapping[str, Any], hosts: Iterable[str]) -> list[str]:
    """Return what is wrong with the variables of the role tls, in sentences."""
    return list(setting_problems(settings, hosts))


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {
            "kafka_certificate_names": kafka_certificate_names,
            "kafka_store_files": kafka_store_files,
            "kafka_tls_problems": kafka_tls_problems,
        }
