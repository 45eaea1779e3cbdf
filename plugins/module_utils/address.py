"""How a host and a port are written together: an IPv6 literal in brackets, as Kafka, ZooKeeper and clients want it.

Every `host:port` of this project is made here, so that none is forgotten.
"""

from __future__ import annotations

PORTS = range(1, 65536)


def bare(host: str) -> str:
    """Return a host without the brackets of an IPv6 literal."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def host_port(host: str, *ports: int | str) -> str:
    """Return `host:port`, or `host:port:port…` as ZooKeeper's `server.N` wants it; an IPv6 literal in brackets."""
    plain = bare(host)
    return ":".join([f"[{plain}]" if ":" in plain else plain, *map(str, ports)])


def split_host_port(text: str) -> tuple[str, int]:
    """Return host (without brackets) and port of `host:port`.

    Raises:
        ValueError: There is no port that a broker can listen on, or an IPv6 literal without brackets.
    """
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdecimal() or int(port) not in PORTS or (":" in host and host == bare(host)):
        raise ValueError(f"'{text}' is not host:port (a port is 1 to 65535; an IPv6 address stands in brackets)")
    return bare(host), int(port)
