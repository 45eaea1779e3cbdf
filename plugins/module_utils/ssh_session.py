"""From where the SSH connection comes over which Ansible runs a module on this host."""

from __future__ import annotations

import os
import re
from pathlib import Path


def ssh_connection() -> tuple[str, str, int] | None:
    """Return (client, server, server's port) of the SSH session above this process; None on a console.

    sudo drops SSH_CONNECTION, hence the way up through the parents. Only root may read their environments.
    """
    pid = os.getpid()
    while pid > 1:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        for entry in environ:
            if entry.startswith(b"SSH_CONNECTION="):
                client, _, server, port = entry.decode().partition("=")[2].split()
                return client.removeprefix("::ffff:"), server.removeprefix("::ffff:"), int(port)
        parent = re.search(r"^PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("utf-8"), re.MULTILINE)
        pid = int(parent[1]) if parent else 0
    return None
