"""What a running service was started with: asked of the process itself, since files and loaded units may be newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# In the unit's environment: `file:digest` of each file that the process is started with besides its properties.
CONFIG_SHA256 = "CONFIG_SHA256"


def running_digests(module: Any, unit: str) -> dict[str, str] | None:
    """Return the digests in the environment of the unit's process by file, None if there is no process."""
    show = ["systemctl", "show", "--value", "--property=MainPID", unit]
    _, pid, _ = module.run_command(show, check_rc=True)
    if not int(pid):
        return None
    try:
        environment = Path(f"/proc/{int(pid)}/environ").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None  # It ended in between.
    return digests(dict(entry.partition("=")[::2] for entry in environment.split("\0")).get(CONFIG_SHA256, ""))


def digests(text: str) -> dict[str, str]:
    """Return the digests by file in the value of `CONFIG_SHA256`."""
    return {file: digest for file, _, digest in (entry.partition(":") for entry in text.split())}
