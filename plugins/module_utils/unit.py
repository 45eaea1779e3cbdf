"""What a running service was started with: asked of the process itself, since files and loaded units may be newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# In full for mitogen, which does not see relative imports.
from ansible_collections.crucible.kafka.plugins.module_utils.command import output

# In the unit's environment: `file:digest` of each file that the process is started with besides its properties.
CONFIG_SHA256 = "CONFIG_SHA256"


def running_digests(module: Any, unit: str) -> dict[str, str] | None:
    """Return the digests in the environment of the unit's process by file, None if there is no process.

    Ends the module where systemd cannot be asked, or where only root may read the environment.
    """
    pid = int(output(module, ["systemctl", "show", "--value", "--property=MainPID", unit]))
    if not pid:
        return None
    path = Path(f"/proc/{pid}/environ")
    try:
        environment = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None  # It ended in between.
    except PermissionError as error:
        module.fail_json(
            msg=f"What {unit} was started with is readable by root alone ({path}: {error.strerror}); set become: true."
        )
    return digests(dict(entry.partition("=")[::2] for entry in environment.split("\0")).get(CONFIG_SHA256, ""))


def digests(text: str) -> dict[str, str]:
    """Return the digests by file in the value of `CONFIG_SHA256`."""
    return {file: digest for file, _, digest in (entry.partition(":") for entry in text.split())}
