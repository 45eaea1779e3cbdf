"""Which clients ask brokers by versions of requests that a later release no longer serves (KIP-896), out of their logs.

Since Kafka 3.7 a broker whose `kafka.request.logger` is at INFO logs each such request, and no other: a line that ends
with JSON, in which `requestApiVersionDeprecated` is true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .cluster import listed

MARK = '"requestApiVersionDeprecated":true'
"""What a line has that tells of such a request."""

# "connection":"192.0.2.11:9092-192.0.2.1:51234-3" is the broker's end, the client's end, and counts.
_CONNECTION = re.compile(r'"connection":"[^"]*?:\d+-([^"]*):\d+-[\d-]+"')
_PRINCIPAL = re.compile(r'"principal":("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, order=True)
class OldRequest:
    """A kind of request that a client sent: its API and version, such as `FETCH v3`, and who the client says it is.

    `software` is what clients since 2.4 tell, name and version; "" for those that do not.
    """

    client_id: str
    software: str
    address: str
    principal: str
    request: str


def requests(lines: Iterable[str]) -> list[OldRequest]:
    """Return the kinds of such requests in the lines of a broker's log, each once; other lines are passed over."""
    return sorted(set(_parsed(lines)))


def _parsed(lines: Iterable[str]) -> Iterator[OldRequest]:
    for line in lines:
        if MARK not in line:
            continue
        # The header comes first. The journal splits long lines, so that what follows it may stand in another one.
        header, client = _object(line, "requestHeader"), _object(line, "clientInformation")
        names = [client.get(key, "unknown") for key in ("softwareName", "softwareVersion")]
        connection = _CONNECTION.search(line)
        principal = _PRINCIPAL.search(line)
        if {"requestApiKeyName", "requestApiVersion"} <= header.keys():
            yield OldRequest(
                client_id=header.get("clientId") or "",
                software=" ".join(name for name in names if name != "unknown"),
                address=connection[1] if connection else "",
                principal=json.loads(principal[1]) if principal else "",
                request=f"{header['requestApiKeyName']} v{header['requestApiVersion']}",
            )


def _object(line: str, key: str) -> dict[str, Any]:
    """The object with that key, empty if the line does not have it whole."""
    _, found, text = line.partition(f'"{key}":')
    try:
        value, _ = json.JSONDecoder().raw_decode(text if found else "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def refusals(found: Mapping[str, Iterable[OldRequest]], version: str) -> list[str]:
    """Return a sentence for each client that Kafka `version` would not serve.

    Args:
        found: What `requests` returned, by the name of the broker's host.
        version: The release that is declared.
    """
    asked: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for host, each in found.items():
        for one in each:
            who = asked.setdefault((one.client_id, one.software, one.address, one.principal), {})
            who.setdefault(one.request, set()).add(host)
    return [
        f"kafka_version: {version} does not serve {_who(*who)}, which sent"
        f" {listed(sorted(sent))} to {listed(sorted(set().union(*sent.values())))}."
        for who, sent in sorted(asked.items())
    ]


def _who(client_id: str, software: str, address: str, principal: str) -> str:
    said = ", ".join(each for each in (software, principal) if each)
    name = f"client {client_id or 'without an id'}" + (f" ({said})" if said else "")
    return f"{name} at {address or 'an unknown address'}"


def as_dicts(found: Iterable[OldRequest]) -> list[dict[str, str]]:
    """Return the requests as a module tells them."""
    return [asdict(each) for each in found]
