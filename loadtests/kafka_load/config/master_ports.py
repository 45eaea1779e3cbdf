"""Which port the master of Locust's workers listens on, and which one they call.

Locust has 5557 for both, so the workers of a second run with `--processes` joined the first one's master.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

DEFAULT = 5557
EVERY_ADDRESS = "*"
TAKEN = ", perhaps by another run: give --master-bind-port and its workers' --master-port another one"


class MasterPortError(ValueError):
    """The ports cannot be used as given; the message says so in one sentence that names the options."""


@dataclass(frozen=True)
class MasterPorts:
    """Where the master listens (`--master-bind-port`) and where workers look for it (`--master-port`)."""

    bind: int
    connect: int


def master_ports(bind: int | None, connect: int | None, *, forks: bool, free: Callable[[], int]) -> MasterPorts:
    """Return both ports of a run.

    Args:
        bind: `--master-bind-port`, None if it was not given.
        connect: `--master-port`, None if it was not given.
        forks: This process is the master and forks its workers (`--processes` without `--worker`). Then both ports are
            the same, and `free()` unless one was given.
        free: A port that nobody has.

    Raises:
        MasterPortError: if the forked workers would look for the master where it is not.
    """
    if not forks:
        return MasterPorts(DEFAULT if bind is None else bind, DEFAULT if connect is None else connect)
    if bind and connect and bind != connect:
        raise MasterPortError(
            f"--master-bind-port {bind} and --master-port {connect} are different, and the workers of --processes would"
            " not find their master: give one of them, or neither"
        )
    port = bind or connect or free()
    return MasterPorts(port, port)


class ReservedPort:
    """A port of this machine that no other run is given before `release()`."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("", 0))
        self.number = int(self._socket.getsockname()[1])
        if sys.platform != "linux":  # there a listener can take it over, if it sets SO_REUSEADDR as ZeroMQ does
            self.release()

    def release(self) -> None:
        """Leave the port to who listens on it."""
        self._socket.close()


def check_free(host: str, port: int) -> None:
    """Check that a master can listen there.

    Raises:
        MasterPortError: if it cannot.
    """
    try:
        address = "0.0.0.0" if host == EVERY_ADDRESS else host  # noqa: S104  # Locust's master listens there by default
        family, kind, protocol, _, found = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((found[0], port, *found[2:]))
    except (OSError, OverflowError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        raise MasterPortError(
            f"Locust's master cannot listen on port {port} of {host} (--master-bind-port, --master-bind-host):"
            f" {getattr(error, 'strerror', None) or error}{TAKEN if taken else ''}"
        ) from None
