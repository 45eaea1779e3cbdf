"""A slow or broken connection between a worker and its master, on one machine."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from queue import SimpleQueue


class SlowWay:
    """A way to a port on which what is sent there arrives `delay_s` later, or not at all after `hold`. What comes back
    does so at once.
    """

    def __init__(self, port: int, delay_s: float = 0) -> None:
        self._held = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._target, self._delay_s = port, delay_s
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except ConnectionRefusedError:  # the master does not listen yet: the worker tries again
                near.close()
                continue
            there: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            for work in ((self._read, near, there), (self._send, there, far), (self._forward, far, near)):
                threading.Thread(target=work[0], args=work[1:], daemon=True).start()

    def hold(self) -> None:
        """Let nothing arrive any more."""
        self._held.set()

    @staticmethod
    def _read(near: socket.socket, there: SimpleQueue[tuple[float, bytes]]) -> None:
        with suppress(OSError):
            while data := near.recv(1 << 16):
                there.put((time.monotonic(), data))

    def _send(self, there: SimpleQueue[tuple[float, bytes]], far: socket.socket) -> None:
        with suppress(OSError):  # one of the two ends has gone
            while True:
                came_s, data = there.get()
                time.sleep(max(0.0, came_s + self._delay_s - time.monotonic()))
                if not self._held.is_set():
                    far.sendall(data)

    @staticmethod
    def _forward(far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(1 << 16):
                near.sendall(data)
