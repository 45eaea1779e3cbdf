"""Tells a worker that is dead from one that is only silent: a dead one's connection is closed.

Locust's master gives a worker up that has said nothing for 3 s, which a machine that is busy may take. The verdict then
has a worker that was lost, although it goes on with its work.
"""

from __future__ import annotations

import errno
from typing import Any

import zmq
from locust import runners
from locust.rpc import Message

SILENT_S = 15
"""So long a worker may say nothing while its connection stands: then its host is gone without a word."""


def wait_for_silent_workers() -> None:
    """Let Locust's master wait `SILENT_S` for each worker. To be called before the first one has come."""
    runners.HEARTBEAT_LIVENESS = SILENT_S  # Locust has no option for it


def give_up_disconnected(master: Any) -> None:
    """Let a `MasterRunner` give up, at its next look, the workers whose connection is closed."""
    for worker in master.clients.all:
        if worker.state != runners.STATE_MISSING and not _connected(master.server.socket, worker.id):
            worker.heartbeat = -1


def _connected(socket: Any, name: str) -> bool:
    """Whether a router's peer is there. ZeroMQ tells only who sends; a master's heartbeat does nothing to a worker."""
    heartbeat = Message("heartbeat", None, name).serialize()  # type: ignore[no-untyped-call]  # Locust's are not typed
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)  # Locust's own messages go on being dropped where nobody is
    try:
        socket.send_multipart([name.encode(), heartbeat], zmq.NOBLOCK)
    except zmq.ZMQError as error:
        return error.errno != errno.EHOSTUNREACH
    finally:
        socket.setsockopt(zmq.ROUTER_MANDATORY, 0)
    return True
