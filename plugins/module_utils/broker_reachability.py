"""Whether the machine that asks the cluster can reach it at all, and what to change if it cannot.

A port on which nothing listens refuses the connection; one that a firewall drops does not answer. So the question can
be asked before the first broker is started.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address

from .address import split_host_port
from .firewall_networks import holds, parsed

REACHED = ""


@dataclass(frozen=True)
class Access:
    """How one broker's address was tried.

    Attributes:
        node: The host's name.
        server: Its address, `host:port`.
        failure: Why no packet came back, `REACHED` if one did.
        addresses: Where the host sees this machine, as far as is known: SSH's client there, and by the route from here.
    """

    node: str
    server: str
    failure: str
    addresses: tuple[str, ...] = ()


def dial(server: str, timeout_s: float) -> str:
    """Why `server` cannot be reached; a refused connection has reached it."""
    try:
        socket.create_connection(split_host_port(server), timeout=timeout_s).close()
    except ConnectionRefusedError:
        return REACHED
    except TimeoutError:
        return f"no answer in {timeout_s:.0f} s, so a firewall drops it"
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError as error:  # A name that nobody can have, such as "a..example.com".
        return str(error)
    return REACHED


def source_address(server: str) -> str:
    """By which of its addresses this machine reaches `server`, "" where it has no route or does not know the name."""
    host, port = split_host_port(server)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        with socket.socket(found[0][0], socket.SOCK_DGRAM) as probe:
            probe.connect(found[0][4])  # Sends nothing.
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return ""


def dial_all(servers: Mapping[str, str], seen_as: Mapping[str, str], timeout_s: float) -> list[Access]:
    """Try all servers (by the names of their hosts) at once."""
    with ThreadPoolExecutor(max_workers=min(32, len(servers) or 1)) as pool:
        failures = pool.map(lambda server: dial(server, timeout_s), servers.values())
        return [
            Access(node, server, failure, known_addresses(seen_as.get(node, ""), source_address(server)))
            for (node, server), failure in zip(servers.items(), failures, strict=True)
        ]


def problems(accesses: Iterable[Access], listener: str, admitted: Sequence[str] | None = None) -> list[str]:
    """Sentences about the servers that this machine cannot reach.

    Args:
        accesses: What was tried.
        listener: The listener's name.
        admitted: The networks that the firewall is going to admit, None if it admits them already.
    """
    found = []
    networks = parsed(admitted or ())
    for access in accesses:
        if access.failure == REACHED or any(holds(networks, address) for address in access.addresses):
            continue
        hint = f" ({' or '.join(access.addresses)})" if access.addresses else ""
        add = f"add {' or '.join(map(_cidr, access.addresses)) or 'the address that it comes from'}"
        what = f"{listener} of {access.node} at {access.server}: {access.failure}"
        found.append(
            f"firewall_admin_cidrs: the machine that asks the cluster{hint} cannot reach {what}; "
            f"{add}, or open that way where another firewall closes it"
        )
    return found


def known_addresses(seen_as: str, source: str) -> tuple[str, ...]:
    """Both, where they are known; SSH that comes over another family than Kafka's packets says nothing about those."""
    same_family = not source or (":" in seen_as) == (":" in source)
    return tuple(dict.fromkeys(filter(None, [seen_as if same_family else "", source])))


def _cidr(address: str) -> str:
    return f"{address}/{ip_address(address).max_prefixlen}"
