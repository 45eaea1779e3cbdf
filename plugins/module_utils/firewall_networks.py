"""Networks that a firewall is to admit: which of them nobody can come from, and who would be locked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

DOCUMENTATION = tuple(map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
"""Networks that documents use as examples and nobody has (RFC 5737, RFC 3849)."""

Network = IPv4Network | IPv6Network


def example_networks(sources: Iterable[str]) -> list[str]:
    """Those of a firewall's sources that lie in a network for documents."""
    return [
        source
        for source in sources
        for network in parsed([source])
        if any(network.version == reserved.version and network.overlaps(reserved) for reserved in DOCUMENTATION)
        and network.prefixlen
    ]


def locked_out(sources: Iterable[str], clients: Mapping[str, str]) -> dict[str, list[str]]:
    """The addresses from which SSH comes now and could not come afterwards, each with the hosts that see it.

    Args:
        sources: Addresses, networks and host names that are admitted; what a host name stands for is not known here.
        clients: From which address SSH comes by host, "" on a console.
    """
    every = list(sources)
    networks = parsed(every)
    found: dict[str, list[str]] = {}
    if len(networks) == len(every):
        for host, client in clients.items():
            if client and not holds(networks, client):
                found.setdefault(client, []).append(host)
    return found


def holds(networks: Iterable[Network], address: str) -> bool:
    """Whether one of the networks contains the address; those of the other IP version do not."""
    return any(ip_address(address) in network for network in networks)


def parsed(sources: Iterable[str]) -> list[Network]:
    """The sources that are addresses or networks; what a host's name stands for, only the hosts know."""
    found = []
    for source in sources:
        try:
            found.append(ip_network(source, strict=False))
        except ValueError:
            continue
    return found
