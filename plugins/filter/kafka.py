"""Turns what the role says in data into text that Java reads, and the hosts' inventory into a list of nodes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.crucible.kafka.plugins.module_utils.address import bare

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"})
_KEY_ESCAPES = str.maketrans({char: f"\\{char}" for char in " =:#!"})
# What systemd takes from a unit that is loaded again, without a new start of the process, and our own digests.
_NOT_STARTED_WITH = re.compile(r"(TimeoutStopSec|SuccessExitStatus|Restart|RestartSec)=|Environment=\"?CONFIG_SHA256=")
_SENSITIVE = re.compile(r"password|secret|credential|jaas\.config|keystore\.key$", re.IGNORECASE)


def kafka_strings(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the properties as Kafka reads them: booleans in lower case, lists joined; None takes a key away."""
    return {str(key): _string(value) for key, value in properties.items() if value is not None}


def to_properties(properties: Mapping[str, str]) -> str:
    """Return the text of a .properties file, sorted by key; `crucible.properties.parse` gives the same mapping back."""
    return "\n".join(f"{_key(key)}={_value(properties[key])}" for key in sorted(properties))


def kafka_secrets(properties: Mapping[str, str]) -> dict[str, str]:
    """Return only those properties whose values nobody may see."""
    return {key: value for key, value in properties.items() if _SENSITIVE.search(key)}


def text_digest(text: str) -> str:
    """Return the SHA-256 of a configuration file without its comments and blank lines, which change nothing."""
    return hashlib.sha256("\n".join(_statements(text)).encode()).hexdigest()


def unit_digest(unit: str) -> str:
    """Return the SHA-256 of what a process is started with by a unit: its [Service] section as far as that needs it."""
    service, within = [], False
    for line in _statements(unit):
        within = line == "[Service]" if line.startswith("[") else within
        if within and not _NOT_STARTED_WITH.match(line):
            service.append(line)
    return text_digest("\n".join(service))


def _statements(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and line[0] not in "#;"]


def kafka_members(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the cluster's nodes as the inventory declares them, by node id.

    Roles' defaults of one host are not visible to another, so the two that matter here are said again:
    `kafka_advertised_host` is the inventory's name of the host, `kafka_process_roles` are broker and controller.
    """
    members = [
        {
            "name": name,
            "node_id": int(hostvars[name]["kafka_node_id"]),
            "host": bare(str(hostvars[name].get("kafka_advertised_host", name))),
            "roles": hostvars[name].get("kafka_process_roles", ["broker", "controller"]),
        }
        for name in names
    ]
    return sorted(members, key=lambda member: int(member["node_id"]))


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_string(item) for item in value)
    return str(value)


def _key(text: str) -> str:
    return _ascii(text.translate(_ESCAPES).translate(_KEY_ESCAPES))


def _value(text: str) -> str:
    # Java drops blanks before a value.
    return ("\\" if text.startswith(" ") else "") + _ascii(text.translate(_ESCAPES))


def _ascii(text: str) -> str:
    # Kafka reads its files as Latin-1; an escape stands for one UTF-16 unit.
    return "".join(char if char.isascii() else "".join(map("\\u{:04x}".format, _utf16(char))) for char in text)


def _utf16(text: str) -> memoryview:
    return memoryview(text.encode("utf-16-le")).cast("H")


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that templates use."""
        return {
            "kafka_members": kafka_members,
            "kafka_secrets": kafka_secrets,
            "kafka_strings": kafka_strings,
            "text_digest": text_digest,
            "to_properties": to_properties,
            "unit_digest": unit_digest,
        }
