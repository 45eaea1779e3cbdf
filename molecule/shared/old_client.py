"""A client as they were before Kafka 2.1: it asks for the end of a log by a request that Kafka 4 no longer serves."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

LIST_OFFSETS, VERSION = 2, 0
LATEST = -1


def _text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def _request(client_id: str, topic: str) -> bytes:
    """ListOffsets v0 of a topic's first partition, as https://kafka.apache.org/protocol describes it."""
    header = struct.pack(">hhi", LIST_OFFSETS, VERSION, 1) + _text(client_id)
    body = struct.pack(">ii", -1, 1) + _text(topic) + struct.pack(">iiqi", 1, 0, LATEST, 1)
    return struct.pack(">i", len(header + body)) + header + body


@contextmanager
def old_client(server: str, client_id: str, topic: str) -> Iterator[None]:
    """Let one ask the broker at `host:port` ten times a second; it has had an answer when the block begins."""
    ended = threading.Event()
    address, _, port = server.rpartition(":")
    with closing(socket.create_connection((address, int(port)))) as connection:

        def ask() -> None:
            connection.sendall(_request(client_id, topic))
            (size,) = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))
            assert len(connection.recv(size, socket.MSG_WAITALL)) == size

        def go_on() -> None:
            while not ended.wait(0.1):
                ask()

        ask()
        asking = threading.Thread(target=go_on)
        asking.start()
        try:
            yield
        finally:
            ended.set()
            asking.join()
