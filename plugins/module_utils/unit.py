"""What a running service was started with: asked of the process itself, since files and loaded units may be newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# In the unit's environment: a digest of all that the process is started with besides its properties.
DIGEST = "STARTED_WITH"


def started_with(module: Any, unit: str) -> str | None:
    """Return the digest in the environment of the unit's process, "" if it has none, None if there is no process."""
    show = ["systemctl", "show", "--value", "--property=MainPID", unit]
    _, pid, _ = module.run_command(show, check_rc=True)
    if not int(pid):
        return None
    try:
        environment = Path(f"/proc/{int(pid)}/environ").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None  # It ended in between.
    return dict(entry.partition("=")[::2] for entry in environment.split("\0")).get(DIGEST, "")
